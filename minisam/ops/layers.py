"""Products, affine layers, activations."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy
from autograd.extend import defvjp, primitive

from ..array_backend import xp
from ..constants import made_once
from ..halves import product_of
from ..types import Array, Shape
from .fused import Steps, elementwise, straight, with_slope
from .shapes import T, back_to, sum_rows


@primitive
@straight
def matmul(a: Array, b: Array) -> Steps:
    """y = a b, both of at least two axes; leading axes broadcast."""
    yield product_of(a, b), a, b


defvjp(
    matmul,
    lambda y, a, b: lambda g: back_to(a, matmul(g, T(b))),  # ā = ȳ bᵀ
    lambda y, a, b: lambda g: back_to(b, matmul(T(a), g)),  # b̄ = aᵀ ȳ
)


@primitive
@straight
def affine(x: Array, W: Array, b: Array) -> Steps:
    """y = x W + b.   x (..., m, i), W (..., i, o), b (..., o)  ->  (..., m, o)."""
    y = yield product_of(x, W), x, W
    yield numpy.add, y, b[..., None, :]


defvjp(
    affine,
    lambda y, x, W, b: lambda g: back_to(x, matmul(g, T(W))),  # x̄ = ȳ Wᵀ
    lambda y, x, W, b: lambda g: back_to(W, matmul(T(x), g)),  # W̄ = xᵀ ȳ
    lambda y, x, W, b: lambda g: back_to(b, sum_rows(g)),  # b̄ = Σ ȳ
)

# --- activations -----------------------------------------------------------------------------------------------------


@primitive
@elementwise
@straight
def relu(x: Array) -> Steps:
    """y = max(x, 0); the derivative at 0 is 0."""
    x = xp().asarray(x)
    yield numpy.maximum, x, zeros(x.shape[-1:], x.dtype)  # three times as fast as with the number 0


@made_once
def zeros(shape: Shape, dtype: Any) -> Array:
    return xp().zeros(shape, dtype=dtype)


defvjp(relu, lambda y, x: lambda g: g * (y > 0))


@primitive
@elementwise
@straight
def tanh(x: Array) -> Steps:
    """y = tanh x."""
    yield numpy.tanh, x


defvjp(tanh, lambda y, x: lambda g: g * (1 - y * y))  # 1 − tanh²

GELU_SCALE, GELU_CUBE = 0.7978845608028654, 0.044715  # c = √(2/π), and the constant a that was fitted in the paper
GELU_SATURATED = 10.0  # where |x| is larger, tanh is ±1 to the last bit


def gelu_bend(x: Array) -> Array:
    """y'' = (1 − t²) (u' + x u''/2 − x t u'²) with t = tanh u, u = c (x + a x³)."""
    x = anp.clip(x, -GELU_SATURATED, GELU_SATURATED)
    t = tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x))
    first, second = GELU_SCALE * (1 + 3 * GELU_CUBE * x * x), 6 * GELU_SCALE * GELU_CUBE * x
    return (1 - t * t) * (first + x * second / 2 - x * t * first * first)


@with_slope(
    value=lambda x, both: both[0],
    slope=lambda x, both: both[1],
    value_vjp=lambda g, y, slope: g * slope,
    slope_vjp=lambda g, slope, x: g * gelu_bend(x),
)
def gelu(x: Array, out: Array = None) -> Array:
    """y = x Φ(x) with Φ = (1 + t)/2, t = tanh(c (x + a x³)).   Hendrycks & Gimpel 2016, arXiv:1606.08415.

    In one pass with y' = Φ (1 + x (1 − t) (c + 3 c a x²)).
    """
    out = xp().empty((2, *x.shape), dtype=x.dtype) if out is None else out
    y, slope = out[0], out[1]
    near = floored = x
    with numpy.errstate(over="ignore"):
        numpy.multiply(x, x, out=slope)
    if not isinstance(x, numpy.ndarray) or not slope.max(initial=0) < GELU_SATURATED**2:  # a device would have to wait
        floored = x.clip(-GELU_SATURATED, None)  # or else y were −∞ · 0, and y' were ∞ · 0
        near = floored.clip(None, GELU_SATURATED)
        numpy.multiply(near, near, out=slope)
    t = numpy.multiply(slope, GELU_SCALE * GELU_CUBE, out=y)
    t += GELU_SCALE
    t *= near
    numpy.tanh(t, out=t)
    slope *= 3 * GELU_SCALE * GELU_CUBE
    slope += GELU_SCALE
    slope *= near
    slope *= 1 - t
    slope += 1
    y += 1
    y *= 0.5
    slope *= y
    y *= floored
    return out
