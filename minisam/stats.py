"""What may be said of a sample: a mean and its interval."""

from __future__ import annotations

import numpy


def mean_and_interval(samples: numpy.ndarray, axis: int = -1) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The mean over the replicas, and the half-width of its 95% interval by Student's t.

    One replica alone says nothing about its spread: its half-width is NaN.

    Student 1908, "The probable error of a mean".  Truths: tests/test_stats.py.
    """
    from scipy.special import stdtrit

    samples = numpy.asarray(samples, dtype="float64")
    if samples.size == 0:
        raise ValueError(f"samples must not be empty, got shape {samples.shape}")
    n = samples.shape[axis]
    mean = samples.mean(axis=axis)
    if n == 1:
        return mean, numpy.full_like(mean, numpy.nan)
    return mean, stdtrit(n - 1, 0.975) * samples.std(axis=axis, ddof=1) / numpy.sqrt(n)
