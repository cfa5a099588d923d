"""Pictures of the results of `minisam.sharpness`: measures as dots or lines, spectra, slices of the landscape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy

from ..arguments import checked, count, instance, labelled, optional, text
from ..array_backend import asnumpy
from ..kinds import host
from ..sharpness import Estimate, SecondOrder, SingleStepAccuracy, Spectrum
from ..stats import mean_and_interval
from ..types import Array, Scalar
from .figures import coloured, draw_band, new_figure
from .kinds import a_line, a_point, a_slice, axes, measured, several_axes, two_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Line: TypeAlias = tuple[Array, Array]  # x (k,) and values (..., k)
Slice: TypeAlias = tuple[numpy.ndarray, numpy.ndarray]  # t (k,) and values (k, k)


def an_estimate(name: str, value: Any) -> Estimate | numpy.ndarray:
    """A number, an array of them, or an `Estimate`."""
    return value if isinstance(value, Estimate) else host("fiu")(name, value)


A_SPECTRUM = instance(Spectrum, "a Spectrum, as `spectral_density` returns it")


# --- numbers ---------------------------------------------------------------------------------------------------------


@checked(found=labelled(labelled(an_estimate)))
def measures(found: Mapping[str, Mapping[str, Estimate | Scalar]]) -> Figure:
    """Several measures of several runs: one panel per measure and one row per run, with a dot and its interval.

        plot.measures({"SGD": {"λ_max": lambda_max(…), "trace": trace(…)}, "SAM": {"λ_max": …, "trace": …}})

    Parameters
    ----------
    found : dict
        Label of a run → name of a measure → a number, an array with one entry per replica, or an `Estimate`.

    Returns
    -------
    matplotlib Figure
        For several replicas the dot is their mean, with its 95% interval; for a single `Estimate`, ± 2 standard errors.
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


def _dot(measured: Estimate | Scalar) -> tuple[float, float]:
    """A value and the half-width of its interval; the half-width is NaN if it is unknown."""
    if isinstance(measured, Estimate) and measured.value.size == 1:
        return measured.value.item(), 2 * measured.error.item()
    value, half = mean_and_interval(asnumpy(measured.value if isinstance(measured, Estimate) else measured).ravel())
    return float(value), float(half)


@checked(found=labelled(a_line), xlabel=text, ylabel=text)
def lines(found: Mapping[str, Line], xlabel: str, ylabel: str) -> Figure:
    """A measure against any x: the mean over the replicas as a line, and its 95% interval as a band.

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


@checked(ax=axes, found=labelled(a_line), xlabel=text, ylabel=text)
def draw_lines(ax: Axes, found: Mapping[str, Line], xlabel: str, ylabel: str) -> None:
    """Draw the picture of `lines` on existing axes."""
    for colour, (name, (x, values)) in coloured(found.items()):
        draw_band(ax, asnumpy(x), numpy.moveaxis(asnumpy(values), -1, 0), name, colour)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()


@checked(found=labelled(measured(SingleStepAccuracy)), xlabel=text)
def single_step_accuracy(
    found: Mapping[str, tuple[Array, Sequence[SingleStepAccuracy]]], xlabel: str = "epoch"
) -> Figure:
    """The accuracy of the single step, over a training or against ρ: its share of the ascent's rise, and their cosine.

    Parameters
    ----------
    found : dict
        Label → x (k,), and the k results of `minisam.sharpness.single_step_accuracy` there.
    xlabel : str
        The label of the x axis.

    Returns
    -------
    matplotlib Figure
    """
    panels = {"ratio": "rise: single step / ascent", "cosine": "cosine of single step and ascent"}
    return _attributes(found, xlabel, panels)


@checked(found=labelled(measured(SecondOrder)), xlabel=text)
def second_order(found: Mapping[str, tuple[Array, Sequence[SecondOrder]]], xlabel: str = "epoch") -> Figure:
    """The term that SAM drops, over a training or against ρ: its size, and the cosine of the kept and the whole gradient.

    Arguments as for `single_step_accuracy`, with results of `minisam.sharpness.second_order`.
    """
    return _attributes(found, xlabel, {"share": "‖dropped‖ / ‖kept‖", "cosine": "cosine of kept and whole gradient"})


def _attributes(found: Mapping[str, tuple[Array, Sequence[Any]]], xlabel: str, panels: Mapping[str, str]) -> Figure:
    """One panel for each attribute of the results, with its label."""
    figure, axes = new_figure(1, len(panels), width=4.5 * len(panels))
    for ax, (name, ylabel) in zip(axes, panels.items(), strict=True):
        of_each = {
            label: (x, numpy.stack([asnumpy(getattr(one, name)) for one in at_each], axis=-1))
            for label, (x, at_each) in found.items()
        }
        draw_lines(ax, of_each, xlabel, ylabel)
    return figure


@checked(spectra=labelled(A_SPECTRUM), points=count())
def spectrum(spectra: Mapping[str, Spectrum], points: int = 400) -> Figure:
    """The density of the Hessian's eigenvalues, with a band of ± 2 standard errors and one line per replica.

    Parameters
    ----------
    spectra : dict
        Label → result of `minisam.sharpness.spectral_density`.
    points : int
        Number of points of each line, ≥ 1.

    Returns
    -------
    matplotlib Figure
    """
    figure, (ax,) = new_figure(1, 1, width=5.5)
    draw_spectra(ax, spectra, points)
    return figure


@checked(ax=axes, spectra=labelled(A_SPECTRUM), points=count())
def draw_spectra(ax: Axes, spectra: Mapping[str, Spectrum], points: int = 400) -> None:
    """Draw the picture of `spectrum` on existing axes.

    All densities are smoothed with the largest of their widths. The logarithmic axis shows six powers of ten.
    """
    width = max(one.width for one in spectra.values())
    values = numpy.concatenate([one.values.ravel() for one in spectra.values()])
    at = numpy.linspace(numpy.nanmin(values) - 5 * width, numpy.nanmax(values) + 5 * width, points)
    top = 0.0
    for colour, (name, one) in coloured(spectra.items()):
        density = one.density(at, width)
        replicas = zip(density.value.reshape(-1, points), density.error.reshape(-1, points), strict=True)
        for k, (value, error) in enumerate(replicas):
            ax.plot(at, value, color=colour, label=name if k == 0 else None, linewidth=1)
            ax.fill_between(at, value - 2 * error, value + 2 * error, color=colour, alpha=0.2, linewidth=0)
            top = max(top, numpy.nanmax(value))
    ax.set(xlabel="eigenvalue λ of the Hessian", ylabel="density [1/λ]", yscale="log", ylim=(1e-6 * top, 2 * top))
    ax.legend()


# --- landscapes ------------------------------------------------------------------------------------------------------


@checked(slices=labelled(a_line), xlabel=text, ylabel=text)
def profile(slices: Mapping[str, Line], xlabel: str = "distance from w", ylabel: str = "loss") -> Figure:
    """The loss along a line through w: label → (t, values), as `minisam.sharpness.profile` returns them."""
    figure = lines(slices, xlabel, ylabel)
    _mark(figure.axes[0], {0.0: "w"})
    return figure


@checked(slices=labelled(a_line), ylabel=text, ends=two_texts)
def interpolation(slices: Mapping[str, Line], ylabel: str = "loss", ends: tuple[str, str] = ("start", "end")) -> Figure:
    """The loss from one solution to another: label → (t, values), as `minisam.sharpness.interpolation` returns them.

    `ends` are the names of the two solutions in the picture.
    """
    figure = lines(slices, "t in (1 − t) start + t end", ylabel)
    _mark(figure.axes[0], dict(zip((0.0, 1.0), ends, strict=True)))
    return figure


def _mark(ax: Axes, places: Mapping[float, str]) -> None:
    """Vertical lines at x → name, with the names above the frame."""
    for x, name in places.items():
        ax.axvline(x, color="grey", linewidth=0.8, linestyle=":")
        ax.text(x, 1.01, name, transform=ax.get_xaxis_transform(), ha="center")


@checked(slices=labelled(a_slice), points=optional(labelled(a_point)), xlabel=text, ylabel=text, label=text)
def landscape(
    slices: Mapping[str, Slice],
    points: Mapping[str, tuple[float, float]] | None = None,
    xlabel: str = "distance along the first direction",
    ylabel: str = "distance along the second direction",
    label: str = "loss",
) -> Figure:
    """Slices of `minisam.sharpness.landscape` side by side. All have the same levels, so their steepness can be compared.

    Parameters
    ----------
    slices : dict
        Title → (t, values) of one replica.
    points : dict, optional
        Name of a point → its coordinates along the two directions, such as {"w": (0, 0), "w + ε": (rho, 0)} for a slice
        toward ε.
    xlabel, ylabel, label : str
        Labels of the axes and of the colour bar.

    Returns
    -------
    matplotlib Figure
    """
    figure, axes = new_figure(1, len(slices), width=3.6 * len(slices) + 1.2)
    draw_landscapes(axes, slices, points, xlabel, ylabel, label)
    return figure


@checked(
    axes=several_axes,
    slices=labelled(a_slice),
    points=optional(labelled(a_point)),
    xlabel=text,
    ylabel=text,
    label=text,
)
def draw_landscapes(
    axes: Sequence[Axes],
    slices: Mapping[str, Slice],
    points: Mapping[str, tuple[float, float]] | None = None,
    xlabel: str = "distance along the first direction",
    ylabel: str = "distance along the second direction",
    label: str = "loss",
) -> None:
    """Draw the picture of `landscape` on existing axes.

    The levels are spaced logarithmically, over at most six powers of ten; they are spaced evenly if the loss falls below 0.
    Values that are not finite are drawn as the highest level.
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
    """Sixteen levels for a loss in this range, and the scale of the colours ("linear" or "log")."""
    if bottom < 0:
        return numpy.linspace(bottom, max(top, 0.99 * bottom), 16), "linear"
    bottom = max(bottom, 1e-6 * top, 1e-12)
    return numpy.geomspace(bottom, max(top, 1.01 * bottom), 16), "log"
