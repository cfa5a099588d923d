"""All that the code of a function can read besides its inputs.

A walk from the function through its instructions: globals, closures, defaults, attributes by the names that the code uses,
entries of lists and tables, arrays, and whatever code they lead to. Code of this library, of NumPy, of autograd and of the
standard library is taken to stay as it is; what a user put into it is followed.

Truths: tests/test_watch.py.
"""

from __future__ import annotations

import contextlib
import dis
import enum
import functools
import itertools
import operator
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any

import numpy
from autograd.core import primitive_vjps

from ..array_backend import xp
from ..types import Array
from .known import (
    BY_NAME,
    BY_OPERATOR,
    MAKING,
    NOT_CALLED,
    PEEKS,
    UNSEEN,
    UNSEEN_METHODS,
    is_read_only,
    is_unchanging,
    stays_the_same,
)
from .tape import STAYS, CannotRecord, package

MANY, LARGE = 2_000, 2**20  # things, and bytes of arrays: to look at more at every call would cost more than tracing
OWN = "__code__", "__defaults__", "__kwdefaults__"  # what a function has of its own
own, classes_of = operator.attrgetter(*OWN), operator.attrgetter("__class__.__mro__")
contents = operator.attrgetter("cell_contents")


class Walk:
    """One walk through all that `f` can read; of attributes, only those with these names."""

    def __init__(self, f: Callable[..., Any], names: frozenset[str]) -> None:
        self.names = names
        self.attributes: set[str] = set()  # that the code met so far reads
        self.met: dict[int, Any] = {}  # by id; kept, or an id could come to mean something else during the walk
        self.looks: list[Callable[[], Iterable[Any]]] = []
        self.seen: list[Any] = []  # what these gave, in a row
        self.seen_as: list[str] = []  # and its names
        self.arrays: list[tuple[numpy.ndarray, tuple[object, ...], str]] = []
        self.things = self.nbytes = 0
        self.signature: list[Any] = []
        self.in_library = False
        self.visit(f, getattr(f, "__name__", type(f).__name__))

    def visit(self, a: Any, name: str) -> None:
        """Follow a value."""
        self.things += 1
        if self.things > MANY:
            raise CannotRecord(f"it can read more than {MANY:,} things, too many to see whether they change")
        stays = is_unchanging(a)
        self.signature.append((type(a), repr(a)) if stays else id(a))
        if id(a) in self.met or stays:
            return
        self.met[id(a)] = a
        if isinstance(a, (numpy.ndarray, xp().ndarray)):
            return self._array(a, name)
        before = self.in_library
        self.in_library = is_of_library(a, before)
        for kinds, follow in FOLLOW:
            if isinstance(a, kinds):
                follow(self, a, name)
                break
        else:
            self._object(a, name)
        self.in_library = before

    def read(self, look: Callable[[], Iterable[Any]], names: Sequence[str]) -> None:
        """Watch what `look` gives, unless the library made it: that stays as it is."""
        if not self.in_library:
            self.looks.append(look)
            self.seen += look()
            self.seen_as += names

    def _all(self, values: Iterable[Any], names: Iterable[str]) -> None:
        for value, name in zip(values, names, strict=True):
            self.visit(value, name)

    # --- code ---

    def _function(self, f: types.FunctionType, name: str) -> None:
        every = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
        cells = {n: c for n, c in every.items() if not is_empty(c)}
        if empty := {n: c for n, c in every.items() if is_empty(c)}:
            self.read(partial(map, is_empty, empty.values()), [*empty])
        inside, given = [*cells.values()], f"what {name} is given"
        self.signature.append(f.__code__)
        self.read(partial(own, f), [f"{name}.{n}" for n in OWN])
        if cells:
            self.read(partial(map, contents, inside), [*cells])
        self._all(map(contents, inside), cells)
        self._all((f.__defaults__, f.__kwdefaults__), (given, given))
        if not self.in_library:
            self._code(f)
            self._named(vars(f), self._wanted(vars(f)), name)
        if f in primitive_vjps and package(f.fun.__module__) not in STAYS:  # type: ignore[attr-defined]
            self.in_library = False
            self.read(partial(map, primitive_vjps.get, [f]), [f"the derivative of {name}"])
            self.visit(primitive_vjps[f], f"the derivative of {name}")

    def _code(self, f: types.FunctionType) -> None:
        code, space = [*instructions(f.__code__)], f.__globals__
        names = global_names(f.__code__)
        read = {i.argval for i in code if i.opname in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")}
        built_in = names - space.keys()
        if peeks := PEEKS & (names | read):
            raise CannotRecord(f"it looks behind the trace, with {min(peeks)}")
        if unseen := UNSEEN & built_in | UNSEEN_METHODS & read:
            raise CannotRecord(f"it calls {min(unseen)}, which may read anything")
        operators = {i.argval if i.opname == "COMPARE_OP" else i.opname for i in code}
        self.attributes |= read | BY_NAME & names | ({"getattr"} if BY_OPERATOR & operators else set())
        self._named(space, sorted(names))
        for module in sorted(i.argval for i in code if i.opname == "IMPORT_NAME"):
            if module not in sys.modules:
                raise CannotRecord(f"it imports {module or 'from its package'}; import that before, outside of it")
            self.visit(sys.modules[module], module)

    def _method(self, f: types.MethodType, name: str) -> None:
        self._all((f.__func__, f.__self__), (name, f"the object of {name}"))

    def _built_in(self, f: types.BuiltinFunctionType, name: str) -> None:
        stays_the_same(f.__module__)
        self.visit(f.__self__, f"the object of {name}")

    def _partial(self, f: partial[Any], name: str) -> None:
        self.visit(f.func, name)
        self._all((f.args, f.keywords), [f"what {name} is given"] * 2)

    def _wrapped(self, f: Any, name: str) -> None:
        for inner in (getattr(f, n, None) for n in ("__wrapped__", "__func__", "func", "fget")):
            self.visit(inner, name)

    # --- things ---

    def _array(self, a: Array, name: str) -> None:
        if not isinstance(a, numpy.ndarray):
            return  # to look at a device's array would make every call wait
        if a.dtype.hasobject or type(a) not in (numpy.ndarray, numpy.memmap, numpy.recarray):
            raise CannotRecord(f"it reads {name}, a {type(a).__name__} of {a.dtype}, whose state cannot be seen")
        if is_read_only(a):
            return
        self.nbytes += a.nbytes
        if self.nbytes > LARGE:
            raise CannotRecord(
                f"it reads {name} and others, {self.nbytes:,} bytes, too many to see whether they change; make them inputs, or "
                f"read-only ({name}.flags.writeable = False)"
            )
        self.arrays.append((a, (a.shape, a.dtype, a.tobytes()), name))
        self.signature.append((a.shape, a.dtype, a.tobytes()))

    def _items(self, a: Any, name: str) -> None:
        entries = [f"{name}[{i}]" for i in range(len(a))]
        if not isinstance(a, (tuple, frozenset)):
            self.read(partial(itertools.chain, a, [a]), [*entries, name])
        self._all([*a], entries)
        self._attributes(a, name)

    def _mapping(self, a: Mapping[Any, Any], name: str) -> None:
        entries = [f"{name}[{key!r}]" for key in a]
        self.read(partial(itertools.chain, a, [a]), [*entries, name])
        self.read(a.values, entries)
        self._all([*a, *a.values()], entries * 2)
        self._attributes(a, name)

    def _named(self, space: Mapping[str, Any], names: Sequence[str], of: str = "") -> None:
        """Watch and follow what stands under these names, also if nothing does yet; of an object, whether it gets new ones."""
        if names:
            self.read(partial(map, space.get, names), [f"{of}.{n}" if of else n for n in names])
        if of and not self.in_library:
            n = len(space)
            self.read(lambda: (len(space) == n,), [f"another attribute of {of}"])
        there = [n for n in names if n in space]
        self._all((space[n] for n in there), (f"{of}.{n}" if of else n for n in there))

    def _wanted(self, space: Iterable[str]) -> list[str]:
        everything = self.names & BY_NAME
        return [n for n in space if n in self.names or (everything and not n.startswith("__"))]

    def _module(self, a: types.ModuleType, name: str) -> None:
        stays_the_same(a.__name__)
        if package(a.__name__) not in STAYS:
            self._named(vars(a), [*self._wanted(vars(a)), "__getattr__"], name)

    def _class(self, a: type, name: str) -> None:
        stays_the_same(a.__module__)
        for cls in itertools.chain(type.mro(a), type.mro(type(a))):  # a metaclass may answer for its classes
            self._of_class(cls, name, NOT_CALLED)

    def _of_class(self, cls: type, name: str, left_out: set[str]) -> None:
        if package(cls.__module__) not in STAYS:
            special = [n for n, a in vars(cls).items() if n.startswith("__") and is_code(a)]
            self._named(vars(cls), sorted({*self._wanted(vars(cls)), *special} - left_out), name)

    def _object(self, a: Any, name: str) -> None:
        if isinstance(a, numpy.ufunc) or (not self.in_library and not is_of_python(type(a))):
            raise CannotRecord(f"it reads {name}, a {type(a).__qualname__}, whose state cannot be seen")
        self._attributes(a, name)

    def _attributes(self, a: Any, name: str) -> None:
        inside, classes = attributes_of(a), type(a).__mro__
        if self.in_library and "body" in inside:  # a `Computation`, whose records are no part of what it computes
            return self.visit(inside["body"], name)
        foreign = package(type(a).__module__) in STAYS  # its code is not followed, so any attribute may be read
        names = (
            [*inside] if foreign else self._wanted({n: None for space in (inside, *map(vars, classes)) for n in space})
        )
        space = getattr(a, "__dict__", {})
        in_slots = [n for n in names if n in slots_of(a) and n not in space]
        self.signature.append(classes)
        self.read(partial(map, classes_of, [a]), [f"{name}.__class__"])
        if isinstance(a, enum.Enum):
            self.visit(a._value_, name)
        self._named(space, [n for n in names if n not in in_slots], name)
        if in_slots:
            self.read(lambda: [getattr(a, n, None) for n in in_slots], [f"{name}.{n}" for n in in_slots])
        self._all((inside.get(n) for n in in_slots), (f"{name}.{n}" for n in in_slots))
        for cls in classes:
            self._of_class(cls, name, NOT_CALLED | MAKING)


FOLLOW: list[tuple[Any, Callable[[Walk, Any, str], None]]] = [
    (types.FunctionType, Walk._function),
    (types.MethodType, Walk._method),
    (types.BuiltinFunctionType, Walk._built_in),
    (types.ModuleType, Walk._module),
    (type, Walk._class),
    (partial, Walk._partial),
    ((list, tuple, deque, Set), Walk._items),
    (Mapping, Walk._mapping),
    ((staticmethod, classmethod, property, functools.cached_property, type(functools.cache(id))), Walk._wrapped),
]


def is_of_library(a: Any, before: bool) -> bool:
    """Whether the library made a thing, so that it stays as it is; a container is whose it was found with."""
    if isinstance(a, types.FunctionType):
        return package(a.__globals__.get("__name__")) in STAYS
    if isinstance(a, (list, tuple, deque, Set, Mapping, types.CodeType)):
        return before
    return package(type(a).__module__) == "minisam"


def instructions(code: types.CodeType) -> Iterator[dis.Instruction]:
    """The instructions of a function, and of those inside it."""
    yield from dis.get_instructions(code)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from instructions(inner)


def is_code(a: object) -> bool:
    """Whether this may be called, or answer for an attribute."""
    return callable(a) or hasattr(type(a), "__get__")


def global_names(code: types.CodeType) -> set[str]:
    """The names of globals and built-ins that a function reads."""
    return {i.argval for i in instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}


def is_empty(cell: types.CellType) -> bool:
    with contextlib.suppress(ValueError):
        return cell.cell_contents is cell
    return True


def is_of_python(cls: type) -> bool:
    """Whether all that an object of this class holds lies in its attributes: no class that it derives from is written in C."""
    at_the_root = [c for c in cls.__mro__ if c.__bases__ == (object,)]
    return bool(at_the_root) and all("__dict__" in vars(c) or "__slots__" in vars(c) for c in at_the_root)


def slots_of(a: Any) -> list[str]:
    """The names of an object's attributes that are kept in slots, whether something is in them or not."""
    return [n for c in type(a).__mro__ for n, d in vars(c).items() if isinstance(d, types.MemberDescriptorType)]


def attributes_of(a: Any) -> dict[str, Any]:
    """The attributes of an object by name: its own, and those in slots."""
    return {**getattr(a, "__dict__", {}), **{n: getattr(a, n) for n in slots_of(a) if hasattr(a, n)}}
