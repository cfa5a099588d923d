"""The training loop, the record of a run, checkpoints."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from . import models
from .array_backend import Array, asarray, asnumpy, xp
from .autodiff import value_and_grad
from .data import Data, batches
from .losses import accuracy, check_labels, cross_entropy, mse
from .models import Model, pick
from .optim import Optimizer, State

LOSSES: dict[str, Callable[..., Array]] = {"cross_entropy": cross_entropy, "mse": mse}


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
        The last weights, on the backend in use.
    history : dict of NumPy arrays
        One row an epoch, (epochs, ...): "train_loss" (mean of the minibatch losses), "grad_norm", for SAM "eps_norm" (means over
        the epoch), "validation_loss" and "validation_accuracy" where there is validation data; and (epochs,): "epoch" from 1 and
        "evaluations", the gradients spent so far.
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
        """Loss, and accuracy where labels are classes, on x (m, i), y (m,) or (m, k): NumPy arrays (...,)."""
        return _evaluate(self.model, LOSSES[self.loss], self.w, asarray(x, dtype=self.w.dtype), asarray(y))

    def plot(self) -> Any:
        """The training curves as a matplotlib figure."""
        from .plot import curves

        return curves({"run": self})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the run to one .npz file, whole or not at all."""
        meta = {"spec": self.model.spec, "loss": self.loss, "interrupted": self.interrupted}
        _write(path, {"w": self.w, **_prefixed("history", self.history)}, meta)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Run:
        """Read what `save` wrote."""
        arrays, meta = _read(path, "run")
        model = _remake(meta["spec"])
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
        Of the initial weights and the order of the data. A sequence trains one replica a seed, all in one run, each as it would
        be trained alone; w and history then have a replica axis.
    loss : str
        "cross_entropy" or "mse".
    dtype : str
        "float32" or "float64".
    progress : bool
        Show a progress bar.
    checkpoint : path, optional
        A file written after every epoch. If it is there already the run goes on from it, and ends with the same bits as
        one that was never interrupted.

    Returns
    -------
    Run
        Ctrl-C ends the training after the step in hand and returns the run so far, marked `interrupted`.

    Raises
    ------
    DivergedError
        If a loss is not finite; it names the step and holds the run up to the last good epoch.
    TypeError, ValueError
        If an argument is out of range, or the checkpoint belongs to another training.
    """
    _check_counts(epochs=epochs, batch_size=batch_size)
    pick("dtype", dtype, {"float32": 0, "float64": 0})
    loss_of = pick("loss", loss, LOSSES)
    x, y, validation = _on_device(data, loss, dtype)
    loss_and_grad = value_and_grad(model, loss_of)
    batch_size = min(batch_size, len(x))

    w = model.init(seed, dtype)
    state = optimizer.init(w)
    rows: list[dict[str, Any]] = []
    identity = _identity(model, optimizer, batch_size, seed, loss, dtype, len(x))
    if checkpoint is not None and os.path.exists(checkpoint):
        w, state, rows = _resume(checkpoint, identity)

    interrupted = False
    bar = _bar(range(len(rows), epochs), epochs, progress)
    try:
        for epoch in bar:
            good, told = w, []
            for i in asarray(batches(len(x), batch_size, seed, epoch)):
                xb, yb = x[i], y[i]
                w, state, info = optimizer.step(w, state, lambda w, xb=xb, yb=yb: loss_and_grad(w, xb, yb))
                told.append(info)
            row = _summary(told)
            _stop_if_not_finite(row.pop("losses"), epoch, lambda good=good: Run(model, good, _history(rows), loss))
            row["epoch"] = epoch + 1
            row["evaluations"] += rows[-1]["evaluations"] if rows else 0
            if validation:
                measured = _evaluate(model, loss_of, w, *validation)
                row |= {f"validation_{name}": value for name, value in measured.items()}
            rows.append(row)
            if checkpoint is not None:
                _write(checkpoint, _packed(w, state, rows), {"identity": identity})
            bar.set_postfix_str(f"loss {numpy.mean(row['train_loss']):.4f}")
    except KeyboardInterrupt:
        interrupted = True
    finally:
        bar.close()
    return Run(model, w, _history(rows), loss, interrupted)


# --- the parts of the loop -------------------------------------------------------------------------------------------


def _on_device(data: Any, loss: str, dtype: str) -> tuple[Array, Array, tuple[Array, Array] | None]:
    """Training and validation arrays, checked once and moved to the backend in use."""
    if isinstance(data, Data):
        parts = [("train", data.x_train, data.y_train), ("validation", data.x_validation, data.y_validation)]
    elif isinstance(data, tuple) and len(data) == 2:
        parts = [("train", *data)]
    else:
        raise TypeError(f"data must be a minisam Data or a pair (x, y), got {type(data).__name__}")
    moved = []
    for part, x, y in parts:
        x, y = asnumpy(x), asnumpy(y)
        if x.ndim < 2 or len(x) == 0 or len(x) != len(y):
            raise ValueError(f"{part} data must be x (m, …) and y (m, …) with m ≥ 1, got {x.shape} and {y.shape}")
        if not numpy.isfinite(x).all():
            raise ValueError(f"x of the {part} data must be finite, got NaN or infinity")
        if loss == "cross_entropy":
            if y.dtype.kind not in "iu":
                raise TypeError(f"labels must be integers, got dtype {y.dtype}")
        moved.append((asarray(x, dtype=dtype), asarray(y if loss == "cross_entropy" else y.astype(dtype))))
    return *moved[0], moved[1] if len(moved) > 1 else None


def _evaluate(
    model: Model, loss: Callable[..., Array], w: Array, x: Array, y: Array
) -> dict[str, numpy.ndarray]:
    outputs = model.apply(w, x)
    measured = {"loss": asnumpy(loss(outputs, y))}
    if loss is cross_entropy:
        measured["accuracy"] = asnumpy(accuracy(outputs, y))
    return measured


def _summary(told: list[dict[str, Any]]) -> dict[str, Any]:
    """What the steps of an epoch told, read back from the device at once: means over the epoch, and the losses."""
    row: dict[str, Any] = {"evaluations": sum(info["evaluations"] for info in told)}
    for key in told[0]:
        if key != "evaluations":
            series = asnumpy(xp().stack([info[key] for info in told]))
            row[{"loss": "train_loss"}.get(key, key)] = series.mean(axis=0)
            if key == "loss":
                row["losses"] = series
    return row


def _stop_if_not_finite(losses: numpy.ndarray, epoch: int, run: Callable[[], Run]) -> None:
    bad = numpy.argwhere(~numpy.isfinite(losses))
    if len(bad):
        step, *replica = bad[0].tolist()
        where = f", replica {', '.join(map(str, replica))}" if replica else ""
        raise DivergedError(
            f"the loss became {losses[tuple(bad[0])]} at step {epoch * len(losses) + step} (epoch {epoch + 1}{where}); "
            f"try a smaller lr or rho; .run holds the weights after epoch {epoch}",
            run(),
        )


def _history(rows: list[dict[str, Any]]) -> dict[str, numpy.ndarray]:
    return {key: numpy.array([row[key] for row in rows]) for key in (rows[0] if rows else {})}


def _bar(epochs: range, total: int, progress: bool) -> Any:
    from tqdm.auto import tqdm

    return tqdm(epochs, total=total, initial=epochs.start, unit="epoch", disable=not progress, leave=False)


def _check_counts(**counts: int) -> None:
    for name, value in counts.items():
        if not isinstance(value, (int, numpy.integer)) or value < 1:
            raise ValueError(f"{name} must be a whole number ≥ 1, got {value!r}")


# --- files -----------------------------------------------------------------------------------------------------------


def _identity(model: Model, optimizer: Optimizer, batch_size: int, seed: Any, *rest: Any) -> str:
    """What must be the same for a training to go on from a checkpoint."""
    return repr([model.spec, optimizer, batch_size, numpy.asarray(seed).tolist(), *rest])


def _packed(w: Array, state: State, rows: list[dict[str, Any]]) -> dict[str, Array]:
    return {"w": w, **_prefixed("state", state), **_prefixed("history", _history(rows))}


def _resume(path: str | os.PathLike[str], identity: str) -> tuple[Array, State, list[dict[str, Any]]]:
    arrays, meta = _read(path, "checkpoint")
    if meta["identity"] != identity:
        raise ValueError(
            f"checkpoint {os.fspath(path)} belongs to another training; delete it, or name another file. "
            f"There: {meta['identity']}; asked for: {identity}"
        )
    state = {k: int(a) if a.ndim == 0 else asarray(a) for k, a in _unprefixed("state", arrays).items()}
    history = _unprefixed("history", arrays)
    rows = [{key: a[i] for key, a in history.items()} for i in range(len(history["epoch"]))]
    return asarray(arrays["w"]), state, rows


def _prefixed(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}/{key}": a for key, a in arrays.items()}


def _unprefixed(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(f"{prefix}/"): a for key, a in arrays.items() if key.startswith(f"{prefix}/")}


def _write(path: str | os.PathLike[str], arrays: dict[str, Any], meta: dict[str, Any]) -> None:
    """One .npz file, moved into place when it is whole."""
    path = Path(path)
    arrays = {key: asnumpy(a) for key, a in arrays.items()}
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            numpy.savez(file, meta=json.dumps(meta), **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise


def _read(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, numpy.ndarray], dict[str, Any]]:
    try:
        with numpy.load(path, allow_pickle=False) as file:
            arrays = dict(file)
            return arrays, json.loads(str(arrays.pop("meta")))
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{os.fspath(path)} is not a {kind} written by minisam ({error})") from error


def _remake(spec: dict[str, Any]) -> Model:
    arguments = dict(spec)
    made: Model = getattr(models, arguments.pop("model"))(**arguments)
    return made
