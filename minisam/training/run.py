"""What a training leaves behind: weights, history, and the grid of its replicas."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy

from ..array_backend import asarray, asnumpy
from ..checks import pick
from ..files import whole
from ..losses import accuracy, as_rows, check_labels, cross_entropy, generalised_cross_entropy, mse
from ..models import Model, cnn, gpt, mlp, resnet, vit
from ..ops import check_range
from ..types import Array

LOSSES: dict[str, Callable[..., Array]] = {
    "cross_entropy": cross_entropy,
    "mse": mse,
    "generalised_cross_entropy": generalised_cross_entropy,
}
MODELS: dict[str, Callable[..., Model]] = {
    "mlp": mlp,
    "cnn": cnn,
    "resnet": resnet,
    "vit": vit,
    "gpt": gpt,
}  # what `Run.load` can make again
ROWS = 512  # examples evaluated at once, so that memory stays small

Loss: TypeAlias = str | Callable[..., Array]  # a name in LOSSES, or (logits, y) -> (...,)
Axes: TypeAlias = dict[str, list[Any]]  # name → values, in the order of the leading axes of w
Measured: TypeAlias = dict[str, numpy.ndarray]


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
    loss : str or function
        As in `train`.
    interrupted : bool
        Whether Ctrl-C ended it early.
    axes : dict
        Name → values of each replica axis of w: the swept hyperparameters, then "seed". Empty for a single run.
    running : dict of arrays
        The running statistics of batch norm, where the model has it.
    state : dict
        The optimizer's state after the last epoch, not saved with the run.
    """

    model: Model
    w: Array
    history: Measured
    loss: Loss = "cross_entropy"
    interrupted: bool = False
    axes: Axes = field(default_factory=dict)
    running: dict[str, Array] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict, repr=False)

    def evaluate(self, x: Any, y: Any) -> Measured:
        """Loss, and accuracy where y are classes, on x (m, i), y (m,) or (m, k): NumPy arrays (...,)."""
        return evaluate(self.model, self.w, self.running, self.loss, *ready(self.model, self.w, self.loss, x, y))

    def select(self, **labels: Any) -> Run:
        """The replicas with these values: `run.select(rho=0.05)` has every axis but "rho"."""
        run = self
        for name, value in labels.items():
            k = _where(pick("an axis of the run", name, run.axes), name, value)
            position = list(run.axes).index(name)
            lead = len(run.axes)
            run = replace(
                run,
                w=_take(run.w, position, k),
                history={
                    key: a.take(k, axis=1 + position) if a.ndim == 1 + lead else a for key, a in run.history.items()
                },
                axes={key: values for key, values in run.axes.items() if key != name},
                running={key: _take(a, position, k) for key, a in run.running.items()},
            )
        return run

    def configurations(self) -> Iterator[tuple[dict[str, Any], Run]]:
        """Each combination of the swept hyperparameters, and its runs from all seeds."""
        swept = {name: values for name, values in self.axes.items() if name != "seed"}
        for values in itertools.product(*swept.values()):
            labels = dict(zip(swept, values, strict=True))
            yield labels, self.select(**labels)

    def choose(self) -> dict[str, Any]:
        """The swept values whose runs end with the highest mean validation accuracy (the lowest loss, where there is none).

        Of equals the first; a combination with a run that diverged is not chosen.
        """
        key, sign = ("validation_accuracy", 1) if "validation_accuracy" in self.history else ("validation_loss", -1)
        if key not in self.history or not set(self.axes) - {"seed"}:
            raise ValueError(f"choose needs a sweep on data with a validation part; the axes are {list(self.axes)}")
        scores = [sign * run.history[key][-1].mean() for _, run in self.configurations()]
        best = int(numpy.argmax(numpy.nan_to_num(scores, nan=-numpy.inf, posinf=-numpy.inf)))
        return next(itertools.islice(self.configurations(), best, None))[0]

    def plot(self, against: str | None = None) -> Any:
        """The training curves as a matplotlib figure; `against="rho"`: how it ended, against a swept hyperparameter."""
        from .. import plot

        if against is not None:
            return plot.against(self, against)
        return plot.curves({plot.told(labels) or "run": run for labels, run in self.configurations()})

    def to_pandas(self) -> Any:
        """The history as a pandas DataFrame: one row an epoch and replica, with the labels of the replica as columns."""
        try:
            import pandas
        except ImportError as error:
            raise ImportError("to_pandas needs the package pandas; pip install pandas") from error
        epochs = len(next(iter(self.history.values()), ()))
        shape = (epochs, *map(len, self.axes.values()))
        ndim = len(shape)
        columns = {
            name: numpy.expand_dims(values, _others(1 + k, ndim)) for k, (name, values) in enumerate(self.axes.items())
        }
        for key, a in self.history.items():
            columns[key] = a if a.ndim == ndim else a.reshape(epochs, *(1,) * (ndim - 1))
        return pandas.DataFrame({name: numpy.broadcast_to(a, shape).ravel() for name, a in columns.items()})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the run to one .npz file, whole or not at all."""
        loss = self.loss if isinstance(self.loss, str) else "a loss of your own"
        meta = {"spec": self.model.spec, "loss": loss, "interrupted": self.interrupted, "axes": self.axes}
        arrays = {"w": self.w, **prefixed("history", self.history), **prefixed("running", self.running)}
        write(path, "run", arrays, meta)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Run:
        """Read what `save` wrote."""
        arrays, meta = read(path, "run")
        spec = dict(meta["spec"])
        model = pick("the model of the run", spec.pop("model", "a model of your own"), MODELS)(**spec)
        running = {key: asarray(a) for key, a in unprefixed("running", arrays).items()}
        history = unprefixed("history", arrays)
        return Run(
            model, asarray(arrays["w"]), history, meta["loss"], meta["interrupted"], meta.get("axes", {}), running
        )


def _where(values: list[Any], name: str, value: Any) -> int:
    for k, v in enumerate(values):
        if v == value or (isinstance(v, float) and numpy.isclose(v, value, rtol=1e-9, atol=0)):
            return k
    raise ValueError(f"{name} must be one of {', '.join(map(str, values))}, got {value!r}")


def _take(a: Array, axis: int, k: int) -> Array:
    return a[(slice(None),) * axis + (k,)]


def _others(axis: int, ndim: int) -> tuple[int, ...]:
    return tuple(k for k in range(ndim) if k != axis)


# --- measuring -------------------------------------------------------------------------------------------------------


def loss_function(loss: Loss) -> Callable[..., Array]:
    """The loss of this name, or the function itself."""
    return loss if callable(loss) else pick("loss", loss, LOSSES)


def loss_name(loss: Loss) -> Loss:
    """The name of a loss that has one."""
    return next((name for name, f in LOSSES.items() if f is loss), loss)


def evaluate(model: Model, w: Array, running: dict[str, Array], loss: Loss, x: Array, y: Array) -> Measured:
    """Mean loss over the examples, and accuracy where y are classes, a few rows at a time."""
    total: Measured = {}
    for start in range(0, len(x), ROWS):
        some, their = x[start : start + ROWS], y[start : start + ROWS]
        outputs = model.apply(w, some, running or None)
        measured = {"loss": loss_function(loss)(outputs, their)}
        if their.dtype.kind in "iu":
            measured["accuracy"] = accuracy(outputs, their)
        for key, value in measured.items():
            total[key] = total.get(key, 0) + value * (len(some) / len(x))
    return {key: asnumpy(value) for key, value in total.items()}


def ready(model: Model, w: Array, loss: Loss, x: Any, y: Any, suffix: str = "") -> tuple[Array, Array]:
    """x and y in the precision of w, on the backend in use; or the error that says why they will not do."""
    x, y = asnumpy(x), asnumpy(y)
    if x.dtype.kind not in ("iu" if model.tokens else "f"):
        wanted = "whole numbers, tokens" if model.tokens else "floating point"
        raise TypeError(f"x{suffix} must be {wanted}, got dtype {x.dtype}")
    if x.ndim < 2 or x.size == 0:
        raise ValueError(f"x{suffix} must have shape (m, features) with m ≥ 1, got {x.shape}")
    if y.shape[:1] != x.shape[:1]:
        raise ValueError(f"y{suffix} must have {len(x)} rows, as many as x{suffix}, got shape {y.shape}")
    x = x if model.tokens else finite(f"x{suffix}", x, w.dtype)
    rows, outputs = model.apply(w, asarray(x[:1])).shape[-2:]
    shape = (len(x) * rows, outputs)
    if loss != "mse" and (isinstance(loss, str) or y.dtype.kind in "iu"):
        check_labels(as_rows(y, shape) if model.tokens else y, shape)
        check_range(y, outputs)
        return asarray(x), asarray(y, dtype="int64")
    if y.shape != shape:
        raise ValueError(f"y{suffix} must have shape {shape}, as the model's outputs, got {y.shape}")
    return asarray(x), asarray(finite(f"y{suffix}", y, w.dtype))


def finite(name: str, a: numpy.ndarray, dtype: Any) -> numpy.ndarray:
    """`a` in this precision, or the error that names its first entry that is not finite there."""
    with numpy.errstate(over="ignore"):
        a = a.astype(dtype)
    bad = numpy.argwhere(~numpy.isfinite(a))
    if len(bad):
        raise ValueError(f"{name} must be finite in {a.dtype}, got {a[tuple(bad[0])]} in row {bad[0][0]}")
    return a


# --- files -----------------------------------------------------------------------------------------------------------


def prefixed(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}/{key}": a for key, a in arrays.items()}


def unprefixed(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(f"{prefix}/"): a for key, a in arrays.items() if key.startswith(f"{prefix}/")}


def write(path: str | os.PathLike[str], kind: str, arrays: dict[str, Any], meta: dict[str, Any]) -> None:
    """One .npz file, moved into place when it is whole."""
    entries: dict[str, Any] = {key: asnumpy(a) for key, a in arrays.items()}
    entries["meta"] = numpy.array(json.dumps({"minisam": kind, **meta}))
    with whole(path) as unfinished, open(unfinished, "wb") as file:
        numpy.savez(file, **entries)
        file.flush()
        os.fsync(file.fileno())


def read(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, numpy.ndarray], dict[str, Any]]:
    """What `write` wrote, or a ValueError if it did not, or not this kind of file."""
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
