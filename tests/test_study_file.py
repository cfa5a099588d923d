"""The file of a study: it is whole after each piece, goes on to the same bytes, and computes only what is new."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minisam import SGD, study
from minisam.files import only_writer
from minisam.study import measure, pieces, protocol


@pytest.fixture
def trained(monkeypatch):
    """How often each method's pieces were computed: by the names of its settings."""
    counts = Counter()

    def counted(problem, method, grid, epochs, k, data):
        counts[", ".join(method.grid)] += 1
        return measure.measured(problem, method, grid, epochs, k, data)

    monkeypatch.setattr(protocol, "measured", counted)
    return counts


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A study's file, and how often it was written."""
    path, writes = tmp_path_factory.mktemp("study") / "study.json", []
    with pytest.MonkeyPatch.context() as patch:
        write = pieces.Pieces.write
        patch.setattr(pieces.Pieces, "write", lambda self: writes.append(1) or write(self))
        tiny.compare(path=path)
    return path.read_bytes(), len(writes)


# --- going on --------------------------------------------------------------------------------------------------------


def stopped_after(count, path, **options):
    """A study that Ctrl-C ends after so many pieces."""
    write, left = pieces.Pieces.write, [count]

    def writes(self):
        write(self)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces.Pieces, "write", writes)
        with pytest.raises(KeyboardInterrupt):
            tiny.compare(path=path, **options)


def test_a_study_that_stops_after_any_piece_goes_on_to_the_same_bytes(tmp_path, undisturbed):
    content, writes = undisturbed
    for count in range(1, writes + 1):
        path = tmp_path / f"{count}.json"
        stopped_after(count, path)
        tiny.compare(path=path)
        assert path.read_bytes() == content, f"stopped after {count} of {writes} pieces"
    assert sorted(os.listdir(tmp_path)) == sorted(f"{count}.json" for count in range(1, writes + 1))


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 5), min_size=2, max_size=3))
def test_so_does_one_that_stops_again_and_again(tmp_path, undisturbed, counts):
    path = tmp_path / "study.json"
    path.unlink(missing_ok=True)
    for count in counts:
        stopped_after(count, path)
    tiny.compare(path=path)
    assert path.read_bytes() == undisturbed[0]


@pytest.mark.skipif(os.name != "posix", reason="it is killed by a signal")
def test_a_study_that_is_killed_while_it_writes_a_piece_goes_on_to_the_same_bytes(tmp_path, undisturbed):
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(tiny.__file__).parent)!r})
import tiny
replace, left = os.replace, [7]
def strike(*paths):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)
os.replace = strike
tiny.compare(path="study.json")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert done.returncode == -signal.SIGKILL
    there = json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))
    assert sum(len(each["pieces"]) for each in there["methods"].values()) == 6
    tiny.compare(path=tmp_path / "study.json")
    assert (tmp_path / "study.json").read_bytes() == undisturbed[0]
    assert os.listdir(tmp_path) == ["study.json"]


def test_a_study_in_a_file_is_the_study_without_one(tmp_path, trained):
    path = tmp_path / "study.json"
    result = tiny.compare(path=path)
    assert result == tiny.compare()
    assert study.load(path) == result
    trained.clear()
    assert tiny.compare(path=path) == result
    assert not trained


# --- what is computed anew -------------------------------------------------------------------------------------------


def test_a_method_that_changed_is_computed_anew_alone(tmp_path, trained):
    path = tmp_path / "study.json"
    tiny.compare(path=path)
    trained.clear()
    changed = tiny.METHODS | {"SGD": (lambda lr: SGD(lr, momentum=0.5), tiny.METHODS["SGD"][1])}
    result = tiny.compare(methods=changed, path=path)
    assert set(trained) == {"lr"}
    assert result == tiny.compare(methods=changed)


def test_a_method_that_is_left_out_and_comes_back_is_there(tmp_path, trained):
    path, momentum = tmp_path / "study.json", (tiny.sgd, {"lr": [0.1, 0.2, 0.3, 0.5]})
    tiny.compare(methods=tiny.METHODS | {"third": momentum}, path=path)
    content = path.read_bytes()
    trained.clear()
    assert set(tiny.compare(path=path).budgets["equal epochs"]) == {"SGD", "SAM"}
    tiny.compare(methods=tiny.METHODS | {"third": momentum}, path=path)
    assert not trained
    assert path.read_bytes() == content


def test_more_units_leave_those_there_as_they_are(tmp_path, trained):
    path = tmp_path / "study.json"
    few = tiny.compare(path=path)
    trained.clear()
    more = tiny.compare(path=path, units=5)
    assert trained == {"lr": 4, "lr, rho": 2}  # two units more, SGD for both budgets
    for budget, outcomes in few.budgets.items():
        for name, outcome in outcomes.items():
            assert more.budgets[budget][name].scores[:3] == outcome.scores
    content = json.dumps(json.loads(path.read_text(encoding="utf-8"))["methods"])
    path.unlink()
    assert tiny.compare(path=path, units=5).budgets == more.budgets
    assert json.dumps(json.loads(path.read_text(encoding="utf-8"))["methods"]) == content


def test_units_that_are_added_after_a_look_are_told(tmp_path):
    path = tmp_path / "study.json"
    says = "warning: verdicts were seen after {} units; who adds units until a verdict appears will find one"
    tiny.compare(path=path, units=3)
    stopped_after(1, path, units=4)  # nothing has been seen of these
    for units, seen in ((5, [3]), (6, [3, 5]), (3, [])):
        result = tiny.compare(path=path, units=units)
        assert [line for line in result.warnings() if "seen" in line] == [says.format(n) for n in seen]
        assert (result.seen, study.load(path)) == (seen, result)


def test_a_study_goes_on_from_a_file_of_before_there_was_a_setting_that_it_does_not_use(tmp_path, undisturbed, trained):
    path, content = tmp_path / "study.json", json.loads(undisturbed[0])
    assert content["settings"].pop("augment") == "null"
    path.write_text(pieces.as_text(content), encoding="utf-8")
    tiny.compare(path=path)
    assert not trained
    assert path.read_bytes() == undisturbed[0]


# --- refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"delta": 0.1}, "delta was 0.05, is 0.1"),
        ({"delta": None}, "delta was 0.05, is null"),
        ({"tuning": 3}, "tuning was 2, is 3"),
        ({"problem": replace(tiny.PROBLEM, epochs=3)}, "epochs was 2, is 3"),
        ({"problem": replace(tiny.PROBLEM, seeds=2)}, "seeds was 1, is 2"),
        ({"problem": replace(tiny.PROBLEM, model=tiny.mlp((2, 5, 2)))}, "model was {"),
        ({"problem": replace(tiny.PROBLEM, unit=lambda k: tiny.unit(k + 1))}, "unit was {"),
        ({"problem": replace(tiny.PROBLEM, augment=lambda x, draw: x)}, "augment was null, is {"),
        ({"problem": replace(tiny.PROBLEM, score=lambda run, data: 1.0)}, "score was "),
    ],
)
def test_another_study_is_refused_and_its_file_stays(tmp_path, undisturbed, trained, changed, says):
    path = tmp_path / "study.json"
    path.write_bytes(undisturbed[0])
    with pytest.raises(
        ValueError, match=r"study\.json belongs to another study: delete it, or name another file"
    ) as error:
        tiny.compare(path=path, **changed)
    assert f"({says}" in str(error.value)
    assert path.read_bytes() == undisturbed[0]
    assert not trained


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text[: len(text) // 2], r"is not a whole study of minisam \(JSONDecodeError: "),
        (
            lambda text: text.replace('"study"', '"run"', 1),
            r"is not a whole study of minisam \(ValueError: it is a run\)",
        ),
        (lambda text: '{"minisam": "study"}', r"is not a whole study of minisam \(KeyError: 'format'\)"),
        (lambda text: "[]", r"is not a whole study of minisam \(TypeError"),
        (lambda text: text.replace('"format": 1', '"format": 9', 1), "has format 9 of minisam .* install a newer one"),
        (lambda text: text.replace('"pieces": {', '"pieces": 3, "others": {', 1), "it has no pieces"),
        (lambda text: text.replace('"delta": "0.05"', '"other": "0.05"', 1), "delta was null"),
    ],
)
def test_a_file_that_is_no_whole_study_is_refused_and_stays(tmp_path, undisturbed, trained, change, says):
    path = tmp_path / "study.json"
    path.write_text(change(undisturbed[0].decode()), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=says):
        tiny.compare(path=path)
    assert path.read_bytes() == before
    assert not trained


def test_a_study_that_has_not_ended_has_no_result(tmp_path):
    path = tmp_path / "study.json"
    stopped_after(3, path)
    with pytest.raises(ValueError, match="holds a study that has not ended: call compare again, and it goes on"):
        study.load(path)


def test_a_folder_that_is_missing_and_a_file_in_use_are_told_before_anything_trains(tmp_path, trained):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        tiny.compare(path=tmp_path / "nowhere" / "study.json")
    path = tmp_path / "study.json"
    with only_writer(path), pytest.raises(BlockingIOError, match="another run is writing"):
        tiny.compare(path=path)
    assert not trained
