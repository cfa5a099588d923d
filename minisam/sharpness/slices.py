"""Slices of the loss landscape: along a line, on a plane, and between two solutions. All results are float64 NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from ..arguments import checked, count, filters, number, one_seed, optional, truth
from ..array_backend import asarray, asnumpy
from ..autodiff import as_loss
from ..checks import AT_LEAST_0
from ..draws import stream
from ..kinds import a_loss, floats, same_shape
from ..threads import bar
from ..types import Array, HasFilters
from ..vectors import across, like, norm, over
from .estimate import to_host

Loss = Callable[[Array], Any]


@checked(
    loss=a_loss,
    w=floats(),
    radius=number(AT_LEAST_0),
    points=count(),
    seed=one_seed,
    toward=optional(floats()),
    model=optional(filters),
    progress=truth,
)
def landscape(
    loss: Loss,
    w: Array,
    radius: float,
    points: int = 41,
    seed: int = 0,
    toward: Array | None = None,
    model: HasFilters | None = None,
    progress: bool = False,
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The loss on a square around w, along two directions.

    Without a model the directions are orthogonal and of length one, so the axes are distances. With a model they are
    filter-normalised (see `filter_normalised`): the axes are in units of the size of the weights, so that networks of
    different scale can be compared.

    Parameters
    ----------
    loss : function
        w (points, ..., n) -> (points, ...); or w -> (loss, g).
    w : float array (..., n)
        The centre. Each replica has a square of its own.
    radius : float
        Half the side of the square, ≥ 0: [weight], or [1] with a model.
    points : int
        Number of grid points per side, ≥ 1.
    seed : int
        Seed of the random directions, ≥ 0.
    toward : float array (..., n), optional
        The first direction, such as the ε of `worst_point`. By default it is random; the second direction always is.
    model : Model, optional
        Its filters normalise the directions.
    progress : bool
        Show a progress bar over the rows.

    Returns
    -------
    (points,), (..., points, points)
        The coordinates, which are the same along both axes, and the loss. The last axis of the loss is the first direction.
        With n = 1 there is no second direction, so all rows are equal.

    Raises
    ------
    ValueError
        If radius < 0, points < 1 or seed < 0.

    Source: Li et al. 2018, arXiv:1712.09913, sections 3 and 4.  Truths: tests/test_sharpness.py, tests/test_sharpness_slices.py.
    """
    d1, d2 = _directions(w, seed, toward, model)
    t, rows = _grid(-radius, radius, points), []
    column = _column(t, w)
    for s in bar(t, unit="row", disable=not progress):
        rows.append(as_loss(loss)(w + column * d1 + float(s) * d2))
    return t, numpy.moveaxis(to_host(rows), (0, 1), (-2, -1))


@checked(
    loss=a_loss,
    w=floats(),
    radius=number(AT_LEAST_0),
    points=count(),
    seed=one_seed,
    toward=optional(floats()),
    model=optional(filters),
)
def profile(
    loss: Loss,
    w: Array,
    radius: float,
    points: int = 101,
    seed: int = 0,
    toward: Array | None = None,
    model: HasFilters | None = None,
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The loss on a line through w, along the first direction of `landscape`; arguments as there.

    Returns the coordinates (points,) and the loss (..., points).  Truths: tests/test_sharpness_slices.py.
    """
    d, _ = _directions(w, seed, toward, model)
    t = _grid(-radius, radius, points)
    return t, _on_host(as_loss(loss)(w + _column(t, w) * d))


@checked(loss=a_loss, start=floats(), end=floats(), points=count(), beyond=number(AT_LEAST_0))
def interpolation(
    loss: Loss, start: Array, end: Array, points: int = 51, beyond: float = 0.5
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The loss on the line through two solutions, L((1 − t) start + t end), with a margin `beyond` each of them.

    Parameters
    ----------
    loss : function
        w (points, ..., n) -> (points, ...); or w -> (loss, g).
    start, end : float arrays (..., n)
        Two vectors of weights of one model.
    points : int
        Number of points on the line, ≥ 1.
    beyond : float
        t runs from −beyond to 1 + beyond; beyond ≥ 0.

    Returns
    -------
    (points,), (..., points)
        t and the loss.

    Source: Goodfellow, Vinyals & Saxe 2015, arXiv:1412.6544, section 2.  Truths: tests/test_sharpness_slices.py.
    """
    same_shape("end", end, "start", start)
    t = _grid(-beyond, 1 + beyond, points)
    column = _column(t, start)
    return t, _on_host(as_loss(loss)((1 - column) * start + column * end))


@checked(model=filters, w=floats(), d=floats())
def filter_normalised(model: HasFilters, w: Array, d: Array) -> Array:
    """The direction d with each of its filters made as long as that of w; 0 for biases and the weights of norm layers.

        d_f ← d_f ‖w_f‖ / ‖d_f‖

    A filter f is what one output unit sees, as `Model.filter_norms` says.

    Parameters
    ----------
    model : Model
        Its shapes define the filters.
    w, d : float arrays (..., n)
        Weights, and a direction to normalise.

    Returns
    -------
    float array (..., n)

    Source: Li et al. 2018, arXiv:1712.09913, section 4.  Truths: tests/test_sharpness_slices.py.
    """
    same_shape("d", d, "w", w)
    return like(model.mask("weights"), w) * over(d, model.filter_norms(d)) * model.filter_norms(w)


def _directions(w: Array, seed: int, toward: Array | None, model: HasFilters | None) -> tuple[Array, Array]:
    """Two directions (..., n), filter-normalised or orthonormal. All replicas share the random ones."""
    first, second = asarray(stream("slices", seed).standard_normal((2, w.shape[-1])), dtype=w.dtype)
    if toward is not None:
        same_shape("toward", toward, "w", w)
        first = asarray(toward, dtype=w.dtype)
    if model is not None:
        return filter_normalised(model, w, first), filter_normalised(model, w, second)
    for _ in range(2):  # twice is enough to be orthogonal in floating point
        second = across(second, first)
        second = over(second, norm(second))
    return over(first, norm(first)), second


def _grid(low: float, high: float, points: int) -> numpy.ndarray:
    return numpy.linspace(low, high, points)


def _column(t: numpy.ndarray, w: Array) -> Array:
    """Coordinates t (points,) on an axis before all axes of w."""
    return asarray(t.reshape(-1, *[1] * w.ndim), dtype=w.dtype)


def _on_host(values: Array) -> numpy.ndarray:
    """(points, ...) -> (..., points)."""
    return numpy.moveaxis(asnumpy(values).astype("float64"), 0, -1)
