"""The result of a measure that samples: a mean and its standard error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..array_backend import asnumpy
from ..types import Array


@dataclass(frozen=True)
class Estimate:
    """A mean over samples and its standard error: float64 NumPy arrays of one shape, with one entry per replica.

    The true value lies within `value` ± 2 `error` about 19 times in 20. For a single sample the error is NaN.
    """

    value: numpy.ndarray
    error: numpy.ndarray

    @classmethod
    def of(cls, samples: Sequence[Array]) -> Estimate:
        """From k samples (...,) on any backend: their mean, and the error s/√k with s² = Σ (x − x̄)² / (k − 1)."""
        x = to_host(samples)
        k, value = len(x), x.mean(axis=0)
        return cls(value, x.std(axis=0, ddof=1) / numpy.sqrt(k) if k > 1 else numpy.full_like(value, numpy.nan))


def to_host(parts: Sequence[Array]) -> numpy.ndarray:
    """A list of device arrays as one float64 NumPy array with one row each. All rows cross over in one transfer."""
    return asnumpy(numpy.stack(parts)).astype("float64")
