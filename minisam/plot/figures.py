"""What all pictures share: colours, axes, bands, files. Matplotlib is imported when a figure is made."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

import numpy

from ..arguments import checked, count, file, methods, number, optional, text
from ..checks import ABOVE_0
from ..files import whole
from ..kinds import host
from ..stats import mean_and_interval
from .kinds import axes, colour, labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's palette, which colour-blind readers can tell apart
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
Item = TypeVar("Item")


@checked(rows=count(), columns=count(), width=number(ABOVE_0), height=optional(number(ABOVE_0)))
def new_figure(rows: int, columns: int, width: float, height: float | None = None) -> tuple[Figure, list[Axes]]:
    """A figure of this size [inch] that opens no window, and its axes, row by row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height or 3.6 * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False).ravel().tolist()


@checked(figure=methods("savefig", "a matplotlib figure"), path=file)
def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as a PNG file. If writing fails, an older file at `path` stays as it was."""
    with whole(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=120)


def coloured(items: Iterable[Item]) -> Iterator[tuple[str, Item]]:
    """Each item with its colour. If there are more items than colours, the colours repeat."""
    return zip(itertools.cycle(COLOURS), items, strict=False)


@checked(ax=axes, x=host("fiu", axes=1), samples=host("fiu", axes=1), label=text, colour=colour)
def draw_band(ax: Axes, x: numpy.ndarray, samples: numpy.ndarray, label: str, colour: str) -> None:
    """The mean over the replicas of samples (len(x), ...) as a line, and its 95% interval as a band."""
    if len(samples) != len(x):
        raise ValueError(f"samples must have one row for each x, {len(x)}, got shape {samples.shape}")
    mean, half = mean_and_interval(samples.reshape(len(x), -1))
    ax.plot(x, mean, "-" if len(x) > 1 else "o", color=colour, label=label)
    ax.fill_between(x, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0)


@checked(ax=axes, values=host("fiu", axes=1, finite=True))
def spread(ax: Axes, values: numpy.ndarray) -> None:
    """Make the x axis logarithmic if the values span a decade or more; linear near 0 if 0 is one of them."""
    positive = values[values > 0]
    if (values >= 0).all() and len(positive) > 1 and positive.max() >= 10 * positive.min():
        ax.set_xscale("symlog", linthresh=positive.min()) if (values == 0).any() else ax.set_xscale("log")
    ax.set_xticks(values, [f"{v:g}" for v in values])
    ax.minorticks_off()


@checked(labels=labels)
def told(labels: Mapping[str, object]) -> str:
    """Labels as text: {"rho": 0.05, "lr": 0.1} -> "rho = 0.05, lr = 0.1"."""
    return ", ".join(f"{name} = {v:g}" if isinstance(v, float) else f"{name} = {v}" for name, v in labels.items())
