"""Pictures. Matplotlib is imported when one is drawn."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy

from .files import whole
from .models import pick
from .stats import mean_and_interval

if TYPE_CHECKING:
    from .run import Run

# Okabe & Ito's palette, which colour-blind readers can tell apart
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]

PANELS = {
    "train_loss": "training loss",
    "validation_accuracy": "validation accuracy",
}


def curves(runs: Mapping[str, Run]) -> Any:
    """Training loss and validation accuracy against gradient evaluations, mean and 95% interval over the replicas.

    Parameters
    ----------
    runs : dict
        Label → Run; all in one picture.

    Returns
    -------
    matplotlib Figure
    """
    panels = [key for key in PANELS if key == "train_loss" or any(key in run.history for run in runs.values())]
    figure, axes = new_figure(1, len(panels), width=4.5 * len(panels))
    draw_curves(axes, runs, panels)
    return figure


def draw_curves(axes: Sequence[Any], runs: Mapping[str, Run], panels: Sequence[str] = tuple(PANELS)) -> None:
    """The panels of `curves`, on axes that exist."""
    unit = " [nats]" if all(run.loss == "cross_entropy" for run in runs.values()) else ""
    for ax, key in zip(axes, panels, strict=True):
        for colour, (name, run) in zip(itertools.cycle(COLOURS), runs.items(), strict=False):
            if key in run.history:
                draw_band(ax, run.history["evaluations"], run.history[key], name, colour)
        ax.set(xlabel="gradient evaluations", ylabel=PANELS[key] + unit * (key == "train_loss"))
        if ax.lines:
            ax.legend()
    axes[0].set_yscale("log")


def against(run: Run, name: str) -> Any:
    """The last epoch's training loss and validation accuracy against a swept hyperparameter, mean and 95% interval.

    Parameters
    ----------
    run : Run
        From a training with a sweep; intervals are over its seeds, and other swept hyperparameters make lines of their own.
    name : str
        A name in `run.axes`, with numbers as values.

    Returns
    -------
    matplotlib Figure
    """
    panels = [key for key in PANELS if key in run.history]
    figure, axes = new_figure(1, len(panels), width=4.5 * len(panels))
    values = numpy.asarray(pick("an axis of the run", name, run.axes), dtype="float64")
    order = numpy.argsort(values)
    others = {key: labels for key, labels in run.axes.items() if key not in (name, "seed")}
    for ax, key in zip(axes, panels, strict=True):
        for colour, chosen in zip(itertools.cycle(COLOURS), itertools.product(*others.values()), strict=False):
            line = run.select(**dict(zip(others, chosen, strict=True)))
            last = line.history[key][-1]
            mean, half = mean_and_interval(last.reshape(len(values), -1))
            label = told(dict(zip(others, chosen, strict=True)))
            ax.errorbar(values[order], mean[order], half[order], fmt="o-", capsize=3, color=colour, label=label or None)
        ax.set(xlabel=name, ylabel=f"{PANELS[key]} after the last epoch")
        spread(ax, values)
        if others:
            ax.legend()
    return figure


def spread(ax: Any, values: numpy.ndarray) -> None:
    """A logarithmic axis for values that span a decade or more; with a linear stretch at 0 if that is among them."""
    positive = values[values > 0]
    if (values >= 0).all() and len(positive) > 1 and positive.max() >= 10 * positive.min():
        ax.set_xscale("symlog", linthresh=positive.min()) if (values == 0).any() else ax.set_xscale("log")
    ax.set_xticks(values, [f"{v:g}" for v in values])
    ax.minorticks_off()


def told(labels: Mapping[str, Any]) -> str:
    """{"rho": 0.05, "lr": 0.1} -> "rho = 0.05, lr = 0.1"."""
    return ", ".join(
        f"{name} = {value:g}" if isinstance(value, float) else f"{name} = {value}" for name, value in labels.items()
    )


def draw_band(ax: Any, x: numpy.ndarray, samples: numpy.ndarray, label: str, colour: str) -> None:
    """A line at the mean of samples (len(x), ...) over the replicas, in a band of its 95% interval."""
    mean, half = mean_and_interval(samples.reshape(len(x), -1))
    ax.plot(x, mean, "-" if len(x) > 1 else "o", color=colour, label=label)
    ax.fill_between(x, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0)


def draw_landscapes(axes: Sequence[Any], slices: Mapping[str, tuple[numpy.ndarray, numpy.ndarray]]) -> None:
    """Slices made by `minisam.sharpness.landscape`, side by side, with the same levels so that steepness compares.

    Six powers of ten at most; what is not finite counts as the top.
    """
    finite = numpy.concatenate([values[numpy.isfinite(values)] for _, values in slices.values()])
    bottom = max(finite.min(), 1e-6 * finite.max(), 1e-12)
    top = max(finite.max(), 1.01 * bottom)
    levels = numpy.geomspace(bottom, top, 16)
    for ax, (name, (t, values)) in zip(axes, slices.items(), strict=True):
        values = numpy.nan_to_num(values, nan=top).clip(levels[0], levels[-1])
        drawn = ax.contourf(t, t, values, levels=levels, cmap="viridis", norm="log")
        ax.plot(0, 0, "o", color="white", markersize=4)
        ax.set(title=name, xlabel="distance toward the worst point in the ball", aspect="equal")
    axes[0].set_ylabel("distance along a random direction")
    ticks = levels[::5]
    bar = axes[-1].figure.colorbar(drawn, ax=list(axes), label="training loss [nats]", ticks=ticks, format="%.2g")
    bar.ax.minorticks_off()


def new_figure(rows: int, columns: int, width: float) -> tuple[Any, Any]:
    """A figure [inch] that belongs to nobody's window, and its axes, row by row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 3.6 * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False).ravel()


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, whole or not at all."""
    with whole(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=120)
