"""Arguments are declared: a decorator says of which kind each argument of a function is, and checks it at every call.

    @checked(w=floats(), radius=number(AT_LEAST_0), points=count())
    def landscape(loss, w, radius, points=41): ...

A kind is a function (name, value) -> the value to keep. It raises one line that names the argument, what it may be, and what it
was. Fields of dataclasses are declared alike, in `hyperparameters`. A value of a computation that is being traced is checked as
far as it is known: its type, dtype and shape.

Truths: tests/test_bad_calls.py, tests/test_arguments.py.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy

from . import checks
from .checks import AT_LEAST_0, Interval, shown

Kind: TypeAlias = Callable[[str, Any], Any]  # (name, value) -> the value to keep
Taken = ParamSpec("Taken")
Found = TypeVar("Found")


def checked(**kinds: Kind) -> Callable[[Callable[Taken, Found]], Callable[Taken, Found]]:
    """Decorate a function: these arguments are checked, in this order, and replaced by what their checks return."""

    def decorate(f: Callable[Taken, Found]) -> Callable[Taken, Found]:
        places = {name: k for k, name in enumerate(inspect.signature(written(f)).parameters)}
        in_order = [(name, places[name], kind) for name, kind in kinds.items()]

        @wraps(f)
        def called(*args: Any, **named: Any) -> Found:
            values = list(args)
            for name, k, kind in in_order:
                if k < len(values):
                    values[k] = kind(name, values[k])
                elif name in named:
                    named[name] = kind(name, named[name])
            return f(*values, **named)

        return called

    return decorate


def fitting(**kinds: Kind) -> Callable[[Callable[Taken, Found]], Callable[Taken, Found]]:
    """As `checked`, for a function whose arrays have to fit together: if it fails, the shapes and counts are named.

    They are looked at only then, so that a call which succeeds pays nothing for it.
    """

    def decorate(f: Callable[Taken, Found]) -> Callable[Taken, Found]:
        names = list(kinds)

        @checked(**kinds)
        @wraps(f)
        def called(*args: Any, **named: Any) -> Found:
            try:
                return f(*args, **named)
            except (ValueError, TypeError, IndexError, ZeroDivisionError) as error:
                if " must " in str(error):
                    raise
                given = dict(zip(names, args, strict=False)) | named
                got = ", ".join(f"{name} {getattr(a, 'shape', a)}" for name, a in given.items())
                raise ValueError(f"{', '.join(names)} must fit together, got {got}; help shows the shapes") from error

        return called

    return decorate


def written(f: Any) -> Callable[..., Any]:
    """The function as it was written: a primitive keeps it in an attribute."""
    for inner in ("fun", "written"):
        f = getattr(f, inner, f)
    return f


def optional(kind: Kind) -> Kind:
    """The kind, or None."""
    return lambda name, value: None if value is None else kind(name, value)


# --- numbers, counts, names: as for hyperparameters ------------------------------------------------------------------


def number(inside: Interval, swept: bool = False) -> Kind:
    """A number of this interval; an array (..., 1) of them, if it may be swept."""
    return lambda name, value: checks.check_number(name, value, inside, swept)


def count(least: int = 1, most: float = checks.LARGEST) -> Kind:
    """A whole number, `least` or more, and `most` or less."""
    return lambda name, value: checks.check_count(name, value, least, most)


def choice(choices: Mapping[str, Any]) -> Kind:
    """A name among these."""

    def check(name: str, value: Any) -> str:
        checks.pick(name, value, choices)
        return value

    return check


def text(name: str, value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {shown(value)}")
    return value


radius = number(AT_LEAST_0, swept=True)
norm_order = checks.check_norm_order
truth = checks.check_truth
one_seed = count(0)
random_seed = checks.check_random_seed


def counts(at_least: int = 1, least: int = 1, axes: int | None = None) -> Kind:
    """A sequence of whole numbers, as a tuple of int: `at_least` so many, each `least` or more; or exactly `axes`."""

    def check(name: str, value: Any) -> tuple[int, ...]:
        how_many = f"{axes}" if axes else f"at least {at_least}" if at_least else "any number of"
        plain = not isinstance(value, (str, bytes, Mapping, set)) and hasattr(value, "__len__")
        plain = plain and getattr(value, "ndim", 1) == 1
        if (
            not plain
            or not all(checks.whole(n) and least <= n <= checks.LARGEST for n in value)
            or len(value) < at_least
        ):
            raise ValueError(f"{name} must be a sequence of {how_many} whole numbers ≥ {least}, got {shown(value)}")
        return tuple(map(int, value))

    return check


# --- other objects ---------------------------------------------------------------------------------------------------


def instance(kind: type | tuple[type, ...], what: str) -> Kind:
    """An object of this class."""

    def check(name: str, value: object) -> Any:
        if not isinstance(value, kind):
            raise TypeError(f"{name} must be {what}, got {shown(value)}")
        return value

    return check


def methods(names: str, what: str) -> Kind:
    """An object, not a class, with these methods."""
    return lambda name, value: checks.check_methods(name, value, names, what)


optimizer = methods("init step", "an optimizer such as SGD(lr)")
filters = methods("mask filter_norms", "a model such as mlp((2, 32, 2))")
generator = instance(numpy.random.Generator, "a generator such as numpy.random.default_rng(0)")


def path(name: str, value: object) -> Any:
    """The path of a file or a folder, as text or as `pathlib.Path`."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value) or "\0" in str(os.fspath(value)):
        raise TypeError(f"{name} must be the path of a file or folder, got {shown(value)}")
    return value


def file(name: str, value: Any) -> Any:
    """The path of a file, which is no folder."""
    if os.path.isdir(path(name, value)):
        raise ValueError(f"{name} must be a file, got the folder {os.fspath(value)}")
    return value


def sequence(kind: Kind, at_least: int = 1) -> Kind:
    """A list or a tuple of one kind."""

    def check(name: str, value: object) -> Sequence[Any]:
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"{name} must be a list, got {shown(value)}")
        if len(value) < at_least:
            raise ValueError(f"{name} must be a list of at least {at_least}, got {shown(value)}")
        return [kind(f"{name} [{k}]", entry) for k, entry in enumerate(value)]

    return check


def labelled(kind: Kind, empty: bool = False) -> Kind:
    """A mapping of labels, which are text, to values of one kind."""

    def check(name: str, value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not (value or empty) or not all(isinstance(key, str) for key in value):
            raise TypeError(f"{name} must be a dict of labels, each with its value, got {shown(value)}")
        return {key: kind(f"{name} [{key!r}]", entry) for key, entry in value.items()}

    return check
