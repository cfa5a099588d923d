"""Statistics of paired comparisons: is there a difference, is there none that matters, and how many units would decide it.

A comparison is an array of differences (..., n), one for each of n independent units. The tests are Student's, so they assume
differences whose mean over units is about normal.

Truths: tests/test_study_statistics.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy

LEVEL = 0.05  # how often a test may find what is not there
POWER = 0.8  # how often a study of enough units finds what is there
MOST = 10_000  # units; no study has more
QUANTILES = (numpy.arange(4000) + 0.5) / 4000  # at which a mean over a distribution is computed


def p_of_difference(differences: numpy.ndarray) -> numpy.ndarray:
    """p of "the mean μ is 0", two-sided: P(|T| ≥ |mean| / se), T of Student's distribution.   (..., n) -> (...,).

    Differences without any spread decide nothing: p = 1.  Student 1908, "The probable error of a mean".
    """
    from scipy.special import stdtr

    mean, se, n = _moments(differences)
    t = numpy.divide(abs(mean), se, out=numpy.zeros_like(mean), where=se > 0)
    return 2 * stdtr(n - 1, -t)


def p_of_equality(differences: numpy.ndarray, delta: float) -> numpy.ndarray:
    """p of "|μ| ≥ δ", by two one-sided tests, of μ ≤ −δ and of μ ≥ δ: the larger of both p.   (..., n) -> (...,).

        p = P(T ≥ (δ − |mean|) / se)

    Differences without any spread decide nothing (p = 1), but where all are 0 they are equal (p = 0).
    Schuirmann 1987, "A comparison of the two one-sided tests procedure …".
    """
    from scipy.special import stdtr

    mean, se, n = _moments(differences)
    without = numpy.where(mean == 0, numpy.inf, -numpy.inf)
    t = numpy.divide(delta - abs(mean), se, out=without, where=se > 0)
    return stdtr(n - 1, -t)


def holm(p: numpy.ndarray) -> numpy.ndarray:
    """p of m tests, adjusted so that the chance of any false finding among them stays below the level.   (..., m) -> (..., m).

        p̃₍ᵢ₎ = max over j ≤ i of (m − j + 1) p₍ⱼ₎, at most 1        where p₍₁₎ ≤ … ≤ p₍ₘ₎

    Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    p = numpy.asarray(p, dtype="float64")
    order = numpy.argsort(p, axis=-1)
    times = numpy.arange(p.shape[-1], 0, -1)
    climbing = numpy.maximum.accumulate(times * numpy.take_along_axis(p, order, -1), axis=-1)
    adjusted = numpy.empty_like(p)
    numpy.put_along_axis(adjusted, order, numpy.minimum(climbing, 1), axis=-1)
    return adjusted


def power_of_difference(n: int, effect: float, spread: float, level: float = LEVEL) -> float:
    """How often n units show, at this level, that μ is not 0, if it is `effect` and σ of the differences is `spread` > 0.

    E[Φ(ν − t s/σ) + Φ(−ν − t s/σ)]        ν = √n μ / σ,  t the quantile 1 − level/2 of Student's distribution
    """
    from scipy.special import ndtr, stdtrit

    nu, t = numpy.sqrt(n) * effect / spread, stdtrit(n - 1, 1 - level / 2)
    return _over_spreads(n, lambda s: ndtr(nu - t * s) + ndtr(-nu - t * s))


def power_of_equality(n: int, delta: float, spread: float, level: float = LEVEL) -> float:
    """How often n units show, at this level, that |μ| < δ, if μ is 0 and σ of the differences is `spread` > 0.

    E[max(0, 2 Φ(√n δ / σ − t s/σ) − 1)]        t the quantile 1 − level of Student's distribution
    """
    from scipy.special import ndtr, stdtrit

    nu, t = numpy.sqrt(n) * delta / spread, stdtrit(n - 1, 1 - level)
    return _over_spreads(n, lambda s: numpy.maximum(2 * ndtr(nu - t * s) - 1, 0))


def units_needed(power: Callable[[int], float]) -> int | None:
    """The fewest units whose power, which grows with them, is at least 0.8; None if that takes more than 10,000."""
    low, high = 1, 2
    while power(high) < POWER:
        low, high = high, 2 * high
        if low >= MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high if high <= MOST else None


def _moments(differences: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray, int]:
    """The mean, its standard error, and the number of units; no spread is 0, however the mean is rounded."""
    d = numpy.asarray(differences, dtype="float64")
    n = d.shape[-1]
    se = d.std(axis=-1, ddof=1) / numpy.sqrt(n)
    return d.mean(axis=-1), numpy.where(numpy.ptp(d, axis=-1) > 0, se, 0.0), n


def _over_spreads(n: int, f: Callable[[numpy.ndarray], numpy.ndarray]) -> float:
    """E[f(s/σ)] for the standard deviation s of n normal numbers: (n − 1) s²/σ² has the χ² distribution with n − 1 degrees."""
    from scipy.special import chdtri

    return float(f(numpy.sqrt(chdtri(n - 1, QUANTILES) / (n - 1))).mean())
