"""What stands in conformance/: the page says what the results do, and each deviation has a program that shows it."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "conformance"
sys.path.append(str(FOLDER))

import implementations  # noqa: E402
import rendering  # noqa: E402

RESULTS = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
EVERYONE = [*RESULTS["implementations"], *RESULTS["beyond"]]
PROGRAMS = sorted((FOLDER / "reproductions").glob("*.py"))


def test_the_page_is_what_the_results_say():
    anew = rendering.page(RESULTS, FOLDER / "reproductions")
    assert (FOLDER / "README.md").read_bytes().decode() == anew


def test_the_results_are_those_of_all_implementations():
    kept = [(one["package"], one["name"], one["variant"]) for one in RESULTS["implementations"]]
    assert kept == [(entry.package, entry.name, entry.variant) for entry in implementations.IMPLEMENTATIONS]
    assert len(kept) >= 12


def test_versions_are_those_that_are_pinned():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    pins = dict(re.findall(r"([\w-]+)==([\d.]+)", " ".join(extras["conformance"])))
    assert {one["package"]: one["version"] for one in EVERYONE}.items() <= pins.items()


@pytest.mark.parametrize("one", RESULTS["implementations"], ids=lambda one: f"{one['package']}: {one['name']}")
def test_what_deviates_has_a_program_that_shows_it_and_nothing_else_has(one):
    deviates = any(s["holds"] is False for s in one["statements"])
    assert bool(one["reproductions"]) is deviates
    assert (one["agreed"] == len(one["problems"])) is not deviates


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_can_be_filed_as_it_stands(path):
    """It imports the package and what that is used with, says what is expected, and has printed something."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    of = next(one["package"] for one in EVERYONE if path.stem in one["reproductions"])
    imported = {a.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    imported |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported - {"torch", "jax"} == {"sam" if of == "sam-pytorch" else of.replace("-", "_")}
    assert "\nExpected: " in ast.get_docstring(tree) or " Expected: " in ast.get_docstring(tree)
    assert RESULTS["reproductions"][path.stem].strip()


def test_each_program_is_on_the_page():
    assert set(RESULTS["reproductions"]) == {path.stem for path in PROGRAMS}


# --- anew, beside the packages that the other tests have, too --------------------------------------------------------


def skip_unless_recorded(one):
    pytest.importorskip(one["package"].replace("-", "_"))
    if version(one["package"]) != one["version"]:
        pytest.skip(f"{one['package']} is not the {one['version']} of the page")


@pytest.mark.peer
@pytest.mark.parametrize("name", ["optax_zero_gradient", "pytorch_optimizer_centralized_norm"])
def test_a_program_prints_what_it_did(name):
    skip_unless_recorded(next(one for one in EVERYONE if name in one["reproductions"]))
    program = [sys.executable, FOLDER / "reproductions" / f"{name}.py"]
    done = subprocess.run(program, capture_output=True, text=True, encoding="utf-8", check=True)
    assert done.stdout == RESULTS["reproductions"][name]


@pytest.mark.peer
@pytest.mark.parametrize("k", [0, 3, 7, 9], ids=lambda k: RESULTS["implementations"][k]["name"])
def test_the_checker_finds_what_it_did(k):
    """Of the statements that it knew then."""
    from minisam.conformance import check

    kept, entry = RESULTS["implementations"][k], implementations.IMPLEMENTATIONS[k]
    skip_unless_recorded(kept)
    found = {s.text: s.holds for s in check(entry.make(), entry.variant, **entry.settings).statements}
    known = {s["text"]: s["holds"] for s in kept["statements"] if s["text"] in found}
    assert len(known) >= 2
    assert {text: found[text] for text in known} == known
