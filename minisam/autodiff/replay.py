"""Record once, replay without allocating.

autograd's tracing costs several times the arithmetic of a small net. So the calls that make up a computation (a loss and its
gradient, a Hessian-vector product, the arithmetic of a step) are listed once, as a `minisam.program.Program`, and made in a row
from then on.

Truths: tests/test_replay.py (equal to eager, bit for bit).
"""

from __future__ import annotations

import functools
import math
import sys
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy
from autograd.tracer import isbox

from .. import array_backend
from ..array_backend import xp
from ..types import Array
from .tape import Body, CannotRecord, Program, Split

Replay: TypeAlias = Callable[..., tuple[Sequence[Array], Array]]  # inputs -> (values, flat vector)

CACHED = 16  # records kept for one function in one thread; the one used longest ago makes room
LARGE = 2**20  # bytes of an array that leaves the fast caches; a smaller one costs less to allocate than to look up
FASTER_TO_COPY = 50_000  # bytes that are copied in the time that it takes to bind a call


class Record:
    """A program made ready for replays; of small arrays by `Fixed`, of large ones by `Anew`."""

    def __init__(self, body: Body, split: Split, inputs: Sequence[Any]) -> None:
        program = Program(body, split, inputs)
        copied = sum(getattr(a, "nbytes", math.inf) for a in (*inputs, *program.results))  # a number has no buffer
        large = isinstance(inputs[0], numpy.ndarray) and copied > FASTER_TO_COPY * len(program.steps)
        self.replay: Replay = Anew(program, inputs) if large else Fixed(program, inputs)


class Fixed:
    """Calls bound once and for all, to buffers into which the inputs are copied, and to results that are copied.

    On a device they are captured as a graph, which needs its addresses fixed.
    """

    def __init__(self, program: Program, inputs: Sequence[Array]) -> None:
        self.inputs, self.results = [xp().array(a) for a in inputs], program.results
        self.calls = program.bind(self.inputs, self.results)
        self.copies = [_copier(a) for a in self.results]
        self.run = array_backend.current().capture(self.calls)

    def __call__(self, *inputs: Array) -> tuple[list[Array], Array]:
        for buffer, a in zip(self.inputs, inputs, strict=True):
            buffer[...] = a
        self.run()
        flat, *values = [copy(a) for copy, a in zip(self.copies, self.results, strict=True)]
        return values, flat


def _copier(result: Array) -> Callable[[Array], Array]:
    """What copies a result: into a spare array, if it is a large one."""
    if result.nbytes < LARGE or not isinstance(result, numpy.ndarray):
        return lambda a: a.copy()
    spares = Spares(xp().empty_like(result))

    def copy(a: Array) -> Array:
        place = spares.take()
        place[...] = a
        return place

    return copy


class Anew:
    """Calls bound at each replay to the inputs where they lie, and to results that nobody holds any more.

    Binding takes about a microsecond a call, and saves a pass over memory for each input and each result.
    """

    def __init__(self, program: Program, inputs: Sequence[Any]) -> None:
        self.program, self.spares = program, [Spares(a) for a in program.results]
        self.dtypes = [getattr(a, "dtype", None) for a in inputs]

    def __call__(self, *inputs: Any) -> tuple[list[Array], Array]:
        lying = [
            a if dtype is None or a.dtype == dtype else a.astype(dtype)
            for a, dtype in zip(inputs, self.dtypes, strict=True)
        ]
        flat, *values = results = [spares.take() for spares in self.spares]
        for call in self.program.bind(lying, results):
            call()
        return values, flat


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
    """The records of one function: each thread has its own, since they write into buffers."""

    def __init__(self) -> None:
        self.records: OrderedDict[Any, Record] = OrderedDict()


def recorded(
    body: Body, split: Split, eager: Replay, ready: Callable[..., Sequence[Any]], name: str, check: bool
) -> Replay:
    """`eager`, replayed: inputs -> (values, flat vector), from one record for each set of shapes and dtypes.

    `eager` raises what is wrong with the inputs, and `ready` makes of right ones what `body` takes. Unless `check` is False, a
    new record is held against `eager` at the inputs that made it and at others; what cannot be recorded runs eagerly from then
    on, and a warning says so once.
    """
    cache = Cache()
    unrecordable: list[str] = []

    def run(*inputs: Any) -> tuple[Sequence[Array], Array]:
        key = (xp(), *map(_kind, inputs))
        record = cache.records.get(key)
        if record is None:
            if unrecordable or any(map(isbox, inputs)):
                return eager(*inputs)
            expected = eager(*inputs)  # raises what is wrong with the inputs before anything is recorded
            try:
                with _recording:
                    record = Record(body, split, ready(*inputs))
                    if check:
                        _compare(record, eager, inputs, expected)
            except Exception as error:
                unrecordable.append(str(error))
                warnings.warn(
                    f"{name} cannot be recorded and runs eagerly, several times slower: {error}", stacklevel=3
                )
                return expected
            cache.records[key] = record
            if len(cache.records) > CACHED:
                cache.records.popitem(last=False)
        cache.records.move_to_end(key)
        return record.replay(*inputs)

    return run


def _kind(a: Any) -> Any:
    """What counts of an input but its values; its order in memory, too, in which sums add up."""
    kind = type(a)
    return kind if kind is float or not hasattr(a, "strides") else (kind, a.shape, a.dtype, a.strides)


def replayed(formula: Callable[..., Any]) -> Any:
    """A formula of arrays and numbers, whose temporaries and results are allocated once where its arrays are large.

    It is evaluated as it stands on small arrays, and on those of a device.
    """

    def body(*inputs: Any) -> tuple[list[Array], list[Array]]:
        made = formula(*inputs)
        return list(made) if isinstance(made, tuple) else [made], []

    def eager(*inputs: Any) -> tuple[list[Array], Array]:
        return body(*inputs)[0], numpy.empty(0)

    run = recorded(body, lambda _: [], eager, lambda *inputs: inputs, formula.__name__, check=True)

    @functools.wraps(formula)
    def evaluate(*inputs: Any) -> Any:
        first = inputs[0]
        if not isinstance(first, numpy.ndarray) or first.nbytes < LARGE:
            return formula(*inputs)
        values, _ = run(*inputs)
        return values[0] if len(values) == 1 else tuple(values)

    return evaluate


_recording = threading.RLock()  # autograd's tracer is one for all threads


def _compare(record: Record, eager: Replay, inputs: Sequence[Any], expected: tuple[Sequence[Array], Array]) -> None:
    w, *rest = inputs
    for first, (values, flat) in ((w, expected), (-0.9 * w, eager(-0.9 * w, *rest))):
        got_values, got_flat = record.replay(first, *rest)
        for got, right in zip([*got_values, got_flat], [*values, flat], strict=True):
            if not _same(got, right):
                raise CannotRecord("replayed, it gives other numbers; it does more than call primitives on its inputs")


def _same(got: Array, right: Array) -> bool:
    """Equal bit for bit on NumPy; on a device up to rounding, whose products may add up in another order each time."""
    a, b = array_backend.asnumpy(got), array_backend.asnumpy(right)
    if isinstance(got, numpy.ndarray):
        return numpy.array_equal(a, b, equal_nan=True)
    rounding = float(numpy.finfo(b.dtype).eps) ** 0.5
    return numpy.allclose(a, b, rtol=rounding, atol=rounding * float(numpy.abs(b).max(initial=0)), equal_nan=True)
