"""`minisam study FILE.py`: runs what the file defines and goes on; table, verdicts, picture; one line for each mistake."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image
from test_cli import assert_one_line, files, minisam

from minisam import study

DEFINITION = """
from minisam import SAM, SGD, data, mlp, study

problem = study.Problem(mlp((2, 4, 2)), lambda k: data.two_moons(k, train=16, validation=20, test=20), epochs=2, batch_size=8)
methods = {
    "SGD": (lambda lr: SGD(lr, momentum=0.9), {"lr": [0.1, 0.2, 0.4, 0.8]}),
    "SAM": (lambda lr, rho: SAM(SGD(lr, momentum=0.9), rho), {"lr": [0.1, 0.2], "rho": [0.05, 0.1]}),
}
delta, units, tuning = 0.05, 3, 1
"""


def test_it_runs_the_study_of_a_file_and_goes_on(tmp_path):
    (tmp_path / "mine.py").write_text(DEFINITION)
    done = minisam("study", "mine.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    result = study.load(tmp_path / "mine.json")
    printed = [*result.table().splitlines(), "", *map(str, result.verdicts()), "picture: mine.png"]
    assert done.stdout.splitlines() == printed
    assert len(result.budgets["equal epochs"]["SGD"].scores) == 3
    with Image.open(tmp_path / "mine.png") as image:
        assert image.format == "PNG"
    whole = (tmp_path / "mine.json").read_bytes()
    content = json.loads(whole)
    del content["result"], content["methods"]["SAM"]
    content["seen"] = []
    (tmp_path / "mine.json").write_text(json.dumps(content))
    again = minisam("study", tmp_path / "mine.py")  # from another folder
    assert again.stdout.splitlines()[:-1] == printed[:-1]
    assert (tmp_path / "mine.json").read_bytes() == whole
    assert [name for name in files(tmp_path) if "__pycache__" not in name] == ["mine.json", "mine.png", "mine.py"]


def test_it_imports_its_neighbours_and_says_against_what(tmp_path):
    (tmp_path / "neighbour.py").write_text(DEFINITION)
    (tmp_path / "mine.py").write_text('from neighbour import *\nagainst = "SAM"\n')
    done = minisam("study", tmp_path / "mine.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nSGD against SAM at equal epochs: " in done.stdout


def test_several_processes_write_the_same_file(tmp_path):
    """The methods of the file are lambdas, and one is called as the other thing that goes by its name, the problem."""
    for name, workers in (("one", 1), ("two", 2)):
        (tmp_path / f"{name}.py").write_text(DEFINITION.replace('"SAM"', '"problem"'))
        done = minisam("study", f"{name}.py", "--workers", str(workers), cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


LONG = DEFINITION.replace("epochs=2", "epochs=50").replace("units, tuning = 0.05, 3", "units, tuning = 0.05, 99")


@pytest.mark.skipif(os.name != "posix", reason="it is interrupted by a signal")
@pytest.mark.parametrize("group", [False, True])
def test_ctrl_c_ends_all_processes_and_keeps_what_is_finished(tmp_path, group):
    (tmp_path / "mine.py").write_text(LONG)
    command = [sys.executable, "-m", "minisam", "study", "mine.py", "--workers", "2"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    running = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not (tmp_path / "mine.json").exists():
        assert running.poll() is None, running.communicate()[1]
        time.sleep(0.05)
    (os.killpg if group else os.kill)(running.pid, signal.SIGINT)
    says = running.communicate(timeout=60)[1]  # it ends when the last process does that can write there
    assert (says, running.returncode) == ("minisam study: interrupted\n", 130)
    assert re.search(r'"50 epochs, unit ', (tmp_path / "mine.json").read_text())


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        (DEFINITION.replace("delta, units, tuning = 0.05, 3, 1", ""), "must define problem, methods, delta, as"),
        (DEFINITION.replace("units, tuning = 0.05, 3", "units, tuning = 0.05, 1"), "units must be ≥ 2, got 1: one unit does not"),
        (DEFINITION.replace('"rho": [0.05, 0.1]', '"rho": [0.05]'), "methods must have the same number of settings each"),
        (DEFINITION + 'against = "Adam"', "against must be one of 'SGD', 'SAM', got 'Adam'"),
        (DEFINITION + "problem = 3", "problem must be a Problem(model, unit, epochs, ...), got 3"),
    ],
)  # fmt: skip
def test_an_ill_defined_study_is_refused_in_one_line(tmp_path, definition, says):
    (tmp_path / "mine.py").write_text(definition)
    assert_one_line(minisam("study", tmp_path / "mine.py"), says)
    assert files(tmp_path) == ["mine.py"]


@pytest.mark.parametrize("name", ["nowhere.py", "mine.txt"])
def test_what_is_no_python_file_is_refused(tmp_path, name):
    (tmp_path / "mine.txt").write_text(DEFINITION)
    assert_one_line(minisam("study", tmp_path / name), "file must be a Python file, *.py, that is there, got ")
