"""Pictures of trainings: curves over the training, and results against a swept hyperparameter."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy

from ..arguments import checked, sequence
from ..checks import pick
from ..stats import mean_and_interval
from .figures import coloured, draw_band, new_figure, spread, told
from .kinds import a_run, several_axes
from .kinds import runs as a_runs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = {"train_loss": "training loss", "validation_accuracy": "validation accuracy"}


def a_panel(name: str, value: str) -> str:
    """The name of a panel."""
    pick(name, value, PANELS)
    return value


panels_of = sequence(a_panel)


class Drawable(Protocol):
    """What a picture needs of a training; `minisam.Run` has it."""

    @property
    def history(self) -> Mapping[str, numpy.ndarray]:
        """Name of a quantity → its values (epochs, ...)."""

    @property
    def loss(self) -> object:
        """The name of the loss, or the loss itself."""

    @property
    def axes(self) -> Mapping[str, Sequence[Any]]:
        """Name → values of each replica axis."""

    def select(self, **labels: Any) -> Drawable:
        """The replicas with these values."""


@checked(runs=a_runs)
def curves(runs: Mapping[str, Drawable]) -> Figure:
    """Training loss and validation accuracy against gradient evaluations, with mean and 95% interval over the replicas.

    Parameters
    ----------
    runs : dict
        Label → `Run`. All runs are drawn in one picture.

    Returns
    -------
    matplotlib Figure
    """
    panels = _panels(runs.values()) or ["train_loss"]
    figure, axes = new_figure(1, len(panels), width=4.5 * len(panels))
    draw_curves(axes, runs, panels)
    return figure


@checked(axes=several_axes, runs=a_runs, panels=panels_of)
def draw_curves(axes: Sequence[Axes], runs: Mapping[str, Drawable], panels: Sequence[str] = tuple(PANELS)) -> None:
    """Draw the panels of `curves` on existing axes."""
    unit = " [nats]" if all(run.loss == "cross_entropy" for run in runs.values()) else ""
    for ax, key in zip(axes, panels, strict=True):
        for colour, (name, run) in coloured(runs.items()):
            if key in run.history:
                draw_band(ax, run.history["evaluations"], run.history[key], name, colour)
        ax.set(xlabel="gradient evaluations", ylabel=PANELS[key] + unit * (key == "train_loss"))
        if ax.lines:
            ax.legend()
    axes[0].set_yscale("log")


@checked(run=a_run)
def against(run: Drawable, name: str) -> Figure:
    """Training loss and validation accuracy of the last epoch against a swept hyperparameter, with mean and 95% interval.

    Parameters
    ----------
    run : Run
        From a training with a sweep. The intervals are over its seeds; other swept hyperparameters give one line per value.
    name : str
        A name in `run.axes`, whose values are numbers.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If the run has no axis of this name.
    """
    values = numpy.asarray(pick("an axis of the run", name, run.axes))
    if values.dtype.kind not in "iuf":
        raise ValueError(f"name must be an axis of the run whose values are numbers, got {name!r}: {run.axes[name]}")
    panels = _panels([run])
    figure, axes = new_figure(1, len(panels), width=4.5 * len(panels))
    order = numpy.argsort(values)
    others = {key: labels for key, labels in run.axes.items() if key not in (name, "seed")}
    for ax, key in zip(axes, panels, strict=True):
        for colour, combination in coloured(itertools.product(*others.values())):
            chosen = dict(zip(others, combination, strict=True))
            last = run.select(**chosen).history[key][-1]
            mean, half = (of_each[order] for of_each in mean_and_interval(last.reshape(len(values), -1)))
            ax.errorbar(values[order], mean, half, fmt="o-", capsize=3, color=colour, label=told(chosen) or None)
        ax.set(xlabel=name, ylabel=f"{PANELS[key]} after the last epoch")
        spread(ax, values)
        if others:
            ax.legend()
    return figure


def _panels(runs: Iterable[Drawable]) -> list[str]:
    """The quantities of PANELS that at least one run has recorded."""
    return [key for key in PANELS if any(key in run.history for run in runs)]
