"""The table of all variants: every variant is in it, its page shows the committed result, and a run that is stopped goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from minisam import sam

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture(autouse=True)
def suite(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)


def committed():
    return json.loads((BENCHMARKS / "family.json").read_text(encoding="utf-8"))


def test_every_variant_is_compared_with_twelve_settings():
    import methods

    known = methods.Known(methods.PROBLEMS["digits"], 100, 10, 600, 0.1, 0.005)
    made = methods.methods(known)
    kinds = {type(make(**{name: values[0] for name, values in grid.items()})) for make, grid in made.values()}
    there = {kind for kind in vars(sam).values() if isinstance(kind, type) and hasattr(kind, "step")}
    not_measured = {sam.GRST, sam.ImbSAM}  # of ImbSAM: the classes of both problems are of equal size
    assert there - kinds == {sam.Rule, sam.Composed, sam.Variant, sam.Sometimes, *not_measured}
    for name, (_, grid) in made.items():
        assert np.prod([len(set(values)) for values in grid.values()]) == 12, name


def test_the_page_shows_the_committed_result():
    import family
    import readme

    assert readme.spliced("family table") == family.table(committed())


def test_the_committed_result_is_whole_and_of_these_grids():
    import family

    results = committed()
    assert family.missing(results, quick=False) == []
    for name in family.PROBLEMS:
        assert set(results["time"][name]) == set(family.names(False))
    for row in results["rows"].values():
        assert len(row["equal_epochs"]) == len(row["equal_gradients"]) == len(row["lambda_max"]) == 10


def test_a_difference_counts_when_it_would_with_all_comparisons():
    import family

    gap = np.arange(10) / 10  # mean 0.45, standard error 0.0957: t = 4.7; the limits are 2.26 for one and 4.02 for 34
    assert family.apart(gap, 0 * gap, 17)
    assert not family.apart(gap - 0.2, 0 * gap, 17)  # t = 2.6
    assert family.apart(gap - 0.2, 0 * gap, 0.5)
    assert not family.apart(gap, gap, 17)


def quick(path):
    command = [sys.executable, str(BENCHMARKS / "family.py"), "--quick", "--results", str(path)]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    )


def test_a_run_that_is_stopped_goes_on_with_the_rows_that_it_has(tmp_path):
    path = tmp_path / "family.json"
    before = (ROOT / "docs" / "family.md").read_bytes()
    first = quick(path)
    deadline = time.monotonic() + 240
    while not path.exists() and first.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    first.send_signal(signal.SIGINT)
    _, errors = first.communicate(timeout=60)
    assert first.returncode == 130, errors
    assert "a second call goes on" in errors
    kept = json.loads(path.read_text(encoding="utf-8"))["rows"]
    assert kept

    second = quick(path)
    shown, errors = second.communicate(timeout=400)
    assert second.returncode == 0, errors
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    assert {key: rows[key] for key in kept} == kept
    for method in ("SGD", "SAM", "LookSAM, every 5th step", "SAMPa"):
        assert f"| {method} | " in shown
    assert (ROOT / "docs" / "family.md").read_bytes() == before


def test_a_row_of_another_grid_or_problem_is_measured_anew():
    import family

    results = committed()
    results["rows"]["digits: SAM"]["grid"]["rho"][0] += 0.01
    assert family.missing(results, quick=False) == [("digits", "SAM")]
    del results["rows"]["mnist1d: SGD"]
    assert family.missing(results, quick=False) == [("mnist1d", "SGD")]  # from which the others' grids follow
    results = committed()
    results["problems"]["digits"] = "another"
    assert family.missing(results, quick=False) == [("digits", "SGD")]


def test_a_quick_result_is_not_gone_on_with(tmp_path):
    import family

    path = tmp_path / "family.json"
    path.write_text(json.dumps({"quick": True, "rows": {}}), encoding="utf-8")
    with pytest.raises(SystemExit, match="was made with --quick"):
        family.run_all(path, fresh=False, quick=False)


def test_the_quick_run_does_not_touch_the_committed_result(monkeypatch, capsys):
    import family

    monkeypatch.setattr(sys, "argv", ["family.py", "--quick"])
    with pytest.raises(SystemExit):
        family.main()
    assert "--quick needs --results, another file than the committed one" in capsys.readouterr().err
