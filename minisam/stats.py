"""The mean of a sample and its confidence interval."""

from __future__ import annotations

import numpy

from .checks import shown, whole
from .kinds import host


def mean_and_interval(samples: numpy.ndarray, axis: int = -1) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The mean along an axis of samples, and the half-width of its 95% confidence interval by Student's t.

    Parameters
    ----------
    samples : array
        The replicas lie along `axis`.
    axis : int
        The axis to average over.

    Returns
    -------
    float64 NumPy arrays, without the axis
        The mean and the half-width. A single sample does not show its spread, so its half-width is NaN.

    Raises
    ------
    ValueError
        If samples is empty.

    Student 1908, "The probable error of a mean".  Truths: tests/test_stats.py.
    """
    from scipy.special import stdtrit

    samples = host("fiu", axes=1)("samples", samples).astype("float64")
    if not whole(axis) or not -samples.ndim <= axis < samples.ndim:
        raise ValueError(f"axis must be one of the {samples.ndim} axes of samples, got {shown(axis)}")
    n = samples.shape[axis]
    mean = samples.mean(axis=axis)
    if n == 1:
        return mean, numpy.full_like(mean, numpy.nan)
    return mean, stdtrit(n - 1, 0.975) * samples.std(axis=axis, ddof=1) / numpy.sqrt(n)
