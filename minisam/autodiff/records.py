"""Records: a program bound to buffers, once or anew for each replay.

Truths: tests/test_replay.py.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from .. import array_backend
from ..array_backend import xp
from ..types import Array
from .memory import LARGE, Spares, laid_out_as
from .program import Program, in_turn
from .watch import Watch

COMPARED = 4, 1024  # replays until one is compared with tracing for the first time, for the second, and so on, doubling


class OneBatch(Protocol):
    """A batch, which the token tells from every other; `in_dtypes` gives its arrays in other precisions."""

    arrays: Sequence[Any]
    token: object

    def in_dtypes(self, dtypes: tuple[Any, ...]) -> list[Any]: ...

    def part(self, arrays: Sequence[Any]) -> OneBatch: ...


class Record:
    watch: Watch | None = None  # of what the code reads besides its inputs, if it reads anything
    nbytes: int
    left, pause = -1, 0  # replays until the next comparison with tracing, and from there to the one after it

    def __call__(self, point: Sequence[Any], batch: OneBatch) -> list[Array]:
        raise NotImplementedError

    def keep(self, watch: Watch) -> None:
        """From now on, look at each replay whether anything has changed, and compare some of them with tracing."""
        self.watch = None if watch.is_empty() else watch
        self.left, self.pause = COMPARED

    def is_new(self) -> bool:  # no replay has been compared with tracing yet
        return self.pause == COMPARED[1]


class Fixed(Record):
    """Replays small arrays: the calls are bound once, to buffers into which the inputs are copied; the results are copied out.

    The record remembers whose batch its buffers hold, so that the second gradient of a SAM step copies only the weights.
    """

    def __init__(self, program: Program, point: Sequence[Array], batch: Sequence[Array]) -> None:
        self.point, self.batch = [laid_out_as(a, a) for a in point], [laid_out_as(a, a) for a in batch]
        self.held: object = None
        self.nbytes = program.nbytes
        self.calls = program.bind([*self.point, *self.batch], program.results)[0]
        large = [a.nbytes >= LARGE for a in program.results]
        self.copies = [partial(Spares(a).copy, a) if i else a.copy for a, i in zip(program.results, large, strict=True)]

    def __call__(self, point: Sequence[Array], batch: OneBatch) -> list[Array]:
        for buffer, a in zip(self.point, point, strict=True):
            buffer[...] = a
        if self.held is not batch.token:
            self.held = None  # also if copying fails half way
            for buffer, a in zip(self.batch, batch.arrays, strict=True):
                buffer[...] = a
            self.held = batch.token
        for call in self.calls:
            call()
        return [*map(operator.call, self.copies)]


class Captured(Record):
    """As `Fixed`, for a device: the calls are one graph, which needs fixed addresses; and arrays are copied all at once."""

    def __init__(self, program: Program, point: Sequence[Array], batch: Sequence[Array]) -> None:
        self.point, self.batch = [xp().array(a) for a in point], [xp().array(a) for a in batch]
        self.held: object = None
        self.nbytes, self.results = program.nbytes, program.results
        self.backend = array_backend.current()
        calls = program.bind([*self.point, *self.batch], self.results)[0]
        self.run = self.backend.capture(in_turn(self.backend.fuse(calls)))

    def __call__(self, point: Sequence[Array], batch: OneBatch) -> list[Array]:
        is_new, self.held = self.held is not batch.token, None  # also if copying fails half way
        self.backend.copy([*self.point, *(self.batch if is_new else [])], [*point, *(batch.arrays if is_new else [])])
        self.held = batch.token
        self.run()
        results = [xp().empty_like(a) for a in self.results]
        self.backend.copy(results, self.results)
        return results


class Anew(Record):
    """Replays large arrays: the calls are bound at each replay, to the inputs where they lie and to results that nobody holds.

    Binding takes about a microsecond per call. It saves a pass over memory for each input and each result.
    """

    def __init__(self, program: Program, point: Sequence[Any], batch: Sequence[Any]) -> None:
        self.program, self.spares = program, [Spares(a) for a in program.results]
        self.nbytes = program.nbytes
        self.point, self.batch = (tuple(getattr(a, "dtype", None) for a in some) for some in (point, batch))

    def __call__(self, point: Sequence[Any], batch: OneBatch) -> list[Array]:
        results = [spares.take() for spares in self.spares]
        for call in self.program.bind([*in_dtypes(point, self.point), *batch.in_dtypes(self.batch)], results)[0]:
            call()
        return results


def in_dtypes(arrays: Sequence[Any], dtypes: Sequence[Any]) -> list[Any]:
    """The arrays in these dtypes; None leaves an input as it is."""
    return [a if d is None or a.dtype == d else a.astype(d) for a, d in zip(arrays, dtypes, strict=True)]
