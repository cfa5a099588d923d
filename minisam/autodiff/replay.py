"""Record a computation once, and replay it without allocating.

Tracing a small net costs autograd several times its arithmetic. So the calls that make up a computation (a loss and its
gradient, a Hessian-vector product, the arithmetic of a step) are listed once, as a `Program`, and repeated from then on.

Truths: tests/test_replay.py (equal to tracing, bit for bit).
"""

from __future__ import annotations

import functools
import math
import operator
import sys
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import autograd.numpy as anp
import numpy
from autograd.tracer import isbox

from .. import array_backend
from ..array_backend import xp
from ..types import Array
from .tape import Body, Call, CannotRecord, Program, Split

CACHED = 16  # records kept for one function in one thread; the one used longest ago makes room
LARGE = 2**20  # bytes of an array that leaves the fast caches; allocating a smaller one is cheaper than finding a spare
FASTER_TO_COPY = 50_000  # bytes that are copied in the time that it takes to bind a call
KIND = operator.attrgetter("__class__", "shape", "dtype", "strides")  # sums depend on the order in memory
_tracing = threading.RLock()  # autograd's tracer has one state for all threads


@dataclass(frozen=True, eq=False)
class Computation:
    """A function of a point, whose arrays change at every call, and of a batch: `f(*point, *batch)`.

    It is traced once for each set of shapes and dtypes, and replayed from then on. Unless `check` is False, each new record is
    compared with tracing, at the inputs that made it and at others. If recording fails, or if `recorded` is False, the function
    is traced at every call; a failure warns once.

    Attributes
    ----------
    name : str
        What the warning calls it.
    body : function
        Inputs -> (values, leaves of a flat vector), lists of arrays.
    split : function
        A flat vector shaped like the first input -> its leaves, as views.
    ready : function
        Inputs -> the inputs in the dtypes that `body` takes; raises what is wrong with them.
    finish : function
        [*values, flat vector] -> what the caller gets.
    points : int
        How many of the inputs are the point.
    """

    name: str
    body: Body
    split: Split
    ready: Callable[..., Sequence[Any]]
    finish: Callable[[list[Array]], Any]
    points: int = 1
    recorded: bool = True
    check: bool = True
    cache: Cache = field(default_factory=lambda: Cache())
    failures: list[Exception] = field(default_factory=list)

    def __call__(self, *inputs: Array) -> Any:
        return Bound(self, inputs[self.points :])(*inputs[: self.points])

    def on(self, *batch: Array) -> Bound:
        """The function of the point alone, on this batch."""
        return Bound(self, batch)

    def traced(self, *inputs: Array) -> list[Array]:
        """[*values, flat vector], without a record."""
        w, *rest = self.ready(*inputs)
        with _tracing:
            values, leaves = self.body(w, *rest)
        if not leaves:
            return [*values, xp().empty(0)]
        flat = anp.concatenate([anp.reshape(g, (*w.shape[:-1], -1)) for g in leaves], axis=-1)
        return [*values, flat.astype(w.dtype, copy=False)]  # autograd's rule for a mean, say, makes float64 of float32

    def record(self, key: Any, point: Sequence[Any], batch: Bound) -> Fixed | Anew | None:
        """A new record, kept under this key; None if the computation has to be traced."""
        inputs = (*point, *batch.arrays)
        if not self.recorded or self.failures or any(map(isbox, inputs)):
            return None
        expected = self.traced(*inputs)  # raises what is wrong with the inputs before anything is recorded
        try:
            with _tracing:
                record = self._new(self.ready(*inputs), len(point))
                if self.check:
                    self._compare(record, point, batch, expected)
        except Exception as error:
            self.failures.append(error)
            says = f"{self.name} cannot be recorded and runs eagerly, several times slower: {error}"
            warnings.warn(says, stacklevel=4)
            return None
        self.cache.records[key] = record
        if len(self.cache.records) > CACHED:
            self.cache.records.popitem(last=False)
        return record

    def _new(self, inputs: Sequence[Any], points: int) -> Fixed | Anew:
        """A record that copies, unless copying takes longer than binding; on a device always, since graphs need `Fixed`."""
        program = Program(self.body, self.split, inputs)
        copied = sum(getattr(a, "nbytes", math.inf) for a in (*inputs, *program.results))  # a number has no buffer
        large = isinstance(inputs[0], numpy.ndarray) and copied > FASTER_TO_COPY * len(program.steps)
        return (Anew if large else Fixed)(program, inputs[:points], inputs[points:])

    def _compare(self, record: Fixed | Anew, point: Sequence[Any], batch: Bound, expected: list[Array]) -> None:
        w, *rest = point
        for first in (w, -0.9 * w):
            right = expected if first is w else self.traced(first, *rest, *batch.arrays)
            if not all(map(_same, record((first, *rest), batch), right)):
                raise CannotRecord("replayed, it gives other numbers; it does more than call primitives on its inputs")


class Cache(threading.local):
    """The records of one function: each thread has its own, because a record writes into buffers."""

    def __init__(self) -> None:
        self.records: OrderedDict[Any, Fixed | Anew] = OrderedDict()


class Bound:
    """A computation on one batch: `g(*point)`.

    The batch is converted once, and copied into a record only if the record does not hold it already. It is no snapshot: its
    arrays must not be changed in place while g is in use.
    """

    def __init__(self, f: Computation, arrays: Sequence[Any]) -> None:
        self.f, self.arrays, self.kinds = f, arrays, kinds(arrays)
        self.token = object()  # identifies this batch; unlike id(), it is never reused
        self.converted: dict[Any, list[Any]] = {}

    def __call__(self, *point: Array) -> Any:
        f = self.f
        try:
            key = (array_backend.in_use.xp, self.kinds, *map(KIND, point))  # type: ignore[union-attr]
        except AttributeError:  # a plain number, a box, or no backend was chosen yet
            key = (xp(), self.kinds, *kinds(point))
        record = f.cache.records.get(key) or f.record(key, point, self)
        if record is None:
            return f.finish(f.traced(*point, *self.arrays))
        f.cache.records.move_to_end(key)
        return f.finish(record(point, self))

    def in_dtypes(self, dtypes: tuple[Any, ...]) -> list[Any]:
        """The arrays in these dtypes, converted once."""
        if dtypes not in self.converted:
            self.converted[dtypes] = in_dtypes(self.arrays, dtypes)
        return self.converted[dtypes]


def kinds(inputs: Sequence[Any]) -> tuple[Any, ...]:
    """What a record depends on of each input: everything but the values."""
    return (*[KIND(a) if hasattr(a, "strides") else type(a) for a in inputs],)


def in_dtypes(arrays: Sequence[Any], dtypes: Sequence[Any]) -> list[Any]:
    """The arrays in these dtypes; None leaves an input as it is."""
    return [a if d is None or a.dtype == d else a.astype(d) for a, d in zip(arrays, dtypes, strict=True)]


# --- records ---------------------------------------------------------------------------------------------------------


class Fixed:
    """Replays small arrays: the calls are bound once, to buffers into which the inputs are copied; the results are copied out.

    The record remembers whose batch its buffers hold, so that the second gradient of a SAM step copies only the weights. On a
    device all calls together are captured as one graph, which needs fixed addresses.
    """

    def __init__(self, program: Program, point: Sequence[Array], batch: Sequence[Array]) -> None:
        self.point, self.batch = [xp().array(a) for a in point], [xp().array(a) for a in batch]
        self.held: object = None
        calls = program.bind([*self.point, *self.batch], program.results)[0]
        on_host = isinstance(point[0], numpy.ndarray)
        self.calls = calls if on_host else [array_backend.current().capture(in_turn(calls))]
        large = [on_host and a.nbytes >= LARGE for a in program.results]
        self.copies = [partial(Spares(a).copy, a) if i else a.copy for a, i in zip(program.results, large, strict=True)]

    def __call__(self, point: Sequence[Array], batch: Bound) -> list[Array]:
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


def in_turn(calls: Sequence[Call]) -> Callable[[], None]:
    """One function that makes the calls in a row."""

    def run() -> None:
        for call in calls:
            call()

    return run


class Anew:
    """Replays large arrays: the calls are bound at each replay, to the inputs where they lie and to results that nobody holds.

    Binding takes about a microsecond per call, and saves a pass over memory for each input and each result.
    """

    def __init__(self, program: Program, point: Sequence[Any], batch: Sequence[Any]) -> None:
        self.program, self.spares = program, [Spares(a) for a in program.results]
        self.point, self.batch = (tuple(getattr(a, "dtype", None) for a in some) for some in (point, batch))

    def __call__(self, point: Sequence[Any], batch: Bound) -> list[Array]:
        results = [spares.take() for spares in self.spares]
        for call in self.program.bind([*in_dtypes(point, self.point), *batch.in_dtypes(self.batch)], results)[0]:
            call()
        return results


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


# --- formulas --------------------------------------------------------------------------------------------------------


def replayed(formula: Callable[..., Any]) -> Any:
    """A formula of arrays and numbers. Where its arrays are large, its temporaries and results are allocated once.

    On small arrays, and on those of a device, the formula is evaluated as it stands.
    """

    def body(*inputs: Array) -> tuple[list[Array], list[Array]]:
        made = formula(*inputs)
        return list(made) if isinstance(made, tuple) else [made], []

    def finish(results: list[Array]) -> Any:
        *values, _ = results
        return values[0] if len(values) == 1 else tuple(values)

    run = Computation(formula.__name__, body, lambda _: [], lambda *inputs: inputs, finish).on()

    @functools.wraps(formula)
    def evaluate(*inputs: Array) -> Any:
        first = inputs[0]
        large = isinstance(first, numpy.ndarray) and first.nbytes >= LARGE
        return run(*inputs) if large else formula(*inputs)

    return evaluate


def _same(got: Array, right: Array) -> bool:
    """Equal bit for bit on NumPy; on a device up to rounding, whose products may add up in another order each time."""
    a, b = array_backend.asnumpy(got), array_backend.asnumpy(right)
    if isinstance(got, numpy.ndarray):
        return numpy.array_equal(a, b, equal_nan=True)
    rounding = float(numpy.finfo(b.dtype).eps) ** 0.5
    return numpy.allclose(a, b, rtol=rounding, atol=rounding * float(numpy.abs(b).max(initial=0)), equal_nan=True)
