"""Batch norm and group norm of activations (..., c, *space, m), and dropout.

Truths: tests/test_normalise.py (first and second derivatives, plain formulas, invariance under scale).
"""

from __future__ import annotations

import autograd.numpy as anp

from ..types import Array
from .shapes import sum_last, sum_rows

SMALLEST_VARIANCE = 1e-5  # added to the variance: constants become 0, not 0/0


def moments(x: Array) -> tuple[Array, Array]:
    """Mean and variance along the last axis, which stays.   (..., r)  ->  (..., 1) both."""
    r = anp.shape(x)[-1]
    mean = sum_last(x) / r
    gap = x - mean
    return mean, sum_last(gap * gap) / r


def batch_norm(x: Array, gain: Array, bias: Array, mean: Array, variance: Array) -> Array:
    """y = gain (x − μ)/√(σ² + 10⁻⁵) + bias, channel by channel.   x (..., c, r), all others (..., c, 1)  ->  (..., c, r).

    μ and σ² are the batch's own, from `moments`, or running averages.  Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 1.
    """
    scale = gain * (variance + SMALLEST_VARIANCE) ** -0.5
    return x * scale + (bias - mean * scale)


def group_norm(x: Array, gain: Array, bias: Array, groups: int) -> Array:
    """The same with the moments of each example alone, over groups of c/groups channels and their space.

    x (..., c, s, m), gain and bias (..., c)  ->  (..., c, s, m).  Wu & He 2018, arXiv:1803.08494, eq. 1.
    """
    *lead, c, s, m = anp.shape(x)
    rows = anp.reshape(x, (*lead, groups, c // groups * s, m))
    n = c // groups * s
    gap = rows - anp.expand_dims(sum_rows(rows) / n, -2)
    variance = anp.expand_dims(sum_rows(gap * gap) / n, -2)
    normed = anp.reshape(gap * (variance + SMALLEST_VARIANCE) ** -0.5, (*lead, c, s, m))
    return normed * gain[..., None, None] + bias[..., None, None]


def dropout(x: Array, kept: Array, rate: float) -> Array:
    """y = x · kept/(1 − rate): what is not kept becomes 0, the rest larger, so that the mean stays.

    `kept` holds zeros and ones like x, drawn outside: it enters a record as an input, and both passes of SAM see the same.
    Srivastava et al. 2014, JMLR 15.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"rate must be in [0, 1), got {rate}")
    return x * kept * (1 / (1 - rate))
