"""Arrays and functions as arguments: the kinds of them that `arguments.checked` takes, beside numbers and names.

Truths: tests/test_bad_calls.py, tests/test_arguments.py.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import numpy
from autograd.tracer import Box

from . import checks
from .arguments import Kind
from .array_backend import asnumpy, xp
from .checks import shown
from .types import Array

# --- arrays ----------------------------------------------------------------------------------------------------------


def floats(axes: int = 1, shape: str = "(..., n) with n ≥ 1", empty: bool = False) -> Kind:
    """A floating-point array of the backend in use with so many axes, or more; in the byte order of this machine."""
    return lambda name, a: an_array(name, a, "f", "floating point", axes, shape, empty)


def whole_numbers(axes: int = 1, empty: bool = False, here: bool = True) -> Kind:
    """An array of whole numbers."""
    return lambda name, a: an_array(name, a, "iu", "integers", axes, empty=empty, here=here)


def numbers(axes: int = 1, empty: bool = False, here: bool = True) -> Kind:
    """An array of floats or of whole numbers."""
    what, shape = "floating point or integers", "(..., m, n) with m, n ≥ 1"
    return lambda name, a: an_array(name, a, "fiu", what, axes, shape, empty, here)


def an_array(
    name: str,
    a: Any,
    kinds: str,
    what: str,
    axes: int,
    shape: str = "(..., n) with n ≥ 1",
    empty: bool = False,
    here: bool = True,
) -> Array:
    """The array, in the byte order of this machine, if it holds these kinds of numbers.

    It has to be one of the backend `here` in use; otherwise it may also be NumPy's.
    """
    if type(a) is not xp().ndarray and not _is_array(a, here):
        raise TypeError(
            f"{name} must be an array of the backend in use ({xp().__name__}), got {type(a).__name__}; "
            "array_backend.asarray brings it over"
        )
    if a.dtype.kind not in kinds:
        raise TypeError(f"{name} must be {what}, got dtype {a.dtype}")
    if a.ndim < axes or (not empty and 0 in a.shape):
        raise ValueError(f"{name} must have shape {shape}, got {a.shape}")
    return native(a)


def _is_array(a: object, here: bool) -> bool:
    """Whether this is an array of the backend in use, one in a box, a number of NumPy's; or NumPy's array anywhere."""
    known = (xp().ndarray, Box, numpy.generic, *(() if here else (numpy.ndarray,)))
    return isinstance(a, known) and not isinstance(a, numpy.ma.MaskedArray)


def native(a: Array) -> Array:
    """The array in the byte order of this machine."""
    return a if a.dtype.isnative else a.astype(a.dtype.newbyteorder("="))


def host(kinds: str = "f", axes: int = 0, finite: bool = False, empty: bool = False) -> Kind:
    """Numbers that are only looked at, in an array of any backend or a list, as an array on the host."""

    def check(name: str, value: object) -> numpy.ndarray:
        a = None if callable(value) or isinstance(value, Mapping) else checks.as_numbers(value)
        if a is None or a.dtype.kind not in kinds:
            what = "integers" if kinds == "iu" else "numbers"
            raise TypeError(f"{name} must be an array of {what}, got {shown(value)}")
        a = asnumpy(a)
        if not empty and 0 in a.shape:
            raise ValueError(f"{name} must not be empty, got shape {a.shape}")
        if a.ndim < axes:
            raise ValueError(f"{name} must have {axes} axes or more, got shape {a.shape}")
        if finite and not numpy.isfinite(a).all():
            raise ValueError(f"{name} must be finite, got {shown(value)}")
        return native(a)

    return check


def same_shape(name: str, a: Array, other: str, b: Array) -> None:
    """Raise a ValueError unless a has as many columns as b, and their leading axes broadcast."""
    try:
        fits = a.shape[-1:] == b.shape[-1:] and numpy.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name} must have the shape of {other}, {b.shape}, got {a.shape}")


# --- functions -------------------------------------------------------------------------------------------------------


def function(arguments: int, what: str) -> Kind:
    """A function that can be called with so many arguments."""

    def check(name: str, value: Any) -> Any:
        checks.check_function(name, value, f"a function {what}")
        try:
            inspect.signature(value).bind(*[None] * arguments)
        except TypeError as error:
            raise TypeError(f"{name} must be a function {what}, got {shown(value)}: {error}") from error
        except ValueError:
            pass  # some functions in C do not tell
        return value

    return check


def told(kind: Kind, result: Callable[[Any], Any], says: str) -> Kind:
    """A function whose results are checked at each call: `result` raises an error, or returns False, if one is wrong."""

    def check(name: str, value: object) -> Any:
        f = kind(name, value)

        @wraps(f, updated=())
        def called(*arguments: Array) -> Any:
            found = f(*arguments)
            if not result(found):
                raise TypeError(f"{name} must return {says}, got {shown(found)}")
            return found

        return called

    return check


def is_numbers(a: object) -> bool:
    """Whether this is an array of floats, or one float."""
    return getattr(getattr(a, "dtype", None), "kind", "") == "f" and not isinstance(a, numpy.ma.MaskedArray)


def is_pair(result: Any) -> bool:
    """Whether this is (loss, g)."""
    return isinstance(result, tuple) and len(result) == 2 and all(map(is_numbers, result))


a_loss = told(
    function(1, "w -> loss, or w -> (loss, g)"),
    lambda result: is_numbers(result) or is_pair(result),
    "a loss (...,), or (loss, g), in floating point",
)
loss_and_grad = told(function(1, "w -> (loss, g)"), is_pair, "(loss, g), both in floating point")
product = told(function(2, "(w, v) -> H v"), is_numbers, "H v, an array in floating point")
