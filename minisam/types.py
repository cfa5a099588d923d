"""The types of the field, by name: what an annotation in this library means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

Array: TypeAlias = Any  # numpy.ndarray or cupy.ndarray (neither is imported here)
Scalar: TypeAlias = float | Array  # a hyperparameter: a number, or an array (..., 1) with one entry per replica
Radius: TypeAlias = Scalar  # ρ of a ball [weight], ≥ 0
StepSize: TypeAlias = Scalar | Callable[[int], float]  # η: a scalar, or a schedule t -> η of the step t = 0, 1, 2, …
Seed: TypeAlias = int | Array  # a whole number ≥ 0, or an array (..., 1) with one seed per replica
Shape: TypeAlias = tuple[int, ...]
Axes: TypeAlias = int | tuple[int, ...] | None  # one axis, several, or all
Statistics: TypeAlias = dict[str, Array]  # name -> mean or variance of each channel, as batch norm saw it
State: TypeAlias = dict[str, Any]  # what an optimizer keeps between steps: numbers, and arrays with w's replica axes
SHARED = "shared_"  # begins the names of those arrays of a state that all replicas share, without their axes
Info: TypeAlias = dict[str, Any]  # what a step tells: arrays (...,) with one number per replica, and counts
Loss: TypeAlias = Callable[..., Array]  # (logits, y) -> (...,)
LossAndGrad: TypeAlias = Callable[..., tuple[Array, Array]]  # w (..., n) -> loss (...,), gradient (..., n)


class Evaluated(tuple[Array, Array]):
    """(loss, gradient) of a model with batch norm; `statistics` holds what batch norm saw of the batch."""

    statistics: Statistics

    def __new__(cls, loss: Array, gradient: Array, statistics: Statistics) -> Evaluated:
        pair = super().__new__(cls, (loss, gradient))
        pair.statistics = statistics
        return pair


def statistics_of(result: tuple[Array, Array]) -> Statistics:
    """What batch norm saw of the batch while this (loss, gradient) was computed; {} without batch norm."""
    return getattr(result, "statistics", {})


class HasFilters(Protocol):
    """A model, as far as it tells of which kind its weights are, and which of them are a filter: what one output unit sees."""

    def mask(self, kind: str) -> Array: ...

    def filter_norms(self, w: Array) -> Array: ...
