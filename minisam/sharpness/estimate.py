"""What a measure that samples tells: a mean and how far it may be off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from .. import threads
from ..array_backend import asnumpy, xp
from ..types import Array


@dataclass(frozen=True)
class Estimate:
    """A mean over samples, and its standard error: float64 NumPy arrays of one shape, one entry a replica.

    The truth lies within `value` ± 2 `error` about 19 times in 20. One sample alone has error NaN.
    """

    value: numpy.ndarray
    error: numpy.ndarray

    @classmethod
    def of(cls, samples: Any) -> Estimate:
        """Over the first axis of the samples: (k, ...) -> (...,), error s/√k with s² = Σ (x − x̄)² / (k − 1)."""
        samples = numpy.asarray(samples, dtype="float64")
        k = len(samples)
        value = samples.mean(axis=0)
        error = samples.std(axis=0, ddof=1) / numpy.sqrt(k) if k > 1 else numpy.full_like(value, numpy.nan)
        return cls(value, error)


def to_host(parts: Sequence[Array]) -> numpy.ndarray:
    """A list of device arrays as one float64 NumPy array, a row each: one way back for all."""
    return asnumpy(xp().stack(parts)).astype("float64")


def bar(items: Iterable[Any], unit: str, progress: bool) -> Iterable[Any]:
    """The items, with a progress bar if it is asked for."""
    return threads.bar(items, unit=unit) if progress else items
