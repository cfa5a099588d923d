"""Hyperparameters are declared: the field of a dataclass says default, range and meaning, and one check reads them all.

    @dataclass(frozen=True)
    class GSAM(Variant):
        alpha: Scalar = at_least_0(0.4, "weight of the component of g across g_adv")

A hyperparameter that may be swept is a number, or an array (..., 1) with one entry per replica. Formulas take it from
`self.met[w.dtype, type(w)]`, a copy of the optimizer whose hyperparameters have w's precision and lie where w lies.

Truths: tests/test_hyperparameters.py.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

import numpy

from .array_backend import asarray, asnumpy
from .checks import check_methods
from .types import Scalar


@dataclass(frozen=True)
class Kind:
    """What values a hyperparameter may have.

    Attributes
    ----------
    check : function
        (name, value) -> the value to keep; raises the error that names the argument, its range and what it was.
    meets : bool
        Whether it is a number in a formula, so that it gets w's precision.
    meaning : str
    """

    check: Callable[[str, Any], Any]
    meets: bool = False
    meaning: str = ""


class Declared:
    """A frozen dataclass whose fields may be declared by the functions below."""

    met: Met

    def __post_init__(self) -> None:
        for name, kind in kinds_of(self).items():
            object.__setattr__(self, name, kind.check(name, getattr(self, name)))
        object.__setattr__(self, "met", Met(self))


class Met(dict[tuple[Any, type], Any]):
    """(dtype, array type) -> the optimizer with its hyperparameters ready to meet such weights, made on first need."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared

    def __missing__(self, key: tuple[Any, type]) -> Declared:
        made = copy.copy(self.declared)
        kinds = kinds_of(made)
        for f in fields(made):  # type: ignore[arg-type]
            value = getattr(made, f.name)
            if isinstance(value, Declared) and not callable(value):  # a schedule is met at each step
                object.__setattr__(made, f.name, value.met[key])
            elif f.name in kinds and kinds[f.name].meets:
                object.__setattr__(made, f.name, ready(value, key[0]))
        object.__setattr__(made, "met", self)
        self[key] = made
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Met:
        return Met(copy.deepcopy(self.declared, memo))

    def __reduce__(self) -> tuple[type, tuple[Declared]]:
        return Met, (self.declared,)


def kinds_of(declared: Any) -> dict[str, Kind]:
    """Name → kind of the declared fields."""
    return {f.name: f.metadata["kind"] for f in fields(declared) if "kind" in f.metadata}


def ready(value: Any, dtype: Any) -> Any:
    """A number rounded to this precision, so that it has the bits of a swept one; or an array of this dtype."""
    if value is None or callable(value):
        return value
    return float(numpy.asarray(value, dtype=dtype)) if isinstance(value, (int, float)) else asarray(value, dtype=dtype)


def declared(kind: Kind, default: Any = MISSING) -> Any:
    """The field of a hyperparameter of this kind."""
    return field(default=default, metadata={"kind": kind})


# --- kinds -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interval:
    """The numbers from `low` to `high`, with or without its ends."""

    low: float = -math.inf
    high: float = math.inf
    low_belongs: bool = True
    high_belongs: bool = True

    def holds(self, a: numpy.ndarray) -> bool:
        above = a >= self.low if self.low_belongs else a > self.low
        below = a <= self.high if self.high_belongs else a < self.high
        return bool(numpy.all(above & below))

    def __str__(self) -> str:
        if self.high == math.inf:
            if self.low == -math.inf:
                return "a number"
            return f"{'≥' if self.low_belongs else '>'} {self.low:g}"
        return f"in {'[' if self.low_belongs else '('}{self.low:g}, {self.high:g}{']' if self.high_belongs else ')'}"


def check_number(name: str, value: Any, inside: Interval, swept: bool = True) -> Scalar:
    """The value, if it is a real number of this interval; or, where it may be swept, an array (..., 1) of such numbers.

    Arrays on a device are not read back: of these, dtype and shape alone are checked.
    """
    a = value if hasattr(value, "__cuda_array_interface__") else as_numbers(value)
    if a is None or a.dtype.kind not in "iuf":
        what = "a number or an array (..., 1) of numbers" if swept else "a number"
        raise TypeError(f"{name} must be {what}, {inside}, got {value!r}" if inside != Interval() else
                        f"{name} must be {what}, got {value!r}")  # fmt: skip
    if a.ndim and not (swept and a.shape[-1] == 1):
        shape = (
            "have shape (..., 1), one entry per replica,"
            if swept
            else f"be a number {inside}, the same for all replicas,"
        )
        raise ValueError(f"{name} must {shape} got shape {a.shape}")
    if isinstance(a, numpy.ndarray) and not inside.holds(a):
        worst = a if a.ndim == 0 else next(x for x in a.ravel() if not inside.holds(x))
        raise ValueError(f"{name} must be {inside}, got {worst.item()}")
    return value


def as_numbers(value: Any) -> numpy.ndarray | None:
    """The value as an array on the host; None, if it is text, a truth value, or nothing that holds numbers."""
    if isinstance(value, (bool, numpy.bool_, str, bytes, numpy.ma.MaskedArray)):
        return None
    try:
        return asnumpy(value) if hasattr(value, "dtype") else numpy.asarray(value)
    except (TypeError, ValueError):
        return None


def number(
    inside: Interval, default: Any = MISSING, meaning: str = "", swept: bool = True, optional: bool = False
) -> Any:
    """A number of this interval; an array (..., 1) of them, if it may be swept; None, if it is optional."""

    def check(name: str, value: Any) -> Scalar | None:
        return value if optional and value is None else check_number(name, value, inside, swept)

    return declared(Kind(check, swept, meaning), default)


def at_least_0(default: Any = MISSING, meaning: str = "") -> Any:
    return number(Interval(0), default, meaning)


def above_0(default: Any = MISSING, meaning: str = "", swept: bool = True) -> Any:
    return number(Interval(0, low_belongs=False), default, meaning, swept)


def share(default: Any = MISSING, meaning: str = "", swept: bool = True) -> Any:
    return number(Interval(0, 1), default, meaning, swept)


def norm_order(default: float = 2.0) -> Any:
    """p of a norm: a number in [1, ∞]."""

    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, numpy.number)) or not value >= 1:
            raise ValueError(f"{name} must be in [1, ∞], got {value}")
        return value

    return declared(Kind(check, meaning="norm of the ball"), default)


def count(default: Any = MISSING, least: int = 1, meaning: str = "") -> Any:
    """A whole number, `least` or more."""

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, numpy.integer)) or value < least:
            raise ValueError(f"{name} must be a whole number ≥ {least}, got {value!r}")
        return int(value)

    return declared(Kind(check, meaning=meaning), default)


def choice(default: str, *others: str, meaning: str = "") -> Any:
    """One of a few names."""
    names = (default, *others)

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"{name} must be {' or '.join(map(repr, names))}, got {value!r}")
        return value

    return declared(Kind(check, meaning=meaning), default)


def truth(default: bool, meaning: str = "") -> Any:
    """True or False."""

    def check(name: str, value: Any) -> bool:
        if not isinstance(value, (bool, numpy.bool_)):
            raise TypeError(f"{name} must be True or False, got {value!r}")
        return bool(value)

    return declared(Kind(check, meaning=meaning), default)


def random_seed(meaning: str = "seed of the random numbers; each seed of a run gets numbers of its own") -> Any:
    """A whole number ≥ 0, or an array (..., 1) of them."""

    def check(name: str, value: Any) -> numpy.ndarray:
        a = as_numbers(value)
        if a is None or a.dtype.kind not in "iuf" or a.shape[-1:] not in ((), (1,)) or not whole(a):
            raise ValueError(f"{name} must be a whole number ≥ 0, or an array (..., 1) of them, got {value!r}")
        return a.astype("int64")

    return declared(Kind(check, meaning=meaning), 0)


def whole(a: numpy.ndarray) -> bool:
    return bool(numpy.all((a >= 0) & (a < 2**63) & (a == numpy.floor(a))))


def step_size(default: Any = MISSING) -> Any:
    """η ≥ 0: a number, an array (..., 1), or a schedule t -> η, which is asked for its first step size."""

    def check(name: str, value: Any) -> Any:
        check_number(name, value(0) if callable(value) else value, Interval(0))
        return value

    return declared(Kind(check, True, "step size"), default)


def decay_rates(default: tuple[float, float] = (0.9, 0.999)) -> Any:
    """Adam's β₁ and β₂."""

    def check(name: str, value: Any) -> tuple[float, float]:
        if not isinstance(value, (tuple, list)) or len(value) != 2 or not all(is_rate(b) for b in value):
            raise ValueError(f"{name} must be two numbers in [0, 1), got {value}")
        return float(value[0]), float(value[1])

    return declared(Kind(check, meaning="decay of the running means of g and g²"), default)


def is_rate(b: Any) -> bool:
    return isinstance(b, (int, float, numpy.number)) and 0 <= b < 1


def base() -> Any:
    """The optimizer that makes a step of a gradient."""
    return having("init update", "a base optimizer such as SGD(lr)", "makes a step of a gradient")


def optimizer() -> Any:
    """The optimizer that a wrapper goes around."""
    return having("init step", "an optimizer such as SGD(lr)", "makes the steps")


def having(methods: str, what: str, meaning: str) -> Any:
    """An optimizer that has these methods."""

    def check(name: str, value: Any) -> Any:
        check_methods(name, value, methods, what)
        return value

    return declared(Kind(check, meaning=meaning))


def refuse_inside(outer: Any, kinds: type | tuple[type, ...], why: str) -> None:
    """Raise a TypeError that names both, if an optimizer of these kinds stands inside the wrapper `outer`."""
    inner = getattr(outer, "optimizer", None)
    while inner is not None:
        if isinstance(inner, kinds):
            raise TypeError(f"{type(outer).__name__} cannot go around {type(inner).__name__}: {why}")
        inner = getattr(inner, "optimizer", None)


def weights_like(default: Any = None, meaning: str = "") -> Any:
    """An array that meets w, such as a mask (n,); or None."""

    def check(name: str, value: Any) -> Any:
        if value is not None and not (hasattr(value, "dtype") and value.dtype.kind in "iufb" and value.ndim):
            raise TypeError(f"{name} must be an array (n,) of numbers, got {value!r}")
        return value

    return declared(Kind(check, True, meaning), default)
