"""The plan of a computation: which of its calls are needed, and where their values lie.

A plan says which calls the results depend on, which values are views, and which buffer holds every other value; a buffer is
reused after its last reader. Bound to inputs and results, each line becomes `f(*args, out=buffer)`. Each leaf of a gradient is
written directly into its place in the flat gradient, also where that is read later in the list.

Truths: tests/test_replay.py.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy
from autograd.extend import defvjp_argnum, primitive
from autograd.tracer import isbox, new_box

from ..array_backend import xp
from ..types import Array, Shape
from .device_calls import counterpart, with_device_indices
from .tape import STAYS, CannotRecord, Line, Listed, Ref, listing, new_level, package, refusals

Body: TypeAlias = Callable[..., tuple[Sequence[Array], Sequence[Array]]]  # inputs -> (values, leaves of a flat vector)
Split: TypeAlias = Callable[[Array], list[Array]]  # a flat vector -> its leaves, as views
Call: TypeAlias = Callable[[], Any]


@dataclass
class Step:
    """A call that is needed. Its value lies in `buffer`; a view or a result needs no buffer."""

    line: int
    f: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    is_view: bool
    place: int  # index of the output whose buffer receives this value, its own or one that will overwrite it
    buffer: Array = None
    leaves: Sequence[Array] = ()  # of a flat vector that is joined from its leaves: their places in the buffer


class Program:
    """The plan of one computation, for inputs of given shapes and dtypes.

    Parameters
    ----------
    body : function
        inputs -> (values, leaves), lists of arrays; traced here, once.
    split : function
        A flat vector shaped like the first input -> its views, one per leaf; the leaves are written there.
    inputs : sequence of arrays or plain numbers
        Examples of the inputs to which it will be bound.

    Attributes
    ----------
    steps : list of Step
    results : list of arrays
        Room for each value, and for the flat vector.
    nbytes : int
        The memory of results and buffers.
    """

    def __init__(self, body: Body, split: Split, inputs: Sequence[Any]) -> None:
        lines: list[Line] = []
        refusals.clear()
        with listing(), new_level() as level:
            boxes = [new_box(a, level, Listed.new_root(lines, -1 - k)) for k, a in enumerate(inputs)]
            values, leaves = body(*boxes)
        if refusals:
            raise refusals[0]
        self.split = split
        self.ends = [Ref(a._node.line) if isbox(a) else xp().asarray(a) for a in (*leaves, *values)]
        pool = Pool()
        self.steps = _plan(lines, inputs, [end.line for end in self.ends if isinstance(end, Ref)], pool)
        flat = xp().empty(inputs[0].shape if leaves else 0, dtype=inputs[0].dtype)
        self.results = [*(xp().empty_like(a._value if isbox(a) else xp().asarray(a)) for a in values), flat]
        self.nbytes = pool.nbytes + sum(a.nbytes for a in self.results)
        self._check_views(lines, inputs)

    def bind(self, inputs: Sequence[Any], results: Sequence[Array]) -> tuple[list[Call], dict[int, Any]]:
        """The calls that compute these results from these inputs, and the array that holds the value of each line."""
        *values, flat = results
        places = [*(self.split(flat) if flat.size else []), *values]
        joins = [zip(step.args[1:], step.leaves, strict=True) for step in self.steps if step.leaves]
        place_of = {a.line: place for pairs in joins for a, place in pairs if isinstance(a, Ref)}
        place_of |= {end.line: place for end, place in zip(self.ends, places, strict=True) if isinstance(end, Ref)}
        bound = {-1 - k: a for k, a in enumerate(inputs)}
        calls: list[Call] = []
        for step in self.steps:
            args = [bound[a.line] if isinstance(a, Ref) else a for a in step.args]
            if step.is_view:
                bound[step.line] = step.f(*args, **step.kwargs)
            elif step.leaves:
                bound[step.line] = step.buffer
                calls += copies(step.leaves, args[1:])
            else:
                out = bound[step.line] = place_of.get(step.place, step.buffer)
                if hasattr(step.f, "calls"):
                    calls += step.f.calls(*args, out=out)
                else:
                    calls.append(partial(step.f, *args, out=out, **step.kwargs))
        return calls + copies(places, [bound[end.line] if isinstance(end, Ref) else end for end in self.ends]), bound

    def _check_views(self, lines: list[Line], inputs: Sequence[Any]) -> None:
        """A value that was a view when it was traced has to be a view of the buffers, too."""
        _, bound = self.bind(inputs, self.results)
        for step in self.steps:
            if step.is_view and _is_array(lines[step.line].value):
                seen = (bound[a.line] for a in step.args if isinstance(a, Ref))
                if not any(_overlap(bound[step.line], a) for a in seen):
                    raise CannotRecord(
                        f"{step.f.__name__} returns sometimes a view of its argument and sometimes a copy"
                    )


def _plan(lines: list[Line], inputs: Sequence[Any], ends: list[int], pool: Pool) -> list[Step]:
    """The calls on which the ends depend, and a buffer for each value that is neither a view nor an end."""
    memory = _memory(lines, inputs)
    last_reader = _last_readers(lines, memory, ends)
    leaves = [a.line for i in last_reader if i >= 0 and _joins(lines[i]) for a in lines[i].args if isinstance(a, Ref)]
    ends = [*ends, *leaves]
    steps: list[Step] = []
    made: dict[int, Step] = {}
    for i, line in enumerate(lines):
        if i not in last_reader:
            continue
        step = Step(i, line.f, with_device_indices(line.f, line.args), line.kwargs, memory[i] != {i}, i)
        steps.append(step)
        if step.is_view:
            continue
        dying = [j for r in line.reads() for j in memory[r] if last_reader.get(j) == i]
        overwritable = [j for j in dying if _may_overwrite(line, j, lines, memory) and j in pool.owned]
        if _joins(line):
            step.buffer = pool.apart(line.value)
            step.leaves = line.args[0](step.buffer)
        elif i not in ends:
            step.buffer = pool.take(i, line.value, overwritable)
            if overwritable and step.buffer.strides == (own := made[overwritable[0]].buffer).strides:
                step.buffer = own  # CuPy copies what overlaps `out` and is another object
        elif overwritable:
            made[overwritable[0]].place = i
        made[i] = step
        if not _takes_out(line.f) and not step.leaves:
            step.f = partial(_write, line.f)
        for j in dying:
            pool.give_back(j)
    return steps


class Pool:
    """Buffers, each of which is reused once its last reader has run."""

    def __init__(self) -> None:
        self.owned: dict[int, Array] = {}
        self.free: dict[int, list[Array]] = {}
        self.nbytes = 0  # of all buffers

    def take(self, line: int, like: Array, overwritable: Sequence[int]) -> Array:
        """A buffer for the value of a line: one of `overwritable`'s, a free one, or a new one."""
        like = xp().asarray(like)
        owners = [j for j in overwritable if j in self.owned]
        if owners:
            raw = self.owned.pop(owners[0])
        else:
            free = self.free.get(like.nbytes)
            raw = free.pop() if free else self._new(like.nbytes)
        self.owned[line] = raw
        outermost_first = sorted(range(like.ndim), key=lambda axis: -like.strides[axis])  # in memory as `like` is
        lying = raw.view(like.dtype).reshape([like.shape[axis] for axis in outermost_first])
        return lying.transpose(sorted(range(like.ndim), key=outermost_first.__getitem__))

    def _new(self, nbytes: int) -> Array:
        self.nbytes += nbytes
        return xp().empty(nbytes, dtype="uint8")

    def apart(self, like: Array) -> Array:
        """A buffer for this value alone."""
        self.nbytes += like.nbytes
        return xp().empty_like(like)

    def give_back(self, line: int) -> None:
        """Free the buffer of a line whose value is no longer read."""
        if line in self.owned:  # else it is an input or a result, or was overwritten
            raw = self.owned.pop(line)
            self.free.setdefault(raw.nbytes, []).append(raw)


def _memory(lines: list[Line], inputs: Sequence[Any]) -> dict[int, set[int]]:
    """Line → the lines whose buffers hold its value: the line itself or, for a view, the lines that it looks at."""
    memory = {-1 - k: {-1 - k} for k in range(len(inputs))}
    value = {-1 - k: a for k, a in enumerate(inputs)} | {i: line.value for i, line in enumerate(lines)}
    for i, line in enumerate(lines):
        array = _is_array(line.value)  # else one of autograd's sparse gradients, which hold their arguments
        always = package(getattr(line.f, "__module__", "numpy")) in STAYS  # else it may be a view for some values only
        seen = [j for j in line.reads() if not array or (always and _overlap(value[i], value[j]))]
        memory[i] = set().union(*(memory[j] for j in seen)) if seen else {i}
    return memory


def _last_readers(lines: list[Line], memory: dict[int, set[int]], ends: list[int]) -> dict[int, int]:
    """Line → the last line that reads its buffer, for the lines on which the ends depend (these are read at the end)."""
    last: dict[int, int] = {}
    needed = set(ends)
    for j in ends:
        last |= dict.fromkeys(memory[j], len(lines))
    for i in reversed(range(len(lines))):
        if i in needed or i in last:
            last.setdefault(i, i)
            for j in lines[i].reads():
                needed.add(j)
                for k in memory[j]:
                    last.setdefault(k, i)
    return last


def _may_overwrite(line: Line, j: int, lines: list[Line], memory: dict[int, set[int]]) -> bool:
    """Whether `line` is elementwise and may overwrite the value of line j, which it is the last to read, and as a whole."""
    if j < 0 or not (isinstance(line.f, numpy.ufunc) or hasattr(line.f, "elementwise")):
        return False
    as_it_is = all(r == j for r in line.reads() if j in memory[r])
    mine, its = xp().asarray(line.value), xp().asarray(lines[j].value)
    return as_it_is and mine.shape == its.shape and mine.dtype == its.dtype


def _takes_out(f: Callable[..., Any]) -> bool:
    if isinstance(f, numpy.ufunc):
        return True
    try:
        return "out" in inspect.signature(counterpart(f)).parameters  # CuPy's einsum takes none
    except ValueError:  # some functions in C do not tell
        return False


def _write(f: Callable[..., Array], *args: Array, out: Array, **kwargs: object) -> None:
    value = f(*args, **kwargs)
    if numpy.shape(value) != out.shape:
        raise CannotRecord(f"the shape of a result of {f.__name__} was {out.shape} and is now {numpy.shape(value)}")
    out[...] = value


@primitive
def join(split: Split, *leaves: Array, replicas: Shape) -> Array:
    """The inverse of `split`: leaves, with replica axes of these lengths -> the flat vector."""
    return numpy.concatenate([leaf.reshape(*replicas, -1) for leaf in leaves], axis=-1)


defvjp_argnum(join, lambda i, flat, args, _: lambda g: args[0](g)[i - 1])


def _joins(line: Line) -> bool:
    return line.f is join.fun


def copies(places: Sequence[Array], values: Sequence[Any]) -> list[Call]:
    """The calls that bring values to their places; those that are there already need none."""
    return [
        partial(operator.setitem, place, ..., value)
        for place, value in zip(places, values, strict=True)
        if place is not value
    ]


def _is_array(a: object) -> bool:
    return isinstance(a, (xp().ndarray, numpy.generic))


def _overlap(a: Array, b: Array) -> bool:
    arrays = xp().ndarray
    return isinstance(a, arrays) and isinstance(b, arrays) and bool(numpy.may_share_memory(a, b))


def in_turn(calls: Sequence[Call]) -> Callable[[], None]:
    """One function that makes the calls in a row."""

    def run() -> None:
        for call in calls:
            call()

    return run
