"""Those rules of autograd.numpy that make or convert arrays with NumPy itself, stated for arrays of a device.

Each does what autograd's rule of the same name does. Truths: tests/test_autograd_on_device.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
from autograd.core import SparseObject
from autograd.numpy import numpy_vjps

from ..types import Array, Axes, Shape
from .contractions import inverse
from .device_arrays import namespace_of

Keywords = dict[str, Any]
VJP = Callable[[Array], Array]

# --- functions that autograd calls: forward -----------------------------------------------------------------------------


def array_from_array(args: Sequence[object], kwargs: Keywords, a: Array) -> Array:
    return namespace_of(a).array(a, *args, **kwargs)


def array_from_parts(args: Sequence[object], kwargs: Keywords, *parts: Array) -> Array:
    xp = namespace_of(*parts)
    return xp.array(xp.stack([xp.asarray(part) for part in parts]), *args, **kwargs)


def concatenate(axis: int, *parts: Array) -> Array:
    return namespace_of(*parts).concatenate(parts, axis)


def make_diagonal(d: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """Matrices with d (..., n) on their diagonals, (..., n, n)."""
    if (offset, axis1, axis2) != (0, -1, -2):
        raise NotImplementedError("make_diagonal takes offset=0, axis1=-1, axis2=-2")
    return d[..., None] * namespace_of(d).eye(d.shape[-1], dtype=d.dtype)


def full(shape: Shape, value: Array, dtype: Any = None) -> Array:
    return namespace_of(value).full(shape, value, dtype)


def linspace(start: Array, stop: Array, num: int = 50) -> Array:
    """CuPy's own would read start and stop."""
    share = namespace_of(start, stop).linspace(0.0, 1.0, num)
    return start * (1 - share) + stop * share


def select(conditions: Sequence[Array], choices: Sequence[Array], default: Array = 0) -> Array:
    """autograd's own makes arrays of boxes."""
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        default = anp.where(condition, choice, default)
    return default


def dot(a: Array, b: Array, out: Array = None) -> Array:
    """CuPy's own takes no plain numbers."""
    xp = namespace_of(a, b)
    return (xp.dot if anp.ndim(a) and anp.ndim(b) else xp.multiply)(a, b, out=out)


def untake(x: Array, index: Any, vs: Any) -> SparseObject:
    """The adjoint of indexing: x where it was taken from, zeros elsewhere; what was taken several times is added up."""

    def mut_add(total: Array) -> Array:
        if all(part is None or part is Ellipsis or isinstance(part, (int, slice)) for part in _parts(index)):
            total[index] += x  # nothing is taken twice
        else:
            namespace_of(total).add.at(total, index, x)
        return total

    return SparseObject(vs, mut_add)


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def linspace_vjp(y: Array, start: Array, stop: Array, num: int = 50) -> VJP:
    return lambda g: anp.sum(g * namespace_of(g).linspace(1.0, 0.0, num))


def linspace_vjp_of_stop(y: Array, start: Array, stop: Array, num: int = 50) -> VJP:
    return lambda g: anp.sum(g * namespace_of(g).linspace(0.0, 1.0, num))


# --- reductions ------------------------------------------------------------------------------------------------------


def repeat_to_match_shape(g: Array, shape: Shape, dtype: str, axis: Axes, keepdims: bool) -> tuple[Array, int]:
    """The gradient g of a reduction, repeated along the axes that it summed over, and how often."""
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    reduced = {a % len(shape) for a in axes} if shape else set()
    ones = tuple(1 if i in reduced else n for i, n in enumerate(shape))
    return anp.broadcast_to(anp.reshape(g, ones), tuple(shape)), math.prod(shape[a] for a in reduced)


def broadcast_to_vjp(y: Array, x: Array, shape: Shape) -> VJP:
    axes = tuple(i for i, (n, m) in enumerate(zip(anp.shape(x), shape, strict=True)) if n != m)
    return lambda g: anp.sum(g, axis=axes, keepdims=True)


# --- shapes ----------------------------------------------------------------------------------------------------------


def reshape_vjp(y: Array, x: Array, shape: Shape, order: str | None = None) -> VJP:
    return lambda g: anp.reshape(g, anp.shape(x), order=order or "C")  # CuPy has no order None


def ravel_vjp(y: Array, x: Array, order: str | None = None) -> VJP:
    return reshape_vjp(y, x, (-1,), order)


def transpose_vjp(y: Array, a: Array, axes: Sequence[int] | None = None) -> VJP:
    return lambda g: anp.transpose(g, None if axes is None else inverse([axis % anp.ndim(a) for axis in axes]))


def trace_vjp(y: Array, a: Array, offset: int = 0) -> VJP:
    return lambda g: g * namespace_of(a).eye(*a.shape, offset, dtype=a.dtype)


def gradient_vjp(y: Array, x: Array, *spacing: Any, axis: Any = None, **kwargs: Any) -> VJP:
    """The central differences of each axis, differentiated as a product with a matrix, to which they come down."""
    if spacing or kwargs:
        raise NotImplementedError("the gradient of gradient takes no argument but axis")
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis

    def along(g: Array, axis: int) -> Array:
        differences = anp.gradient(namespace_of(x).eye(x.shape[axis], dtype=x.dtype), axis=0)  # one column per entry
        return anp.swapaxes(anp.matmul(anp.swapaxes(g, axis, -1), differences), axis, -1)

    def vjp(g: Array) -> Array:
        parts = [g] if isinstance(axis, int) or len(axes) == 1 else [g[i] for i in range(len(axes))]
        return sum(map(along, parts, axes))

    return vjp


# --- order and choice ------------------------------------------------------------------------------------------------


def sort_vjp(y: Array, a: Array, axis: int = -1, kind: object = None, order: object = None) -> VJP:
    if anp.ndim(a) > 1:
        raise NotImplementedError("the gradient of sort takes arrays of one axis")
    return _permuted_back(anp.argsort(a))


def partition_vjp(y: Array, a: Array, kth: int, axis: int = -1, kind: object = None, order: object = None) -> VJP:
    if anp.ndim(a) > 1:
        raise NotImplementedError("the gradient of partition takes arrays of one axis")
    return _permuted_back(anp.argpartition(a, kth))


def _permuted_back(permutation: Array) -> VJP:
    back = anp.argsort(permutation)
    return lambda g: g[back]


where_vjps = (
    lambda y, c, a=None, b=None: numpy_vjps.unbroadcast_f(a, lambda g: anp.where(c, g, 0)),
    lambda y, c, a=None, b=None: numpy_vjps.unbroadcast_f(b, lambda g: anp.where(c, 0, g)),
)

# --- linear algebra --------------------------------------------------------------------------------------------------


def T(a: Array) -> Array:
    return anp.swapaxes(a, -1, -2)


def eye_like(a: Array, n: int) -> Array:
    return namespace_of(a).eye(n, dtype=a.dtype)


def cholesky_vjp(L: Array, a: Array) -> VJP:
    """Ā = L⁻ᵀ φ(Lᵀ L̄) L⁻¹, made symmetric, where φ takes the lower triangle and half of the diagonal."""

    def vjp(g: Array) -> Array:
        lower = anp.tril(anp.matmul(T(L), g)) / (1.0 + eye_like(L, L.shape[-1]))
        back = anp.linalg.inv(L)
        s = anp.matmul(anp.matmul(T(back), lower), back)
        return (s + T(s)) / 2.0

    return vjp


def pinv_vjp(P: Array, a: Array) -> VJP:
    """Of P = A⁺:  Āᵀ = −P Ḡᵀ P + P Pᵀ Ḡ (1 − A P) + (1 − P A) Ḡ Pᵀ P."""

    def vjp(g: Array) -> Array:
        left, right = eye_like(a, a.shape[-2]) - a @ P, eye_like(a, a.shape[-1]) - P @ a
        return T(-P @ T(g) @ P + P @ T(P) @ g @ left + right @ g @ T(P) @ P)

    return vjp


def eigh_vjp(ans: tuple[Array, Array], a: Array, UPLO: str = "L") -> VJP:
    """Of eigenvalues λ and eigenvectors V:  V (diag λ̄ + F ∘ Vᵀ V̄) Vᵀ with Fᵢⱼ = 1/(λⱼ − λᵢ), all of it on one triangle."""
    values, vectors = ans
    n = a.shape[-1]

    def vjp(g: tuple[Array, Array]) -> Array:
        of_values, of_vectors = g
        one = eye_like(a, n)
        gaps = values[..., None, :] - values[..., :, None]
        inner = one * of_values[..., None] + (gaps != 0) / (gaps + (gaps == 0)) * anp.matmul(T(vectors), of_vectors)
        back = anp.matmul(anp.matmul(vectors, inner), T(vectors))
        ones = anp.ones_like(one)
        triangle = anp.tril(ones, -1) if UPLO == "L" else anp.triu(ones, 1)
        return back * one + (back + T(back)) * triangle

    return vjp


def refused(name: str) -> Callable[..., VJP]:
    """The rule of a function whose gradient there is on NumPy only."""

    def maker(*args: object, **kwargs: object) -> VJP:
        raise NotImplementedError(f"autograd.numpy.{name} cannot be differentiated on a device, only on NumPy")

    return maker
