"""The evidence: each result is that of its file, each page says what its result does, a claim is judged by what it predicted."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from minisam import SAM, SGD, hvp, mse, study, threads
from minisam.study.fairness import fair_methods
from minisam.study.from_file import definitions
from minisam.study.pieces import read, same
from minisam.training.settings import text

EVIDENCE = Path(__file__).resolve().parent.parent / "evidence"
sys.path[:0] = [str(EVIDENCE), str(EVIDENCE.parent / "benchmarks")]

import measuring  # noqa: E402
import page  # noqa: E402
import parallel  # noqa: E402
import xor_flatness  # noqa: E402

CLAIMS = sorted(path.with_suffix(".py") for path in EVIDENCE.glob("*.json") if path != page.TIMES)


def written(name):
    return (EVIDENCE / name).read_bytes().decode()


# --- the committed results and pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CLAIMS, ids=lambda path: path.stem)
def test_the_page_is_what_the_result_says(path):
    assert written(f"{path.stem}.md") == page.page(page.load(path))
    assert path.with_suffix(".png").exists()


def test_the_overview_is_of_all_claims():
    assert len(CLAIMS) >= 5
    assert written("README.md") == page.overview([page.load(path) for path in CLAIMS])


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the code of a function is another in each version of Python"
)
@pytest.mark.parametrize("path", CLAIMS, ids=lambda path: path.stem)
def test_the_result_is_that_of_its_file(path):
    defined, there = definitions(path), path.with_suffix(".json")
    if "measure" in defined:
        assert same(there, measuring.settings_of(defined))
        return
    settings = {name: text(name, defined[name]) for name in ("tuning", "delta")}
    assert same(there, defined["problem"].settings() | settings)
    kept = read(there)["methods"]
    for name, method in fair_methods(defined["methods"]).items():
        assert kept[name]["made_by"] == text(name, [method.make, method.grid])


@pytest.mark.parametrize("path", CLAIMS, ids=lambda path: path.stem)
def test_a_claim_states_all_of_it_and_has_as_many_units_as_it_says(path):
    claim = page.load(path)
    for part in ("Claim", "Source", "Problem", "Methods", "Prediction"):
        assert f"**{part}.** " in claim.stated
    assert "arxiv.org/abs/" in claim.stated
    assert claim.title.endswith("?")
    outcomes = [outcome for budget in claim.result.budgets.values() for outcome in budget.values()]
    assert {len(outcome.scores) for outcome in outcomes} == {claim.defined["units"]}
    assert claim.defined["units"] >= 10
    assert claim.result.delta == claim.defined["delta"]
    assert set(claim.defined["predicted"]) <= claim.result.budgets["equal epochs"].keys() - {claim.defined["against"]}


def test_a_study_that_was_stopped_is_no_result_yet(tmp_path):
    made_by = importlib.util.spec_from_file_location(
        "make_evidence", EVIDENCE / "make.py"
    )  # other folders have a make, too
    make = importlib.util.module_from_spec(made_by)
    made_by.loader.exec_module(make)
    whole, stopped = json.loads(written("flatter.json")), tmp_path / "stopped.json"
    assert not make.ended(stopped)
    assert make.ended(EVIDENCE / "flatter.json")
    stopped.write_text(json.dumps(whole | {"result": None}), encoding="utf-8")
    assert not make.ended(stopped)


# --- how a claim is judged -------------------------------------------------------------------------------------------

NOISE = [0.0, 0.1, -0.1, 0.05, -0.05] * 4
SCORES = {
    "base": [0.0] * 20,
    "up": [1 + noise for noise in NOISE],
    "down": [noise - 1 for noise in NOISE],
    "same": NOISE,
    "wild": [100 * noise for noise in NOISE],
}
DEFINED = {"__doc__": "Is it so?\n\nIt is.", "against": "base", "delta": 0.2, "units": 20, "scale": "a number"}


def claim(**predicted):
    found = {name: measuring.reached({}, 3, 5, scores) for name, scores in SCORES.items()}
    result = study.Result({"equal epochs": found}, 0.2)
    return page.Claim(Path("so.py"), DEFINED | {"predicted": predicted}, result)


@pytest.mark.parametrize(
    ("predicted", "outcome"),
    [
        ({"up": "better", "down": "worse", "same": "equal"}, "Reproduced"),
        ({"up": "better", "same": "better"}, "Reproduced in part, in 1 of 2 comparisons"),
        ({"up": "better", "wild": "better"}, "Reproduced in part, in 1 of 2 comparisons"),
        ({"down": "better"}, "Not reproduced"),
        ({"same": "better"}, "Not reproduced"),
        ({"wild": "better", "down": "better"}, "Not reproduced"),
        ({"wild": "better"}, "Undecided"),
    ],
)
def test_a_claim_is_judged_by_the_words_it_predicted(predicted, outcome):
    assert claim(**predicted).outcome == outcome


def test_what_does_not_reproduce_says_so_first():
    assert page.page(claim(up="better", down="better")).splitlines()[4] == (
        "**Reproduced in part, in 1 of 2 comparisons.** What we saw over 20 units, against base. *Worse*, where *better* was "
        "predicted: down: -1.000 [-1.034, -0.966]. *Better*, as predicted: up: +1.000 [+0.966, +1.034]."
    )
    ranked = [claim(up="better"), claim(up="better", same="better"), claim(wild="better"), claim(down="better")]
    lines = page.table(ranked).splitlines()[2:]
    told = ["**Not reproduced**", "**Undecided**", "**Reproduced in part", "**Reproduced**"]
    assert [word in line for word, line in zip(told, lines, strict=True)] == [True] * 4


def test_a_page_says_how_many_units_would_decide():
    assert "more than 10,000 units would decide" in page.page(claim(wild="better"))


def test_a_row_shows_the_first_predicted_difference_and_what_it_costs():
    row = page.row(claim(same="equal", up="better"))
    assert row[0] == "[Is it so?](so.md)"
    assert row[2] == "same less base: +0.000 [-0.034, +0.034] at equal epochs (a number)"
    assert row[3:] == ("20", "5 / 5", "–")


def test_a_row_tells_the_time_that_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "TIMES", tmp_path / "times.json")
    page.TIMES.write_text('{"so": 1.5}')
    so = claim(same="equal")
    assert page.row(so)[-1] == "1.5"
    assert page.timed([so, so, replace(so, path=Path("other.py"))]) == "2 of 3 claims, 3 minutes in all"
    page.TIMES.write_text('{"so": 0.0}')
    assert page.row(so)[-1] == "under 0.1"


# --- a claim's own measure -------------------------------------------------------------------------------------------


def defined(delta=0.2):
    def measure(units):
        return {"equal epochs": {name: measuring.reached({}, 1, 1, values) for name, values in SCORES.items()}}

    return DEFINED | {"measure": measure, "delta": delta}


def test_a_measure_is_computed_once_and_belongs_to_its_file(tmp_path, monkeypatch):
    path = tmp_path / "so.json"
    first = measuring.measured(defined(), path)
    assert len(first.verdicts("base")) == len(SCORES) - 1
    monkeypatch.setattr(measuring, "reached", None)  # it would be called again
    assert measuring.measured(defined(), path) == first
    with pytest.raises(ValueError, match=r"so\.json belongs to another study.*delta was 0\.2, is 0\.3"):
        measuring.measured(defined(delta=0.3), path)
    assert study.load(path) == first


def test_a_walk_ends_where_its_steps_lead_and_counts_gradients():
    bowl = lambda w: (np.sum(w**2, axis=-1) / 2, w)  # noqa: E731
    w, spent = measuring.walk(SAM(SGD(0.5), 0.1), np.array([[1.0]]), bowl, 2)
    np.testing.assert_allclose(w, [[0.175]], rtol=1e-12)  # w ← w − ½ (w + 0.1)
    assert spent == 4


# --- the time of parallel gradients ----------------------------------------------------------------------------------


def test_a_step_is_timed_in_that_of_sam_and_two_threads_are_needed(monkeypatch):
    monkeypatch.setattr(parallel, "ROUNDS", 1)
    with threads.use(2):
        found = parallel.measure(1)["equal epochs"]
    assert found["SAM"].scores == [-1.0]
    gradients = {name: outcome.gradients for name, outcome in found.items()}
    assert gradients == {"SAM": 10, "SGD": 5, "SAMPa": 10, "AsyncSAM": 10}
    with threads.use(1), pytest.raises(RuntimeError, match="needs two cores"):
        parallel.measure(1)


# --- the flatness of XOR ---------------------------------------------------------------------------------------------


def test_the_trace_of_the_network_of_xor_is_that_of_its_hessian():
    model, xor = xor_flatness.xor.MODEL, xor_flatness.xor.unit(0)
    x, y = (a[:5].astype("float64") for a in (xor.x_train, xor.y_train))
    w, axes = model.init(seed=0, dtype="float64"), np.eye(model.size)
    hessian = hvp(model, mse)(w + 0 * axes, axes, x, y)
    np.testing.assert_allclose(xor_flatness.trace(w, x), np.trace(hessian), rtol=1e-12)


def test_the_flatness_is_that_of_the_networks_that_xor_reports():
    flatness, xor = (study.load(EVIDENCE / f"{name}.json").budgets for name in ("xor_flatness", "xor"))
    for budget, outcomes in xor.items():
        for name, there in outcomes.items():
            assert [flatness[budget][name].settings, flatness[budget][name].gradients] == [
                there.settings,
                there.gradients,
            ]
