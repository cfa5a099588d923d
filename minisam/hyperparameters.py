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
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from functools import partial
from typing import Any

import numpy
from autograd.tracer import Box

from . import checks
from .arguments import counts
from .array_backend import asarray, xp
from .checks import AT_LEAST_0, Interval
from .kinds import host
from .types import Array, Scalar, Shape, State


@dataclass(frozen=True)
class Kind:
    """What values a hyperparameter may have.

    Attributes
    ----------
    check : function
        (name, value) -> the value to keep; raises the error that names the argument, its range and what it was.
    meaning : str
    meets : bool
        Whether it is a number in a formula, so that it gets w's precision.
    """

    check: Callable[[str, Any], object]
    meaning: str = ""
    meets: bool = False


class Declared:
    """A frozen dataclass whose fields may be declared by the functions below."""

    met: Met

    def __post_init__(self) -> None:
        for name, kind in kinds_of(self).items():
            object.__setattr__(self, name, kind.check(name, getattr(self, name)))
        object.__setattr__(self, "met", Met(self))


class Met(dict[tuple[Any, ...], Any]):
    """(dtype, array type) of w -> a copy of the optimizer with its hyperparameters so, made on first use.

    The dtype and the type of a gradient may follow: what is no array of floats is refused once for all steps.
    """

    def __init__(self, declared: Declared) -> None:
        self.declared = declared

    def __missing__(self, key: tuple[Any, ...]) -> Declared:
        check_meets("w", *key[:2])
        if key[2:]:
            check_meets("g", *key[2:])
        made, kinds = copy.copy(self.declared), kinds_of(self.declared)
        for name, value in vars(self.declared).items():
            if isinstance(value, Declared) and not callable(value):  # a schedule is met at each step
                object.__setattr__(made, name, value.met[key[:2]])
            elif name in kinds and kinds[name].meets:
                object.__setattr__(made, name, ready(value, key[0]))
        self[key] = made
        return made

    def __deepcopy__(self, memo: dict[int, object]) -> Met:
        return Met(copy.deepcopy(self.declared, memo))

    def __reduce__(self) -> tuple[type, tuple[Declared]]:
        return Met, (self.declared,)


def check_meets(name: str, dtype: Any, kind: type) -> None:
    """Raise the error that says why hyperparameters cannot meet an array of this type and dtype."""
    if not issubclass(kind, (xp().ndarray, Box)) or issubclass(kind, numpy.ma.MaskedArray):
        raise TypeError(f"{name} must be an array of the backend in use ({xp().__name__}), got {kind.__name__}")
    if dtype.kind != "f":
        raise TypeError(f"{name} must be floating point, got dtype {dtype}")


def joined(outer: object, own: State, inner: object, its: State) -> State:
    """The states of an optimizer and of the one inside it; a TypeError names what both keep under the same name."""
    if both := sorted(own.keys() & its.keys()):
        names = type(outer).__name__, type(inner).__name__
        raise TypeError(f"{names[0]} cannot go around {names[1]}: both keep {', '.join(map(repr, both))} between steps")
    return own | its


def kinds_of(declared: Any) -> dict[str, Kind]:
    """Name → kind of the declared fields."""
    return {f.name: f.metadata["kind"] for f in fields(declared) if "kind" in f.metadata}


def ready(value: Any, dtype: Any) -> Array:
    """A number rounded to this dtype, so that a single run and a sweep compute the same bits; or an array of this dtype."""
    if value is None or callable(value):
        return value
    return float(numpy.asarray(value, dtype=dtype)) if isinstance(value, (int, float)) else asarray(value, dtype=dtype)


class NeedsExamples:
    """Marks an optimizer that needs the examples as they are: `Mixup` cannot go around it."""


def refuse_inside(outer: object, kinds: type | tuple[type, ...], why: str) -> None:
    """Raise a TypeError that names both, if an optimizer of these kinds stands inside the wrapper `outer`."""
    inner = getattr(outer, "optimizer", None)
    while inner is not None:
        if isinstance(inner, kinds):
            raise TypeError(f"{type(outer).__name__} cannot go around {type(inner).__name__}: {why}")
        inner = getattr(inner, "optimizer", None)


# --- kinds: each is the field of a dataclass -------------------------------------------------------------------------


def declared(
    check: Callable[[str, Any], object], default: object = MISSING, meaning: str = "", meets: bool = False
) -> Any:
    """A field that is checked by `check(name, value)`."""
    return field(default=default, metadata={"kind": Kind(check, meaning, meets)})


def number(
    inside: Interval, default: object = MISSING, meaning: str = "", swept: bool = True, optional: bool = False
) -> Any:
    """A number of this interval; an array (..., 1) of them, if it may be swept; None, if it is optional."""

    def check(name: str, value: Any) -> Scalar | None:
        return value if optional and value is None else checks.check_number(name, value, inside, swept)

    return declared(check, default, meaning, meets=swept)


def at_least_0(default: object = MISSING, meaning: str = "") -> Any:
    return number(AT_LEAST_0, default, meaning)


def share(default: object = MISSING, meaning: str = "", swept: bool = True) -> Any:
    return number(Interval(0, 1), default, meaning, swept)


def norm_order() -> Any:
    """p of a norm: a number in [1, ∞]."""
    return declared(checks.check_norm_order, 2.0, "norm of the ball")


def count(default: object = MISSING, least: int = 1, meaning: str = "", most: float = checks.LARGEST) -> Any:
    """A whole number from `least` to `most`; ∞ where the number stands in a formula only."""
    return declared(partial(checks.check_count, least=least, most=most), default, meaning)


def choice(*names: str, meaning: str = "") -> Any:
    """One of a few names; the first is the default."""
    return declared(
        lambda name, value: checks.pick(name, value, dict(zip(names, names, strict=True))), names[0], meaning
    )


def classes(meaning: str = "") -> Any:
    """A sequence of classes, whole numbers ≥ 0, as a tuple; it may be empty."""
    return declared(counts(at_least=0, least=0), None, meaning)  # which is refused


def image_shape(meaning: str = "") -> Any:
    """(channels, height, width) of an image, or (channels, length) of a signal."""

    def check(name: str, value: Any) -> Shape:
        shape = counts()(name, value)
        if len(shape) not in (2, 3):
            raise ValueError(f"{name} must be (channels, height, width) or (channels, length), got {shape}")
        return shape

    return declared(check, MISSING, meaning)


def per_class(meaning: str = "") -> Any:
    """An array (c,) of numbers ≥ 0, one for each class, that meets w."""

    def check(name: str, value: Any) -> Array:
        a = host("fiu", finite=True)(name, value)
        if a.ndim != 1 or a.min() < 0:
            raise ValueError(f"{name} must be an array (c,) of numbers ≥ 0, got {checks.shown(value)}")
        return a.copy()

    return declared(check, MISSING, meaning, meets=True)


def truth(default: bool, meaning: str = "") -> Any:
    """True or False."""
    return declared(checks.check_truth, default, meaning)


def random_seed() -> Any:
    """A whole number ≥ 0, or an array (..., 1) of them."""
    return declared(checks.check_random_seed, 0, "seed of the random numbers; each seed of a run gets its own")


def step_size(default: object = MISSING) -> Any:
    """η ≥ 0: a number, an array (..., 1), or a schedule t -> η."""
    return declared(checks.check_step_size, default, "step size η", meets=True)


def schedule() -> Any:
    """A schedule t -> η."""
    return declared(checks.check_schedule, MISSING, "schedule of the step size")


def decay_rates() -> Any:
    """Adam's β₁ and β₂."""
    return declared(checks.check_decay_rates, (0.9, 0.999), "decay of the running means of g and g²")


def base() -> Any:
    """The optimizer that makes a step of a gradient."""
    what = partial(checks.check_methods, methods="init update", what="a base optimizer such as SGD(lr)")
    return declared(what, MISSING, "makes a step of a gradient")


def optimizer() -> Any:
    """The optimizer that a wrapper goes around."""
    what = partial(checks.check_methods, methods="init step", what="an optimizer such as SGD(lr)")
    return declared(what, MISSING, "makes the steps")


def filters() -> Any:
    """The model that tells which weights are a filter; or None."""

    def check(name: str, value: object) -> Any:
        if value is None:
            return None
        return checks.check_methods(name, value, "mask filter_norms", "a model such as mlp((2, 32, 2)) or None")

    return declared(check, None, "tells which weights are a filter")


def mask(meaning: str, default: object = MISSING) -> Any:
    """An array (n,) that meets w; or None, where that is the default."""
    return declared(partial(checks.check_mask, optional=default is None), default, meaning, meets=True)
