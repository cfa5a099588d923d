"""Pictures. Matplotlib is imported when one is drawn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy

from .stats import mean_and_interval

if TYPE_CHECKING:
    from .train import Run

# Okabe & Ito's palette, which colour-blind readers can tell apart
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]

PANELS = {
    "train_loss": "training loss [nats]",
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
    figure, axes = new_figure(1, 2, width=9.0)
    draw_curves(axes, runs)
    return figure


def draw_curves(axes: Sequence[Any], runs: Mapping[str, Run]) -> None:
    """The two panels of `curves`, on axes that exist."""
    for ax, (key, label) in zip(axes, PANELS.items(), strict=True):
        for colour, (name, run) in zip(COLOURS, runs.items(), strict=False):
            if key in run.history:
                draw_band(ax, run.history["evaluations"], run.history[key], name, colour)
        ax.set(xlabel="gradient evaluations", ylabel=label)
        ax.legend()
    axes[0].set_yscale("log")


def draw_band(ax: Any, x: numpy.ndarray, samples: numpy.ndarray, label: str, colour: str) -> None:
    """A line at the mean of samples (len(x), ...) over the replicas, in a band of its 95% interval."""
    mean, half = mean_and_interval(samples.reshape(len(x), -1))
    ax.plot(x, mean, color=colour, label=label)
    ax.fill_between(x, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0)


def draw_landscapes(axes: Sequence[Any], slices: Mapping[str, tuple[numpy.ndarray, numpy.ndarray]]) -> None:
    """Slices made by `minisam.sharpness.landscape`, side by side, with the same levels so that steepness compares."""
    top = max(values.max() for _, values in slices.values())
    bottom = min(values.min() for _, values in slices.values())
    levels = numpy.geomspace(max(bottom, 1e-6 * top), top, 16)
    for ax, (name, (t, values)) in zip(axes, slices.items(), strict=True):
        drawn = ax.contourf(t, t, values.clip(levels[0], top), levels=levels, cmap="viridis", norm="log")
        ax.plot(0, 0, "o", color="white", markersize=4)
        ax.set(title=name, xlabel="distance toward the worst point in the ball", aspect="equal")
    axes[0].set_ylabel("distance along a random direction")
    ticks = levels[::5]
    bar = axes[-1].figure.colorbar(drawn, ax=list(axes), label="training loss [nats]", ticks=ticks, format="%.2g")
    bar.ax.minorticks_off()


def new_figure(rows: int, columns: int, width: float) -> tuple[Any, Any]:
    """A figure [inch] that belongs to nobody's window, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 3.6 * rows), layout="constrained")
    return figure, figure.subplots(rows, columns)


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, whole or not at all."""
    unfinished = f"{os.fspath(path)}.part"
    try:
        figure.savefig(unfinished, format="png", dpi=120)
        os.replace(unfinished, path)
    finally:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
