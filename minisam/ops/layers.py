"""Products, affine layers, activations."""

from __future__ import annotations

from autograd.extend import defvjp, primitive

from ..array_backend import Array, xp
from .shapes import T, back_to, sum_rows


@primitive
def matmul(a: Array, b: Array, out: Array = None) -> Array:
    """y = a b, both of at least two axes; leading axes broadcast."""
    return xp().matmul(a, b, out=out)


defvjp(
    matmul,
    lambda y, a, b: lambda g: back_to(a, matmul(g, T(b))),  # ā = ȳ bᵀ
    lambda y, a, b: lambda g: back_to(b, matmul(T(a), g)),  # b̄ = aᵀ ȳ
)


@primitive
def affine(x: Array, W: Array, b: Array, out: Array = None) -> Array:
    """y = x W + b.   x (..., m, i), W (..., i, o), b (..., o)  ->  (..., m, o)."""
    y = xp().matmul(x, W, out=out)
    return xp().add(y, b[..., None, :], out=y)


defvjp(
    affine,
    lambda y, x, W, b: lambda g: back_to(x, matmul(g, T(W))),  # x̄ = ȳ Wᵀ
    lambda y, x, W, b: lambda g: back_to(W, matmul(T(x), g)),  # W̄ = xᵀ ȳ
    lambda y, x, W, b: lambda g: back_to(b, sum_rows(g)),  # b̄ = Σ ȳ
)

# --- activations -----------------------------------------------------------------------------------------------------


@primitive
def relu(x: Array, out: Array = None) -> Array:
    """y = max(x, 0); the derivative at 0 is 0."""
    return xp().maximum(x, 0, out=out)


defvjp(relu, lambda y, x: lambda g: g * (y > 0))


@primitive
def tanh(x: Array, out: Array = None) -> Array:
    """y = tanh x."""
    return xp().tanh(x, out=out)


defvjp(tanh, lambda y, x: lambda g: g * (1 - y * y))  # 1 − tanh²

GELU_SCALE, GELU_CUBE = 0.7978845608028654, 0.044715  # √(2/π), and the constant fitted in the paper


def gelu(x: Array) -> Array:
    """y = x Φ(x) with Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.   Hendrycks & Gimpel 2016, arXiv:1606.08415."""
    return 0.5 * x * (1 + tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x)))
