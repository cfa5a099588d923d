"""Record once, replay without allocating.

autograd's tracing costs several times the arithmetic of a small net. So the calls of primitives that make up a computation
(a loss and its gradient, a Hessian-vector product) are listed once, by a node type of our own on autograd's tracer, and
linked to fixed buffers: each becomes `f(*args, out=buffer)`, views are made once, a buffer is used again after its last
reader, and each leaf gradient is written straight into its place in the flat gradient. A replay copies the inputs into their
buffers and makes the calls, in a row.

Truths: tests/test_record.py (equal to eager, bit for bit).
"""

from __future__ import annotations

import inspect
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.tracer import Box, Node, isbox, new_box, trace_stack

from . import array_backend, ops
from .array_backend import Array, xp

Body: TypeAlias = Callable[..., tuple[list[Array], list[Array]]]  # inputs -> (values, leaves of a flat vector)
Split: TypeAlias = Callable[[Array], list[Array]]  # a flat vector -> its leaves, as views

IN_PLACE = {ops.relu.fun, ops.tanh.fun}  # elementwise, as ufuncs are: may overwrite an argument that nobody reads later
CACHED = 16  # records kept for one function; the one used longest ago makes room


class CannotRecord(Exception):
    """This computation is not the same list of calls for every value of its inputs; the message says why."""


@dataclass(frozen=True)
class Ref:
    """An argument that is the value of line `line` of the list; inputs are lines −1, −2, …"""

    line: int


@dataclass
class Line:
    """One call of a primitive, as it was seen."""

    f: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    value: Any

    def reads(self) -> Iterator[int]:
        return (a.line for a in self.args if isinstance(a, Ref))


class Listed(Node):
    """A node of autograd's tracer that writes down its call."""

    __slots__ = ["line", "lines"]

    def __init__(self, value: Any, fun: Any, args: Any, kwargs: Any, argnums: Any, parents: Any) -> None:
        refs = dict(zip(argnums, (Ref(parent.line) for parent in parents), strict=True))
        self.lines, self.line = parents[0].lines, len(parents[0].lines)
        kwargs = {key: a for key, a in kwargs.items() if key != "out"}  # NumPy's methods pass out=None
        self.lines.append(Line(fun.fun, tuple(refs.get(i, a) for i, a in enumerate(args)), kwargs, value))

    def initialize_root(self, lines: list[Line], line: int) -> None:
        self.lines, self.line = lines, line


def _no_truth_value(box: Box, truth: Callable[[Box], bool] = Box.__bool__) -> bool:
    if isinstance(box._node, Listed):
        raise CannotRecord("its Python control flow depends on a value")
    return truth(box)


Box.__bool__ = _no_truth_value
for scalar in (numpy.bool_, numpy.int32, numpy.int64):  # what comparisons and counts give, and only a list holds
    ArrayBox.register(scalar)


@contextmanager
def new_level() -> Iterator[int]:
    """A new level of autograd's tracer, taken back also when the traced function raises."""
    before = trace_stack.top
    try:
        with trace_stack.new_trace() as level:
            yield level
    finally:
        trace_stack.top = before


class Record:
    """One computation, for inputs of given shapes and dtypes.

    Parameters
    ----------
    body : function
        inputs -> (values, leaves), lists of arrays; traced here, once.
    split : function
        A flat vector shaped like the first input -> its views, one a leaf; the leaves are written there.
    inputs : sequence of arrays
        Their shapes and dtypes count; their values are copied.
    """

    def __init__(self, body: Body, split: Split, inputs: Sequence[Array]) -> None:
        self.inputs = [xp().array(a) for a in inputs]
        lines: list[Line] = []
        with new_level() as level:
            boxes = [new_box(a, level, Listed.new_root(lines, -1 - k)) for k, a in enumerate(self.inputs)]
            values, leaves = body(*boxes)
        self.flat = xp().empty_like(self.inputs[0])
        self.calls: list[Callable[[], Any]] = []
        self._link(lines, values, leaves, split(self.flat))
        self.run = array_backend.current().capture(self.calls)

    def replay(self, inputs: Sequence[Array]) -> tuple[list[Array], Array]:
        """The values and the flat vector for these inputs, in arrays of their own."""
        for buffer, a in zip(self.inputs, inputs, strict=True):
            buffer[...] = a
        self.run()
        return [v.copy() for v in self.values], self.flat.copy()

    def _link(self, lines: list[Line], values: list[Any], leaves: list[Any], places: list[Array]) -> None:
        """Turn the list into calls on fixed buffers."""
        memory = _memory(lines, self.inputs)
        last_reader = _last_readers(lines, memory, [a._node.line for a in (*values, *leaves) if isbox(a)])
        place_of = {a._node.line: place for a, place in zip(leaves, places, strict=True) if isbox(a)}
        bound: dict[int, Any] = {-1 - k: a for k, a in enumerate(self.inputs)}
        pool = Pool()
        for i, line in enumerate(lines):
            if i not in last_reader:
                continue
            args = tuple(bound[a.line] if isinstance(a, Ref) else a for a in line.args)
            if memory[i] != {i}:
                bound[i] = line.f(*args, **line.kwargs)  # a view, made once
                if _is_array(line.value) and not any(_overlap(bound[i], bound[j]) for j in memory[i]):
                    raise CannotRecord(f"{line.f.__name__} returns now a view of its argument and now a copy")
                continue
            dying = [j for r in line.reads() for j in memory[r] if last_reader.get(j) == i]
            if i in place_of:
                bound[i] = place_of[i]
            else:
                bound[i] = pool.take(i, line.value, [j for j in dying if _may_overwrite(line, j, lines, memory)])
            self.calls.append(_call(line, args, bound[i]))
            for j in dying:
                pool.give_back(j)
        for leaf, place in zip(leaves, places, strict=True):
            value = bound[leaf._node.line] if isbox(leaf) else leaf
            if value is not place:
                self.calls.append(partial(xp().copyto, place, value))
        self.values = [bound[a._node.line] if isbox(a) else xp().asarray(a) for a in values]


class Pool:
    """Buffers that are used again once their last reader has run."""

    def __init__(self) -> None:
        self.owned: dict[int, Array] = {}
        self.free: dict[int, list[Array]] = {}

    def take(self, line: int, like: Any, overwritable: Sequence[int]) -> Array:
        """A buffer for the value of a line: one of `overwritable`'s, a free one, or a new one."""
        like = xp().asarray(like)
        owners = [j for j in overwritable if j in self.owned]
        if owners:
            raw = self.owned.pop(owners[0])
        else:
            free = self.free.get(like.nbytes)
            raw = free.pop() if free else xp().empty(like.nbytes, dtype="uint8")
        self.owned[line] = raw
        outermost_first = sorted(range(like.ndim), key=lambda axis: -like.strides[axis])  # in memory as `like` is
        lying = raw.view(like.dtype).reshape([like.shape[axis] for axis in outermost_first])
        return lying.transpose(sorted(range(like.ndim), key=outermost_first.__getitem__))

    def give_back(self, line: int) -> None:
        """The value of a line is no longer read."""
        if line in self.owned:  # else it lies in the flat gradient, or was overwritten
            raw = self.owned.pop(line)
            self.free.setdefault(raw.nbytes, []).append(raw)


def _memory(lines: list[Line], inputs: list[Array]) -> dict[int, set[int]]:
    """Line → the lines whose buffers hold its value: itself; for a view, those that it looks at."""
    memory = {-1 - k: {-1 - k} for k in range(len(inputs))}
    value = {-1 - k: a for k, a in enumerate(inputs)} | {i: line.value for i, line in enumerate(lines)}
    for i, line in enumerate(lines):
        array = _is_array(
            line.value
        )  # else one of autograd's sparse gradients: a promise that holds on to its arguments
        seen = [j for j in line.reads() if not array or _overlap(value[i], value[j])]
        memory[i] = set().union(*(memory[j] for j in seen)) if seen else {i}
    return memory


def _last_readers(lines: list[Line], memory: dict[int, set[int]], results: list[int]) -> dict[int, int]:
    """Line → the last line that reads its buffer, for the lines on which the results depend (these are read at the end)."""
    last: dict[int, int] = {}
    needed = set(results)
    for j in results:
        last |= dict.fromkeys(memory[j], len(lines))
    for i in reversed(range(len(lines))):
        if i in needed or i in last:
            last.setdefault(i, i)
            for j in lines[i].reads():
                needed.add(j)
                for k in memory[j]:
                    last.setdefault(k, i)
    return last


def _call(line: Line, args: tuple[Any, ...], out: Array) -> Callable[[], Any]:
    if _takes_out(line.f):
        return partial(line.f, *args, out=out, **line.kwargs)
    f = partial(line.f, *args, **line.kwargs)

    def call() -> None:
        out[...] = f()

    return call


def _takes_out(f: Callable[..., Any]) -> bool:
    if isinstance(f, numpy.ufunc):
        return True
    try:
        return "out" in inspect.signature(f).parameters
    except ValueError:  # some functions in C do not tell
        return False


def _may_overwrite(line: Line, j: int, lines: list[Line], memory: dict[int, set[int]]) -> bool:
    """Whether the elementwise `line` may write over the value of line j, which it reads last, and only as it is."""
    if not (isinstance(line.f, numpy.ufunc) or line.f in IN_PLACE):
        return False
    as_it_is = all(r == j for r in line.reads() if j in memory[r])
    mine, its = xp().asarray(line.value), xp().asarray(lines[j].value)
    return as_it_is and mine.shape == its.shape and mine.dtype == its.dtype


def _is_array(a: Any) -> bool:
    return isinstance(a, (xp().ndarray, numpy.generic))


def _overlap(a: Any, b: Any) -> bool:
    arrays = xp().ndarray
    return isinstance(a, arrays) and isinstance(b, arrays) and bool(numpy.may_share_memory(a, b))


# --- records by shape ------------------------------------------------------------------------------------------------


def recorded(body: Body, split: Split, eager: Callable[..., tuple[list[Array], Array]], name: str, check: bool) -> Any:
    """`eager`, replayed: inputs -> (values, flat vector), from one record for each set of shapes and dtypes.

    A record belongs to one thread. Unless `check` is False, a new one is held against `eager` at the inputs that made it and
    at others; what cannot be recorded runs eagerly from then on, and a warning says so once.
    """
    records: OrderedDict[Any, Record] = OrderedDict()
    unrecordable: list[str] = []

    def run(*inputs: Array) -> tuple[list[Array], Array]:
        if unrecordable or any(map(isbox, inputs)):
            return eager(*inputs)
        key = (threading.get_ident(), array_backend.name(), *[(a.shape, a.dtype) for a in inputs])
        record = records.get(key)
        if record is None:
            expected = eager(*inputs)  # raises what is wrong with the inputs before anything is recorded
            try:
                with _recording:
                    record = Record(body, split, inputs)
                    if check:
                        _compare(record, eager, inputs, expected)
            except Exception as error:
                unrecordable.append(str(error))
                warnings.warn(
                    f"{name} cannot be recorded and runs eagerly, several times slower: {error}", stacklevel=3
                )
                return expected
            records[key] = record
            if len(records) > CACHED:
                records.popitem(last=False)
        records.move_to_end(key)
        return record.replay(inputs)

    return run


_recording = threading.RLock()  # autograd's tracer is one for all threads


def _compare(record: Record, eager: Any, inputs: Sequence[Array], expected: tuple[list[Array], Array]) -> None:
    w, *rest = inputs
    for first, (values, flat) in ((w, expected), (-0.9 * w, eager(-0.9 * w, *rest))):
        got_values, got_flat = record.replay([first, *rest])
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
