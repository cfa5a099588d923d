"""A computation in two parts that are computed at once: of the examples of a batch, or of the replicas.

What is cut, and where, depends on shapes alone (see `layout`). So the bits are the same however many threads there are.

Truths: tests/test_parts.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy

from .. import blas
from ..halves import cut, halves
from ..types import Array
from ..workers import at_once
from .records import OneBatch, Record

Part: TypeAlias = tuple[list[Any], list[Any]]  # a point and a batch
Results: TypeAlias = list[Array]  # [*values, flat vector]
Places: TypeAlias = tuple[
    int | None, ...
]  # along which axis −1, −2, … each array is cut; None: it belongs to both parts


@dataclass(frozen=True)
class Plan:
    """How to compute something: here as a whole, while BLAS has one thread."""

    def parts(self, point: Sequence[Any], batch: Sequence[Any]) -> list[Part]:
        return [([*point], [*batch])]

    def share(self, results: Results, k: int) -> Results:
        """What the results of part k contribute."""
        return results

    def join(self, *shares: Results) -> Results:
        return shares[0]

    def traced(self, trace: Callable[..., Results], point: Sequence[Any], batch: Sequence[Any]) -> Results:
        """The results by tracing each part."""
        parts = self.parts(point, batch)
        return self.join(*(self.share(trace(*p, *b), k) for k, (p, b) in enumerate(parts)))

    def recorded(
        self, record: Callable[[list[Any], list[Any]], Record], point: Sequence[Any], batch: Sequence[Any]
    ) -> Record:
        """A record that replays one record for each part."""
        records = [record(*part) for part in self.parts(point, batch)]
        return Parts(self, records) if len(records) > 1 else Quiet(records[0])


@dataclass(frozen=True)
class Examples(Plan):
    """A mean over m examples is that of the means over two parts, weighted by how many examples each has."""

    m: int
    places: Places

    def parts(self, point: Sequence[Any], batch: Sequence[Any]) -> list[Part]:
        return [([*point], cut_all(batch, self.places, *half)) for half in halves(self.m)]

    def share(self, results: Results, k: int) -> Results:
        start, stop = halves(self.m)[k]
        return [in_place(numpy.multiply, a, (stop - start) / self.m) for a in results]

    def join(self, *shares: Results) -> Results:
        return [in_place(numpy.add, a, b) for a, b in zip(*shares, strict=True)]


@dataclass(frozen=True)
class Replicas(Plan):
    """Replicas do not depend on each other: one half of their axis k, which has n entries, and the other."""

    n: int
    k: int
    of_point: Places
    of_batch: Places

    def parts(self, point: Sequence[Any], batch: Sequence[Any]) -> list[Part]:
        return [(cut_all(point, self.of_point, *half), cut_all(batch, self.of_batch, *half)) for half in halves(self.n)]

    def join(self, *shares: Results) -> Results:
        return [numpy.concatenate(both, axis=self.k) for both in zip(*shares, strict=True)]


def cut_all(arrays: Sequence[Any], places: Places, start: int, stop: int) -> list[Any]:
    return [a if axis is None else cut(a, axis, start, stop) for a, axis in zip(arrays, places, strict=True)]


def in_place(f: Callable[..., Array], a: Array, b: Any) -> Array:
    """f(a, b), written over a, unless that is one of NumPy's numbers."""
    return f(a, b, out=a if isinstance(a, numpy.ndarray) else None)


# --- records ---------------------------------------------------------------------------------------------------------


class Quiet(Record):
    """Replays a record while BLAS has one thread."""

    def __init__(self, record: Record) -> None:
        self.record, self.nbytes = record, record.nbytes

    def __call__(self, point: Sequence[Any], batch: OneBatch) -> Results:
        with blas.one_thread():
            return self.record(point, batch)


class Parts(Record):
    """Replays two records at once, each of which has buffers of its own, and joins their results.

    Each part of a batch is bound once, so that it is copied once.
    """

    def __init__(self, plan: Plan, records: list[Record]) -> None:
        self.plan, self.records, self.nbytes = plan, records, sum(record.nbytes for record in records)
        self.held: object = None
        self.bound: list[OneBatch] = []

    def __call__(self, point: Sequence[Any], batch: OneBatch) -> Results:
        parts = self.plan.parts(point, batch.arrays)
        if self.held is not batch.token:
            self.bound, self.held = [batch.part(arrays) for _, arrays in parts], batch.token
        return self.plan.join(*at_once(*[partial(self._share, k, points) for k, (points, _) in enumerate(parts)]))

    def _share(self, k: int, point: list[Any]) -> Results:
        return self.plan.share(self.records[k](point, self.bound[k]), k)
