"""Sweeps: the replica axes of w, and the optimizers, data and batches that meet them.

w has shape (..., n). Its leading axes are the replicas: one axis for each swept name, in the order of the sweep, and after
them one axis for the seeds, if there are several.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy

from ..array_backend import asarray
from ..checks import check_seed, is_real, shown
from ..data import Data
from ..optim import Optimizer
from ..types import Array, Seed, Shape

Labels: TypeAlias = dict[str, Any]  # name → one of its values
Axes: TypeAlias = dict[str, list[Any]]  # name → its values, in the order of the leading axes of w


def replica_axes(sweep: Mapping[str, Sequence[Any]] | None, seed: int | Sequence[int]) -> Axes:
    """The replica axes by name: first what is swept, then "seed" if there are several seeds."""
    seeds = check_seed(seed)
    axes: Axes = {}
    if sweep is not None and not isinstance(sweep, Mapping):
        raise TypeError(f"sweep must be a dict, name -> values, got {shown(sweep)}")
    for name, values in (sweep or {}).items():
        axes[name] = values_of(name, values)
    return axes | ({"seed": seeds.tolist()} if seeds.ndim else {})


def values_of(name: str, values: Sequence[Any]) -> list[Any]:
    """The values of a swept name: numbers or texts, each once, which files can hold."""
    sweep = f"got {shown(name)}: {shown(values)}"
    if not isinstance(name, str) or isinstance(values, (str, bytes, Mapping)) or numpy.ndim(as_list(values)) != 1:
        raise TypeError(f"sweep must map names to sequences of values, {sweep}")
    found = [v.item() if isinstance(v, numpy.generic) else v for v in values]
    if not all(isinstance(v, (str, bool)) or (is_real(v) and v == v) for v in found):
        raise TypeError(f"sweep must map names to numbers or text, which files can hold, {sweep}")
    if not found or len(set(found)) < len(found) or name == "seed":
        raise ValueError(f"sweep must map names but 'seed' to different values, at least one, {sweep}")
    return found


def as_list(values: Any) -> Any:
    """The values of a sequence that is no array, as a list of objects, of which NumPy makes one axis."""
    return values if hasattr(values, "ndim") or not hasattr(values, "__len__") else [0] * len(values)


def shape_of(axes: Axes) -> Shape:
    """The leading shape of w."""
    return tuple(map(len, axes.values()))


def seeds_along(axes: Axes, seed: int | Sequence[int]) -> Seed:
    """The seed of a single run; or the seeds of all replicas, an int64 array (1, …, 1, S, 1) that broadcasts against w."""
    seeds = numpy.asarray(seed, dtype="int64")
    return int(seeds) if seeds.ndim == 0 else seeds.reshape(*[1] * (len(axes) - 1), -1, 1)


# --- functions of the swept values -----------------------------------------------------------------------------------


def arguments(f: Any) -> list[str]:
    """The names that a function of swept values takes; none if `f` is an optimizer or data."""
    is_function = callable(f) and not isinstance(f, (type, Data)) and not hasattr(f, "step")
    return list(inspect.signature(f).parameters) if is_function else []


def check_taken(axes: Axes, **functions: object) -> None:
    """Raise a ValueError if a function takes a name that is not swept, or if none takes a name that is."""
    taken = {name: argument for argument, f in functions.items() for name in arguments(f)}
    if "seed" in taken.keys() - axes.keys():
        raise ValueError(f"{taken['seed']} takes seed, so seed must be a sequence of seeds, such as [0], got one seed")
    for name in sorted(taken.keys() - axes.keys()):
        there = ", ".join(axes) or "none"
        raise ValueError(f"{taken[name]} takes {name}, which must be an axis of the sweep; there are: {there}")
    for name in sorted(axes.keys() - taken.keys() - {"seed"}):
        raise ValueError(f"{name} is swept, so optimizer or data must be a function that takes it; neither takes it")


def optimizer_of(optimizer: Any, axes: Axes) -> Optimizer:
    """The optimizer that a function makes from the swept values, each an array that broadcasts along its own axis of w."""
    if hasattr(optimizer, "step") or isinstance(optimizer, type) or not callable(optimizer):
        return optimizer
    values = {}
    for name in arguments(optimizer):
        along = [len(axes[name]) if other == name else 1 for other in axes]
        if not all(map(is_real, axes[name])):
            raise TypeError(f"sweep must map {name!r} to numbers, since the optimizer takes it, got {axes[name]}")
        values[name] = asarray(numpy.asarray(axes[name], dtype="float64").reshape(*along, 1))
    return optimizer(**values)


def data_of(data: Any, axes: Axes) -> tuple[Any, numpy.ndarray | None]:
    """The data; and the training labels (..., m) of each replica, if a function makes them from the swept values."""
    if isinstance(data, (Data, type)) or not callable(data):
        return data, None
    names = [name for name in axes if name in arguments(data)]
    combinations = itertools.product(*[axes[name] for name in names])
    sets = [data(**dict(zip(names, values, strict=True))) for values in combinations]
    first = sets[0]
    for one in sets:
        if not isinstance(one, Data):
            raise TypeError(f"data must be a function that returns a minisam Data, and returned {shown(one)}")
    for other in sets:
        for part, a in vars(first).items():
            if part not in ("y_train", "flipped") and not numpy.array_equal(a, getattr(other, part)):
                raise ValueError(f"data must be the same for all replicas except for y_train, got another {part}")
    labels = numpy.stack([each.y_train for each in sets])
    if labels.dtype.kind not in "iu" or labels.ndim != 2:
        raise ValueError(
            f"data must have classes (m,) as y_train to differ between replicas, got {first.y_train.shape}"
        )
    along = [len(values) if name in names else 1 for name, values in axes.items()]
    m = labels.shape[-1]
    return first, numpy.broadcast_to(labels.reshape(*along, m), (*shape_of(axes), m))


# --- batches ---------------------------------------------------------------------------------------------------------


def rows_of(x: Array, y: Array, i: Array, lead: Shape, own_labels: bool) -> tuple[Array, Array]:
    """The rows x, which are the rows i of the data, and the rows i of y: i is (b,), or (seeds, b) with one order per seed.

    y has one row per example; if each replica has labels of its own, y is (..., m).
    """
    if not own_labels:
        return _for_all(x, i, lead), _for_all(y[i], i, lead)
    return _for_all(x, i, lead), numpy.take_along_axis(y, numpy.broadcast_to(i, (*lead, i.shape[-1])), axis=-1)


def _for_all(rows: Array, i: Array, lead: Shape) -> Array:
    """The rows of each seed, (seeds, b, ...), repeated for every combination of the swept values: (..., seeds, b, ...)."""
    return rows if i.ndim == 1 else numpy.broadcast_to(rows, lead + rows.shape[1:])
