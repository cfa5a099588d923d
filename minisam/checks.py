"""Checks of arguments, in one place: each raises one line that names the argument, its range, and what it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from .array_backend import asnumpy


def pick(argument: str, name: str, choices: Mapping[str, Any]) -> Any:
    """choices[name], or an error that lists them."""
    if name not in choices:
        raise ValueError(f"{argument} must be one of {', '.join(map(repr, choices))}, got {name!r}")
    return choices[name]


def check_counts(**counts: int) -> None:
    """Raise a ValueError that names the first one that is not a whole number ≥ 1."""
    for name, value in counts.items():
        if not isinstance(value, (int, numpy.integer)) or value < 1:
            raise ValueError(f"{name} must be a whole number ≥ 1, got {value!r}")


def check_counts_from_0(**counts: int) -> None:
    """Raise a ValueError that names the first one that is not a whole number ≥ 0."""
    for name, value in counts.items():
        if not isinstance(value, (int, numpy.integer)) or value < 0:
            raise ValueError(f"{name} must be a whole number ≥ 0, got {value!r}")


def check_seed(seed: int | Sequence[int]) -> numpy.ndarray:
    """The seed or seeds as an array of whole numbers ≥ 0, or the error that says why not."""
    seeds = numpy.asarray(seed)
    if seeds.size == 0 or seeds.dtype.kind not in "iu" or seeds.min() < 0:
        raise ValueError(f"seed must be a whole number ≥ 0 or a sequence of them, got {seed!r}")
    return seeds


def check_at_least_0(**hyperparameters: Any) -> None:
    """Raise a ValueError that names the first one that is negative or not a number (device arrays are not read back)."""
    for name, value in hyperparameters.items():
        if isinstance(value, float) and value >= 0:  # at once: `epsilon` asks at every step
            continue
        if on_host(value) and not numpy.all(numpy.asarray(value) >= 0):
            raise ValueError(f"{name} must be ≥ 0, got {numpy.min(value)}")


def check_positive(**numbers: float) -> None:
    """Raise a ValueError that names the first one that is not > 0; NaN is not."""
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} must be > 0, got {value}")


def check_share(**hyperparameters: Any) -> None:
    """Raise a ValueError that names the first one that is not in [0, 1] (device arrays are not read back)."""
    for name, value in hyperparameters.items():
        if on_host(value) and not numpy.all((numpy.asarray(value) >= 0) & (numpy.asarray(value) <= 1)):
            raise ValueError(f"{name} must be in [0, 1], got {value}")


def on_host(value: Any) -> bool:
    """Whether a hyperparameter is a number, or an array that can be looked at for nothing."""
    return isinstance(value, (int, float, list, tuple, numpy.ndarray, numpy.generic))


def check_betas(betas: tuple[float, float]) -> None:
    """Adam's two decay rates lie in [0, 1)."""
    if len(betas) != 2 or not all(0 <= b < 1 for b in betas):
        raise ValueError(f"betas must be two numbers in [0, 1), got {betas}")


def check_random_seed(seed: Any) -> numpy.ndarray:
    """Whole numbers ≥ 0, one or an array (..., 1) of them, on the host; or the error that says what they were."""
    seeds = asnumpy(seed)
    if not (numpy.all(seeds == seeds.astype("int64")) and numpy.all(seeds >= 0) and seeds.shape[-1:] in ((), (1,))):
        raise ValueError(f"seed must be a whole number ≥ 0, or an array (..., 1) of them, got {seed}")
    return seeds.astype("int64")


def check_steps(argument: str, steps: int) -> None:
    if not steps >= 1:
        raise ValueError(f"{argument} must be ≥ 1, got {steps}")


def check_ball(rho: Any, p: float) -> None:
    """Raise a ValueError unless {ε : ‖ε‖_p ≤ ρ} is a ball."""
    check_at_least_0(rho=rho)
    if not p >= 1:
        raise ValueError(f"p must be in [1, ∞], got {p}")


def check_methods(name: str, value: Any, methods: str, what: str) -> None:
    """Raise a TypeError unless the value is an object, not a class, with these methods."""
    if isinstance(value, type) or not all(hasattr(value, method) for method in methods.split()):
        raise TypeError(f"{name} must be {what}, got {value!r}")
