"""Slices of the loss landscape: along a line, on a plane, and between two solutions. On the host, as float64 NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from ..array_backend import asarray, asnumpy, xp
from ..autodiff import as_loss
from ..checks import check_at_least_0, check_at_least_1
from ..models import Model
from ..types import Array
from ..vectors import across, norm, over
from .estimate import bar, to_host

Loss = Callable[[Array], Any]


def landscape(
    loss: Loss,
    w: Array,
    radius: float,
    points: int = 41,
    seed: int = 0,
    toward: Array | None = None,
    model: Model | None = None,
    progress: bool = False,
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The loss on a square around w, along two directions.

    Without a model they are orthogonal and of length one, so that the axes are distances; with it they are filter-normalised
    (see `filter_normalised`), so that the axes are in units of the weights' own size and nets of different scale compare.

    Parameters
    ----------
    loss : function
        w (points, ..., n) -> (points, ...); or w -> (loss, g).
    w : float array (..., n)
        The centre; a square for each replica.
    radius : float
        Half the side of the square: [weight], or [1] with a model.
    points : int
        Grid points a side, ≥ 1.
    seed : int
        Of the random directions.
    toward : float array (..., n), optional
        The first direction, such as the ε of `worst_point`; without it, it is random as the second is.
    model : Model, optional
        Whose filters the directions are normalised by.
    progress : bool
        Show a progress bar over the rows.

    Returns
    -------
    (points,), (..., points, points)
        The coordinates along either axis, and the loss, whose columns go along the first direction. With n = 1 there is no
        second direction: all rows are the same.

    Source: Li et al. 2018, arXiv:1712.09913, sections 3 and 4.  Truths: tests/test_sharpness.py, tests/test_sharpness_slices.py.
    """
    d1, d2 = _directions(w, seed, toward, model)
    t, rows = _grid(-radius, radius, points), []
    column = _column(t, w)
    for s in bar(t, "row", progress):
        rows.append(as_loss(loss)(w + column * d1 + float(s) * d2))
    return t, numpy.moveaxis(to_host(rows), (0, 1), (-2, -1))


def profile(
    loss: Loss,
    w: Array,
    radius: float,
    points: int = 101,
    seed: int = 0,
    toward: Array | None = None,
    model: Model | None = None,
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The loss on a line through w, along the first direction of `landscape`; arguments as there.

    Returns the coordinates (points,) and the loss (..., points).  Truths: tests/test_sharpness_slices.py.
    """
    d, _ = _directions(w, seed, toward, model)
    t = _grid(-radius, radius, points)
    return t, _on_host(as_loss(loss)(w + _column(t, w) * d))


def interpolation(
    loss: Loss, start: Array, end: Array, points: int = 51, beyond: float = 0.5
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The loss on the line between two solutions, L((1 − t) start + t end), and a little `beyond` either.

    Parameters
    ----------
    loss : function
        w (points, ..., n) -> (points, ...); or w -> (loss, g).
    start, end : float arrays (..., n)
        Two vectors of weights of one model.
    points : int
        Of the line, ≥ 1.
    beyond : float
        t runs from −beyond to 1 + beyond, ≥ 0.

    Returns
    -------
    (points,), (..., points)
        t and the loss.

    Source: Goodfellow, Vinyals & Saxe 2015, arXiv:1412.6544, section 2.  Truths: tests/test_sharpness_slices.py.
    """
    check_at_least_0(beyond=beyond)
    t = _grid(-beyond, 1 + beyond, points)
    column = _column(t, start)
    return t, _on_host(as_loss(loss)((1 - column) * start + column * end))


def filter_normalised(model: Model, w: Array, d: Array) -> Array:
    """A direction in which every filter is as long as that of w; zero for biases and the weights of norms.

        d_f ← d_f ‖w_f‖ / ‖d_f‖

    A filter is what one output unit sees: a column of a matrix (in, out), a kernel [o] of a convolution (o, c, k, k).

    Parameters
    ----------
    model : Model
        Whose shapes tell the filters.
    w, d : float arrays (..., n)
        Weights, and a direction to normalise.

    Returns
    -------
    float array (..., n)

    Source: Li et al. 2018, arXiv:1712.09913, section 4.  Truths: tests/test_sharpness_slices.py.
    """
    of_w, of_d = model.unflatten(w), model.unflatten(xp().zeros_like(w) + d)
    return model.flatten({name: _like_filters(of_d[name], of_w[name], len(s)) for name, s in model.shapes.items()})


def _like_filters(d: Array, w: Array, axes: int) -> Array:
    if axes < 2:
        return xp().zeros_like(w)
    of_filter = -2 if axes == 2 else tuple(range(1 - axes, 0))

    def length(a: Array) -> Array:
        return xp().sqrt((a * a).sum(axis=of_filter, keepdims=True))

    return over(d, length(d)) * length(w)


def _directions(w: Array, seed: int, toward: Array | None, model: Model | None) -> tuple[Array, Array]:
    """Two directions (..., n), filter-normalised or orthonormal; the same random ones for all replicas."""
    first, second = asarray(numpy.random.default_rng(seed).standard_normal((w.shape[-1], 2)).T, dtype=w.dtype)
    if toward is not None:
        first = asarray(toward, dtype=w.dtype)
    if model is not None:
        return filter_normalised(model, w, first), filter_normalised(model, w, second)
    for _ in range(2):  # twice is enough to be orthogonal in floating point
        second = across(second, first)
        second = over(second, norm(second))
    return over(first, norm(first)), second


def _grid(low: float, high: float, points: int) -> numpy.ndarray:
    check_at_least_1(points=points)
    return numpy.linspace(low, high, points)


def _column(t: numpy.ndarray, w: Array) -> Array:
    """Coordinates on an axis of their own, before all axes of w."""
    return asarray(t.reshape(-1, *[1] * w.ndim), dtype=w.dtype)


def _on_host(values: Array) -> numpy.ndarray:
    """(points, ...) -> (..., points)."""
    return numpy.moveaxis(asnumpy(values).astype("float64"), 0, -1)
