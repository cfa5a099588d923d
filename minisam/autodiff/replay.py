"""Record a computation once, and replay it without allocating.

Tracing a small net costs autograd several times its arithmetic. So the calls that make up a computation (a loss and its
gradient, a Hessian-vector product, the arithmetic of a step) are listed once, as a `Program`, and repeated from then on.

Truths: tests/test_replay.py (equal to tracing, bit for bit).
"""

from __future__ import annotations

import contextlib
import functools
import math
import operator
import warnings
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy
from autograd.tracer import isbox

from .. import array_backend, blas
from ..array_backend import xp
from ..types import Array, Shape
from .compare import compare, compare_again
from .memory import LARGE, Cache, Key
from .parts import Plan
from .program import Body, Program, Split, join
from .records import Anew, Captured, Fixed, Record, in_dtypes
from .tape import CannotRecord, tracing
from .watch import Watch

FASTER_TO_COPY = 50_000  # bytes that are copied in the time that it takes to bind a call
KIND = operator.attrgetter("__class__", "shape", "dtype", "strides")  # sums depend on the order in memory
CHANGES = 3  # within few replays, of what the code reads besides its inputs; after one more it is no longer recorded


@dataclass(frozen=True, eq=False)
class Computation:
    """A function of a point, whose arrays change at every call, and of a batch: `f(*point, *batch)`.

    It is traced once for each set of shapes and dtypes, and replayed from then on. Unless `check` is False, each new record and
    some of its replays are compared with tracing; and it is made anew when something has changed that its code reads (`Watch`).
    If recording fails, or if `recorded` is False, the function is traced at every call; a failure warns once.

    Attributes
    ----------
    name : str
        What warnings call it.
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
    plan : function, optional
        (point, batch), converted -> how to compute it: in parts, or None as it stands.
    reads : function, optional
        What reads more than its arguments, if it is not the body as a whole.
    quiet : bool
        Whether a failure is no matter, since the caller does without a record.
    """

    name: str
    body: Body
    split: Split
    ready: Callable[..., Sequence[Any]]
    finish: Callable[[list[Array]], Any]
    points: int = 1
    recorded: bool = True
    check: bool = True
    plan: Callable[[Sequence[Any], Sequence[Any]], Plan | None] = lambda point, batch: None
    reads: Callable[..., Any] | None = None
    quiet: bool = False
    cache: Cache = field(default_factory=lambda: Cache())
    failures: list[Exception] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    def __call__(self, *inputs: Array) -> Any:
        return Bound(self, inputs[self.points :])(*inputs[: self.points])

    def on(self, *batch: Array) -> Bound:  # the function of the point alone
        return Bound(self, batch)

    def traced(self, *inputs: Array) -> list[Array]:
        """[*values, flat vector], without a record."""
        ready = self.ready(*inputs)
        point, batch = ready[: self.points], ready[self.points :]
        plan = self.plan(point, batch)
        return plan.traced(self._traced, point, batch) if plan else self._traced(*ready)

    def _traced(self, w: Array, *rest: Array) -> list[Array]:
        with tracing:
            values, leaves = self.body(w, *rest)
        if not leaves:
            return [*values, xp().empty(0)]
        flat = join(self.split, *leaves, replicas=w.shape[:-1])
        return [*values, flat.astype(w.dtype, copy=False)]  # autograd's rule for a mean, say, makes float64 of float32

    def first(self, key: Key, point: Sequence[Any], batch: Bound) -> list[Array]:
        """The results, traced; and a record kept under this key, if one can be made."""
        quiet = self.plan(point, batch.arrays)  # as its replays will be
        with blas.one_thread() if quiet else contextlib.nullcontext():
            return self._first(key, point, batch)

    def _first(self, key: Key, point: Sequence[Any], batch: Bound) -> list[Array]:
        inputs = (*point, *batch.arrays)
        if not self.recorded or self.failures or any(map(isbox, inputs)):
            return self.traced(*inputs)
        try:
            watch = Watch(self.reads or self.body) if self.check else None
        except Exception as error:
            self.fail(error)
            return self.traced(*inputs)
        results = self.traced(*inputs)  # raises what is wrong with the inputs before anything is recorded
        try:
            with tracing:
                self._record(key, point, batch, results, watch)
        except Exception as error:
            self.fail(error)
        return results

    def _record(self, key: Key, point: Sequence[Any], batch: Bound, expected: list[Array], watch: Watch | None) -> None:
        if watch is not None and (changed := watch.changed()):
            raise CannotRecord(f"it changes {changed}, which it reads")
        ready, k = self.ready(*point, *batch.arrays), len(point)
        record = self._new(ready[:k], ready[k:])
        if watch is not None:
            compare(lambda point, batch: record(point, Bound(self, batch)), self.traced, point, batch.arrays, expected)
            record.keep(watch)
        self.cache.keep(key, record)
        if point[0].nbytes >= LARGE and self not in FORMULAS:
            weakref.finalize(self, forget_formulas, point[0].shape)

    def fail(self, error: Exception) -> None:
        """From now on, trace at every call; and say why."""
        self.failures.append(error)
        self.cache.records.clear()
        if not self.quiet:
            says = f"{self.name} cannot be recorded and runs eagerly, several times slower: {error}"
            warnings.warn(says, stacklevel=5)

    def forgets(self, record: Record, changed: str | None) -> bool:
        """Whether something has changed that the records hold; if it does so again and again, none is made any more."""
        if changed:
            self.cache.records.clear()
            self.changes.extend([changed] * record.is_new())
            if len(self.changes) > CHANGES:
                self.fail(CannotRecord(f"it reads {changed}, which changes again and again; make it an input, after y"))
        return bool(changed)

    def _new(self, point: Sequence[Any], batch: Sequence[Any]) -> Record:
        plan = self.plan(point, batch)
        return plan.recorded(self._one, point, batch) if plan else self._one(point, batch)

    def _one(self, point: Sequence[Any], batch: Sequence[Any]) -> Record:
        """A record that copies, unless copying takes longer than binding; on a device one that is captured."""
        inputs = (*point, *batch)
        program = Program(self.body, self.split, inputs)
        copied = sum(getattr(a, "nbytes", math.inf) for a in (*inputs, *program.results))  # a number has no buffer
        large = copied > FASTER_TO_COPY * len(program.steps)
        kind = (Anew if large else Fixed) if isinstance(inputs[0], numpy.ndarray) else Captured
        return kind(program, point, batch)


class Bound:
    """A computation on one batch: `g(*point)`.

    The batch is converted once, and copied into a record only if the record does not hold it already. It is no snapshot: its
    arrays must not be changed in place while g is in use.
    """

    def __init__(self, f: Computation, arrays: Sequence[Any]) -> None:
        self.f, self.arrays, self.kinds = f, arrays, kinds(arrays)
        self.token = object()  # identifies this batch; unlike id(), it is never reused
        self.converted: dict[Any, list[Any]] = {}

    def to(self, f: Computation) -> Bound:
        """Another computation on the same batch."""
        other = Bound.__new__(Bound)
        other.__dict__ |= self.__dict__ | {"f": f}
        return other

    def __call__(self, *point: Array) -> Any:
        f = self.f
        try:
            backend = array_backend.own.backend or array_backend.in_use
            key = (backend.xp, self.kinds, *map(KIND, point))  # type: ignore[union-attr]
        except AttributeError:  # a plain number, a box, or no backend was chosen yet
            key = (xp(), self.kinds, *kinds(point))
        record = f.cache.records.get(key)
        if record is None or (record.watch is not None and f.forgets(record, record.watch.changed())):
            return f.finish(f.first(key, point, self))
        f.cache.records.move_to_end(key)
        try:
            results = record(point, self)
        except Exception as error:
            results = f.traced(*point, *self.arrays)  # raises what is wrong with the inputs
            f.fail(error)
        record.left -= 1
        if not record.left:
            record.left, record.pause = record.pause, 2 * record.pause
            compare_again(f.name, results, f.traced(*point, *self.arrays))
        return f.finish(results)

    def part(self, arrays: Sequence[Any]) -> Bound:
        """A part of this batch."""
        return Bound(self.f, arrays)

    def in_dtypes(self, dtypes: tuple[Any, ...]) -> list[Any]:
        """The arrays in these dtypes, converted once."""
        if dtypes not in self.converted:
            self.converted[dtypes] = in_dtypes(self.arrays, dtypes)
        return self.converted[dtypes]


def kinds(inputs: Sequence[Any]) -> tuple[Any, ...]:
    """What a record depends on of each input: everything but the values."""
    return (*[KIND(a) if hasattr(a, "strides") else type(a) for a in inputs],)


# --- formulas --------------------------------------------------------------------------------------------------------


FORMULAS: list[Computation] = []


def forget_formulas(shape: Shape) -> None:
    """The gradient of a model is gone: give back what the formulas keep for weights of this shape."""
    for records in (formula.cache.records for formula in FORMULAS):
        for key in [
            key for key in records if any(kind[1:2] == (shape,) for kind in key[2:] if isinstance(kind, tuple))
        ]:
            del records[key]


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

    computation = Computation(formula.__name__, body, lambda _: [], lambda *inputs: inputs, finish)
    FORMULAS.append(computation)
    run = computation.on()

    @functools.wraps(formula)
    def evaluate(*inputs: Array) -> Any:
        first = inputs[0]
        large = isinstance(first, numpy.ndarray) and first.nbytes >= LARGE
        return run(*inputs) if large else formula(*inputs)

    return evaluate
