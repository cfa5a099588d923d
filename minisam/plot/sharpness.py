"""Pictures of what `minisam.sharpness` measures: a dot a measure, lines, spectra, slices of the landscape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy

from ..array_backend import asnumpy
from ..sharpness import Estimate, SecondOrder, SingleStepAccuracy, Spectrum
from ..stats import mean_and_interval
from .figures import coloured, draw_band, new_figure

Line: TypeAlias = tuple[Any, Any]  # x (k,) and values (..., k)


# --- numbers ---------------------------------------------------------------------------------------------------------


def measures(found: Mapping[str, Mapping[str, Any]]) -> Any:
    """Several measures of several runs: a panel a measure, a row a run, a dot with its interval.

        plot.measures({"SGD": {"λ_max": lambda_max(…), "trace": trace(…)}, "SAM": {"λ_max": …, "trace": …}})

    Parameters
    ----------
    found : dict
        Label of a run → name of a measure → a number or array, one entry a replica, or an `Estimate`.

    Returns
    -------
    matplotlib Figure
        Over several replicas: mean and 95% interval; of one alone, the estimate ± 2 standard errors.
    """
    names = list(dict.fromkeys(name for of_run in found.values() for name in of_run))
    figure, axes = new_figure(1, len(names), width=3.2 * len(names) + 1, height=0.45 * len(found) + 1)
    for ax, name in zip(axes, names, strict=True):
        for row, (colour, of_run) in enumerate(coloured(found.values())):
            if name in of_run:
                value, half = _dot(of_run[name])
                ax.errorbar(value, row, xerr=half, fmt="o", capsize=3, color=colour)
        ax.set(xlabel=name, ylim=(len(found) - 0.5, -0.5))
        ax.set_yticks(range(len(found)), list(found) if ax is axes[0] else [])
        ax.grid(axis="x", alpha=0.3)
        ax.locator_params(axis="x", nbins=5)
    return figure


def _dot(measured: Any) -> tuple[float, float]:
    """A value and the half-width of its interval; NaN where nothing tells it."""
    if isinstance(measured, Estimate) and measured.value.size == 1:
        return measured.value.item(), 2 * measured.error.item()
    value, half = mean_and_interval(asnumpy(measured.value if isinstance(measured, Estimate) else measured).ravel())
    return float(value), float(half)


def lines(found: Mapping[str, Line], xlabel: str, ylabel: str) -> Any:
    """A measure against anything: the mean over the replicas, in a band of its 95% interval.

    Parameters
    ----------
    found : dict
        Label → x (k,) and values (..., k).

    Returns
    -------
    matplotlib Figure
    """
    figure, (ax,) = new_figure(1, 1, width=5.5)
    draw_lines(ax, found, xlabel, ylabel)
    return figure


def draw_lines(ax: Any, found: Mapping[str, Line], xlabel: str, ylabel: str) -> None:
    """`lines`, on an axis that exists."""
    for colour, (name, (x, values)) in coloured(found.items()):
        draw_band(ax, asnumpy(x), numpy.moveaxis(asnumpy(values), -1, 0), name, colour)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()


def single_step_accuracy(found: Mapping[str, tuple[Any, Sequence[SingleStepAccuracy]]], xlabel: str = "epoch") -> Any:
    """How good the single step is, over a training or against ρ: its share of the ascent's rise, and the cosine to it.

    Parameters
    ----------
    found : dict
        Label → x (k,), and what `minisam.sharpness.single_step_accuracy` found at each of them.
    xlabel : str
        What x is.

    Returns
    -------
    matplotlib Figure
    """
    return _attributes(
        found, xlabel, {"ratio": "rise, single step / ascent", "cosine": "cosine, single step to ascent"}
    )


def second_order(found: Mapping[str, tuple[Any, Sequence[SecondOrder]]], xlabel: str = "epoch") -> Any:
    """What SAM drops, over a training or against ρ: its share of the gradient, and the cosine to the whole; as above."""
    return _attributes(found, xlabel, {"share": "‖dropped‖ / ‖kept‖", "cosine": "cosine, kept to whole"})


def _attributes(found: Mapping[str, tuple[Any, Sequence[Any]]], xlabel: str, panels: Mapping[str, str]) -> Any:
    figure, axes = new_figure(1, len(panels), width=4.5 * len(panels))
    for ax, (name, ylabel) in zip(axes, panels.items(), strict=True):
        of_each = {
            label: (x, numpy.stack([asnumpy(getattr(one, name)) for one in at_each], axis=-1))
            for label, (x, at_each) in found.items()
        }
        draw_lines(ax, of_each, xlabel, ylabel)
    return figure


def spectrum(spectra: Mapping[str, Spectrum], points: int = 400) -> Any:
    """The density of the Hessian's eigenvalues, in a band of ± 2 standard errors; a line for each replica.

    Parameters
    ----------
    spectra : dict
        Label → what `minisam.sharpness.spectral_density` found.
    points : int
        Of each line.

    Returns
    -------
    matplotlib Figure
    """
    figure, (ax,) = new_figure(1, 1, width=5.5)
    draw_spectra(ax, spectra, points)
    return figure


def draw_spectra(ax: Any, spectra: Mapping[str, Spectrum], points: int = 400) -> None:
    """`spectrum`, on an axis that exists. One width for all, on a logarithmic axis of six powers of ten."""
    width = max(one.width for one in spectra.values())
    at = numpy.linspace(
        min(numpy.nanmin(one.values) for one in spectra.values()) - 5 * width,
        max(numpy.nanmax(one.values) for one in spectra.values()) + 5 * width,
        points,
    )
    top = 0.0
    for colour, (name, one) in coloured(spectra.items()):
        density = one.density(at, width)
        for value, error in zip(density.value.reshape(-1, points), density.error.reshape(-1, points), strict=True):
            ax.plot(at, value, color=colour, label=name, linewidth=1)
            ax.fill_between(at, value - 2 * error, value + 2 * error, color=colour, alpha=0.2, linewidth=0)
            top, name = max(top, numpy.nanmax(value)), None
    ax.set(xlabel="eigenvalue λ of the Hessian", ylabel="density [1/λ]", yscale="log", ylim=(1e-6 * top, 2 * top))
    ax.legend()


# --- landscapes ------------------------------------------------------------------------------------------------------


def profile(slices: Mapping[str, Line], xlabel: str = "distance from w", ylabel: str = "loss") -> Any:
    """Slices made by `minisam.sharpness.profile`: the loss along a line through w; label → (t, values)."""
    figure = lines(slices, xlabel, ylabel)
    _mark(figure.axes[0], {0.0: "w"})
    return figure


def interpolation(slices: Mapping[str, Line], ylabel: str = "loss", ends: tuple[str, str] = ("start", "end")) -> Any:
    """Slices made by `minisam.sharpness.interpolation`: the loss from one solution to another; label → (t, values)."""
    figure = lines(slices, "t in (1 − t) start + t end", ylabel)
    _mark(figure.axes[0], dict(zip((0.0, 1.0), ends, strict=True)))
    return figure


def _mark(ax: Any, places: Mapping[float, str]) -> None:
    """Upright lines with their names above the frame."""
    for x, name in places.items():
        ax.axvline(x, color="grey", linewidth=0.8, linestyle=":")
        ax.annotate(
            name, (x, 1), xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points", ha="center"
        )


def landscape(
    slices: Mapping[str, tuple[numpy.ndarray, numpy.ndarray]],
    points: Mapping[str, tuple[float, float]] | None = None,
    xlabel: str = "distance along the first direction",
    ylabel: str = "distance along the second",
    label: str = "loss",
) -> Any:
    """Slices made by `minisam.sharpness.landscape`, side by side, with the same levels so that steepness compares.

    Parameters
    ----------
    slices : dict
        Title → (t, values), for one replica each.
    points : dict, optional
        Name → its coordinates along the two directions, such as {"w": (0, 0), "w + ε": (rho, 0)} for a slice toward ε.
    xlabel, ylabel, label : str
        What the axes and the colours are.

    Returns
    -------
    matplotlib Figure
    """
    figure, axes = new_figure(1, len(slices), width=3.6 * len(slices) + 1.2)
    draw_landscapes(axes, slices, points, xlabel, ylabel, label)
    return figure


def draw_landscapes(
    axes: Sequence[Any],
    slices: Mapping[str, tuple[numpy.ndarray, numpy.ndarray]],
    points: Mapping[str, tuple[float, float]] | None = None,
    xlabel: str = "distance along the first direction",
    ylabel: str = "distance along the second",
    label: str = "loss",
) -> None:
    """`landscape`, on axes that exist.

    Levels are powers, over six powers of ten at most, or evenly spaced where the loss falls below 0. What is not finite counts
    as the top.
    """
    finite = numpy.concatenate([values[numpy.isfinite(values)] for _, values in slices.values()])
    levels, norm = _levels(finite.min(), finite.max())
    for ax, (name, (t, values)) in zip(axes, slices.items(), strict=True):
        values = numpy.nan_to_num(values, nan=levels[-1]).clip(levels[0], levels[-1])
        drawn = ax.contourf(t, t, values, levels=levels, cmap="viridis", norm=norm)
        ax.plot(0, 0, "o", color="white", markersize=4)
        for point, (a, b) in (points or {}).items():
            ax.plot(a, b, "o", color="white", markersize=4)
            ax.annotate(point, (a, b), xytext=(4, 4), textcoords="offset points", color="white")
        ax.set(title=name, xlabel=xlabel, aspect="equal")
    axes[0].set_ylabel(ylabel)
    bar = axes[-1].figure.colorbar(drawn, ax=list(axes), label=label, ticks=levels[::5], format="%.3g")
    bar.ax.minorticks_off()


def _levels(bottom: float, top: float) -> tuple[numpy.ndarray, str]:
    """Sixteen levels for a loss in this range, and the scale of the colours."""
    if bottom < 0:
        return numpy.linspace(bottom, max(top, 0.99 * bottom), 16), "linear"
    bottom = max(bottom, 1e-6 * top, 1e-12)
    return numpy.geomspace(bottom, max(top, 1.01 * bottom), 16), "log"
