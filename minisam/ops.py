"""The primitives of a neural network, each with its derivative written under it.

In a derivative, `y` is the value of the primitive and `g` the gradient ȳ that arrives from above; what is returned is the
gradient of one argument. Derivatives are made of primitives themselves, so they differentiate again. Every primitive
works on arrays of whatever backend they live on, with any leading replica axes, and writes into `out` where that is given.

Truths: tests/test_ops.py (first and second derivatives against central differences, independent oracles).
"""

from __future__ import annotations

import math
from typing import Any

import autograd.numpy as anp
import numpy
from autograd.core import VJPNode
from autograd.extend import defvjp, primitive
from autograd.tracer import register_notrace

from .array_backend import Array, asarray, xp

# --- plain helpers on arrays, not differentiated -----------------------------------------------------------------


def over(a: Array, b: Array) -> Array:
    """a / b with 0 / 0 = 0: for a norm b, which is zero only where all of a is."""
    return a / (b + (b == 0))


def norm(a: Array, p: float = 2.0) -> Array:
    """‖a‖_p over the last axis, 1 ≤ p ≤ ∞.   (..., n) -> (..., 1).

    Entries are divided by the size of the largest one first, so that nothing overflows or vanishes on the way. For p = 2 that
    size is a power of two: dividing by it rounds nothing. So on the host, where a look costs nothing, it may be left out when
    all squares are of ordinary size, and a replica's norm has the same bits whatever its neighbours are.
    """
    if p == 2 and isinstance(a, numpy.ndarray):
        with numpy.errstate(over="ignore"):
            squares = dot(a, a)
        if all(1e-30 < s < 1e30 for s in squares.ravel().tolist()):
            return numpy.sqrt(squares)
    largest = xp().maximum(a.max(axis=-1, keepdims=True), -a.min(axis=-1, keepdims=True))
    if p == math.inf:
        return largest
    if p == 2:
        size = xp().ldexp(xp().ones_like(largest), xp().frexp(largest)[1] - 1)
        a = a / size
        return size * xp().sqrt(dot(a, a))
    a = over(a, largest)
    return largest * (xp().abs(a) ** p).sum(axis=-1, keepdims=True) ** (1 / p)


def dot(a: Array, b: Array) -> Array:
    """⟨a, b⟩ over the last axis, which stays.   (..., n), (..., n) -> (..., 1)."""
    return xp().matmul(a[..., None, :], b[..., None])[..., 0]


def like(value: Any, w: Array) -> Any:
    """A hyperparameter ready to meet w: a plain number (NumPy's own would widen w), or an array like w in backend and dtype."""
    return float(value) if isinstance(value, (int, float)) else asarray(value, dtype=w.dtype)


# --- shapes ----------------------------------------------------------------------------------------------------------


@primitive
def T(a: Array) -> Array:
    """Swap the last two axes."""
    return xp().swapaxes(a, -1, -2)


defvjp(T, lambda y, a: lambda g: T(g))


@primitive
def spread(a: Array, shape: tuple[int, ...]) -> Array:
    """Repeat a along axes that it lacks, or of which it has one, up to `shape`."""
    return xp().broadcast_to(a, shape)


@primitive
def sum_to(a: Array, shape: tuple[int, ...], out: Array = None) -> Array:
    """The opposite: add up a along the axes in which it exceeds `shape`."""
    extra = a.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and a.shape[i + extra] != 1)
    total = xp().sum(a, axis=axes, keepdims=True, out=None if out is None else out[(None,) * extra])
    return xp().reshape(total, shape)


defvjp(spread, lambda y, a, shape: lambda g: sum_to(g, anp.shape(a)))
defvjp(sum_to, lambda y, a, shape: lambda g: spread(g, anp.shape(a)))


def back_to(a: Array, g: Array) -> Array:
    """The gradient g of a repeated a, added up to the shape of a (replicas may share a batch)."""
    return g if anp.shape(g) == anp.shape(a) else sum_to(g, anp.shape(a))


def lift(g: Array, axes: int) -> Array:
    """Append axes of length one, so that one number a replica meets that replica's array."""
    return anp.reshape(g, anp.shape(g) + (1,) * axes)


@primitive
def sum_rows(a: Array, out: Array = None) -> Array:
    """Σ over the last axis but one.   (..., m, o) -> (..., o)."""
    return a.sum(axis=-2, out=out)


defvjp(sum_rows, lambda y, a: lambda g: spread(anp.expand_dims(g, -2), anp.shape(a)))


@primitive
def sum_last(a: Array, out: Array = None) -> Array:
    """Σ over the last axis, which stays.   (..., n) -> (..., 1)."""
    return a.sum(axis=-1, keepdims=True, out=out)


defvjp(sum_last, lambda y, a: lambda g: spread(g, anp.shape(a)))

# --- layers ----------------------------------------------------------------------------------------------------------


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


# --- losses ----------------------------------------------------------------------------------------------------------


@primitive
def softmax(z: Array, out: Array = None) -> Array:
    """pⱼ = exp zⱼ / Σₖ exp zₖ over the last axis; the largest zₖ is taken off first, so no exponential overflows."""
    p = xp().subtract(z, z.max(axis=-1, keepdims=True), out=out)
    xp().exp(p, out=p)
    return xp().divide(p, p.sum(axis=-1, keepdims=True), out=p)


def softmax_vjp(p: Array, g: Array) -> Array:
    """z̄ = p (ȳ − ⟨p, ȳ⟩)."""
    return p * (g - sum_last(p * g))


defvjp(softmax, lambda p, z: lambda g: softmax_vjp(p, g))


def softmax_cross_entropy(z: Array, labels: Array, smoothing: float) -> Array:
    """Mean over the batch of −Σⱼ tⱼ log pⱼ with p = softmax z.   z (..., m, c), labels (..., m)  ->  (...,).

    The target t is 1 − s on the label plus s/c everywhere (Szegedy et al. 2016, arXiv:1512.00567, section 7; s = smoothing).
    Loss and derivative share their exponentials: both are computed at once, and z carries the derivative.
    """
    return mean_loss(z, losses_and_slopes(z, labels, smoothing))


@primitive
def losses_and_slopes(z: Array, labels: Array, smoothing: float, out: Array = None) -> Array:
    """The loss of each example, and its derivative (p − t)/m, side by side: (..., m, c) -> (..., m, 1 + c)."""
    m, c = z.shape[-2:]
    check_range(labels, c)
    out = xp().empty((*z.shape[:-1], 1 + c), dtype=z.dtype) if out is None else out
    losses, slopes = out[..., 0], out[..., 1:]
    largest = z.max(axis=-1, keepdims=True)
    xp().subtract(z, largest, out=slopes)  # no exponential overflows
    rows = xp().arange(0, out.size, 1 + c).reshape(losses.shape)
    labelled, flat = rows + labels + 1, out.reshape(-1)
    at_target = flat[labelled]
    if smoothing:
        at_target = (1 - smoothing) * at_target + smoothing * slopes.mean(axis=-1)
    xp().exp(slopes, out=slopes)
    total = slopes.sum(axis=-1, keepdims=True)
    xp().subtract(xp().log(total[..., 0]), at_target, out=losses)
    slopes /= m * total
    flat[labelled] -= (1 - smoothing) / m
    if smoothing:
        slopes -= smoothing / (c * m)
    return out


register_notrace(VJPNode, losses_and_slopes)


def check_range(labels: Array, classes: int) -> None:
    """Raise a ValueError if a label on the host is none of 0 … classes − 1 (a negative one, seen as unsigned, is huge)."""
    if isinstance(labels, numpy.ndarray) and labels.view(f"u{labels.itemsize}").max() >= classes:
        raise ValueError(f"labels must be in 0 … {classes - 1}, got {labels.min()} … {labels.max()}")


@primitive
def mean_loss(z: Array, both: Array, out: Array = None) -> Array:
    """Mean over the batch of the losses in `both`, as a function of z."""
    return xp().divide(both[..., 0].sum(axis=-1, out=out), both.shape[-2], out=out)


@primitive
def slope(z: Array, both: Array) -> Array:
    """∂ mean_loss / ∂z = (p − t) / m."""
    return both[..., 1:]


defvjp(mean_loss, lambda y, z, both: lambda g: lift(g, 2) * slope(z, both), argnums=(0,))
defvjp(slope, lambda y, z, both: lambda g: softmax_vjp(softmax(z), g) / anp.shape(z)[-2], argnums=(0,))


@primitive
def squared_error(a: Array, b: Array) -> Array:
    """Mean over batch and outputs of (a − b)².   (..., m, k) both  ->  (...,)."""
    gap = a - b
    return xp().mean(gap * gap, axis=(-2, -1))


def squared_error_vjp(g: Array, a: Array, b: Array) -> Array:
    """2 (a − b) / (m k)."""
    gap = a - b
    return lift(g, 2) * (2 / (anp.shape(gap)[-1] * anp.shape(gap)[-2])) * gap


defvjp(
    squared_error,
    lambda y, a, b: lambda g: back_to(a, squared_error_vjp(g, a, b)),
    lambda y, a, b: lambda g: back_to(b, -squared_error_vjp(g, a, b)),
)
