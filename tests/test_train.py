"""Training is the plain loop, replicas are separate runs, the history is what happened; and how it ends early."""

import contextlib
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest

from minisam import SAM, SGD, Adam, AdamW, DivergedError, Run, array_backend, cnn, mlp, mse, train, value_and_grad
from minisam.data import Data, batches
from minisam.losses import balanced_accuracy
from minisam.optim import cosine
from minisam.types import statistics_of

MODEL = mlp((3, 5, 4), activation="tanh")
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((50, 3)), RNG.integers(0, 4, 50)
DATA = Data("toy", X[:30], Y[:30], X[30:40], Y[30:40], X[40:], Y[40:])
STEPS = 30 // 8  # an epoch of DATA in batches of 8

OPTIMIZERS = {
    "SGD": SGD(0.1),
    "momentum": SGD(0.1, momentum=0.9, nesterov=True, l2=1e-3),
    "cosine": SGD(cosine(0.1, 12), momentum=0.9),
    "Adam": Adam(0.01),
    "AdamW": AdamW(0.01),
    "SAM": SAM(SGD(0.1, momentum=0.9), rho=0.05, l2=1e-3),
    "SAM over Adam": SAM(Adam(0.01), rho=0.05, p=float("inf")),
}
each_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
VALIDATION = {f"validation_{key}" for key in ("loss", "accuracy", "balanced_accuracy")}


def quiet(data=DATA, optimizer=OPTIMIZERS["SGD"], epochs=4, batch_size=8, model=MODEL, **options):
    return train(model, data, optimizer, epochs, batch_size, progress=False, **options)


def same(a, b):
    """Equal bit for bit, in shape and dtype too."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


# --- the loop ------------------------------------------------------------------------------------------------------


def plain_loop(optimizer, dtype, seed=0, epochs=4):
    x, y = DATA.x_train.astype(dtype), DATA.y_train
    loss_and_grad = value_and_grad(MODEL)
    w = MODEL.init(seed, dtype)
    state, told = optimizer.init(w), []
    for epoch in range(epochs):
        for i in batches(30, 8, seed, epoch):
            w, state, info = optimizer.step(w, state, lambda w, i=i: loss_and_grad(w, x[i], y[i]))
            told.append(info)
    return w, told


@each_dtype
@each_optimizer
def test_training_is_the_plain_loop_bit_for_bit(optimizer, dtype):
    w, told = plain_loop(optimizer, dtype)
    run = quiet(optimizer=optimizer, dtype=dtype)
    assert same(run.w, w)
    assert run.w.dtype == dtype
    losses = np.array([info["loss"] for info in told], dtype).reshape(4, STEPS)
    np.testing.assert_allclose(run.history["train_loss"], losses.mean(axis=1), rtol=1e-6)


def test_sgd_written_out_by_hand_ends_at_the_same_weights():
    """w ← w − 0.1 ∇L(w) on a linear model, with the gradient of softmax cross-entropy written as xᵀ(p − t)/m."""
    run = quiet((X, Y), SGD(0.1), model=mlp((3, 4)), dtype="float64")
    w = mlp((3, 4)).init(0, "float64")
    W, b = w[:12].reshape(3, 4).copy(), w[12:].copy()
    for epoch in range(4):
        for i in batches(50, 8, 0, epoch):
            z = X[i] @ W + b
            slope = (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) - np.eye(4)[Y[i]]) / 8
            W, b = W - 0.1 * X[i].T @ slope, b - 0.1 * slope.sum(axis=0)
    np.testing.assert_allclose(run.w, np.concatenate([W.ravel(), b]), rtol=1e-12)


@each_dtype
@each_optimizer
def test_replicas_are_separate_runs_bit_for_bit(optimizer, dtype):
    seeds = [3, 0, 11]
    together = quiet(optimizer=optimizer, dtype=dtype, seed=seeds)
    for k, seed in enumerate(seeds):
        alone = quiet(optimizer=optimizer, dtype=dtype, seed=seed)
        assert same(together.w[k], alone.w)
        assert together.history.keys() == alone.history.keys()
        for key, values in alone.history.items():
            column = together.history[key] if key in ("epoch", "evaluations") else together.history[key][:, k]
            # means over steps: NumPy adds up a row of one replica in another order than a column of many
            np.testing.assert_allclose(column, values, rtol=1e-6 if dtype == "float32" else 1e-14, err_msg=key)


def test_an_array_of_rho_sweeps_it_over_the_replicas():
    rho = np.array([[0.0], [0.05], [0.2]])
    swept = quiet(optimizer=SAM(SGD(0.1), rho), seed=[5, 5, 5])
    for k in range(3):
        assert same(swept.w[k], quiet(optimizer=SAM(SGD(0.1), rho[k, 0]), seed=5).w)


@pytest.mark.parametrize("base", [SGD(0.1, momentum=0.9), SGD(cosine(0.1, 12)), Adam(0.01), AdamW(0.01)])
def test_sam_with_rho_0_trains_as_its_base_bit_for_bit(base):
    assert same(quiet(optimizer=SAM(base, rho=0)).w, quiet(optimizer=base).w)


def test_a_batch_larger_than_the_data_is_all_of_it():
    assert same(quiet(batch_size=1000).w, quiet(batch_size=30).w)


def test_training_is_told_by_its_seed_and_changes_nothing_it_was_given():
    before = X.copy(), Y.copy()
    assert same(quiet((X, Y)).w, quiet((X, Y)).w)
    assert not same(quiet((X, Y), seed=1).w, quiet((X, Y)).w)
    assert same(X, before[0])
    assert same(Y, before[1])


def test_mse_fits_a_linear_map():
    """y = xA + c without noise: the loss goes to 0, and the weights to A and c."""
    A, c = RNG.standard_normal((3, 2)), RNG.standard_normal(2)
    run = quiet((X, X @ A + c), SGD(0.2), 200, model=mlp((3, 2)), loss="mse", dtype="float64")
    np.testing.assert_allclose(run.w, np.concatenate([A.ravel(), c]), atol=1e-6)
    assert run.history["train_loss"][-1] < 1e-12
    assert run.evaluate(X, X @ A + c).keys() == {"loss"}


# --- batch norm ------------------------------------------------------------------------------------------------------

BATCH_NORM = cnn(channels=(2,), shape=(1, 3, 1), classes=4, pool=1, norm="batch")


@dataclass(frozen=True)
class Reports:
    """An optimizer of one's own, which reports as the statistics of step t whatever `what(t)` is."""

    what: object

    def init(self, w):
        return {"t": 0}

    def step(self, w, state, loss_and_grad):
        loss, g, *_ = loss_and_grad(w)
        return w - 0.1 * g, {"t": state["t"] + 1}, {"loss": loss, "evaluations": 1} | self.what(state["t"])


def test_running_statistics_follow_those_that_the_optimizer_reports():
    """r ← 0.9 r + 0.1 s at each step, from means 0 and variances 1; and they are no part of the history."""
    steps = 2 * STEPS
    seen = np.random.default_rng(1).uniform(1, 2, (2, steps, 2))
    what = Reports(lambda t: {"statistics": {"norm0.mean": seen[0, t], "norm0.variance": seen[1, t]}})
    run = quiet(optimizer=what, model=BATCH_NORM, epochs=2, dtype="float64")
    weights = 0.1 * 0.9 ** np.arange(steps)[::-1]
    np.testing.assert_allclose(run.running["norm0.mean"], weights @ seen[0], rtol=1e-12)
    np.testing.assert_allclose(run.running["norm0.variance"], 0.9**steps + weights @ seen[1], rtol=1e-12)
    assert run.history.keys() == {"epoch", "evaluations", "train_loss", *VALIDATION}


class PlainSGD(Reports):
    def step(self, w, state, loss_and_grad):
        result = loss_and_grad(w)
        info = {"loss": result[0], "evaluations": 1, "statistics": statistics_of(result)}
        return w - 0.1 * result[1], state, info


def test_an_optimizer_of_ones_own_reports_the_statistics_of_its_gradient():
    own, sgd = quiet(optimizer=PlainSGD(None), model=BATCH_NORM), quiet(optimizer=SGD(0.1), model=BATCH_NORM)
    assert own.running.keys() == sgd.running.keys() == {"norm0.mean", "norm0.variance"}
    assert all(same(own.running[key], sgd.running[key]) for key in own.running)


@pytest.mark.parametrize("what", [{}, {"statistics": {}}, {"statistics": {"norm0.mean": np.zeros(2)}}])
def test_an_optimizer_that_reports_no_statistics_is_named_on_a_model_with_batch_norm(what):
    says = "optimizer Reports must report the statistics of batch norm, because the model has it: its step must return "
    says += (
        'them as info["statistics"], a dict of norm0.mean, norm0.variance, as minisam.types.statistics_of takes them'
    )
    with pytest.raises(TypeError, match=f"^{re.escape(says)}"):
        quiet(optimizer=Reports(lambda t: what), model=BATCH_NORM)
    quiet(optimizer=Reports(lambda t: what))  # without batch norm nobody asks


# --- the history -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, [0], [0, 1, 2]])
@pytest.mark.parametrize(("optimizer", "price"), [(SGD(0.1), 1), (SAM(Adam(0.01)), 2)])
def test_the_history_has_one_row_an_epoch_and_a_column_a_replica(seed, optimizer, price):
    history = quiet(optimizer=optimizer, seed=seed).history
    measures = {"train_loss", "grad_norm", *VALIDATION}
    measures |= {"eps_norm"} if price == 2 else set()
    assert history.keys() == measures | {"epoch", "evaluations"}
    for key in measures:
        assert history[key].shape == (4, *np.shape(seed)), key
        assert history[key].dtype.kind == "f", key
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    assert history["evaluations"].tolist() == [price * STEPS * epoch for epoch in (1, 2, 3, 4)]


def test_the_history_holds_means_over_the_epoch():
    _, told = plain_loop(OPTIMIZERS["SAM"], "float64")
    history = quiet(optimizer=OPTIMIZERS["SAM"], dtype="float64").history
    for key, name in [("loss", "train_loss"), ("grad_norm", "grad_norm"), ("eps_norm", "eps_norm")]:
        means = np.reshape([info[key] for info in told], (4, STEPS)).mean(axis=1)
        np.testing.assert_allclose(history[name], means, rtol=1e-14)


def test_validation_is_measured_after_each_epoch_on_all_of_it():
    history = quiet(dtype="float64").history
    for epochs in (1, 2, 3, 4):
        run = quiet(dtype="float64", epochs=epochs)
        measured = run.evaluate(DATA.x_validation, DATA.y_validation)
        assert same(measured["loss"], history["validation_loss"][epochs - 1])
        assert same(measured["accuracy"], history["validation_accuracy"][epochs - 1])


def test_evaluate_is_the_mean_loss_and_the_share_of_hits():
    run = quiet(dtype="float64", seed=[0, 1])
    z = MODEL.apply(run.w, X)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    measured = run.evaluate(X, Y)
    np.testing.assert_allclose(measured["loss"], -log_p[:, np.arange(50), Y].mean(axis=-1), rtol=1e-12)
    assert measured["accuracy"].tolist() == (z.argmax(axis=-1) == Y).mean(axis=-1).tolist()


def test_the_balanced_accuracy_of_many_rows_is_that_of_all_at_once():
    """1,100 rows are measured in three parts; one class is in the last part alone, and one is nowhere."""
    rng, run = np.random.default_rng(0), quiet(seed=[0, 1])
    x, y = rng.standard_normal((1100, 3)).astype("float32"), rng.integers(0, 2, 1100)
    y[1090:] = 3
    found = run.evaluate(x, y)["balanced_accuracy"]
    np.testing.assert_allclose(found, balanced_accuracy(MODEL.apply(run.w, x), y), rtol=1e-12)


def test_without_validation_data_nothing_is_validated():
    assert quiet((X, Y)).history.keys() == {"epoch", "evaluations", "train_loss", "grad_norm"}


# --- the progress bar ------------------------------------------------------------------------------------------------


def test_without_progress_nothing_is_printed(capfd):
    quiet()
    assert capfd.readouterr() == ("", "")


def test_the_progress_bar_counts_epochs_and_tells_the_loss(capfd):
    run = train(MODEL, DATA, SGD(0.1), 3, 8)
    out, err = capfd.readouterr()
    assert out == ""
    assert "/3" in err
    assert all(f"loss {loss:.4f}" in err for loss in run.history["train_loss"])
    assert err.endswith("\r")  # and then it goes away


# --- divergence ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    """A base optimizer to which `what(w)` happens in step `at`."""

    base: object
    at: int
    what: object

    def init(self, w):
        return self.base.init(w)

    def step(self, w, state, loss_and_grad):
        here = state["t"] == self.at
        w, state, info = self.base.step(w, state, loss_and_grad)
        return (self.what(w) if here else w), state, info


def spoilt(value, entry=-1):
    """The last bias is spoilt, and with it every logit of one class."""

    def what(w):
        w = w.copy()
        w[entry] = value
        return w

    return what


@pytest.mark.parametrize("data", [DATA, (DATA.x_train, DATA.y_train)], ids=["with validation", "without"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("at", range(3 * STEPS))
def test_divergence_names_the_step_and_keeps_the_last_good_weights(at, value, data):
    """Weights spoilt in step `at` show in the loss of the next one, which may be the first of the next epoch."""
    with pytest.raises(DivergedError) as error:
        quiet(data, optimizer=Trouble(SGD(0.1), at, spoilt(value)), epochs=3)
    good, run = at // STEPS, error.value.run
    assert f"at step {at + 1} (epoch {good + 1})" in str(error.value)
    assert "\n" not in str(error.value)
    assert np.isfinite(run.w).all()
    assert len(run.history.get("epoch", ())) == good
    assert same(run.w, quiet(epochs=good).w if good else MODEL.init(0))


@pytest.mark.parametrize("replica", [0, 2])
def test_divergence_names_the_replica(replica):
    with pytest.raises(DivergedError, match=rf"became nan at step 5 \(epoch 2, replica {replica}\)") as error:
        quiet(optimizer=Trouble(SGD(0.1), 4, spoilt(np.nan, (replica, -1))), seed=[7, 8, 9])
    assert same(error.value.run.w, quiet(epochs=1, seed=[7, 8, 9]).w)


def test_a_step_that_is_too_long_diverges_without_warnings_and_the_run_is_usable(tmp_path):
    with pytest.raises(DivergedError, match="try a smaller lr or rho") as error:
        quiet((X, X[:, :2]), SGD(1e4), 50, model=mlp((3, 5, 2)), loss="mse")
    run = error.value.run
    assert np.isfinite(run.evaluate(X, X[:, :2])["loss"])
    run.save(tmp_path / "run.npz")
    assert same(Run.load(tmp_path / "run.npz").w, run.w)


def test_a_validation_loss_that_is_not_finite_is_a_divergence_too():
    """Far outside the training data: the loss of training is finite, that of validation overflows."""
    x, y = X, X[:, :2]
    data = Data("far", x, y, x * 1e30, y, x, y)
    with pytest.raises(DivergedError, match=r"became inf at step 6 \(epoch 1\)"):
        quiet(data, SGD(0.01), model=mlp((3, 2)), loss="mse")


# --- Ctrl-C ----------------------------------------------------------------------------------------------------------


def ctrl_c(w):
    raise KeyboardInterrupt


@pytest.mark.parametrize("at", range(3 * STEPS))
def test_ctrl_c_leaves_the_run_up_to_the_last_whole_epoch(at, tmp_path):
    run = quiet(optimizer=Trouble(SGD(0.1), at, ctrl_c), epochs=3)
    assert run.interrupted
    good = at // STEPS
    assert len(run.history.get("epoch", ())) == good
    assert same(run.w, quiet(epochs=good).w if good else MODEL.init(0))
    assert np.isfinite(run.evaluate(X, Y)["loss"])
    run.save(tmp_path / "run.npz")
    assert Run.load(tmp_path / "run.npz").interrupted


def test_a_run_to_the_end_is_not_interrupted():
    assert not quiet().interrupted


SCRIPT = """
import sys
import numpy as np
from minisam import SGD, mlp, train
from minisam.optim import cosine
from minisam.types import statistics_of

rng = np.random.default_rng(0)
x, y = rng.standard_normal((200, 3)), rng.integers(0, 4, 200)
run = train(mlp((3, 5, 4)), (x, y), SGD(0.01), 10**9, 8, checkpoint=sys.argv[1])
print(run.interrupted, np.isfinite(run.w).all(), len(run.history["epoch"]) > 0, flush=True)
run.save(sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to one process")
def test_a_real_ctrl_c_leaves_a_usable_run_and_the_checkpoint(tmp_path):
    checkpoint, saved = tmp_path / "checkpoint.npz", tmp_path / "run.npz"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, checkpoint, saved], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process, contextlib.ExitStack() as at_the_end:
        at_the_end.callback(process.kill)
        wait_for(checkpoint, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert out == "True True True\n"
    assert "Traceback" not in err
    assert Run.load(saved).interrupted
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.npz", "run.npz"]


def wait_for(path, process):
    for _ in range(6000):
        if path.exists() or process.poll() is not None:
            return
        time.sleep(0.01)


# --- saved runs ------------------------------------------------------------------------------------------------------


@each_dtype
@pytest.mark.parametrize("seed", [0, [0, 1]])
def test_a_saved_run_comes_back_whole(seed, dtype, tmp_path):
    run = quiet(seed=seed, dtype=dtype, optimizer=SAM(Adam(0.01)))
    run.save(tmp_path / "run")
    back = Run.load(tmp_path / "run")
    assert same(back.w, run.w)
    assert back.history.keys() == run.history.keys()
    assert all(same(back.history[key], run.history[key]) for key in run.history)
    assert (back.model.spec, back.loss, back.interrupted) == (MODEL.spec, "cross_entropy", False)
    assert same(back.evaluate(X, Y)["loss"], run.evaluate(X, Y)["loss"])
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_run_cannot_be_saved_into_a_folder_that_is_not_there(tmp_path):
    path = tmp_path / "missing" / "run.npz"
    with pytest.raises(FileNotFoundError) as error:
        quiet().save(path)
    assert str(error.value) == f"cannot write {path}: there is no folder {path.parent}"


def test_a_run_that_is_not_there_cannot_be_loaded(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run\.npz"):
        Run.load(tmp_path / "run.npz")


def test_a_model_of_your_own_can_be_saved_and_says_that_it_cannot_be_made_again(tmp_path):
    run = quiet(model=replace(MODEL, spec={}))
    run.save(tmp_path / "run.npz")
    with pytest.raises(
        ValueError, match=r"^the model of the run .*run.npz must be one of 'mlp', .*, got 'a model of your own'$"
    ):
        Run.load(tmp_path / "run.npz")


# --- on a device -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watched:
    """An optimizer that notes before each step how many values have been read back from the device."""

    base: object
    seen: list
    crossings: object

    def init(self, w):
        return self.base.init(w)

    def step(self, w, state, loss_and_grad):
        self.seen.append(self.crossings())
        return self.base.step(w, state, loss_and_grad)


def test_on_a_device_nothing_is_read_back_during_an_epoch_and_the_result_is_the_same(device):
    """But for the first epoch, in which the recorded gradient is held against the eager one."""
    seen = []
    with device.in_use(), device.counted() as crossings:
        run = quiet(optimizer=Watched(OPTIMIZERS["SAM"], seen, crossings), seed=[0, 1])
        w = array_backend.asnumpy(run.w)
        measured = run.evaluate(X, Y)
    epochs = np.reshape(seen, (4, STEPS))
    assert (epochs[1:] == epochs[1:, :1]).all()
    assert (epochs[1:, 0] > epochs[:-1, -1]).all()  # between epochs the history is read: the count does count
    on_host = quiet(optimizer=OPTIMIZERS["SAM"], seed=[0, 1])
    device.assert_close(w, on_host.w, rtol=1e-4, atol=1e-5)
    for key in on_host.history:
        device.assert_close(run.history[key], on_host.history[key], rtol=1e-4)
    device.assert_close(measured["loss"], on_host.evaluate(X, Y)["loss"], rtol=1e-4)


def test_a_training_goes_on_across_backends(device, tmp_path):
    path = tmp_path / "checkpoint.npz"
    with device.in_use():
        quiet(optimizer=OPTIMIZERS["SAM"], epochs=2, checkpoint=path).save(tmp_path / "run.npz")
        assert isinstance(Run.load(tmp_path / "run.npz").w, array_backend.xp().ndarray)
    resumed = quiet(optimizer=OPTIMIZERS["SAM"], checkpoint=path).w
    device.assert_close(resumed, quiet(optimizer=OPTIMIZERS["SAM"]).w, rtol=1e-4, atol=1e-5)


# --- bad input: one line, before the first step --------------------------------------------------------------------


class Never:
    """An optimizer that must not be reached."""

    def init(self, w):
        return {}

    def step(self, w, state, loss_and_grad):
        raise AssertionError("the training began")


def with_row(a, value):
    a = a.copy()
    a[7] = value
    return a


BAD_DATA = {
    "a label above the classes": ((X, with_row(Y, 4)), ValueError, "labels must be in 0 … 3, got 0 … 4"),
    "a negative label": ((X, with_row(Y, -1)), ValueError, "labels must be in 0 … 3, got -1 … 3"),
    "float labels": ((X, Y.astype(float)), TypeError, "labels must be integers, got dtype float64"),
    "boolean labels": ((X, Y > 1), TypeError, "y must be an array of numbers, got ndarray bool (50,)"),
    "a column of labels": ((X, Y[:, None]), ValueError, "labels must have shape (50,)"),
    "integer x": ((Y[:, None], Y), TypeError, "x must be floating point, got dtype int64"),
    "x of objects": ((X.astype(object), Y), TypeError, "x must be an array of numbers, got ndarray object (50, 3)"),
    "no examples": ((X[:0], Y[:0]), ValueError, "x must have shape (m, features) with m ≥ 1, got (0, 3)"),
    "a flat x": ((X[:, 0], Y), ValueError, "x must have shape (m, features) with m ≥ 1, got (50,)"),
    "NaN in x": ((with_row(X, np.nan), Y), ValueError, "x must be finite in float32, got nan in row 7"),
    "x beyond float32": ((with_row(X, 1e39), Y), ValueError, "x must be finite in float32, got inf in row 7"),
    "too few features": ((X[:, :2], Y), ValueError, "x must have shape (..., m, 3), got (1, 2)"),
    "too few labels": ((X, Y[:-1]), ValueError, "y must have 50 rows, as many as x, got shape (49,)"),
    "one label": ((X, Y[0]), ValueError, "y must have 50 rows, as many as x, got shape ()"),
    "no pair": (X, TypeError, "data must be a minisam Data or a pair (x, y), got ndarray"),
    "three arrays": ((X, Y, Y), TypeError, "data must be a minisam Data or a pair (x, y), got tuple"),
    "validation too": (
        replace(DATA, x_validation=with_row(DATA.x_validation, np.inf)),
        ValueError,
        "x_validation must be finite in float32, got inf in row 7",
    ),
    "validation labels too": (
        replace(DATA, y_validation=with_row(DATA.y_validation, 9)),
        ValueError,
        "labels must be in 0 … 3, got",
    ),
}


@pytest.mark.parametrize(("data", "kind", "says"), BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data_is_named(data, kind, says):
    with pytest.raises(kind, match=rf"^{re.escape(says)}.*\Z"):  # one line: . is no newline
        quiet(data, Never())


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (Y, "y must have shape (50, 4), the shape of the model's outputs, got (50,)"),
        (X, "y must have shape (50, 4), the shape of the model's outputs, got (50, 3)"),
        (np.full((50, 4), np.nan), "y must be finite in float32, got nan in row 0"),
    ],
)
def test_bad_targets_are_named(y, says):
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        quiet((X, y), Never(), loss="mse")


@pytest.mark.parametrize(("data", "kind", "says"), list(BAD_DATA.values())[:2], ids=list(BAD_DATA)[:2])
def test_evaluate_names_bad_data_as_well(data, kind, says):
    with pytest.raises(kind, match=re.escape(says)):
        quiet(epochs=1).evaluate(*data)


SEED = "seed must be a whole number ≥ 0 or a sequence of them, got "
BAD_SETTINGS = [
    ({"epochs": 0}, ValueError, "epochs must be a whole number ≥ 1, got 0"),
    ({"epochs": 2.5}, ValueError, "epochs must be a whole number ≥ 1, got 2.5"),
    ({"batch_size": 0}, ValueError, "batch_size must be a whole number ≥ 1, got 0"),
    ({"batch_size": "8"}, ValueError, "batch_size must be a whole number ≥ 1, got '8'"),
    ({"seed": -1}, ValueError, SEED + "-1"),
    ({"seed": 0.5}, ValueError, SEED + "0.5"),
    ({"seed": "one"}, ValueError, SEED + "'one'"),
    ({"seed": []}, ValueError, SEED + "[]"),
    ({"seed": [0, -2]}, ValueError, SEED + "[0, -2]"),
    ({"seed": None}, ValueError, SEED + "None"),
    (
        {"loss": "hinge"},
        ValueError,
        "loss must be one of 'cross_entropy', 'mse', 'generalised_cross_entropy', got 'hinge'",
    ),
    ({"loss": 3}, ValueError, "loss must be one of 'cross_entropy', 'mse', 'generalised_cross_entropy', got 3"),
    ({"loss": mse}, ValueError, "y_train must have shape (30, 4), the shape of the model's outputs, got (30,)"),
    ({"dtype": "float16"}, ValueError, "dtype must be one of 'float32', 'float64', got 'float16'"),
    ({"optimizer": 0.1}, TypeError, "optimizer must be an optimizer such as SGD(lr), got 0.1"),
    ({"optimizer": SGD}, TypeError, "optimizer must be an optimizer such as SGD(lr), got <class"),
    ({"model": MODEL.apply}, TypeError, "model must be a minisam Model such as mlp((64, 32, 10)), got <bound"),
    ({"checkpoint": "missing/x.npz"}, FileNotFoundError, "cannot write missing/x.npz: there is no folder missing"),
]


@pytest.mark.parametrize(("setting", "kind", "says"), BAD_SETTINGS)
def test_bad_settings_are_named(setting, kind, says):
    with pytest.raises(kind, match=rf"^{re.escape(says)}.*\Z"):
        quiet(**({"optimizer": Never()} | setting))


def test_arrays_of_hyperparameters_must_fit_the_seeds():
    with pytest.raises(ValueError, match=r"one entry per seed$"):
        quiet(optimizer=SGD(np.array([[0.1], [0.2]])))


def test_a_numpy_number_as_hyperparameter_leaves_float32_as_it_is():
    ours, plain = (SAM(SGD(f(0.1), momentum=f(0.9)), rho=f(0.05)) for f in (np.float64, float))
    assert same(quiet(optimizer=ours, batch_size=np.int64(8)).w, quiet(optimizer=plain).w)
    assert quiet(optimizer=ours).w.dtype == "float32"
