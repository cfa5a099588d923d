"""The algebra of vectors (..., n): norms, products, components. These functions are not differentiated."""

from __future__ import annotations

import math
from typing import Any

import numpy
from autograd.extend import primitive
from autograd.tracer import isbox

from .array_backend import asarray, kernels, xp
from .types import Array, Scalar


def over(a: Array, b: Array) -> Array:
    """a / b with 0 / 0 = 0, for a norm b, which is zero only where all of a is zero."""
    return a / (b + (b == 0))


def norm(a: Array, p: float = 2.0) -> Array:
    """‖a‖_p over the last axis, 1 ≤ p ≤ ∞.   (..., n) -> (..., 1).

    Entries are first divided by the size of the largest one, so that no power overflows or vanishes. For p = 2 that size is a
    power of two, and the division rounds nothing. On the host, where looking at a value costs nothing, the division is left out
    if all squares are of ordinary size; a replica's norm has the same bits whatever its neighbours are.
    """
    if p == 2 and isinstance(a, numpy.ndarray):
        if a.ndim == 1:
            squares: Array = numpy.vdot(a, a)  # the same bits, sooner, and never a warning
        else:
            with numpy.errstate(over="ignore"):
                squares = numpy.vecdot(a, a)
        if are_within(1e-30, squares, 1e30):
            return numpy.sqrt(squares)[..., None]
    if isbox(a):
        return listed_norm(a, p)
    if p == 2 and kernels.has_norm(a):
        return kernels.norm(a)
    if p == 2:
        size = power_of_two(a)
        a = a / size
        with numpy.errstate(over="ignore"):  # a norm above the largest float is ∞
            return size * numpy.sqrt(dot(a, a))
    largest = largest_size(a)
    if p == math.inf:
        return largest
    a = over(a, largest)
    return largest * (abs(a) ** p).sum(axis=-1, keepdims=True) ** (1 / p)


def are_within(low: float, a: numpy.ndarray, high: float) -> bool:
    """Whether all entries lie between these two numbers."""
    numbers = a.ravel().tolist()
    return low < min(numbers) and max(numbers) < high


def largest_size(a: Array) -> Array:
    """max |aᵢ|.   (..., n) -> (..., 1)."""
    return numpy.maximum(a.max(axis=-1, keepdims=True), -a.min(axis=-1, keepdims=True))


def power_of_two(a: Array) -> Array:
    """The largest power of two that is not above max |aᵢ|; some power of two for a = 0.   (..., n) -> (..., 1)."""
    largest = largest_size(a)
    return numpy.ldexp(xp().ones_like(largest), numpy.frexp(largest)[1] - 1)


def dot(a: Array, b: Array) -> Array:
    """⟨a, b⟩ over the last axis, which stays.   (..., n), (..., n) -> (..., 1)."""
    if isinstance(a, numpy.ndarray):
        return numpy.vecdot(a, b)[..., None]
    if isbox(a):
        return listed_dot(a, b)
    return numpy.matmul(a[..., None, :], b[..., None])[..., 0]  # CuPy has no vecdot


def like(value: Any, w: Array) -> Any:
    """A hyperparameter ready to meet w: a plain number (NumPy's own would widen w), or an array like w in backend and dtype."""
    return float(value) if isinstance(value, (int, float)) else asarray(value, dtype=w.dtype)


def in_double(value: Scalar) -> Scalar:
    """A hyperparameter in double precision, in which numbers and arrays of them give the same results."""
    return value if isinstance(value, (int, float)) else value.astype("float64")


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


listed_norm, listed_dot = primitive(norm), primitive(dot)  # one call of a record each: they look at values
