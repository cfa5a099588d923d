"""Primitives that move, repeat and add up entries of arrays."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy
from autograd.extend import defvjp, primitive

from ..array_backend import xp
from ..constants import made_once
from ..types import Array, Shape
from .fused import Steps, straight


@primitive
def T(a: Array) -> Array:
    """Swap the last two axes."""
    return a.swapaxes(-1, -2)


defvjp(T, lambda y, a: lambda g: T(g))


@primitive
def spread(a: Array, shape: Shape) -> Array:
    """Repeat a along the axes that it lacks, and along those where its length is one, up to `shape`."""
    return numpy.broadcast_to(a, shape)


@primitive
def sum_to(a: Array, shape: Shape, out: Array = None) -> Array:
    """The adjoint of `spread`: sum a along the axes in which it is larger than `shape`."""
    extra = a.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and a.shape[i + extra] != 1)
    return a.sum(axis=axes, keepdims=True, out=None if out is None else out[(None,) * extra]).reshape(shape)


defvjp(spread, lambda y, a, shape: lambda g: sum_to(g, a.shape))
defvjp(sum_to, lambda y, a, shape: lambda g: spread(g, a.shape))


def back_to(a: Array, g: Array) -> Array:
    """Undo broadcasting: sum the gradient g down to a's shape (replicas may share a batch)."""
    return g if g.shape == a.shape else sum_to(g, a.shape)


def lift(g: Array, axes: int) -> Array:
    """Append axes of length one, so that one number per replica broadcasts over that replica's array."""
    return anp.reshape(g, g.shape + (1,) * axes)


@primitive
@straight
def sum_rows(a: Array) -> Steps:
    """Σ over the last axis but one, as the product 1ᵀa, which is faster.   (..., m, o) -> (..., o)."""
    yield numpy.matmul, ones(a.shape[-2], a.dtype), a


@made_once
def ones(m: int, dtype: Any) -> Array:
    """(1, …, 1), (m,)."""
    return xp().ones(m, dtype=dtype)


defvjp(sum_rows, lambda y, a: lambda g: spread(anp.expand_dims(g, -2), a.shape))


@primitive
@straight
def sum_last(a: Array) -> Steps:
    """Σ over the last axis, which stays, as the product a 1, which is faster.   (..., n) -> (..., 1)."""
    yield numpy.matmul, a, ones(a.shape[-1], a.dtype)[:, None]


defvjp(sum_last, lambda y, a: lambda g: spread(g, a.shape))


def total(a: Array) -> Array:
    """Σ over the last axis, for each replica apart, so that it has the bits that it has alone.   (..., n) -> (...,)."""
    return sum_last(a[..., None, :])[..., 0, 0]
