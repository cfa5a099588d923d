"""What is known of things that a function may read: which stay as they are, and which cannot be seen.

Truths: tests/test_watch.py.
"""

from __future__ import annotations

import datetime
import enum
import numbers
import re
import types
from collections import namedtuple
from pathlib import PurePath

import numpy

from .tape import STAYS, CannotRecord, package

PLAIN = (
    type(None),
    numbers.Number,
    str,
    bytes,
    range,
    slice,
    type(...),
    PurePath,
    re.Pattern,
    numpy.generic,
    numpy.dtype,
)
TIMES = (datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo)
FIELD = type(namedtuple("One", "a").a)  # type: ignore[attr-defined]
IN_C = (numpy.ufunc, type(numpy.sum), type(object.__repr__), type(list.append), FIELD)
UNCHANGING = (*PLAIN, *TIMES, *IN_C, types.MemberDescriptorType, types.GetSetDescriptorType)

# modules to ask for a time, for luck, or for the state of the interpreter
NEVER_THE_SAME = {*("datetime", "gc", "importlib", "io", "numpy.random", "os", "pathlib", "random", "secrets", "sys")}
NEVER_THE_SAME |= {"time", "timeit", "uuid"}

# what these read is not said by the code that calls them: built-in functions, and methods
UNSEEN = {"__import__", "eval", "exec", "globals", "input", "locals", "open"}
UNSEEN_METHODS = {"__subclasses__", "datetime64", "errstate", "exists", "fromfile", "genfromtxt", "load", "loadtxt"}
UNSEEN_METHODS |= {"random", "read_bytes", "read_text"}

# the value behind a box: what is made of it is not traced
PEEKS = {"getval", "_value"}

# functions, and operators, that may read any attribute
BY_NAME = {"__dict__", "__getattribute__", "asdict", "astuple", "attrgetter", "copy", "deepcopy", "dir", "format"}
BY_NAME |= {"getattr", "hasattr", "methodcaller", "print", "replace", "repr", "str", "vars"}
BY_OPERATOR = {"==", "!=", "CONTAINS_OP", "FORMAT_SIMPLE", "FORMAT_VALUE", "FORMAT_WITH_SPEC", "MATCH_CLASS"}

# methods that making an object calls, and those that reading never calls
MAKING = {"__init__", "__new__", "__post_init__"}
NOT_CALLED = {f"__{name}__" for name in ("del", "delattr", "setattr")}


def is_unchanging(a: object) -> bool:
    """Whether a value stays what it is: numbers, texts and the like, if nobody derived a class of his own from theirs."""
    if not isinstance(a, UNCHANGING) or isinstance(a, (numpy.void, enum.Enum)):
        return False
    if isinstance(a, numpy.ufunc) and "vectorized" in a.__name__:  # frompyfunc, around a function of Python
        return False
    return package(type(a).__module__) in STAYS


def is_read_only(a: object) -> bool:
    """Whether nobody can write to an array, nor to that of which it is a view."""
    while isinstance(a, numpy.ndarray) and not a.flags.writeable:
        a = a.base
    return a is None


def stays_the_same(module: str | None) -> None:
    """Raise `CannotRecord` if this module does not always give the same answer."""
    if module in NEVER_THE_SAME:
        raise CannotRecord(f"it asks the module {module}, which does not always give the same answer")
