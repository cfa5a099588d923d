"""The kinds of arguments that pictures take: axes, lines, slices, runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy

from ..arguments import labelled, methods, sequence, text
from ..checks import shown
from ..kinds import host

axes = methods("plot fill_between set", "matplotlib axes")
several_axes = sequence(axes)
a_run = methods("history loss axes select", "a run, as `train` returns it")
runs = labelled(a_run)
NUMBERS = host("fiu")


def a_line(name: str, value: object) -> tuple[numpy.ndarray, numpy.ndarray]:
    """x (k,) and values (..., k)."""
    x, values = pair(name, value, "(x, values)")
    x, values = NUMBERS(f"x of {name}", x), NUMBERS(f"values of {name}", values)
    if x.ndim != 1 or values.shape[-1:] != x.shape:
        raise ValueError(f"{name} must be x (k,) and values (..., k), got shapes {x.shape} and {values.shape}")
    return x, values


def a_slice(name: str, value: object) -> tuple[numpy.ndarray, numpy.ndarray]:
    """t (k,) and values (k, k), some of which are finite."""
    t, values = a_line(name, value)
    if values.shape != (len(t), len(t)) or not numpy.isfinite(values).any():
        raise ValueError(f"{name} must be t (k,) and values (k, k), not all of them NaN, got values {shown(values)}")
    return t, values


def measured(kind: type) -> Callable[[str, Any], Any]:
    """x (k,), and k results of this class."""

    def check(name: str, value: object) -> tuple[numpy.ndarray, list[Any]]:
        x, results = pair(name, value, "(x, results)")
        x = NUMBERS(f"x of {name}", x)
        every = isinstance(results, (list, tuple)) and all(isinstance(one, kind) for one in results)
        if not every or x.shape != (len(results),):
            raise ValueError(
                f"{name} must be x (k,) and k results {kind.__name__}, got {shown(results)} at x {x.shape}"
            )
        return x, list(results)

    return check


def pair(name: str, value: object, what: str) -> tuple[Any, Any]:
    """The two entries of a tuple or a list."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} must be a pair {what}, got {shown(value)}")
    return value[0], value[1]


def a_point(name: str, value: object) -> tuple[float, float]:
    """Two coordinates."""
    point = NUMBERS(name, value)
    if point.shape != (2,):
        raise ValueError(f"{name} must be two coordinates, got {shown(value)}")
    return float(point[0]), float(point[1])


def two_texts(name: str, value: object) -> tuple[str, str]:
    """Two names."""
    a, b = pair(name, value, "of names")
    return text(name, a), text(name, b)


def colour(name: str, value: object) -> Any:
    """A colour of matplotlib's."""
    from matplotlib.colors import is_color_like

    if not isinstance(value, (str, tuple)) or not is_color_like(value):
        raise ValueError(f"{name} must be a colour such as '#0072B2', got {shown(value)}")
    return value


def labels(name: str, value: object) -> Mapping[str, object]:
    """Names with their values, or none."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict, name -> value, got {shown(value)}")
    return value
