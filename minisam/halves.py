"""Large products of matrices, and large copies, in two halves at once.

A gradient whose examples meet, as in batch norm, cannot be computed in two parts of the batch. Its large calls can. What is
cut, and where, depends on the shapes of one replica alone. So the bits are the same however many threads there are.

Truths: tests/test_halves.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import numpy

from .types import Array
from .workers import at_once

LARGE = 40_000_000  # multiplications from which two halves on two cores take less time than the whole
MANY = 1_000_000  # numbers to copy or to add, likewise
Pairs: TypeAlias = Sequence[tuple[Array, Array]]  # targets and sources, all of one shape


def halves(n: int) -> list[tuple[int, int]]:
    """Where each half of n begins, and where it ends."""
    return [(0, n // 2), (n // 2, n)]


def cut(a: Array, axis: int, start: int, stop: int) -> Array:
    """The entries start … stop − 1 of an axis −1, −2, …"""
    return a[(..., slice(start, stop), *[slice(None)] * (-axis - 1))]


def product_of(a: Array, b: Array) -> Callable[..., Array]:
    """The function (a, b, out) that multiplies a (..., m, i) by b (..., i, n): numpy.matmul, or `product` if that is large."""
    large = a.shape[-2] * b.shape[-2] * b.shape[-1] >= LARGE and b.shape[-1] > 1
    return product if large and isinstance(a, numpy.ndarray) else numpy.matmul


def product(a: Array, b: Array, out: Array = None) -> Array:
    """a b, in two halves of its columns at once.   (..., m, i), (..., i, n)  ->  (..., m, n); leading axes broadcast."""
    if out is None:
        lead = numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        out = numpy.empty((*lead, a.shape[-2], b.shape[-1]), numpy.result_type(a, b))
    at_once(*(partial(numpy.matmul, a, cut(b, -1, *half), out=cut(out, -1, *half)) for half in halves(b.shape[-1])))
    return out


def pair_by_pair(f: Callable[[Array, Array], object], pairs: Pairs, axis: int) -> None:
    """f(target, source) for all pairs, in order; of many numbers, two halves of the axis −1, −2, … at once."""
    first = pairs[0][0]
    if len(pairs) * first.size < MANY or first.shape[axis] == 1 or not isinstance(first, numpy.ndarray):
        _in_order(f, pairs)
        return
    parts = [[(cut(a, axis, *half), cut(b, axis, *half)) for a, b in pairs] for half in halves(first.shape[axis])]
    at_once(*(partial(_in_order, f, part) for part in parts))


def _in_order(f: Callable[[Array, Array], object], pairs: Pairs) -> None:
    for target, source in pairs:
        f(target, source)
