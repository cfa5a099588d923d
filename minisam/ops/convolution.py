"""Convolution and pooling, with one or two axes in space.

Activations are (..., c, *space, m): channels first and examples last, so that a move in space copies long runs of numbers that
lie together. A convolution first copies what each place of the kernel sees (`patches`). It is then one product of matrices for
the whole batch.

Truths: tests/test_convolution.py (first and second derivatives, scipy's correlation, equivariance under shifts).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import autograd.numpy as anp
import numpy
from autograd.extend import defvjp, primitive

from ..array_backend import xp
from ..halves import pair_by_pair, product_of
from ..types import Array, Shape
from .fused import Steps, straight
from .layers import matmul
from .shapes import T, back_to, sum_last, sum_rows


def conv2d(x: Array, W: Array, b: Array, stride: int = 1, padding: int = 0) -> Array:
    """y = W ∗ x + b, the cross-correlation that networks call convolution.

    x (..., c, h, w, m), W (..., o, c, k, k), b (..., o)  ->  (..., o, h′, w′, m), h′ = ⌊(h + 2 padding − k)/stride⌋ + 1.
    Leading axes are replicas; x may lack them.
    """
    return _convolve(2, x, W, b, stride, padding)


def conv1d(x: Array, W: Array, b: Array, stride: int = 1, padding: int = 0) -> Array:
    """The same with one axis in space.   x (..., c, l, m), W (..., o, c, k), b (..., o)  ->  (..., o, l′, m)."""
    return _convolve(1, x, W, b, stride, padding)


def _convolve(n: int, x: Array, W: Array, b: Array, stride: int, padding: int) -> Array:
    *lead, o, _ = W.shape[:-n]
    kernel, space, m = W.shape[-n:], x.shape[-n - 1 : -1], x.shape[-1]
    weights = anp.reshape(W, (*lead, o, -1))
    y = affine_columns(weights, patches(x, kernel, stride, padding), b)
    return anp.reshape(y, (*y.shape[:-1], *places(space, kernel, stride, padding), m))


@primitive
@straight
def affine_columns(W: Array, x: Array, b: Array) -> Steps:
    """y = W x + b: each column of x is an input.   W (..., o, i), x (..., i, r), b (..., o)  ->  (..., o, r)."""
    y = yield product_of(W, x), W, x
    yield numpy.add, y, b[..., None]


defvjp(
    affine_columns,
    lambda y, W, x, b: lambda g: back_to(W, matmul(g, T(x))),  # W̄ = ȳ xᵀ
    lambda y, W, x, b: lambda g: back_to(x, matmul(T(W), g)),  # x̄ = Wᵀ ȳ
    lambda y, W, x, b: lambda g: back_to(b, sum_last(g)[..., 0]),  # b̄ = Σ ȳ
)


@primitive
def patches(x: Array, kernel: Shape, stride: int, padding: int, out: Array = None) -> Array:
    """What each place of the kernel sees at each place of the result: (..., c, *space, m) -> (..., c·kernel, space′·m)."""
    lead, space, m = x.shape[: -len(kernel) - 1], x.shape[-len(kernel) - 1 : -1], x.shape[-1]
    after = places(space, kernel, stride, padding)
    shape = (*lead[:-1], lead[-1] * math.prod(kernel), math.prod(after) * m)
    out = xp().empty(shape, dtype=x.dtype) if out is None else out
    seen = out.reshape(*lead, *kernel, *after, m)
    x = _padded(x, space, padding)
    windows = [(seen[_at(place, len(kernel))], x[window]) for place, window in _windows(kernel, after, stride)]
    pair_by_pair(_set, windows, -len(kernel) - 2)
    return out


@primitive
def unpatch(g: Array, shape: Shape, kernel: Shape, stride: int, padding: int, out: Array = None) -> Array:
    """The adjoint of `patches`: sum the gradients of all patches that saw an entry; shape is that of (c, *space, m)."""
    lead, (c, *space, m) = g.shape[:-2], shape
    after = places(tuple(space), kernel, stride, padding)
    seen = g.reshape(*lead, c, *kernel, *after, m)
    x = xp().zeros((*lead, c, *(n + 2 * padding for n in space), m), dtype=g.dtype)
    windows = [(x[window], seen[_at(place, len(kernel))]) for place, window in _windows(kernel, after, stride)]
    pair_by_pair(_add_to, windows, -len(kernel) - 2)
    inner = x[(..., *(slice(padding, padding + n) for n in space), slice(None))]
    if out is None:
        return inner
    out[...] = inner
    return out


defvjp(
    patches,
    lambda y, x, kernel, stride, padding: lambda g: unpatch(g, x.shape[-len(kernel) - 2 :], kernel, stride, padding),
)
defvjp(unpatch, lambda x, g, shape, kernel, stride, padding: lambda h: patches(h, kernel, stride, padding))


def _set(target: Array, source: Array) -> None:
    target[...] = source


def _add_to(total: Array, more: Array) -> None:
    total += more


def places(space: Shape, kernel: Shape, stride: int, padding: int) -> Shape:
    """How many times the kernel fits along each axis."""
    after = tuple((n + 2 * padding - k) // stride + 1 for n, k in zip(space, kernel, strict=True))
    if min(after) < 1:
        raise ValueError(f"kernel must fit into the padded input, {space} with padding {padding}, got {kernel}")
    return after


def _padded(x: Array, space: Shape, padding: int) -> Array:
    """x in a frame of zeros."""
    if not padding:
        return x
    lead = x.shape[: -len(space) - 1]
    framed = xp().zeros((*lead, *(n + 2 * padding for n in space), x.shape[-1]), dtype=x.dtype)
    framed[(..., *(slice(padding, padding + n) for n in space), slice(None))] = x
    return framed


def _windows(kernel: Shape, after: Shape, stride: int) -> Iterator[tuple[Shape, Any]]:
    """Each place of the kernel, and the index of what it sees in (..., *space, m)."""
    for place in itertools.product(*map(range, kernel)):
        seen = (slice(i, i + stride * (n - 1) + 1, stride) for i, n in zip(place, after, strict=True))
        yield place, (..., *seen, slice(None))


def _at(place: Shape, n: int) -> Any:
    """The index of a place of the kernel in (..., c, *kernel, *space′, m)."""
    return (..., *place, *(slice(None),) * (n + 1))


# --- pooling: windows that do not overlap; what does not fill one at the end is left out -------------------------------


def average_pool(x: Array, window: Shape) -> Array:
    """Means over windows.   (..., c, *space, m)  ->  (..., c, *(space // window), m)."""
    return pooled_sum(x, window) * (1 / math.prod(window))


def global_average_pool(x: Array, n: int) -> Array:
    """Means over all n axes of space.   (..., c, *space, m)  ->  (..., c, m)."""
    *lead, c = x.shape[: -n - 1]
    space, m = x.shape[-n - 1 : -1], x.shape[-1]
    return sum_rows(anp.reshape(x, (*lead, c, -1, m))) * (1 / math.prod(space))


@primitive
def pooled_sum(x: Array, window: Shape, out: Array = None) -> Array:
    """Sums over windows."""
    return _folded(numpy.add, x, window, out)


@primitive
def unpooled(g: Array, shape: Shape, window: Shape, out: Array = None) -> Array:
    """The adjoint: each window's number in all its places, 0 outside all windows; shape is that of (c, *space, m)."""
    out = xp().empty((*g.shape[: -len(shape)], *shape), dtype=g.dtype) if out is None else out
    out.fill(0)
    for member in _members(out, window):
        member[...] = g
    return out


defvjp(pooled_sum, lambda y, x, window: lambda g: unpooled(g, x.shape[-len(window) - 2 :], window))
defvjp(unpooled, lambda x, g, shape, window: lambda h: pooled_sum(h, window))


@primitive
def max_pool(x: Array, window: Shape, out: Array = None) -> Array:
    """Largest numbers of windows; the gradient goes to the first of equals.   (..., c, *space, m)  ->  (..., c, *space′, m)."""
    return _folded(numpy.maximum, x, window, out)


@primitive
def to_largest(g: Array, x: Array, y: Array, window: Shape, out: Array = None) -> Array:
    """g of each window where its largest x = y is, else 0."""
    out = xp().empty(x.shape, dtype=g.dtype) if out is None else out
    out.fill(0)
    free = xp().ones(y.shape, dtype=bool)
    for member, place in zip(_members(x, window), _members(out, window), strict=True):
        hit = (member == y) & free
        numpy.multiply(g, hit, out=place)
        free ^= hit
    return out


@primitive
def at_largest(h: Array, x: Array, y: Array, window: Shape) -> Array:
    """The adjoint: h where the largest x = y of each window is."""
    total, free = xp().zeros(y.shape, dtype=h.dtype), xp().ones(y.shape, dtype=bool)
    for member, place in zip(_members(x, window), _members(h, window), strict=True):
        hit = (member == y) & free
        total += place * hit
        free ^= hit
    return total


defvjp(max_pool, lambda y, x, window: lambda g: to_largest(g, x, y, window))
defvjp(to_largest, lambda spread, g, x, y, window: lambda h: at_largest(h, x, y, window), None, None)
defvjp(at_largest, lambda picked, h, x, y, window: lambda g: to_largest(g, x, y, window), None, None)


def _members(x: Array, window: Shape) -> Iterator[Array]:
    """Views of x (..., c, *space, m): the first number of all windows, the second, …"""
    after = tuple(n // k for n, k in zip(x.shape[-len(window) - 1 : -1], window, strict=True))
    for place in itertools.product(*map(range, window)):
        index = (slice(i, i + k * n, k) for i, k, n in zip(place, window, after, strict=True))
        yield x[(..., *index, slice(None))]


def _folded(combine: Callable[..., Array], x: Array, window: Shape, out: Array) -> Array:
    """The numbers of each window, combined pair by pair."""
    first, *others = _members(x, window)
    out = xp().empty(first.shape, dtype=x.dtype) if out is None else out
    out[...] = first
    for member in others:
        combine(out, member, out=out)
    return out


# --- from rows of data to images and back ----------------------------------------------------------------------------


def to_images(x: Array, shape: Shape) -> Array:
    """Rows of data as images with the examples innermost.   (..., m, c·space)  ->  (..., c, *space, m)."""
    *lead, m, _ = x.shape
    return anp.reshape(T(x), (*lead, *shape, m))


def to_rows(x: Array, n: int) -> Array:
    """The inverse of `to_images`: the features of each example in a row.   (..., c, *space, m)  ->  (..., m, c·space)."""
    *lead, _ = x.shape[: -n - 1]
    return T(anp.reshape(x, (*lead, -1, x.shape[-1])))
