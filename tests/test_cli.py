"""The command line, in processes of its own: what it prints and writes, how it ends, and one line for each mistake."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minisam import __version__, array_backend, cli, demo

QUICK = ["--seeds", "2", "--epochs", "2"]
ALONE = {key: value for key, value in os.environ.items() if key != "MINISAM_BACKEND"}


def minisam(*arguments, module="minisam", cwd=None, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=ALONE | {"PYTHONIOENCODING": "utf-8"} | environment,
    )


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# --- the main job ----------------------------------------------------------------------------------------------------


def test_the_demo_prints_a_table_and_writes_a_picture(tmp_path):
    done = minisam("demo", *QUICK, "--out", tmp_path / "new" / "folder", module="minisam.cli")
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows, last = done.stdout.splitlines()
    assert head.split("  ")[-1] == "seconds"
    assert [row.split("  ")[0] for row in rows] == ["SGD", "SAM over SGD", "SGD, twice the epochs"]
    assert all(row.count("±") == 3 for row in rows)
    path = tmp_path / "new" / "folder" / "demo.png"
    assert last == f"picture: {path}"
    assert files(tmp_path) == ["new", "new/folder", "new/folder/demo.png"]
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width > 1500
        assert image.height > 400
        assert np.asarray(image.convert("L")).std() > 10


def test_the_json_agrees_with_its_own_samples_and_with_the_settings(tmp_path):
    done = minisam("demo", *QUICK, "--rho", "0.2", "--base", "adam", "--l2", "0.01", "--json", "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    settings = {"seeds": 2, "epochs": 2, "rho": 0.2, "base": "adam", "l2": 0.01, "backend": "numpy"}
    assert told["settings"] == settings
    assert [row["method"] for row in told["rows"]] == ["Adam", "SAM over Adam", "Adam, twice the epochs"]
    for row in told["rows"]:
        for measure in ("test_accuracy", "worst_case", "lambda_max"):
            samples = row[measure]["samples"]
            assert len(samples) == 2
            np.testing.assert_allclose(row[measure]["mean"], np.mean(samples), rtol=1e-12)
            # Student's t for one degree of freedom is 12.706; σ/√2 of two numbers is half their distance
            np.testing.assert_allclose(
                row[measure]["half_width_95"], 12.7062 * abs(np.subtract(*samples)) / 2, rtol=1e-5
            )
    assert files(tmp_path) == ["demo.png"]


def test_it_runs_where_the_terminal_knows_no_greek(tmp_path):
    done = minisam("demo", "--seeds", "1", "--epochs", "1", "--out", tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "sharpness at ? = 0.05" in done.stdout


def test_version_and_help():
    done = minisam("--version")
    assert (done.returncode, done.stdout) == (0, f"minisam {__version__}\n")
    done = minisam("demo", "--help")
    assert done.returncode == 0
    for option in ("--seeds", "--epochs", "--rho", "--base", "--l2", "--backend", "--out", "--json"):
        assert option in done.stdout


def test_every_option_has_help_and_a_default_that_works():
    (demo_parser,) = [a.choices["demo"] for a in cli.parser()._actions if a.choices]
    assert all(action.help for action in demo_parser._actions)
    options = cli.parser().parse_args(["demo"])
    assert (options.seeds, options.epochs, options.rho, options.base, options.l2) == (10, 40, 0.05, "sgd", 3e-4)
    assert (str(options.out), options.backend, options.json) == ("figures", None, False)


# --- mistakes --------------------------------------------------------------------------------------------------------


def assert_one_line(done, says):
    """Status 2, nothing on stdout, and one line on stderr, after argparse's usage where that is what was wrong."""
    assert done.returncode == 2
    assert done.stdout == ""
    *usage, line = done.stderr.splitlines()
    assert not usage or usage[0].startswith("usage: minisam")
    assert all(line.startswith(" ") for line in usage[1:])
    assert line.startswith("minisam")
    assert says in line


MISTAKES = {
    "no command": ([], "the following arguments are required: command"),
    "unknown command": (["train"], "invalid choice: 'train'"),
    "unknown option": (["demo", "--sedes", "3"], "unrecognized arguments: --sedes 3"),
    "unknown base": (["demo", "--base", "lion"], "argument --base: invalid choice: 'lion'"),
    "negative rho": (["demo", "--rho", "-0.1"], "argument --rho: must be a number ≥ 0, got '-0.1'"),
    "rho not a number": (["demo", "--rho", "nan"], "argument --rho: must be a number ≥ 0, got 'nan'"),
    "infinite rho": (["demo", "--rho", "inf"], "argument --rho: must be a number ≥ 0, got 'inf'"),
    "negative l2": (["demo", "--l2=-1"], "argument --l2: must be a number ≥ 0, got '-1'"),
    "no seeds": (["demo", "--seeds", "0"], "argument --seeds: must be a whole number ≥ 1, got '0'"),
    "half an epoch": (["demo", "--epochs", "0.5"], "argument --epochs: must be a whole number ≥ 1, got '0.5'"),
    "unknown backend": (["demo", "--backend", "torch"], "backend must be one of 'numpy', 'cupy', got 'torch'"),
}


@pytest.mark.parametrize(("arguments", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_status_2(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        status = cli.main(arguments)
    except SystemExit as end:
        status = end.code
    assert_one_line(subprocess.CompletedProcess(arguments, status, *capsys.readouterr()), says)
    assert files(tmp_path) == []


def test_a_mistake_in_a_process_of_its_own_has_no_traceback(tmp_path):
    assert_one_line(
        minisam("demo", "--rho", "-1", cwd=tmp_path, PYTHONPATH=where()), "--rho: must be a number ≥ 0, got '-1'"
    )
    assert files(tmp_path) == []


def test_the_backend_named_in_the_environment_is_checked(tmp_path):
    done = minisam("demo", cwd=tmp_path, MINISAM_BACKEND="nonsense", PYTHONPATH=where())
    assert_one_line(done, "backend must be one of 'numpy', 'cupy', got 'nonsense'")
    assert files(tmp_path) == []


def where():
    """The folder that holds the package, for processes that run elsewhere."""
    return os.path.dirname(os.path.dirname(cli.__file__))


def test_cupy_that_is_missing_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cupy", None)  # as if it were not installed
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(array_backend, "in_use", array_backend.in_use)
    status = cli.main(["demo", "--backend", "cupy"])
    assert_one_line(
        subprocess.CompletedProcess([], status, *capsys.readouterr()), "the package cupy is missing; pip install"
    )
    assert files(tmp_path) == []


@pytest.mark.parametrize("out", ["a file", "under a file", "not writable"])
def test_a_folder_that_cannot_be_written_is_known_before_the_work(out, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    path = {"a file": "file", "under a file": "file/new", "not writable": "folder"}[out]
    if out == "not writable":
        monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # root may write everywhere
    monkeypatch.setattr(demo, "run", None)
    with pytest.raises(SystemExit) as end:
        cli.main(["demo", "--out", str(tmp_path / path)])
    says = f"argument --out: must be a folder that can be written to, got '{tmp_path / path}'"
    assert_one_line(subprocess.CompletedProcess([], end.value.code, *capsys.readouterr()), says)
    assert files(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_training_that_diverges_is_one_line(tmp_path, capsys):
    status = cli.main(["demo", *QUICK, "--rho", "1e30", "--out", str(tmp_path / "new")])
    assert_one_line(subprocess.CompletedProcess([], status, *capsys.readouterr()), "the loss became nan at step ")
    assert files(tmp_path) == []


def test_a_disk_that_is_full_leaves_no_half_of_a_picture(tmp_path, monkeypatch, capsys):
    def full(self, path, **_):
        path.write_bytes(b"\x89PNG")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    status = cli.main(["demo", *QUICK, "--out", str(tmp_path)])
    assert_one_line(subprocess.CompletedProcess([], status, *capsys.readouterr()), "No space left on device")
    assert files(tmp_path) == []


# --- Ctrl-C ----------------------------------------------------------------------------------------------------------

WAITING = """
import sys
from minisam import cli, demo

def train(*arguments, train=demo.train, **options):
    print("training", flush=True)
    return train(*arguments, **options)

demo.train = train
sys.exit(cli.main(["demo", "--epochs", "1000000", "--out", sys.argv[1]]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to one process")
def test_ctrl_c_ends_with_130_and_one_line_and_writes_nothing(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, tmp_path / "new"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process, contextlib.ExitStack() as at_the_end:
        at_the_end.callback(process.kill)
        assert process.stdout.readline() == "training\n"
        time.sleep(0.3)  # into the loop, or not yet: the end is the same
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "minisam demo: interrupted\n")
    assert files(tmp_path) == []


def test_ctrl_c_while_the_picture_is_drawn_leaves_no_half_of_it(tmp_path, monkeypatch, capsys):
    def pressed(self, path, **_):
        path.write_bytes(b"\x89PNG")
        raise KeyboardInterrupt

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", pressed)
    assert cli.main(["demo", *QUICK, "--out", str(tmp_path)]) == 130
    assert capsys.readouterr() == ("", "minisam demo: interrupted\n")
    assert files(tmp_path) == []


@pytest.mark.parametrize("command", ["bench", "lessons"])
def test_what_only_a_clone_has_is_missed_in_one_line(command, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "minisam" / "cli.py"))
    assert cli.main([command]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"minisam {command}: there is no ")
    assert line.count("\n") == 1


def test_lessons_are_opened_in_the_jupyterlab_that_is_installed_and_not_in_one_of_the_current_folder(tmp_path):
    for folder in ("here", "installed"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "jupyterlab.py").write_text(f"import sys\nprint({folder!r}, *sys.argv[1:])")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path / 'installed'}{os.pathsep}{Path(cli.__file__).parents[1]}"}
    run = subprocess.run(
        [sys.executable, "-m", "minisam", "lessons"],
        cwd=tmp_path / "here",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines() == [f"installed {Path(cli.__file__).parents[1] / 'lessons'}"]


def test_without_jupyterlab_the_lessons_say_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: None)
    assert cli.main(["lessons"]) == 2
    assert "the package jupyterlab is missing; pip install 'minisam[lessons]'" in capsys.readouterr().err
