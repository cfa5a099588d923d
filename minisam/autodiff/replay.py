"""Record once, replay without allocating.

autograd's tracing costs several times the arithmetic of a small net. So the calls that make up a computation (a loss and its
gradient, a Hessian-vector product, the arithmetic of a step) are listed once, as a `minisam.program.Program`, and made in a row
from then on.

Truths: tests/test_replay.py (equal to eager, bit for bit).
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
from typing import Any

import autograd.numpy as anp
import numpy
from autograd.tracer import isbox

from .. import array_backend
from ..array_backend import xp
from ..types import Array
from .tape import Body, Call, CannotRecord, Program, Split

CACHED = 16  # records kept for one function in one thread; the one used longest ago makes room
LARGE = 2**20  # bytes of an array that leaves the fast caches; a smaller one costs less to allocate than to look up
FASTER_TO_COPY = 50_000  # bytes that are copied in the time that it takes to bind a call


class Batch:
    """The inputs that stay the same for several calls. They are read when a record needs them, and belong to the caller."""

    def __init__(self, arrays: Sequence[Any]) -> None:
        self.arrays, self.kinds = arrays, kinds(arrays)
        self.token = object()  # tells this batch from every other one, also after it is gone
        self.converted: dict[Any, Sequence[Any]] = {}

    def of_dtypes(self, dtypes: tuple[Any, ...]) -> Sequence[Any]:
        """The arrays in these dtypes, converted once; None leaves an input as it is."""
        if dtypes not in self.converted:
            self.converted[dtypes] = in_dtypes(self.arrays, dtypes)
        return self.converted[dtypes]


def in_dtypes(arrays: Sequence[Any], dtypes: Sequence[Any]) -> list[Any]:
    return [a if d is None or a.dtype == d else a.astype(d) for a, d in zip(arrays, dtypes, strict=True)]


class Fixed:
    """Replays small arrays: the calls are bound once, to buffers into which the inputs are copied; the results are copied out.

    The record remembers whose batch its buffers hold, so that the second gradient of a SAM step copies only the weights. On a
    device all calls together are captured as one graph, which needs fixed addresses.
    """

    def __init__(self, program: Program, point: Sequence[Array], batch: Batch) -> None:
        self.point, self.batch = [xp().array(a) for a in point], [xp().array(a) for a in batch.arrays]
        self.held: Any = None
        calls = program.bind([*self.point, *self.batch], program.results)
        on_host = isinstance(point[0], numpy.ndarray)
        self.calls = calls if on_host else [array_backend.current().capture(in_turn(calls))]
        self.copies = [_copy_of(a) for a in program.results]

    def __call__(self, point: Sequence[Array], batch: Batch) -> list[Array]:
        for buffer, a in zip(self.point, point):  # noqa: B905
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


def _copy_of(result: Array) -> Callable[[], Array]:
    """The function that copies a result: into a spare array, if the result is large."""
    if result.nbytes < LARGE or not isinstance(result, numpy.ndarray):
        return result.copy
    spares = Spares(xp().empty_like(result))

    def copy() -> Array:
        place = spares.take()
        place[...] = result
        return place

    return copy


class Anew:
    """Replays large arrays: the calls are bound at each replay, to the inputs where they lie and to results that nobody holds.

    Binding takes about a microsecond a call, and saves a pass over memory for each input and each result.
    """

    def __init__(self, program: Program, point: Sequence[Any], batch: Batch) -> None:
        self.program, self.spares = program, [Spares(a) for a in program.results]
        self.point, self.batch = (tuple(getattr(a, "dtype", None) for a in some) for some in (point, batch.arrays))

    def __call__(self, point: Sequence[Any], batch: Batch) -> list[Array]:
        results = [spares.take() for spares in self.spares]
        for call in self.program.bind([*in_dtypes(point, self.point), *batch.of_dtypes(self.batch)], results):
            call()
        return results


class Spares:
    """Arrays for results, which are handed out again once nobody holds them.

    Whoever holds a result, or a view of it, keeps a reference to its memory; Python counts these. What is held for long is let
    go: it belongs to its holder, and a new array takes its place.
    """

    KEPT = 4

    def __init__(self, first: Array) -> None:
        self.arrays = [first]

    def take(self) -> Array:
        """An array of unknown content."""
        for a, references in zip(self.arrays, _references(self.arrays), strict=True):
            if references == UNHELD:
                return a.view()
        self.arrays = [xp().empty_like(self.arrays[0]), *self.arrays[: self.KEPT - 1]]
        return self.arrays[0].view()


def _references(objects: list[Any]) -> list[int]:
    return [sys.getrefcount(a) for a in objects]


UNHELD = _references([object()])[0]  # what is counted for an object that only a list holds


# --- records by shape ------------------------------------------------------------------------------------------------


class Cache(threading.local):
    """The records of one function: each thread has its own, because a record writes into buffers."""

    def __init__(self) -> None:
        self.records: OrderedDict[Any, Fixed | Anew] = OrderedDict()


@dataclass(frozen=True, eq=False)
class Computation:
    """A function of a point, whose arrays change at every call, and of a batch: traced anew at each call.

    `f(*point, *batch)` computes; `f.on(*batch)` returns the function of the point alone.

    Attributes
    ----------
    name : str
        What warnings call it.
    body : function
        Inputs -> (values, leaves of the flat vector), lists of arrays.
    split : function
        A flat vector shaped like the first input -> its leaves, as views.
    ready : function
        Inputs -> the inputs that `body` takes; raises what is wrong with them.
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

    def __call__(self, *inputs: Any) -> Any:
        return self.on(*inputs[self.points :])(*inputs[: self.points])

    def on(self, *batch: Any) -> Callable[..., Any]:
        """The function of the point on this batch."""
        return lambda *point: self.finish(self.results(*point, *batch))

    def results(self, *inputs: Any) -> list[Array]:
        """[*values, flat vector]."""
        w, *rest = self.ready(*inputs)
        values, leaves = self.body(w, *rest)
        if not leaves:
            return [*values, xp().empty(0)]
        flat = anp.concatenate([anp.reshape(g, (*w.shape[:-1], -1)) for g in leaves], axis=-1)
        return [*values, flat.astype(w.dtype, copy=False)]  # autograd's rule for a mean, say, makes float64 of float32


@dataclass(frozen=True, eq=False)
class Recorded(Computation):
    """The same, recorded once for each set of shapes and dtypes, and replayed from then on.

    Unless `check` is False, each new record is compared with tracing, at the inputs that made it and at others. If that fails,
    the function traces at every call from then on, and a warning says so once.
    """

    check: bool = True
    cache: Cache = field(default_factory=Cache)
    unrecordable: list[str] = field(default_factory=list)

    def on(self, *batch: Any) -> Callable[..., Any]:
        return Bound(self, Batch(batch))

    def record(self, key: Any, point: Sequence[Any], batch: Batch) -> Fixed | Anew | None:
        """A new record, kept under this key; None if this computation has to be traced."""
        inputs = (*point, *batch.arrays)
        if self.unrecordable or any(map(isbox, inputs)):
            return None
        expected = self.results(*inputs)  # raises what is wrong with the inputs before anything is recorded
        try:
            with _recording:
                ready = self.ready(*inputs)
                program = Program(self.body, self.split, ready)
                kind = Anew if _is_large(program, ready) else Fixed
                record = kind(program, ready[: len(point)], Batch(ready[len(point) :]))
                if self.check:
                    self._compare(record, point, batch, expected)
        except Exception as error:
            self.unrecordable.append(str(error))
            warnings.warn(
                f"{self.name} cannot be recorded and runs eagerly, several times slower: {error}", stacklevel=4
            )
            return None
        self.cache.records[key] = record
        if len(self.cache.records) > CACHED:
            self.cache.records.popitem(last=False)
        return record

    def _compare(self, record: Fixed | Anew, point: Sequence[Any], batch: Batch, expected: Sequence[Array]) -> None:
        w, *rest = point
        for first in (w, -0.9 * w):
            right = expected if first is w else self.results(first, *rest, *batch.arrays)
            if not all(map(_same, record((first, *rest), batch), right)):
                raise CannotRecord("replayed, it gives other numbers; it does more than call primitives on its inputs")


class Bound:
    """A recorded function on one batch: `g(*point)`.

    The batch is converted once, and copied into a record only if the record does not hold it already. It is no snapshot: the
    arrays must not be changed in place while `g` is in use; what has changed is bound anew.
    """

    def __init__(self, f: Recorded, batch: Batch) -> None:
        self.f, self.batch = f, batch

    def __call__(self, *point: Any) -> Any:
        f, batch = self.f, self.batch
        try:
            key = (array_backend.in_use.xp, batch.kinds, *map(KIND, point))  # type: ignore[union-attr]
        except AttributeError:  # a plain number, a box, no backend chosen yet
            key = (xp(), batch.kinds, *kinds(point))
        record = f.cache.records.get(key) or f.record(key, point, batch)
        if record is None:
            return f.finish(f.results(*point, *batch.arrays))
        f.cache.records.move_to_end(key)
        return f.finish(record(point, batch))


KIND = operator.attrgetter("__class__", "shape", "dtype", "strides")  # sums depend on the order in memory


def kinds(inputs: Sequence[Any]) -> tuple[Any, ...]:
    """What a record depends on of each input: everything but the values."""
    try:
        return (*map(KIND, inputs),)
    except AttributeError:
        return (*[KIND(a) if hasattr(a, "strides") else type(a) for a in inputs],)


def _is_large(program: Program, inputs: Sequence[Any]) -> bool:
    """Whether copying inputs and results takes longer than binding the calls; never on a device, whose graphs need `Fixed`."""
    copied = sum(getattr(a, "nbytes", math.inf) for a in (*inputs, *program.results))  # a number has no buffer
    return isinstance(inputs[0], numpy.ndarray) and copied > FASTER_TO_COPY * len(program.steps)


def replayed(formula: Callable[..., Any]) -> Any:
    """A formula of arrays and numbers. Where its arrays are large, its temporaries and results are allocated once.

    It is evaluated as it stands on small arrays, and on those of a device.
    """

    def body(*inputs: Any) -> tuple[list[Array], list[Array]]:
        made = formula(*inputs)
        return list(made) if isinstance(made, tuple) else [made], []

    def finish(results: list[Array]) -> Any:
        *values, _ = results
        return values[0] if len(values) == 1 else tuple(values)

    run = Recorded(formula.__name__, body, lambda _: [], lambda *inputs: inputs, finish).on()

    @functools.wraps(formula)
    def evaluate(*inputs: Any) -> Any:
        first = inputs[0]
        large = isinstance(first, numpy.ndarray) and first.nbytes >= LARGE
        return run(*inputs) if large else formula(*inputs)

    return evaluate


_recording = threading.RLock()  # autograd's tracer is one for all threads


def _same(got: Array, right: Array) -> bool:
    """Equal bit for bit on NumPy; on a device up to rounding, whose products may add up in another order each time."""
    a, b = array_backend.asnumpy(got), array_backend.asnumpy(right)
    if isinstance(got, numpy.ndarray):
        return numpy.array_equal(a, b, equal_nan=True)
    rounding = float(numpy.finfo(b.dtype).eps) ** 0.5
    return numpy.allclose(a, b, rtol=rounding, atol=rounding * float(numpy.abs(b).max(initial=0)), equal_nan=True)
