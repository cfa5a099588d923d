"""Primitives that move, repeat and add up."""

from __future__ import annotations

import functools
from typing import Any

import autograd.numpy as anp
from autograd.extend import defvjp, primitive

from ..array_backend import name, xp
from ..types import Array
from .fused import Calls, straight


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
@straight
def sum_rows(a: Array) -> Calls:
    """Σ over the last axis but one, as the product 1ᵀa, which is faster.   (..., m, o) -> (..., o)."""
    yield xp().matmul, ones(a.shape[-2], a.dtype, name()), a


@functools.lru_cache(maxsize=32)
def ones(m: int, dtype: Any, backend: str) -> Array:
    """(1, …, 1), (m,), made once."""
    return xp().ones(m, dtype=dtype)


defvjp(sum_rows, lambda y, a: lambda g: spread(anp.expand_dims(g, -2), anp.shape(a)))


@primitive
@straight
def sum_last(a: Array) -> Calls:
    """Σ over the last axis, which stays, as the product a 1, which is faster.   (..., n) -> (..., 1)."""
    yield xp().matmul, a, ones(a.shape[-1], a.dtype, name())[:, None]


defvjp(sum_last, lambda y, a: lambda g: spread(g, anp.shape(a)))
