"""Checks of arguments, in one place: each raises one line that names the argument, its range, and what it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy

from .array_backend import asnumpy
from .types import Array, Radius, Scalar, Seed, StepSize

_Choice = TypeVar("_Choice")
LARGEST = 2**63 - 1


def pick(argument: str, name: str, choices: Mapping[str, _Choice]) -> _Choice:
    """Return choices[name], or raise a ValueError that lists the choices."""
    if not isinstance(name, str) or name not in choices:
        raise ValueError(f"{argument} must be one of {', '.join(map(repr, choices))}, got {shown(name)}")
    return choices[name]


# --- whole numbers ---------------------------------------------------------------------------------------------------


def whole(value: object) -> bool:
    """Whether this is a whole number, of Python or of NumPy; True and False do not count."""
    return isinstance(value, (int, numpy.integer)) and not isinstance(value, (bool, numpy.timedelta64))


def check_count(name: str, value: int, least: int = 1, most: float = LARGEST) -> int:
    """A whole number from `least` to `most`, which is the largest that an array can hold."""
    if not whole(value) or not least <= value <= most:
        inside = f"≥ {least}" if most >= LARGEST else f"in {least} … {most}"
        raise ValueError(f"{name} must be a whole number {inside}, got {shown(value)}")
    return int(value)


def check_counts(**counts: int) -> None:
    """Raise a ValueError that names the first argument that is not a whole number ≥ 1."""
    for name, value in counts.items():
        check_count(name, value)


def check_counts_from_0(**counts: int) -> None:
    """Raise a ValueError that names the first argument that is not a whole number ≥ 0."""
    for name, value in counts.items():
        check_count(name, value, 0)


def check_one_seed(seed: int) -> None:
    """Raise a ValueError unless the seed is one whole number ≥ 0."""
    check_count("seed", seed, 0)


def check_seed(seed: int | Sequence[int]) -> numpy.ndarray:
    """Return one seed, or a sequence of them, as an array of whole numbers ≥ 0; raise a ValueError if they are none."""
    seeds = as_numbers(seed)
    if seeds is None or seeds.size == 0 or seeds.dtype.kind not in "iu" or not numpy.all(_whole(seeds)):
        raise ValueError(f"seed must be a whole number ≥ 0 or a sequence of them, got {shown(seed)}")
    return seeds


# --- real numbers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interval:
    """The numbers from `low` to `high`, with or without its ends; ∞ belongs to it only if −∞ does."""

    low: float = -math.inf
    high: float = math.inf
    low_belongs: bool = True
    high_belongs: bool = True

    def holds(self, a: numpy.ndarray) -> bool:
        """Whether all entries of a lie inside; NaN never does."""
        above = a >= self.low if self.low_belongs else a > self.low
        below = a <= self.high if self.high_belongs else a < self.high
        known = numpy.isfinite(a) | (self.low == -math.inf)
        return bool(numpy.all(above & below & known))

    def __str__(self) -> str:
        if self.high < math.inf:
            return (
                f"in {'[' if self.low_belongs else '('}{self.low:g}, {self.high:g}{']' if self.high_belongs else ')'}"
            )
        low = f"{'≥' if self.low_belongs else '>'} {self.low:g}"
        return low if self.low > -math.inf else "a real number" if self.low_belongs else "a finite number"


AT_LEAST_0, ABOVE_0 = Interval(0), Interval(0, low_belongs=False)
FINITE = Interval(low_belongs=False, high_belongs=False)


def check_number(name: str, value: object, inside: Interval, swept: bool = True) -> Scalar:
    """The value, if it is a real number of this interval; or, where it may be swept, an array (..., 1) of such numbers.

    Arrays on a device are not read back: of these, dtype and shape alone are checked.
    """
    a = as_numbers(value)
    if a is None or a.dtype.kind not in "iuf":
        raise TypeError(
            f"{name} must be a number{' or an array (..., 1) of numbers' * swept}, {inside}, got {shown(value)}"
        )
    if a.ndim and not (swept and a.shape[-1] == 1):
        wanted = "have shape (..., 1), one entry per replica," if swept else f"be a number {inside}, not an array,"
        raise ValueError(f"{name} must {wanted} got shape {a.shape}")
    if isinstance(a, numpy.ndarray) and not inside.holds(a):
        outside = next(entry for entry in a.ravel() if not inside.holds(entry))
        finite = "finite and " * math.isinf(outside)
        raise ValueError(f"{name} must be {finite}{inside}, got {outside.item()}")
    if a.ndim:
        return a.copy()  # what happens to the caller's array later is not ours
    return value if swept or type(value) in (int, float) else a.item()


def as_numbers(value: object) -> Array | None:
    """An array of the value's numbers; one on a device as it is; None for text, truth values, masks and other objects."""
    if isinstance(value, (bool, numpy.bool_, str, bytes, numpy.ma.MaskedArray)):
        return None
    if hasattr(value, "dtype") and not isinstance(value, (numpy.ndarray, numpy.generic)):
        return value
    try:
        return numpy.asarray(value)
    except (TypeError, ValueError):
        return None


def check_at_least_0(**numbers: Scalar) -> None:
    """Raise the error that names the first one that is no number ≥ 0."""
    for name, value in numbers.items():
        check_number(name, value, AT_LEAST_0)


def check_positive(**numbers: float) -> None:
    """Raise the error that names the first one that is no number > 0."""
    for name, value in numbers.items():
        check_number(name, value, ABOVE_0, swept=False)


def check_norm_order(name: str, value: Any) -> float:
    """p of a norm: a number in [1, ∞]."""
    if not is_real(value):
        raise ValueError(f"{name} must be one number in [1, ∞], which cannot be swept, got {shown(value)}")
    if not value >= 1:
        raise ValueError(f"{name} must be in [1, ∞], got {shown(value)}")
    return float(value)


def check_ball(rho: Radius, p: float) -> None:
    """Raise the error that says why {ε : ‖ε‖_p ≤ ρ} is no ball, if it is none."""
    check_at_least_0(rho=rho)
    check_norm_order("p", p)


def check_truth(name: str, value: object) -> bool:
    """True or False."""
    if not isinstance(value, (bool, numpy.bool_)):
        raise TypeError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)


def check_random_seed(name: str, value: object) -> Seed:
    """A whole number ≥ 0, or an int64 array (..., 1) of them, on the host."""
    a = as_numbers(value if isinstance(value, (int, numpy.ndarray)) or not hasattr(value, "dtype") else asnumpy(value))
    if a is None or a.dtype.kind not in "iuf" or a.shape[-1:] not in ((), (1,)) or not numpy.all(_whole(a)):
        raise ValueError(f"{name} must be a whole number ≥ 0, or an array (..., 1) of them, got {shown(value)}")
    return a.astype("int64") if a.ndim else int(a)


def _whole(a: numpy.ndarray) -> numpy.ndarray:
    return (a >= 0) & (a < 2**63) & (a == numpy.floor(a))


def check_step_size(name: str, value: object) -> StepSize:
    """η ≥ 0: a number, an array (..., 1), or a schedule t -> η, which is asked for its first step size."""
    if not is_schedule(value):
        return check_number(name, value, AT_LEAST_0)
    check_number(name, first_of(name, value), AT_LEAST_0)
    return value


def is_schedule(value: object) -> bool:
    """Whether this is a function; a class is none."""
    return callable(value) and not isinstance(value, type)


def first_of(name: str, schedule: Any) -> Any:
    """What a schedule gives for the first step."""
    try:
        return schedule(0)
    except TypeError as error:
        raise TypeError(f"{name} must be a number or a schedule t -> number, got {shown(schedule)}: {error}") from error


def check_decay_rates(name: str, value: object) -> tuple[float, float]:
    """Two numbers in [0, 1)."""
    if not isinstance(value, (tuple, list)) or len(value) != 2 or not all(is_real(b) and 0 <= b < 1 for b in value):
        raise ValueError(f"{name} must be two numbers in [0, 1), got {shown(value)}")
    return float(value[0]), float(value[1])


def is_real(value: object) -> bool:
    """Whether this is one real number, of Python or of NumPy."""
    if type(value) is numpy.ndarray:
        return value.ndim == 0 and value.dtype.kind in "iuf"
    return whole(value) or isinstance(value, (float, numpy.floating))


def check_schedule(name: str, value: object) -> Callable[[int], Scalar]:
    """A schedule t -> η."""
    if not is_schedule(value):
        raise TypeError(f"{name} must be a schedule t -> lr such as cosine(lr, steps), got {shown(value)}")
    return check_step_size(name, value)  # type: ignore[return-value]


def check_mask(name: str, value: Any, optional: bool) -> Array | None:
    """An array that meets w, such as (n,), of numbers or truth values; None, if it is optional."""
    is_array = hasattr(value, "dtype") and not isinstance(value, numpy.ma.MaskedArray)
    if not (optional and value is None) and not (is_array and value.dtype.kind in "iufb" and value.size and value.ndim):
        raise TypeError(f"{name} must be an array (n,) of numbers, got {shown(value)}")
    return value if value is None else value.copy()


# --- other objects ---------------------------------------------------------------------------------------------------


def check_methods(name: str, value: object, methods: str, what: str) -> Any:
    """The value, if it is an object, not a class, with these methods."""
    if isinstance(value, type) or not all(hasattr(value, method) for method in methods.split()):
        raise TypeError(f"{name} must be {what}, got {shown(value)}")
    return value


def check_function(name: str, value: object, what: str) -> Any:
    """The value, if it can be called and is no class."""
    if not callable(value) or isinstance(value, type):
        raise TypeError(f"{name} must be {what}, got {shown(value)}")
    return value


def shown(value: object) -> str:
    """The value on one line, shortened if it is long."""
    if isinstance(value, (numpy.ndarray, numpy.ma.MaskedArray)) and value.size > 8:
        return f"{type(value).__name__} {value.dtype} {value.shape}"
    return one_line(repr(value))


def one_line(text: str) -> str:
    """The text on one line, shortened if it is long."""
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:200]}…"
