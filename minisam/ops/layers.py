"""Products, affine layers, activations."""

from __future__ import annotations

import functools
from typing import Any

from autograd.core import VJPNode
from autograd.extend import defvjp, primitive
from autograd.tracer import register_notrace

from ..array_backend import name, xp
from ..types import Array
from .fused import Calls, elementwise, straight
from .shapes import T, back_to, sum_rows


@primitive
@straight
def matmul(a: Array, b: Array) -> Calls:
    """y = a b, both of at least two axes; leading axes broadcast."""
    yield xp().matmul, a, b


defvjp(
    matmul,
    lambda y, a, b: lambda g: back_to(a, matmul(g, T(b))),  # ā = ȳ bᵀ
    lambda y, a, b: lambda g: back_to(b, matmul(T(a), g)),  # b̄ = aᵀ ȳ
)


@primitive
@straight
def affine(x: Array, W: Array, b: Array) -> Calls:
    """y = x W + b.   x (..., m, i), W (..., i, o), b (..., o)  ->  (..., m, o)."""
    y = yield xp().matmul, x, W
    yield xp().add, y, b[..., None, :]


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
def relu(x: Array) -> Calls:
    """y = max(x, 0); the derivative at 0 is 0."""
    x = xp().asarray(x)
    yield xp().maximum, x, zeros(x.shape[-1:], x.dtype, name())  # three times as fast as with the number 0


@functools.lru_cache(maxsize=32)
def zeros(shape: tuple[int, ...], dtype: Any, backend: str) -> Array:
    """Made once."""
    return xp().zeros(shape, dtype=dtype)


defvjp(relu, lambda y, x: lambda g: g * (y > 0))


@primitive
@elementwise
@straight
def tanh(x: Array) -> Calls:
    """y = tanh x."""
    yield xp().tanh, x


defvjp(tanh, lambda y, x: lambda g: g * (1 - y * y))  # 1 − tanh²

GELU_SCALE, GELU_CUBE = 0.7978845608028654, 0.044715  # c = √(2/π), and the constant a fitted in the paper


def gelu(x: Array) -> Array:
    """y = x Φ(x) with Φ(x) ≈ (1 + tanh(c (x + a x³))) / 2.   Hendrycks & Gimpel 2016, arXiv:1606.08415.

    Value and derivative share their tanh: both are computed at once, and x carries the derivative.
    """
    return gelu_value(x, gelu_and_slope(x))


@primitive
def gelu_and_slope(x: Array, out: Array = None) -> Array:
    """y = x Φ over y' = Φ + x Φ' with Φ' = 2 Φ (1 − Φ) (c + 3 c a x²).   (...) -> (2, ...)."""
    out = xp().empty((2, *x.shape), dtype=x.dtype) if out is None else out
    y, slope = out[0], out[1]
    xp().multiply(x, x, out=slope)
    phi = xp().multiply(slope, GELU_SCALE * GELU_CUBE, out=y)
    phi += GELU_SCALE
    phi *= x
    xp().tanh(phi, out=phi)
    phi += 1
    phi *= 0.5
    rest = 1 - phi
    y *= x
    slope *= 6 * GELU_SCALE * GELU_CUBE
    slope += 2 * GELU_SCALE
    slope *= y  # 2 x Φ (c + 3 c a x²), which with Φ + … · (1 − Φ) makes y'
    slope *= rest
    slope -= rest
    slope += 1
    return out


register_notrace(VJPNode, gelu_and_slope)


@primitive
def gelu_value(x: Array, both: Array) -> Array:
    """y, as a function of x."""
    return both[0]


@primitive
def gelu_slope(x: Array, both: Array) -> Array:
    """y', as a function of x."""
    return both[1]


def gelu_bend(x: Array) -> Array:
    """y'' = (1 − t²) (u' + x u''/2 − x t u'²) with t = tanh u, u = c (x + a x³)."""
    t = tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x))
    first, second = GELU_SCALE * (1 + 3 * GELU_CUBE * x * x), 6 * GELU_SCALE * GELU_CUBE * x
    return (1 - t * t) * (first + x * second / 2 - x * t * first * first)


defvjp(gelu_value, lambda y, x, both: lambda g: g * gelu_slope(x, both), argnums=(0,))
defvjp(gelu_slope, lambda y, x, both: lambda g: g * gelu_bend(x), argnums=(0,))
