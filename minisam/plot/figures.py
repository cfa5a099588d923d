"""What all pictures share: colours, axes, bands, files. Matplotlib is imported when a figure is made."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy

from ..files import whole
from ..stats import mean_and_interval

# Okabe & Ito's palette, which colour-blind readers can tell apart
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]


def new_figure(rows: int, columns: int, width: float, height: float | None = None) -> tuple[Any, Any]:
    """A figure [inch] that belongs to nobody's window, and its axes, row by row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height or 3.6 * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False).ravel()


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, whole or not at all."""
    with whole(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=120)


def coloured(items: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Each item with its colour, from the beginning again where there are more items than colours."""
    return zip(itertools.cycle(COLOURS), items, strict=False)


def draw_band(ax: Any, x: numpy.ndarray, samples: numpy.ndarray, label: str, colour: str) -> None:
    """A line at the mean of samples (len(x), ...) over the replicas, in a band of its 95% interval."""
    mean, half = mean_and_interval(samples.reshape(len(x), -1))
    ax.plot(x, mean, "-" if len(x) > 1 else "o", color=colour, label=label)
    ax.fill_between(x, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0)


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
