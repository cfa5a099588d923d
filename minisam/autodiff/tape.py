"""The trace: a computation as a straight list of calls.

autograd's tracer, with a node type of our own, lists every call of a primitive. A call whose shape or whose Python control flow
depends on a value cannot stand in such a list, and is refused.

Truths: tests/test_replay.py, tests/test_watch.py.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.tracer import Box, Node, trace_stack

from ..types import Array

SHAPED_BY_VALUES = {
    *("argwhere", "bincount", "compress", "delete", "extract", "flatnonzero", "intersect1d", "nonzero", "setdiff1d"),
    *("setxor1d", "trim_zeros", "union1d", "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"),
}
STAYS = {
    *sys.stdlib_module_names,
    "minisam",
    "autograd",
    "numpy",
    "scipy",
    "cupy",
    "cupyx",
}  # their code does not change

tracing = threading.RLock()  # autograd's tracer has one state for all threads
if hasattr(os, "register_at_fork"):  # a process must not begin with a lock that a thread of its parent holds
    os.register_at_fork(before=tracing.acquire, after_in_parent=tracing.release, after_in_child=tracing.release)


class CannotRecord(Exception):
    """This computation is not the same list of calls for every value of its inputs; the message says why."""


refusals: list[CannotRecord] = []  # of the trace that is being made: a loss may catch what it does not know


def package(module: str | None) -> str:
    """The name of the package to which a module belongs."""
    return (module or "").split(".")[0]


# --- the trace -------------------------------------------------------------------------------------------------------


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
    value: Array

    def reads(self) -> Iterator[int]:
        return (a.line for a in self.args if isinstance(a, Ref))


class Listed(Node):
    """A node of autograd's tracer that writes down its call."""

    __slots__ = ["line", "lines"]

    def __init__(
        self,
        value: Array,
        fun: Array,
        args: tuple[Array, ...],
        kwargs: dict[str, object],
        argnums: Sequence[int],
        parents: Any,
    ) -> None:
        refs = dict(zip(argnums, (Ref(parent.line) for parent in parents), strict=True))
        self.lines, self.line = parents[0].lines, len(parents[0].lines)
        kwargs = {key: a for key, a in kwargs.items() if key != "out"}  # NumPy's methods pass out=None
        if _shape_depends_on_values(fun.fun.__name__, args, refs):
            refuse(f"the shape of a result of {fun.fun.__name__} depends on a value")
        self.lines.append(Line(fun.fun, tuple(refs.get(i, a) for i, a in enumerate(args)), kwargs, value))

    def initialize_root(self, lines: list[Line], line: int) -> None:
        self.lines, self.line = lines, line


def refuse(why: str) -> NoReturn:
    refusals.append(CannotRecord(why))
    raise refusals[-1]


def _shape_depends_on_values(name: str, args: tuple[Any, ...], refs: dict[int, Ref]) -> bool:
    """Whether this call of a function of NumPy gives more or fewer numbers, as its arguments, some of them traced, have it."""
    if name in ("__getitem__", "repeat"):
        return 1 in refs and (name == "repeat" or args[1].dtype.kind == "b")
    return name in SHAPED_BY_VALUES or (name == "where" and len(args) == 1)


def _no_truth_value(box: Box, truth: Callable[[Box], bool] = Box.__bool__) -> bool:
    if isinstance(box._node, Listed):
        refuse("its Python control flow depends on a value")
    return truth(box)


Box.__bool__ = _no_truth_value
for scalar in (numpy.bool_, numpy.int32, numpy.int64):  # what comparisons and counts give, and only a list holds
    ArrayBox.register(scalar)


class _Here(threading.local):
    """Whether this thread makes a list of calls."""

    lists = False


here = _Here()


@contextmanager
def listing() -> Iterator[None]:
    """In this block, this thread makes a list of calls."""
    here.lists, before = True, here.lists
    try:
        yield
    finally:
        here.lists = before


@contextmanager
def new_level() -> Iterator[int]:
    """A new level of autograd's tracer, taken back also when the traced function raises."""
    before = trace_stack.top
    try:
        with trace_stack.new_trace() as level:
            yield level
    finally:
        trace_stack.top = before
