"""What is kept between replays: records, copies of inputs, and large arrays for results, used again once nobody holds them.

Truths: tests/test_replay.py.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from typing import Any, Protocol, TypeAlias

import numpy

from ..array_backend import xp
from ..types import Array

CACHED = 16  # records kept for one function in one thread; the one used longest ago makes room
BYTES = 2**28  # of their memory
LARGE = 2**20  # bytes of an array that leaves the fast caches; allocating a smaller one is cheaper than finding a spare


Key: TypeAlias = tuple[Any, ...]  # what a record depends on: the backend, and everything of its inputs but their values


class HasSize(Protocol):
    nbytes: int


class Cache(threading.local):
    """The records of one function: each thread has its own, because a record writes into buffers."""

    def __init__(self) -> None:
        self.records: OrderedDict[Key, Any] = OrderedDict()

    def keep(self, key: Key, record: HasSize) -> None:
        """Add a record; of the others, keep those for which there is room."""
        self.records[key] = record
        while len(self.records) > 1 and (len(self.records) > CACHED or self.nbytes() > BYTES):
            self.records.popitem(last=False)

    def nbytes(self) -> int:
        return sum(record.nbytes for record in self.records.values())


def laid_out_as(a: Any, values: Any) -> Array:
    """The values in new memory, on the host with the strides of a: NumPy adds up in an order that depends on them."""
    if not isinstance(a, numpy.ndarray) or a.flags.forc:
        return xp().array(values)
    reach = [(n - 1) * stride for n, stride in zip(a.shape, a.strides, strict=True)]
    before, behind = -sum(min(0, r) for r in reach), sum(max(0, r) for r in reach) + a.itemsize
    made = numpy.ndarray(a.shape, a.dtype, numpy.empty(before + behind, dtype="uint8"), before, a.strides)
    made[...] = values
    return made


class Spares:
    """Arrays for results. An array is reused once nothing else refers to it; if all are in use, a new one replaces the oldest.

    Whoever holds a result, or a view of it, holds a reference to the array, and Python counts these.
    """

    KEPT = 4

    def __init__(self, like: Array) -> None:
        self.arrays = [xp().empty_like(like)]

    def take(self) -> Array:
        """An array of unknown content."""
        for a, references in zip(self.arrays, _references(self.arrays), strict=True):
            if references == UNHELD:
                return a.view()
        self.arrays = [xp().empty_like(self.arrays[0]), *self.arrays[: self.KEPT - 1]]
        return self.arrays[0].view()

    def copy(self, a: Array) -> Array:
        place = self.take()
        place[...] = a
        return place


def _references(objects: list[Any]) -> list[int]:
    return [sys.getrefcount(a) for a in objects]


UNHELD = _references([object()])[0]  # the count for an object that only a list holds
