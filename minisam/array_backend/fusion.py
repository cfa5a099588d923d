"""Neighbouring elementwise calls of a record as one kernel: on small nets, launching one takes longer than its arithmetic.

Each entry is computed from the entries at its own place. So calls can share a kernel if their values have one shape, and if none
of them reads, at another place, memory that one of them writes.

Truths: tests/test_fusion.py (against the calls one by one).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy

from ..types import Array, Shape
from .kernels import is_cupys

Call = Callable[[], Any]
Place = tuple[Any, ...]  # where an array lies in memory, and how
NUMBERS = {"f": "float32", "d": "float64", "?": "bool"}
PLAIN = (int, float, bool)
ARITHMETIC = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "maximum": "({0} != {0} || {0} > {1}) ? {0} : {1}",
    "negative": "-{0}",
    "absolute": "fabs({0})",
    "sqrt": "sqrt({0})",
    "exp": "exp({0})",
    "tanh": "tanh({0})",
}
COMPARISONS = {"greater": "{0} > {1}", "less": "{0} < {1}", "equal": "{0} == {1}"}
MOST = 16  # calls in one kernel


def fused(calls: Sequence[Call]) -> list[Call]:
    """The same calls in the same order, neighbours as one where they can be."""
    groups: list[Group] = []
    for call in calls:
        if not (groups and groups[-1].takes(call)):
            groups.append(Group(call))
    return [group.call() for group in groups]


class Group:
    """Calls that are made by one kernel; or a single call of any other kind. Arrays go by their `place`."""

    def __init__(self, call: Call) -> None:
        self.calls: list[Call] = [call]
        self.inputs: dict[Place, Array] = {}  # what is read, and not written before
        self.outputs: dict[Place, Array] = {}
        self.numbers: list[float] = []
        self.lines: list[str] = []
        self.names: dict[Place, str] = {}  # the variable that holds an entry of the array
        self.shape: Shape | None = None
        if is_elementwise(call):
            self.shape, self.dtype = call.keywords["out"].shape, dtype_of(call)  # type: ignore[attr-defined]
            self._add(call)

    def takes(self, call: Call) -> bool:
        """Add this call, if it can share the kernel."""
        if self.shape is None or len(self.calls) == MOST or not is_elementwise(call):
            return False
        out, arrays = call.keywords["out"], arrays_of(call)  # type: ignore[attr-defined]
        if out.shape != self.shape or dtype_of(call) != self.dtype:
            return False
        if any(meets(a, self.outputs) for a in arrays) or meets(out, self.outputs | self.inputs):
            return False
        self.calls.append(call)
        self._add(call)
        return True

    def _add(self, call: Any) -> None:
        operands = [self._operand(a) for a in call.args]
        name, out = f"v{len(self.lines)}", call.keywords["out"]
        expression = (ARITHMETIC | COMPARISONS)[call.func.__name__].format(*operands)
        self.lines.append(f"const {'bool' if out.dtype == bool else 'T'} {name} = {expression};")
        self.outputs[place(out)], self.names[place(out)] = out, name

    def _operand(self, a: Any) -> str:
        if type(a) in PLAIN:
            self.numbers.append(float(a))
            return f"number{len(self.numbers) - 1}"
        where = place(a)
        if where not in self.names:
            self.names[where] = f"in{len(self.inputs)}"
            self.inputs[where] = a
        return f"(T){self.names[where]}"

    def call(self) -> Call:
        """One call for all of them."""
        if len(self.calls) == 1:
            return self.calls[0]
        typed = [f"{NUMBERS[a.dtype.char]} in{i}" for i, a in enumerate(self.inputs.values())]
        typed += [f"{NUMBERS[self.dtype]} number{i}" for i in range(len(self.numbers))]
        written = [f"{NUMBERS[a.dtype.char]} out{i}" for i, a in enumerate(self.outputs.values())]
        stores = [f"out{i} = {self.names[where]};" for i, where in enumerate(self.outputs)]
        number = {"f": "float", "d": "double"}[self.dtype]
        code = " ".join([f"typedef {number} T;", *self.lines, *stores])
        made = kernel(", ".join(typed), ", ".join(written), code)
        outs = [
            self.inputs.get(where, out) for where, out in self.outputs.items()
        ]  # what overlaps as another object is copied
        return partial(made, *self.inputs.values(), *self.numbers, *outs)


@functools.cache
def kernel(inputs: str, outputs: str, code: str) -> Any:
    import cupy

    return cupy.ElementwiseKernel(inputs, outputs, code, "elementwise")


def is_elementwise(call: Any) -> bool:
    """Whether this is a call of a function above, on floats of one precision and truth values, into an array of the same."""
    if not (isinstance(call, partial) and isinstance(call.func, numpy.ufunc) and call.keywords.keys() == {"out"}):
        return False
    name, out = call.func.__name__, call.keywords["out"]
    precision = dtype_of(call)
    of_numbers = all(is_cupys(a) or type(a) in PLAIN for a in call.args)  # NumPy's own numbers have a precision
    if name not in ARITHMETIC | COMPARISONS or not of_numbers or precision == "":
        return False
    if out.dtype.char != ("?" if name in COMPARISONS else precision):
        return False
    return not meets(out, {place(a): a for a in arrays_of(call)})


def dtype_of(call: Any) -> str:
    """The one precision of the arrays that a call reads; "" if there are several, or none."""
    kinds = {a.dtype.char for a in arrays_of(call)} - {"?"}
    return kinds.pop() if len(kinds) == 1 and kinds <= {"f", "d"} else ""


def arrays_of(call: Any) -> list[Array]:
    return [a for a in call.args if is_cupys(a)]


def place(a: Array) -> Place:
    """Where an array lies in memory, and how."""
    return a.data.ptr, a.shape, a.strides, a.dtype.char


def meets(a: Array, others: dict[Place, Array]) -> bool:
    """Whether an array shares memory with one of these that lies there in another way."""
    import cupy

    return any(where != place(a) and cupy.may_share_memory(a, other) for where, other in others.items())
