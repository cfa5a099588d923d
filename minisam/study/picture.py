"""The picture of a study: paired differences. Truths: tests/test_study_verdicts.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy

from ..plot import COLOURS, new_figure
from .verdicts import BETTER, EQUAL, UNDECIDED, WORSE, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OF_WORD = {BETTER: COLOURS[2], WORSE: COLOURS[1], EQUAL: COLOURS[0], UNDECIDED: "#777777"}


def differences(verdicts: Sequence[Verdict], delta: float | None) -> Figure:
    """One row for each comparison: dots are units, the bar is the paired 95% interval, the band is ±δ."""
    figure, (ax,) = new_figure(1, 1, width=8.0, height=1.4 + 0.7 * len(verdicts))
    if delta is not None:
        ax.axvspan(-delta, delta, color="#dddddd", label=f"±δ = {delta:g}", zorder=0)
    ax.axvline(0, color="black", linewidth=0.8, zorder=1)
    for row, verdict in enumerate(verdicts):
        dots, colour = verdict.comparison.differences, OF_WORD[verdict.word]
        height = row + 0.25 * numpy.linspace(-1, 1, len(dots))  # in the order of the units
        ax.plot(dots, height, "o", color=colour, alpha=0.35, markersize=4)
        ax.errorbar(verdict.effect, row, xerr=verdict.half_width, fmt="D", color=colour, capsize=4, markersize=6)
    ax.set_yticks(range(len(verdicts)), [_label(verdict) for verdict in verdicts])
    ax.set_ylim(len(verdicts) - 0.5, -0.5)
    ax.set_xlabel(f"score minus that of {verdicts[0].comparison.against}, unit by unit")
    if delta is not None:
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), frameon=False)
    return figure


def _label(verdict: Verdict) -> str:
    return f"{verdict.comparison.method}\n{' and '.join(verdict.comparison.budgets)}: {verdict.word}"
