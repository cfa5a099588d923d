"""The test vectors: each path, ε and measure is restated in plain NumPy, and what is committed is what the library makes."""

import itertools
import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import restated

from minisam import optim, sam, sharpness

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "vectors"
FILES = {path.relative_to(VECTORS).as_posix(): path for path in sorted(VECTORS.rglob("*.json"))}
PATHS = [name for name in FILES if "/" in name]
READERS = {"python": (sys.executable, "verify.py"), "JavaScript": ("node", "verify.mjs")}


def read(name):
    return json.loads(FILES[name].read_text(encoding="utf-8"))


MEASURES = read("measures.json")["cases"]


@pytest.fixture(scope="module")
def make():
    """The functions of vectors/make.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(VECTORS)
        return runpy.run_path(str(VECTORS / "make.py"))


@pytest.fixture(scope="module")
def anew(make):
    """What it makes now: where each file lies -> what it holds."""
    return make["everything"]()


def assert_close(a, b, bound, where=""):
    """Equal up to a share of the largest entry of b."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    assert a.shape == b.shape, where
    assert np.abs(a - b).max(initial=0) <= bound * np.abs(b).max(initial=0), where


# --- held against formulas -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PATHS)
def test_every_step_of_a_path_is_its_formula_in_plain_numpy(name):
    file = read(name)
    for t, (a, step) in enumerate(zip(restated.walk(file), file["steps"], strict=True)):
        assert step["state"].pop("t") == t + 1
        assert_close(a.w, step["w"], 1e-12)
        assert_close(a.loss, step["loss"], 1e-12)
        assert a.spent == pytest.approx(step["evaluations"], rel=1e-15)
        for mine, its in zip(a.eps, step["eps"], strict=True):
            np.testing.assert_allclose(mine, its, rtol=1e-10, atol=1e-14)  # ε is a difference of two points
        for key, its in step["state"].items():
            assert_close(a.m[key], its, 1e-11)


def test_every_epsilon_is_the_formula_of_the_article():
    for case in read("epsilon.json")["cases"]:
        g, p = np.atleast_2d(case["g"]), float(case["p"])
        rho = np.broadcast_to(case["rho"], (len(g), 1))
        mine = [restated.epsilon(one, r, p) for one, (r,) in zip(g, rho, strict=True)]
        for a, b in zip(mine, np.atleast_2d(case["epsilon"]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=0, err_msg=f"{case['name']}, p = {p}")


@pytest.mark.parametrize("k", range(len(MEASURES)))
def test_every_measure_is_its_formula_in_plain_numpy(k):
    case = MEASURES[k]
    mine, its = restated.measure(case), case["value"]
    mine, its = ({"value": mine}, {"value": its}) if isinstance(its, float | list) else (mine, its)
    assert mine.keys() == its.keys() - {"name"}
    for name in mine:
        assert_close(mine[name], its[name], 1e-10)


# --- made by the library ---------------------------------------------------------------------------------------------


def assert_same(a, b, where):
    """The same names, texts and whole numbers, and floats up to rounding."""
    if isinstance(b, dict):
        assert list(a) == list(b), where
        for name in b:
            assert_same(a[name], b[name], f"{where}, {name}")
    elif isinstance(b, list) and any(isinstance(entry, list | dict | str) for entry in b):
        for k, (one, other) in enumerate(zip(a, b, strict=True)):
            assert_same(one, other, f"{where}, {k}")
    elif isinstance(b, list | float):
        assert_close(a, b, 1e-12, where)
    else:
        assert a == b, where


def test_what_is_committed_is_what_the_library_makes(anew):
    assert anew.keys() == FILES.keys()
    for name in FILES:
        assert_same(anew[name], read(name), name)


def test_what_has_no_sums_is_made_with_the_same_bits(anew):
    """SGD on a diagonal quadratic, and ε for p = 1 and p = ∞, which no BLAS rounds."""
    sgd = [name for name in PATHS if name.startswith("base/sgd") and "net" not in name]
    assert len(sgd) == 4
    for name in sgd:
        for one, other in zip(anew[name]["steps"], read(name)["steps"], strict=True):
            assert (one["w"], one["eps"], one["state"]) == (other["w"], other["eps"], other["state"])
    for one, other in zip(anew["epsilon.json"]["cases"], read("epsilon.json")["cases"], strict=True):
        assert one == other or other["p"] not in (1, "inf")


def test_files_are_small_have_a_format_and_read_back_the_same(make):
    for name, path in FILES.items():
        assert path.stat().st_size <= 100_000, name
        assert read(name)["format"] == 1
        assert path.read_text(encoding="utf-8") == make["text"](read(name)) + "\n"


def test_every_variant_base_schedule_and_measure_has_vectors():
    in_files = [read(name)["optimizer"] for name in PATHS]
    names = {name for found in in_files for name in named(found)}
    kinds = {name: kind for name, kind in vars(sam).items() if isinstance(kind, type)}
    family = {name for name, kind in kinds.items() if hasattr(kind, "step")}
    assert family - names == {"Rule", "Composed", "Variant", "Sometimes"}  # what variants are made of
    assert {name for name, kind in kinds.items() if issubclass(kind, sam.Ball)} - names == {"Ball"}
    assert set(optim.__all__) - names == {"Base", "Optimizer", "Updater"}
    functions = {name for name in sharpness.__all__ if name.islower()}
    parts_of_others = {"worst_point", "single_step", "matrices"}
    slices = {"landscape", "profile", "interpolation", "filter_normalised"}
    assert functions - {case["measure"] for case in MEASURES} == parts_of_others | slices | {"spectral_density"}


def named(settings):
    """The names of an optimizer, its base, its schedule and its ball."""
    if isinstance(settings, dict):
        yield settings["name"]
        for value in settings.values():
            yield from named(value)


def test_no_two_paths_agree():
    """Each is told from every other on its problem by more than float32 rounds, or a wrong formula could pass for a right one."""
    files = [read(name) for name in PATHS]
    for one, other in itertools.combinations(files, 2):
        if one["problem"] == other["problem"]:
            a, b = (np.array([step["w"] for step in file["steps"]]) for file in (one, other))
            assert np.abs(a - b).max() > 5e-4 * np.abs(a).max(), (one["name"], other["name"])


def test_the_page_explains_every_name():
    page = (VECTORS / "README.md").read_text(encoding="utf-8")
    files = [read(name) for name in PATHS]
    names = {name for file in files for name in [*file, *file.get("draws", {}), *file["steps"][0]]}
    names |= {name for file in files for name in [*file["steps"][0]["state"], file["problem"]["kind"]]}
    names |= {name for case in MEASURES for name in [*case, case["measure"]]} | set(read("epsilon.json")["cases"][0])
    assert {name for name in names if f"`{name}`" not in page} == set()


# --- read without the library ----------------------------------------------------------------------------------------


def verified(language, folder):
    program, reader = READERS[language]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine, so vectors/{reader} did not run")
    return subprocess.run(
        [program, str(folder / reader)], capture_output=True, text=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize("language", READERS)
def test_a_reader_finds_its_own_sam_in_the_vectors(language):
    done = verified(language, VECTORS)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "epsilon and SAM over SGD agree with the vectors\n"


@pytest.mark.parametrize("language", READERS)
@pytest.mark.parametrize("changed", ["epsilon", "loss", "eps", "w"])
def test_a_reader_sees_what_differs(language, changed, tmp_path):
    """One number off by 10⁻⁸ of itself, in a copy."""
    shutil.copytree(VECTORS, tmp_path / "vectors")
    path = tmp_path / "vectors" / ("epsilon.json" if changed == "epsilon" else "sam/sam-with-p-3.json")
    file = json.loads(path.read_text(encoding="utf-8"))
    where = file["cases"][3] if changed == "epsilon" else file["steps"][19]
    where[changed] = np.multiply(where[changed], 1 + 1e-8).tolist()
    path.write_text(json.dumps(file), encoding="utf-8")
    done = verified(language, tmp_path / "vectors")
    assert done.returncode != 0
    assert "agree with the vectors" not in done.stdout
