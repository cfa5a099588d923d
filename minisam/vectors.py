"""Plain helpers on arrays, not differentiated."""

from __future__ import annotations

import math
from typing import Any

import numpy

from .array_backend import asarray, xp
from .types import Array, Scalar


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
        squares = _squares(a)
        if all([1e-30 < s < 1e30 for s in squares.ravel().tolist()]):
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


def _squares(a: numpy.ndarray) -> numpy.ndarray:
    """⟨a, a⟩, in silence where it overflows."""
    if a.ndim == 1:
        return numpy.vdot(a, a)[None]  # the same bits, sooner, and never a warning
    with numpy.errstate(over="ignore"):
        return dot(a, a)


def dot(a: Array, b: Array) -> Array:
    """⟨a, b⟩ over the last axis, which stays.   (..., n), (..., n) -> (..., 1)."""
    if isinstance(a, numpy.ndarray):
        return numpy.vecdot(a, b)[..., None]
    return xp().matmul(a[..., None, :], b[..., None])[..., 0]  # CuPy has no vecdot


def like(value: Any, w: Array) -> Any:
    """A hyperparameter ready to meet w: a plain number (NumPy's own would widen w), or an array like w in backend and dtype."""
    return float(value) if isinstance(value, (int, float)) else asarray(value, dtype=w.dtype)


def along(a: Array, b: Array) -> Array:
    """The component of a along b, (⟨a, b⟩/‖b‖²) b; 0 where b = 0.   (..., n)."""
    b = over(b, norm(b))
    return dot(a, b) * b


def across(a: Array, b: Array) -> Array:
    """The component of a orthogonal to b."""
    return a - along(a, b)


def mix(a: Array, b: Array, share: Scalar) -> Array:
    """(1 − share) a + share b."""
    return (1 - share) * a + share * b
