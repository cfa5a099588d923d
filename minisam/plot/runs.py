"""Pictures of trainings: curves, and how they ended against what was swept."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy

from ..checks import pick
from ..stats import mean_and_interval
from .figures import coloured, draw_band, new_figure, spread, told

if TYPE_CHECKING:
    from ..training.run import Run

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
        for colour, (name, run) in coloured(runs.items()):
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
        for colour, chosen in coloured(itertools.product(*others.values())):
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
