"""Losses and accuracies over all rows of a data set, and the check that the data fit the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy

from ..array_backend import asarray, asnumpy
from ..checks import pick
from ..data import Data
from ..kinds import function, host
from ..losses import (
    accuracy,
    as_rows,
    by_class,
    check_labels,
    cross_entropy,
    generalised_cross_entropy,
    mean_recall,
    mse,
)
from ..models import Model
from ..ops.losses import check_range
from ..types import Array, Loss, Statistics

LOSSES: dict[str, Loss] = {f.__name__: f for f in (cross_entropy, mse, generalised_cross_entropy)}
ROWS = 512  # examples evaluated at once, so that the memory in use stays small

LossOrName: TypeAlias = str | Loss  # a name in LOSSES, or a function (logits, y) -> (...,)
Measured: TypeAlias = dict[str, numpy.ndarray]


def loss_function(loss: LossOrName) -> Loss:
    """The loss of this name, or the function itself."""
    return function(2, "(logits, y) -> loss, or a name")("loss", loss) if callable(loss) else pick("loss", loss, LOSSES)


def loss_name(loss: LossOrName) -> LossOrName:
    """The name of a loss that has one, else the function itself; a ValueError lists the names there are."""
    return next((name for name, f in LOSSES.items() if f is loss_function(loss)), loss)


def evaluate(model: Model, w: Array, running: Statistics, loss: LossOrName, x: Array, y: Array) -> Measured:
    """The mean loss over the examples; where y are classes, both accuracies, too. Computed a few rows at a time."""
    total: Measured = {}
    for start in range(0, len(x), ROWS):
        some, their = x[start : start + ROWS], y[start : start + ROWS]
        outputs = model.apply(w, some, running or None)
        measured = {"loss": loss_function(loss)(outputs, their)}
        if their.dtype.kind in "iu":
            measured["accuracy"] = accuracy(outputs, their)
            measured["hits"], measured["there"] = (of_each / len(some) for of_each in by_class(outputs, their))
        for key, value in measured.items():
            total[key] = total.get(key, 0) + value * (len(some) / len(x))
    if "hits" in total:
        total["balanced_accuracy"] = mean_recall(total.pop("hits"), total.pop("there"))
    return {key: asnumpy(value) for key, value in total.items()}


def scores(history: Measured) -> numpy.ndarray:
    """How good each replica is after each epoch, (epochs, ...), higher is better: its accuracy on the validation part.

    It is minus the loss where y are no classes; and −∞ where the loss is not finite, because the replica has diverged.
    """
    loss = history["validation_loss"]
    return numpy.where(numpy.isfinite(loss), history.get("validation_accuracy", -loss), -numpy.inf)


def parts_of(data: Data | tuple[Array, Array]) -> Iterator[tuple[Array, Array, str]]:
    """The training part and the validation part, if there is one, each with the ending of its names."""
    if isinstance(data, Data):
        yield data.x_train, data.y_train, "_train"
        yield data.x_validation, data.y_validation, "_validation"
    elif isinstance(data, (tuple, list)) and len(data) == 2:
        yield *data, ""
    else:
        raise TypeError(f"data must be a minisam Data or a pair (x, y), got {type(data).__name__}")


def ready(model: Model, w: Array, loss: LossOrName, x: Array, y: Array, suffix: str = "") -> tuple[Array, Array]:
    """x and y in the precision of w, on the backend in use; or the error that says why they do not fit the model."""
    x, y = HOST(f"x{suffix}", x), HOST(f"y{suffix}", y)
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
        raise ValueError(f"y{suffix} must have shape {shape}, the shape of the model's outputs, got {y.shape}")
    return asarray(x), asarray(finite(f"y{suffix}", y, w.dtype))


HOST = host("fiu", empty=True)


def finite(name: str, a: numpy.ndarray, dtype: numpy.dtype) -> numpy.ndarray:
    """`a` in this precision, or the error that names its first entry that is not finite there."""
    with numpy.errstate(over="ignore"):
        a = a.astype(dtype)
    bad = numpy.argwhere(~numpy.isfinite(a))
    if len(bad):
        raise ValueError(f"{name} must be finite in {a.dtype}, got {a[tuple(bad[0])]} in row {bad[0][0]}")
    return a
