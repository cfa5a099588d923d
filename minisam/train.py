"""The training loop, the record of a run, checkpoints."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy

from .array_backend import Array, asarray, asnumpy, xp
from .autodiff import value_and_grad
from .data import Data, batches, check_counts, check_seed
from .files import check_folder, whole
from .losses import accuracy, check_labels, cross_entropy, mse
from .models import Model, mlp, pick
from .ops import check_range
from .optim import Info, Optimizer, State

LOSSES: dict[str, Callable[..., Array]] = {"cross_entropy": cross_entropy, "mse": mse}
MODELS: dict[str, Callable[..., Model]] = {"mlp": mlp}  # what `Run.load` can make again


class DivergedError(ArithmeticError):
    """A loss became infinite or not a number. `run` holds the run up to the last good epoch."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run


@dataclass(frozen=True)
class Run:
    """What a training left behind.

    Attributes
    ----------
    model : Model
    w : float array (..., n)
        The weights after the last epoch in the history (the initial ones, if it is empty), on the backend in use.
    history : dict of NumPy arrays
        One row an epoch, (epochs, ...): "train_loss" (mean of the minibatch losses), "grad_norm", for SAM "eps_norm"
        (means over the epoch), "validation_loss" and "validation_accuracy" where there is validation data; and (epochs,)
        "epoch", from 1, and "evaluations", the gradients spent so far.
    loss : str
        "cross_entropy" or "mse".
    interrupted : bool
        Whether Ctrl-C ended it early.
    """

    model: Model
    w: Array
    history: dict[str, numpy.ndarray]
    loss: str = "cross_entropy"
    interrupted: bool = False

    def evaluate(self, x: Any, y: Any) -> dict[str, numpy.ndarray]:
        """Loss, and accuracy where y are classes, on x (m, i), y (m,) or (m, k): NumPy arrays (...,)."""
        return _evaluate(self.model, self.w, self.loss, *_ready(self.model, self.w, self.loss, x, y))

    def plot(self) -> Any:
        """The training curves as a matplotlib figure."""
        from .plot import curves

        return curves({"run": self})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the run to one .npz file, whole or not at all."""
        meta = {"spec": self.model.spec, "loss": self.loss, "interrupted": self.interrupted}
        _write(path, "run", {"w": self.w, **_prefixed("history", self.history)}, meta)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Run:
        """Read what `save` wrote."""
        arrays, meta = _read(path, "run")
        spec = dict(meta["spec"])
        model = pick("the model of the run", spec.pop("model", "a model of your own"), MODELS)(**spec)
        return Run(model, asarray(arrays["w"]), _unprefixed("history", arrays), meta["loss"], meta["interrupted"])


def train(
    model: Model,
    data: Data | tuple[Any, Any],
    optimizer: Optimizer,
    epochs: int,
    batch_size: int = 64,
    seed: int | Sequence[int] = 0,
    *,
    loss: str = "cross_entropy",
    dtype: str = "float32",
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Run:
    """Train a model on minibatches.

    Parameters
    ----------
    model : Model
        What to train.
    data : Data, or a pair (x, y)
        x (m, i); y (m,) classes or (m, k) targets. A Data has its validation part measured after each epoch.
    optimizer : SGD, Adam, AdamW, SAM, ...
        Anything with their protocol (see `minisam.optim`).
    epochs, batch_size : int
        ≥ 1. Each epoch shuffles anew and leaves out the examples that do not fill a batch.
    seed : int or sequence of int
        Of the initial weights and the order of the data. A sequence trains one replica a seed, all in one run, each as
        it would be trained alone; w and history then have a replica axis.
    loss : str
        "cross_entropy" or "mse".
    dtype : str
        "float32" or "float64".
    progress : bool
        Show a progress bar.
    checkpoint : path, optional
        A file written after every epoch. If it is there already the run goes on from it, and ends with the same bits as
        one that was never interrupted; the same settings with more epochs go on, too. (A function of your own among the
        settings, such as a schedule, is known again by its name alone.)

    Returns
    -------
    Run
        Ctrl-C ends the training at once and returns the run up to the last whole epoch, marked `interrupted`.

    Raises
    ------
    DivergedError
        If a loss of any replica is not finite; it names the step and holds the run up to the last good epoch.
    TypeError, ValueError
        If an argument is out of range, or the checkpoint is damaged or belongs to another training.

    Truths: tests/test_train.py, tests/test_checkpoint.py.
    """
    check_counts(epochs=epochs, batch_size=batch_size)
    check_seed(seed)
    _check_kinds(model, optimizer)
    pick("dtype", dtype, {"float32": 0, "float64": 0})
    loss_and_grad = value_and_grad(model, pick("loss", loss, LOSSES))
    w = model.init(seed, dtype)
    (x, y), *validation = [_ready(model, w, loss, *part) for part in _parts(data)]
    batch_size = min(batch_size, len(x))

    stand = _Stand(w, optimizer.init(w), [])
    if checkpoint is not None:
        check_folder(checkpoint)
        seen = _fingerprint([x, y, *(a for part in validation for a in part)])
        settings = _settings(
            model=model.spec, optimizer=optimizer, batch_size=batch_size, seed=seed, loss=loss, dtype=dtype, data=seen
        )
        if os.path.exists(checkpoint):
            stand = _resume(checkpoint, settings, epochs)

    interrupted = False
    try:
        with _bar(range(len(stand.rows), epochs), epochs, progress) as bar, numpy.errstate(all="ignore"):
            for epoch in bar:
                w, state, told = stand.w, stand.state, []
                for i in asarray(batches(len(x), batch_size, seed, epoch)):
                    xb, yb = x[i], y[i]
                    w, state, info = optimizer.step(w, state, lambda w, xb=xb, yb=yb: loss_and_grad(w, xb, yb))
                    told.append(info)
                _check_shape(stand.w, w)
                series = _series(told)
                measured = _evaluate(model, w, loss, *validation[0]) if validation else {}
                bad = _where_not_finite(series["loss"], w, measured, epoch)
                if bad:
                    raise DivergedError(bad, Run(model, stand.w, _history(stand.rows), loss))
                stand = _Stand(w, state, [*stand.rows, _row(stand.rows, series, told, measured)])
                if checkpoint is not None:
                    _write(checkpoint, "checkpoint", _packed(stand), {"settings": settings})
                bar.set_postfix_str(f"loss {numpy.mean(stand.rows[-1]['train_loss']):.4f}")
    except KeyboardInterrupt:
        interrupted = True
    return Run(model, stand.w, _history(stand.rows), loss, interrupted)


# --- the parts of the loop -------------------------------------------------------------------------------------------

Row: TypeAlias = dict[str, Any]  # an epoch's entries in the history


@dataclass(frozen=True)
class _Stand:
    """Where a training stands after a whole epoch. It is replaced at once, so that Ctrl-C never leaves half of one."""

    w: Array
    state: State
    rows: list[Row]


def _series(told: list[Info]) -> dict[str, numpy.ndarray]:
    """What the steps of an epoch told, each entry (steps, ...): read back from the device once an epoch."""
    return {key: asnumpy(xp().stack([info[key] for info in told])) for key in told[0] if key != "evaluations"}


def _row(
    rows: list[Row], series: dict[str, numpy.ndarray], told: list[Info], measured: dict[str, numpy.ndarray]
) -> Row:
    """An epoch's means and measurements, and the gradients spent up to here."""
    spent = rows[-1]["evaluations"] if rows else 0
    return {
        "epoch": len(rows) + 1,
        "evaluations": spent + sum(info["evaluations"] for info in told),
        **{"train_loss" if key == "loss" else key: values.mean(axis=0) for key, values in series.items()},
        **{f"validation_{key}": value for key, value in measured.items()},
    }


def _where_not_finite(losses: numpy.ndarray, w: Array, measured: dict[str, numpy.ndarray], epoch: int) -> str | None:
    """The message that names the first step and replica whose loss is not finite, if there is one.

    The loss after the last step is known only where there is validation data; but weights that are not finite tell it.
    """
    after = measured.get("loss", 0) + asnumpy(xp().sum(0 * w, axis=-1))
    losses = numpy.concatenate([losses, after[None]])
    bad = numpy.argwhere(~numpy.isfinite(losses))
    if not len(bad):
        return None
    step, *replica = bad[0].tolist()
    where = f", replica {', '.join(map(str, replica))}" if replica else ""
    return (
        f"the loss became {losses[tuple(bad[0])]} "
        f"at step {epoch * (len(losses) - 1) + step} (epoch {epoch + 1}{where}); "
        f"try a smaller lr or rho; .run holds the weights after epoch {epoch}"
    )


def _evaluate(model: Model, w: Array, loss: str, x: Array, y: Array) -> dict[str, numpy.ndarray]:
    outputs = model.apply(w, x)
    measured = {"loss": asnumpy(LOSSES[loss](outputs, y))}
    if loss == "cross_entropy":
        measured["accuracy"] = asnumpy(accuracy(outputs, y))
    return measured


def _history(rows: list[Row]) -> dict[str, numpy.ndarray]:
    return {key: numpy.array([row[key] for row in rows]) for key in (rows[0] if rows else {})}


def _bar(epochs: range, total: int, progress: bool) -> Any:
    from tqdm.auto import tqdm

    return tqdm(epochs, total=total, initial=epochs.start, unit="epoch", disable=not progress, leave=False)


# --- checks, on the host, before the first step ----------------------------------------------------------------------


def _check_kinds(model: Any, optimizer: Any) -> None:
    if not isinstance(model, Model):
        raise TypeError(f"model must be a minisam Model such as mlp((64, 32, 10)), got {model!r}")
    if isinstance(optimizer, type) or not (hasattr(optimizer, "init") and hasattr(optimizer, "step")):
        raise TypeError(f"optimizer must be an optimizer such as SGD(lr=0.1), got {optimizer!r}")


def _parts(data: Any) -> Iterator[tuple[Any, Any, str]]:
    """The training part and the validation part, if there is one, each with what its names end in."""
    if isinstance(data, Data):
        yield data.x_train, data.y_train, "_train"
        yield data.x_validation, data.y_validation, "_validation"
    elif isinstance(data, (tuple, list)) and len(data) == 2:
        yield *data, ""
    else:
        raise TypeError(f"data must be a minisam Data or a pair (x, y), got {type(data).__name__}")


def _ready(model: Model, w: Array, loss: str, x: Any, y: Any, suffix: str = "") -> tuple[Array, Array]:
    """x and y in the precision of w, on the backend in use; or the error that says why they will not do."""
    x, y = asnumpy(x), asnumpy(y)
    if x.dtype.kind != "f":
        raise TypeError(f"x{suffix} must be floating point, got dtype {x.dtype}")
    if x.ndim < 2 or x.size == 0:
        raise ValueError(f"x{suffix} must have shape (m, features) with m ≥ 1, got {x.shape}")
    if y.shape[:1] != x.shape[:1]:
        raise ValueError(f"y{suffix} must have {len(x)} rows, as many as x{suffix}, got shape {y.shape}")
    x = _finite(f"x{suffix}", x, w.dtype)
    outputs = model.apply(w, asarray(x[:1])).shape[-1]
    if loss == "cross_entropy":
        check_labels(y, (len(x), outputs))
        check_range(y, outputs)
        return asarray(x), asarray(y, dtype="int64")
    if y.shape != (len(x), outputs):
        raise ValueError(f"y{suffix} must have shape {(len(x), outputs)}, as the model's outputs, got {y.shape}")
    return asarray(x), asarray(_finite(f"y{suffix}", y, w.dtype))


def _finite(name: str, a: numpy.ndarray, dtype: Any) -> numpy.ndarray:
    with numpy.errstate(over="ignore"):
        a = a.astype(dtype)
    bad = numpy.argwhere(~numpy.isfinite(a))
    if len(bad):
        raise ValueError(f"{name} must be finite in {a.dtype}, got {a[tuple(bad[0])]} in row {bad[0][0]}")
    return a


def _check_shape(before: Array, after: Array) -> None:
    """An array among the hyperparameters that does not fit the seeds would make more replicas out of one."""
    if (after.shape, after.dtype) != (before.shape, before.dtype):
        raise ValueError(
            f"optimizer must keep w as it is, {before.shape} {before.dtype}, and made it {after.shape} {after.dtype}; "
            "an array among its settings needs shape (..., 1), one entry a seed"
        )


# --- files -----------------------------------------------------------------------------------------------------------


def _settings(**settings: Any) -> dict[str, str]:
    """What must be the same for a training to go on from a checkpoint."""
    return {name: json.dumps(_plain(value), default=str) for name, value in settings.items()}


def _plain(value: Any) -> Any:
    """A setting as plain data that is the same in every process, with no addresses and nothing abbreviated."""
    if hasattr(value, "dtype"):
        return asnumpy(value).tolist()
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(entry) for entry in value]
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return {type(value).__qualname__: _plain(vars(value))} if hasattr(value, "__dict__") else value


def _fingerprint(arrays: list[Array]) -> str:
    """A short text that other data would not have."""
    digest = hashlib.sha256()
    for a in arrays:
        digest.update(asnumpy(a).tobytes())
    return digest.hexdigest()[:16]


def _packed(stand: _Stand) -> dict[str, Array]:
    return {"w": stand.w, **_prefixed("state", stand.state), **_prefixed("history", _history(stand.rows))}


def _resume(path: str | os.PathLike[str], settings: dict[str, str], epochs: int) -> _Stand:
    """Where the training that wrote this checkpoint stood, if it is the one asked for."""
    arrays, meta = _read(path, "checkpoint")
    there = meta["settings"]
    other = [
        f"{name} was {_short(there.get(name))}, is {_short(here)}"
        for name, here in settings.items()
        if there.get(name) != here
    ]
    if other:
        raise ValueError(
            f"checkpoint {os.fspath(path)} belongs to another training: "
            f"delete it, or name another file ({'; '.join(other)})"
        )
    history = _unprefixed("history", arrays)
    done = len(history["epoch"])
    if done > epochs:
        raise ValueError(f"epochs must be ≥ {done}, which checkpoint {os.fspath(path)} has done already, got {epochs}")
    state = {key: a.item() if a.ndim == 0 else asarray(a) for key, a in _unprefixed("state", arrays).items()}
    rows = [{key: a[i] for key, a in history.items()} for i in range(done)]
    return _Stand(asarray(arrays["w"]), state, rows)


def _short(text: Any) -> str:
    return str(text) if len(str(text)) <= 200 else f"{str(text)[:200]}…"


def _prefixed(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}/{key}": a for key, a in arrays.items()}


def _unprefixed(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(f"{prefix}/"): a for key, a in arrays.items() if key.startswith(f"{prefix}/")}


def _write(path: str | os.PathLike[str], kind: str, arrays: dict[str, Any], meta: dict[str, Any]) -> None:
    """One .npz file, moved into place when it is whole."""
    entries: dict[str, Any] = {key: asnumpy(a) for key, a in arrays.items()}
    entries["meta"] = numpy.array(json.dumps({"minisam": kind, **meta}))
    with whole(path) as unfinished, open(unfinished, "wb") as file:
        numpy.savez(file, **entries)
        file.flush()
        os.fsync(file.fileno())


def _read(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, numpy.ndarray], dict[str, Any]]:
    """What `_write` wrote, or a ValueError if it did not, or not this kind of file."""
    try:
        with open(path, "rb") as file, numpy.load(file, allow_pickle=False) as entries:
            arrays = dict(entries)
        meta = json.loads(str(arrays.pop("meta")))
        if meta["minisam"] != kind:
            raise ValueError(f"it is a {meta['minisam']}")
    except FileNotFoundError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{os.fspath(path)} is not a whole {kind} of minisam ({reason})") from error
    return arrays, meta
