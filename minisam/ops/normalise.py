"""Batch norm and group norm of activations (..., c, *space, m), and layer norm of rows (..., m, d).

Truths: tests/test_normalise.py (first and second derivatives, plain formulas, invariance under scale).
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy
from autograd.extend import defvjp, primitive

from ..array_backend import xp
from ..types import Array
from ..vectors import dot
from .fused import Steps, straight, with_slope
from .shapes import back_to, sum_last, sum_rows

SMALLEST_VARIANCE = 1e-5  # added to the variance: constants become 0, not 0/0


def moments(x: Array) -> tuple[Array, Array]:
    """Mean and variance along the last axis, which stays.   (..., r)  ->  (..., 1) both."""
    r = x.shape[-1]
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
    *lead, c, s, m = x.shape
    rows = anp.reshape(x, (*lead, groups, c // groups * s, m))
    n = c // groups * s
    gap = rows - anp.expand_dims(sum_rows(rows) / n, -2)
    variance = anp.expand_dims(sum_rows(gap * gap) / n, -2)
    normed = anp.reshape(gap * (variance + SMALLEST_VARIANCE) ** -0.5, (*lead, c, s, m))
    return normed * gain[..., None, None] + bias[..., None, None]


def layer_norm(x: Array, gain: Array, bias: Array) -> Array:
    """y = x̂ · gain + bias with x̂ = (x − μ)/σ, mean and deviation over each row.   Ba et al. 2016, arXiv:1607.06450, eq. 4.

    x (..., m, d), gain and bias (..., d)  ->  (..., m, d).
    """
    return scale_and_shift(standardise(x), gain, bias)


def stored_rows(x: Array, both: Array) -> Array:
    """x̂ (..., m, d), a view of what the one pass of `standardise` filled."""
    return both[..., : -x.shape[-2]].reshape(x.shape)


def stored_inverse(x: Array, both: Array) -> Array:
    """1/σ (..., m, 1), a view."""
    return both[..., -x.shape[-2] :, None]


def standardise_vjp(g: Array, x_hat: Array, inverse: Array) -> Array:
    """x̄ = (ȳ − mean ȳ − x̂ mean(ȳ x̂)) / σ: what neither shifts nor scales the row."""
    d = g.shape[-1]
    return (g - sum_last(g) / d - x_hat * (sum_last(g * x_hat) / d)) * inverse


def inverse_vjp(g: Array, inverse: Array, x: Array) -> Array:
    """∂(1/σ)/∂x = −(x − μ)/(d σ³)."""
    d = x.shape[-1]
    return (x - sum_last(x) / d) * (g * inverse * inverse * inverse / -d)


@with_slope(stored_rows, stored_inverse, standardise_vjp, inverse_vjp)
def standardise(x: Array, out: Array = None) -> Array:
    """x̂ = (x − μ)/σ for each row. In one pass with 1/σ: x̂ of all rows, then 1/σ of all rows, (..., m·d + m)."""
    *lead, m, d = x.shape
    out = xp().empty((*lead, m * d + m), dtype=x.dtype) if out is None else out
    x_hat, inverse = stored_rows(x, out), stored_inverse(x, out)
    numpy.subtract(x, sum_last(x) / d, out=x_hat)
    inverse[...] = 1 / numpy.sqrt(dot(x_hat, x_hat) / d + SMALLEST_VARIANCE)
    x_hat *= inverse
    return out


@primitive
@straight
def scale_and_shift(x: Array, gain: Array, bias: Array) -> Steps:
    """y = x · gain + bias, column by column.   x (..., m, d), gain and bias (..., d)  ->  (..., m, d)."""
    y = yield numpy.multiply, x, gain[..., None, :]
    yield numpy.add, y, bias[..., None, :]


defvjp(
    scale_and_shift,
    lambda y, x, gain, bias: lambda g: back_to(x, g * anp.expand_dims(gain, -2)),
    lambda y, x, gain, bias: lambda g: back_to(gain, sum_rows(g * x)),
    lambda y, x, gain, bias: lambda g: back_to(bias, sum_rows(g)),
)
