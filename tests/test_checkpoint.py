"""Checkpoints: a training that goes on from one ends with the bits of one that never stopped, however it was stopped.

And a file is whole or not there; one that is not ours is named and left alone.
"""

import contextlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minisam
from minisam import SAM, SGD, Adam, AdamW, DivergedError, Run, cross_entropy, gpt, mlp, train
from minisam.data import Data
from minisam.files import whole
from minisam.optim import constant, cosine, step_decay, warmup

MODEL = mlp((3, 5, 4))
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((50, 3)), RNG.integers(0, 4, 50)
DATA = Data("toy", X[:30], Y[:30], X[30:40], Y[30:40], X[40:], Y[40:])
EPOCHS, STEPS = 5, 3

OPTIMIZERS = {
    "momentum": SGD(0.1, momentum=0.9),
    "Adam": Adam(0.01),
    "AdamW": AdamW(0.01),
    "SAM over Adam": SAM(Adam(0.01), rho=0.05),
    "schedule": SGD(warmup(4, cosine(0.1, 15)), momentum=0.9),
    "sweep": SAM(SGD(np.array([[0.1], [0.2]]), momentum=0.9), rho=np.array([[0.0], [0.1]])),
}


def quiet(optimizer=OPTIMIZERS["momentum"], epochs=EPOCHS, data=DATA, batch_size=10, model=MODEL, **options):
    return train(model, data, optimizer, epochs, batch_size, progress=False, **options)


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def assert_same_run(a, b):
    assert same(a.w, b.w)
    assert a.history.keys() == b.history.keys()
    for key in a.history:
        assert same(a.history[key], b.history[key]), key
    assert a.interrupted == b.interrupted


@dataclass(frozen=True)
class SGDWithCtrlC(SGD):
    """SGD in which someone presses Ctrl-C at step `stop`. (That is an attribute of the class, no setting.)"""

    stop = None

    def step(self, w, state, loss_and_grad):
        if state["t"] == type(self).stop:
            raise KeyboardInterrupt
        return super().step(w, state, loss_and_grad)


# --- going on --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("done", range(1, EPOCHS + 1))
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(("seed", "dtype"), [(0, "float32"), ([3, 4], "float32"), ([3, 4], "float64")])
def test_a_resumed_training_ends_with_the_same_bits(name, done, seed, dtype, tmp_path):
    if name == "sweep":
        seed = [3, 4]
    optimizer, path = OPTIMIZERS[name], tmp_path / "checkpoint.npz"
    whole = quiet(optimizer, seed=seed, dtype=dtype)
    first = quiet(optimizer, done, seed=seed, dtype=dtype, checkpoint=path)
    assert len(first.history["epoch"]) == done
    assert_same_run(quiet(optimizer, seed=seed, dtype=dtype, checkpoint=path), whole)


@settings(max_examples=30)
@given(st.lists(st.integers(0, EPOCHS * STEPS - 1), max_size=4))
def test_any_number_of_ctrl_c_at_any_steps_change_nothing(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("run") / "checkpoint.npz"
    optimizer = SGDWithCtrlC(0.1, momentum=0.9)
    for step in steps:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SGDWithCtrlC, "stop", step)
            quiet(optimizer, checkpoint=path)
    assert_same_run(quiet(optimizer, checkpoint=path), quiet())


def test_a_checkpoint_of_a_whole_training_returns_it_at_once(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.npz"
    whole = quiet(SGDWithCtrlC(0.1), checkpoint=path)
    before = path.read_bytes(), path.stat().st_mtime_ns
    monkeypatch.setattr(SGDWithCtrlC, "stop", EPOCHS * STEPS)  # it would not get past the next step
    again = quiet(SGDWithCtrlC(0.1), checkpoint=path)
    assert_same_run(again, whole)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_more_epochs_go_on_and_fewer_are_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    quiet(epochs=3, checkpoint=path)
    assert_same_run(quiet(epochs=7, checkpoint=path), quiet(epochs=7))
    says = f"epochs must be ≥ 7, which checkpoint {path} has done already, got 5"
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        quiet(epochs=5, checkpoint=path)


def test_a_training_that_diverged_can_be_read_from_its_checkpoint(tmp_path):
    path, data = tmp_path / "checkpoint.npz", (X, X[:, :2])
    options = {"data": data, "model": mlp((3, 5, 2)), "loss": "mse"}
    lr = step_decay(0.01, every=10, factor=1e20)  # good for two epochs of five steps
    with pytest.raises(DivergedError) as first:
        quiet(SGD(lr), checkpoint=path, **options)
    with pytest.raises(DivergedError) as second:
        quiet(SGD(lr), checkpoint=path, **options)
    assert str(first.value) == str(second.value)
    assert_same_run(first.value.run, second.value.run)
    assert len(first.value.run.history["epoch"]) == 2


@dataclass(frozen=True)
class Remembers:
    """An optimizer whose state holds every kind of number that may stand in one."""

    def init(self, w):
        return {"t": 0, "rho": 0.75, "on": True, "m": np.zeros_like(w)}

    def step(self, w, state, loss_and_grad):
        assert [type(state[key]) for key in ("t", "rho", "on")] == [int, float, bool]
        loss, g = loss_and_grad(w)
        state = {"t": state["t"] + 1, "rho": state["rho"] * 0.9, "on": not state["on"], "m": state["m"] + g}
        return w - state["rho"] * (g if state["on"] else state["m"]) / 10, state, {"loss": loss, "evaluations": 1}


def test_numbers_in_the_state_come_back_as_what_they_were(tmp_path):
    path = tmp_path / "checkpoint.npz"
    quiet(Remembers(), 2, checkpoint=path)
    assert_same_run(quiet(Remembers(), checkpoint=path), quiet(Remembers()))


# --- another process -------------------------------------------------------------------------------------------------

SCRIPT = """
import os, signal, sys
import numpy as np
from minisam import SAM, Adam, mlp, train
from minisam.optim import cosine

def mortal(function, calls):
    "The function, until it has been called so often: then someone kills the process."
    left = list(range(calls))

    def call(*args):
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left.pop()
        return function(*args)

    return call

saved, checkpoint, where, calls = sys.argv[1:]
if where == "step":
    SAM.step = mortal(SAM.step, int(calls))
elif where:
    setattr(os, where, mortal(getattr(os, where), int(calls)))
rng = np.random.default_rng(0)
x, y = rng.standard_normal((200, 3)), rng.integers(0, 4, 200)
optimizer = SAM(Adam(cosine(0.01, 1000)), rho=np.array([[0.0], [0.1]]))
run = train(mlp((3, 5, 4)), (x, y), optimizer, 10, 8, seed=[0, 1], checkpoint=checkpoint or None, progress=False)
run.save(saved)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL")
def test_a_training_killed_in_the_middle_goes_on_in_another_process(tmp_path):
    """kill -9 within an epoch, within writing, and before moving into place; the last process ends as one never killed.

    The optimizer, with its schedule and its array, is another object in each process, and known again.
    """
    checkpoint = tmp_path / "checkpoint.npz"

    def training(saved, checkpoint="", where="", calls=0):
        arguments = [tmp_path / saved, checkpoint, where, str(calls)]
        return subprocess.run([sys.executable, "-c", SCRIPT, *arguments]).returncode

    done = []
    for where, calls in [("step", 60), ("fsync", 4), ("replace", 2)]:
        assert training("killed.npz", checkpoint, where, calls) == -signal.SIGKILL
        with np.load(checkpoint) as file:
            done.append(len(file["history/epoch"]))
    assert done == [2, 4, 6]  # 25 steps an epoch; then two writes, each of which syncs file and folder, then two
    assert training("killed.npz", checkpoint) == training("whole.npz") == 0
    assert_same_run(Run.load(tmp_path / "killed.npz"), Run.load(tmp_path / "whole.npz"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.npz", "killed.npz", "whole.npz"]


# --- another training ------------------------------------------------------------------------------------------------

OTHERS = {
    "optimizer": {"optimizer": Adam(0.01)},
    "lr": {"optimizer": SGD(0.2, momentum=0.9)},
    "batch_size": {"batch_size": 5},
    "seed": {"seed": 1},
    "replicas": {"seed": [0]},
    "dtype": {"dtype": "float64"},
    "model": {"model": mlp((3, 6, 4))},
    "activation": {"model": mlp((3, 5, 4), activation="gelu")},
    "x_train": {"data": replace(DATA, x_train=X[:30] + 1e-3)},
    "y_train": {"data": replace(DATA, y_train=(Y[:30] + 1) % 4)},
    "x_validation": {"data": replace(DATA, x_validation=X[31:41])},
    "no validation": {"data": (X[:30], Y[:30])},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_the_checkpoint_of_another_training_is_refused_and_left_alone(other, tmp_path):
    path = tmp_path / "checkpoint.npz"
    quiet(checkpoint=path)
    before = path.read_bytes()
    says = f"checkpoint {path} belongs to another training: delete it, or name another file ("
    with pytest.raises(ValueError, match=rf"^{re.escape(says)}.*\)\Z"):  # one line: . is no newline
        quiet(**other, checkpoint=path)
    assert path.read_bytes() == before


def test_the_error_names_the_setting_and_both_its_values(tmp_path):
    path = tmp_path / "checkpoint.npz"
    quiet(checkpoint=path)
    with pytest.raises(ValueError, match=r"\(batch_size was 10, is 5; seed was 0, is \[1, 2\]\)$"):
        quiet(batch_size=5, seed=[1, 2], checkpoint=path)


def schedules(lr, steps):
    flat, half = constant(lr), cosine(lr, steps)
    return [flat, half, cosine(lr, steps, final=0.01), warmup(steps, flat), warmup(steps, half), step_decay(lr, steps)]


@pytest.mark.parametrize("k", range(6))
def test_schedules_are_known_by_their_numbers(k, tmp_path):
    path = tmp_path / "checkpoint.npz"
    quiet(SGD(schedules(0.1, 15)[k]), 1, checkpoint=path)
    quiet(SGD(schedules(0.1, 15)[k]), 2, checkpoint=path)
    for other in [*schedules(0.1, 15)[:k], *schedules(0.1, 15)[k + 1 :], schedules(0.2, 15)[k]]:
        with pytest.raises(ValueError, match="belongs to another training"):
            quiet(SGD(other), 3, checkpoint=path)


def test_a_large_array_of_settings_counts_in_every_entry(tmp_path):
    """NumPy prints the middle of 2,000 numbers as an ellipsis."""
    rho = np.linspace(0, 0.1, 2000)[:, None]
    other = rho.copy()
    other[1000] += 1e-9
    path, seeds = tmp_path / "checkpoint.npz", range(2000)
    quiet(SAM(SGD(0.1), rho), 1, model=mlp((3, 4)), seed=seeds, checkpoint=path)
    with pytest.raises(ValueError, match="optimizer was") as error:
        quiet(SAM(SGD(0.1), other), 1, model=mlp((3, 4)), seed=seeds, checkpoint=path)
    assert len(str(error.value)) < 600
    quiet(SAM(SGD(0.1), rho.copy()), 1, model=mlp((3, 4)), seed=list(seeds), checkpoint=path)


def test_a_schedule_of_your_own_is_known(tmp_path):
    def fast(t):
        return 0.2

    def slow(t):
        return 0.1

    path = tmp_path / "checkpoint.npz"
    quiet(SGD(fast), 1, checkpoint=path)
    quiet(SGD(fast), 2, checkpoint=path)
    with pytest.raises(ValueError, match=r"fast.*slow"):
        quiet(SGD(slow), 2, checkpoint=path)


def own_loss(z, y, label_smoothing):
    return cross_entropy(z, y, label_smoothing=label_smoothing)


def test_a_partial_is_known_by_its_function_and_its_arguments(tmp_path):
    path = tmp_path / "checkpoint.npz"
    quiet(epochs=1, loss=partial(cross_entropy, label_smoothing=0.1), checkpoint=path)
    others = partial(cross_entropy, label_smoothing=0.3), partial(own_loss, label_smoothing=0.1), cross_entropy
    for other in others:
        with pytest.raises(ValueError, match=r"belongs to another training: .*\(loss was .*0\.1.*, is "):
            quiet(epochs=2, loss=other, checkpoint=path)
    quiet(epochs=2, loss=partial(cross_entropy, label_smoothing=0.1), checkpoint=path)


def test_a_partial_in_a_file_of_an_earlier_format_is_refused_with_the_reason(tmp_path):
    """Those files hold no more of it than a name."""
    path, loss = tmp_path / "checkpoint.npz", partial(cross_entropy, label_smoothing=0.1)
    quiet(epochs=1, loss=loss, checkpoint=path)
    rewrite_meta(
        path, lambda meta: meta | {"format": 1, "settings": meta["settings"] | {"loss": '"functools.partial"'}}
    )
    says = r"\(loss was .*; format 1 of this file does not tell your functions and long arrays apart, as 3 does\)$"
    with pytest.raises(ValueError, match=says):
        quiet(epochs=2, loss=loss, checkpoint=path)


def rewrite_meta(path, change):
    with np.load(path) as file:
        arrays = dict(file)
    meta = change(json.loads(str(arrays["meta"])))
    np.savez(path, **arrays | {"meta": np.array(json.dumps(meta))})


def test_examples_cut_at_other_places_are_other_data(tmp_path):
    """The same numbers in the same order: 30 examples of 4 tokens, and 60 of 2."""
    path, tokens = tmp_path / "checkpoint.npz", np.arange(120) % 7
    model = gpt(7, context=4, width=4, depth=1, heads=1)
    quiet(data=(tokens.reshape(30, 4), tokens.reshape(30, 4)), model=model, epochs=1, checkpoint=path)
    with pytest.raises(ValueError, match=r"\(shapes was \[\[30, 4\], \[30, 4\]\], is \[\[60, 2\], \[60, 2\]\]\)$"):
        quiet(data=(tokens.reshape(60, 2), tokens.reshape(60, 2)), model=model, epochs=1, checkpoint=path)


def later_sgd(**defaults):
    """SGD as a later version may have it: with more fields, with a field that is no setting, and with private attributes."""

    @dataclass(frozen=True)
    class SGD(minisam.SGD):
        p: float = defaults.get("p", 2)
        shape: tuple = defaults.get("shape", (3, 4))
        made: int = field(default=0, init=False)
        hidden: object = field(default=None, repr=False)

        def __post_init__(self):
            super().__post_init__()
            object.__setattr__(self, "_cache", object())
            object.__setattr__(self, "made", defaults.get("made", 1))

    SGD.__qualname__ = "SGD"
    return SGD


def test_a_field_that_a_file_lacks_has_its_default_there(tmp_path):
    path = tmp_path / "checkpoint.npz"
    quiet(SAM(SGD(0.1), 0.05), 1, checkpoint=path)
    assert_same_run(quiet(SAM(later_sgd()(0.1), 0.05), checkpoint=path), quiet(SAM(SGD(0.1), 0.05)))
    for later in [{"p": 1}, {"shape": (3, 5)}]:
        quiet(SAM(SGD(0.1), 0.05), 1, checkpoint=tmp_path / "other.npz")
        with pytest.raises(ValueError, match=r"belongs to another training"):
            quiet(SAM(later_sgd()(0.1, **later), 0.05), checkpoint=tmp_path / "other.npz")


def test_only_the_fields_that_an_optimizer_is_made_from_and_shows_are_settings(tmp_path):
    path = tmp_path / "checkpoint.npz"
    quiet(later_sgd(made=1)(0.1, hidden=1), 1, checkpoint=path)
    assert_same_run(quiet(later_sgd(made=2)(0.1, hidden=2), checkpoint=path), quiet(SGD(0.1)))
    with pytest.raises(ValueError, match="belongs to another training"):  # it has settings that SGD does not know
        quiet(SGD(0.1), checkpoint=path)


def test_a_file_names_its_format_and_its_library(tmp_path):
    path = tmp_path / "file.npz"
    quiet(epochs=1, checkpoint=path)
    assert_names_format(path)
    quiet(epochs=1).save(path)
    assert_names_format(path)


def assert_names_format(path):
    with np.load(path) as file:
        meta = json.loads(str(file["meta"]))
    assert (meta["format"], meta["version"]) == (3, minisam.__version__)


def test_a_file_of_a_later_format_is_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    quiet(epochs=1, checkpoint=path)
    rewrite_meta(path, lambda meta: meta | {"format": 4, "version": "9.0"})
    says = f"{path} has format 4 of minisam 9.0; this is minisam {minisam.__version__}, which reads formats up to 3: "
    with pytest.raises(ValueError, match=f"^{re.escape(says)}"):
        quiet(checkpoint=path)


# --- files that are not ours, or not whole ---------------------------------------------------------------------------


def foreign_files(folder):
    """Files that someone may name by mistake."""
    folder.mkdir(exist_ok=True)
    np.save(folder / "array.npy", X)
    np.savez(folder / "other.npz", w=X)
    np.savez(folder / "meta.npz", meta=np.array("[1, 2]"))
    np.savez(folder / "pickle.npz", meta=np.array({"a": 1}, dtype=object))
    (folder / "empty").write_bytes(b"")
    (folder / "notes.txt").write_text("weights: 1 2 3\n" * 100)
    (folder / "folder").mkdir(exist_ok=True)
    return sorted(folder.iterdir())


def test_a_foreign_file_is_named_and_left_alone(tmp_path):
    for path in foreign_files(tmp_path / "foreign"):
        before = path.read_bytes() if path.is_file() else None
        for kind, read in [("checkpoint", lambda path: quiet(checkpoint=path)), ("run", Run.load)]:
            says = f"{path} is not a whole {kind} of minisam ("
            with pytest.raises(ValueError, match=rf"^{re.escape(says)}.*\)\Z"):
                read(path)
        assert path.is_dir() or path.read_bytes() == before


def test_a_run_is_no_checkpoint_and_a_checkpoint_no_run(tmp_path):
    run, checkpoint = tmp_path / "run.npz", tmp_path / "checkpoint.npz"
    quiet(checkpoint=checkpoint).save(run)
    with pytest.raises(ValueError, match=r"is not a whole checkpoint of minisam \(ValueError: it is a run\)$"):
        quiet(checkpoint=run)
    with pytest.raises(ValueError, match=r"is not a whole run of minisam \(ValueError: it is a checkpoint\)$"):
        Run.load(checkpoint)


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_short_anywhere_is_refused(tmp_path_factory, share):
    folder = tmp_path_factory.mktemp("cut")
    quiet(epochs=1, checkpoint=folder / "checkpoint.npz")
    data = (folder / "checkpoint.npz").read_bytes()
    cut = folder / "cut.npz"
    cut.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match="is not a whole checkpoint of minisam"):
        quiet(checkpoint=cut)


@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_bit_that_flips_is_noticed_or_does_not_matter(tmp_path_factory, share, bit):
    folder = tmp_path_factory.mktemp("flip")
    quiet(epochs=1, checkpoint=folder / "checkpoint.npz")
    data = bytearray((folder / "checkpoint.npz").read_bytes())
    data[int(share * len(data))] ^= 1 << bit
    flipped = folder / "flipped.npz"
    flipped.write_bytes(data)
    with contextlib.suppress(NotWhole):
        assert_same_run(readable(flipped), quiet(epochs=2))


class NotWhole(Exception):
    pass


def readable(path):
    try:
        return quiet(epochs=2, checkpoint=path)
    except ValueError as error:
        if "is not a whole checkpoint of minisam" in str(error):
            raise NotWhole from error
        raise


class Failure(Exception):
    pass


@pytest.mark.parametrize("error", [Failure, KeyboardInterrupt, OSError])
@pytest.mark.parametrize("where", [(np, "savez"), (os, "fsync"), (os, "replace")])
def test_a_write_that_fails_leaves_the_former_file_and_nothing_else(where, error, tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    run = quiet(epochs=1)
    run.save(path)
    before = path.read_bytes()

    def fail(*_, **__):
        raise error("no space left")

    monkeypatch.setattr(*where, fail)
    with pytest.raises(error):
        quiet(epochs=2).save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_ctrl_c_right_after_the_file_was_moved_into_place_is_still_ctrl_c(tmp_path, monkeypatch):
    path, replace = tmp_path / "checkpoint.npz", os.replace

    def move_and_stop(source, target):
        replace(source, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", move_and_stop)
    run = quiet(checkpoint=path)
    monkeypatch.undo()
    assert run.interrupted
    assert len(run.history["epoch"]) == 1
    assert_same_run(quiet(checkpoint=path), quiet())


@pytest.mark.skipif(sys.platform == "win32", reason="asking whether a process runs would end it")
def test_what_a_killed_process_left_unfinished_goes_and_what_a_running_one_writes_stays(tmp_path):
    path = tmp_path / "checkpoint.npz"
    names = [f"checkpoint.npz.{platform.node()}.{number}.part" for number in (ended_process(), os.getppid())]
    names += ["checkpoint.npz.another-machine.1.part", f"another.npz.{platform.node()}.{ended_process()}.part"]
    for name in names:
        (tmp_path / name).write_bytes(b"half of a file")
    quiet(checkpoint=path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["checkpoint.npz", *names[1:]])


def ended_process():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_two_processes_may_write_one_file_at_a_time(tmp_path, monkeypatch):
    path = tmp_path / "file"
    with pytest.MonkeyPatch.context() as other, whole(path) as mine:
        mine.write_text("mine")
        other.setattr(os, "getpid", os.getppid)
        with whole(path) as theirs:
            theirs.write_text("theirs")
        assert path.read_text() == "theirs"
    assert path.read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@dataclass(frozen=True)
class Meanwhile(SGD):
    """SGD in whose first step something else happens."""

    happens = None

    def step(self, w, state, loss_and_grad):
        if happens := type(self).happens:
            type(self).happens = None
            happens()
        return super().step(w, state, loss_and_grad)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks no files for us")
def test_a_second_run_on_the_same_checkpoint_is_refused_and_the_first_goes_on(tmp_path, monkeypatch):
    path, refused = tmp_path / "checkpoint.npz", []

    def second():
        says = f"^another run is writing {re.escape(str(path))}: wait until it ends, or name another file$"
        with pytest.raises(BlockingIOError, match=says):
            quiet(Meanwhile(0.1), checkpoint=path)
        quiet(Meanwhile(0.1), checkpoint=tmp_path / "another.npz")
        refused.append(True)

    monkeypatch.setattr(Meanwhile, "happens", second)
    assert_same_run(quiet(Meanwhile(0.1), checkpoint=path), quiet(Meanwhile(0.1)))
    assert refused == [True]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["another.npz", "checkpoint.npz"]
    quiet(Meanwhile(0.1), epochs=EPOCHS + 1, checkpoint=path)  # the lock is free again


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL")
def test_of_processes_that_begin_at_once_one_trains_and_the_others_say_so(tmp_path):
    checkpoint, release = tmp_path / "checkpoint.npz", tmp_path / "release"
    wait = f"import os, time\nwhile not os.path.exists({str(release)!r}): time.sleep(0.001)\n"
    program = SCRIPT.replace("saved, checkpoint,", wait + "saved, checkpoint,").replace("10, 8,", "200, 8,")
    arguments = [[sys.executable, "-c", program, tmp_path / f"{k}.npz", checkpoint, "", "0"] for k in range(4)]
    processes = [subprocess.Popen(each, stderr=subprocess.PIPE, text=True) for each in arguments]
    release.write_text("")
    errors = [process.communicate()[1] for process in processes]
    trained = [k for k, process in enumerate(processes) if process.returncode == 0]
    assert trained
    for k, error in enumerate(errors):
        assert k in trained or f"BlockingIOError: another run is writing {checkpoint}: wait" in error.splitlines()[-1]
    first = Run.load(tmp_path / f"{trained[0]}.npz")
    assert all(same(first.w, Run.load(tmp_path / f"{k}.npz").w) for k in trained)
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob("*.lock"))


class Never(SGD):
    def step(self, w, state, loss_and_grad):
        raise AssertionError("the training began")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file sizes")
def test_a_full_folder_is_noticed_before_the_first_epoch(tmp_path):
    """A limit on the size of files, as a quota: no write beyond it succeeds."""
    import resource

    path, limits = tmp_path / "checkpoint.npz", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        says = rf"cannot write {re.escape(str(path))}: .* \(folder {re.escape(str(tmp_path))}\)$"
        with pytest.raises(OSError, match=says):
            quiet(Never(0.1), checkpoint=path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_folder_is_noticed_before_the_first_epoch_and_is_no_trouble_after_the_last(tmp_path):
    path = tmp_path / "checkpoint.npz"
    whole_run = quiet(checkpoint=path)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match=rf"cannot write {re.escape(str(tmp_path / 'other.npz'))}: "):
            quiet(Never(0.1), checkpoint=tmp_path / "other.npz")
        assert_same_run(quiet(checkpoint=path), whole_run)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("entry", [None, {"a": 1}, object(), 10**30, "text"])
def test_a_state_that_no_file_can_hold_is_refused_before_the_first_epoch(entry, tmp_path):
    class Keeps(Never):
        def init(self, w):
            return super().init(w) | {"memory": entry}

    with pytest.raises(
        TypeError, match="state/memory must be a number or an array of numbers to be kept in a file, got"
    ):
        quiet(Keeps(0.1), checkpoint=tmp_path / "checkpoint.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows opens no folders")
def test_the_folder_is_synced_after_the_move(tmp_path, monkeypatch):
    done, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda f: (done.append("folder" if os.path.isdir(f) else "file"), fsync(f)))
    monkeypatch.setattr(os, "replace", lambda *paths: (done.append("move"), replace(*paths)))
    quiet(epochs=2, checkpoint=tmp_path / "checkpoint.npz")
    assert done == ["file", "move", "folder"] * 2


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_files_have_the_permissions_that_new_files_have(tmp_path):
    (tmp_path / "new").write_text("")
    quiet(epochs=1, checkpoint=tmp_path / "checkpoint.npz")
    assert (tmp_path / "checkpoint.npz").stat().st_mode == (tmp_path / "new").stat().st_mode
