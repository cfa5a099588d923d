"""The result of a study: table, verdicts, picture."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy

from ..arguments import file
from ..checks import pick
from ..stats import mean_and_interval
from ..training.archive import refusing
from ..training.sweep import Labels
from .methods import Grid, count_of
from .pieces import read
from .verdicts import Comparison, Verdict, judge

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAD = ("", "settings", "of", "epochs", "gradients", "score", "diverged")


@dataclass(frozen=True)
class Outcome:
    """What a method reached under one budget.

    Attributes
    ----------
    settings : dict
        The ones chosen.
    tried : dict
        The grid they were chosen from, with its extensions.
    at_rim : list of str
        Names whose value lies at the rim of the extended grid: a better one may lie beyond.
    epochs : int
    gradients : float or None
        Gradients that one training spent; None if all of them diverged.
    validation : float or None
        The mean score on the tuning units; None if the settings were given, not chosen.
    scores : list of float
        On each reported unit, the mean over its seeds.
    diverged : list of int
        On each reported unit, how many of its seeds diverged. These count with the score of their initial weights.
    seeds : int
        Of each unit.
    """

    settings: Labels
    tried: Grid
    at_rim: list[str]
    epochs: int
    gradients: float | None
    validation: float | None
    scores: list[float]
    diverged: list[int]
    seeds: int


@dataclass(frozen=True)
class Result:
    """What a study found.

    Attributes
    ----------
    budgets : dict
        "equal epochs" and "equal gradients" → name of a method → its `Outcome`.
    delta : float or None
        δ, the difference that does not matter.
    seen : list of int
        Smaller numbers of units after which a result of this study was seen.
    """

    budgets: dict[str, dict[str, Outcome]]
    delta: float | None
    seen: list[int] = field(default_factory=list)

    def table(self) -> str:
        """Each method under each budget, with its mean score ± the half-width of its 95% interval over units; then warnings.

        "of" is the number of settings that were tried. Intervals of single methods say little about differences, which are
        paired: see `verdicts`.
        """
        lines: list[tuple[str, ...]] = [HEAD]
        for budget, outcomes in self.budgets.items():
            lines.append((budget, *[""] * (len(HEAD) - 1)))
            lines += [_line(f"  {name}", outcome) for name, outcome in outcomes.items()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        form = "  ".join(f"{{:{'<' if i < 2 else '>'}{width}}}" for i, width in enumerate(widths))
        return "\n".join([*(form.format(*line).rstrip() for line in lines), *self.warnings()])

    def warnings(self) -> list[str]:
        """A line for each choice at the rim of its grid, for each method that diverged, and for units that were added."""
        said = [
            f"warning: verdicts were seen after {seen} units; who adds units until a verdict appears will find one"
            for seen in self.seen
        ]
        for budget, outcomes in self.budgets.items():
            for name, outcome in outcomes.items():
                for setting in outcome.at_rim:
                    value = outcome.settings[setting]
                    said.append(
                        f"warning: {name} at {budget}: {setting} = {value:g} lies at the rim of its grid, even extended: "
                        "a better value may lie beyond"
                    )
                if units := sum(map(bool, outcome.diverged)):
                    said.append(
                        f"warning: {name} at {budget}: {sum(outcome.diverged)} trainings diverged, in {units} of "
                        f"{len(outcome.scores)} units; they count with the score of their initial weights"
                    )
        return said

    def verdicts(self, against: str | None = None) -> list[Verdict]:
        """Each other method against one (by default the first), under each budget; p by Holm's method over all of these."""
        return judge(list(self.comparisons(against)), self.delta)

    def comparisons(self, against: str | None = None) -> Iterator[Comparison]:
        """Each pair of trainings once, with the budgets under which both methods were trained so."""
        names = next(iter(self.budgets.values()))
        base = next(iter(names)) if against is None else pick("against", against, {name: name for name in names})
        for name in names:
            pairs: dict[tuple[int, int], list[str]] = {}
            for budget, outcomes in self.budgets.items():
                pairs.setdefault((outcomes[name].epochs, outcomes[base].epochs), []).append(budget)
            for budgets in pairs.values() if name != base else ():
                mine, its = (self.budgets[budgets[0]][each].scores for each in (name, base))
                yield Comparison(name, base, tuple(budgets), tuple(numpy.subtract(mine, its).tolist()))

    def plot(self, against: str | None = None) -> Figure:
        """Each unit's difference as a dot, the mean with its 95% interval, and the band ±δ, as a matplotlib figure."""
        from .picture import differences

        return differences(self.verdicts(against), self.delta)

    def as_json(self) -> dict[str, Any]:
        """All of it in plain data."""
        told = {
            budget: {name: asdict(outcome) for name, outcome in each.items()} for budget, each in self.budgets.items()
        }
        return {"delta": self.delta, "seen": self.seen, "budgets": told}


def load(path: str | os.PathLike[str]) -> Result:
    """The result of a study that has ended, from its file; a ValueError if the file is no such."""
    told = read(file("path", path)).get("result")
    if told is None:
        raise ValueError(f"{os.fspath(path)} holds a study that has not ended: call compare again, and it goes on")
    with refusing(path, "study"):
        budgets = {
            budget: {name: Outcome(**outcome) for name, outcome in each.items()}
            for budget, each in told["budgets"].items()
        }
        return Result(budgets, told["delta"], told["seen"])


def _line(name: str, outcome: Outcome) -> tuple[str, ...]:
    marks = {key: " (rim)" for key in outcome.at_rim}
    settings = ", ".join(f"{key} = {value}{marks.get(key, '')}" for key, value in outcome.settings.items())
    gradients = "?" if outcome.gradients is None else f"{outcome.gradients:,.0f}"
    diverged = f"{sum(outcome.diverged)} of {len(outcome.scores) * outcome.seeds}" if any(outcome.diverged) else ""
    tried = str(count_of(outcome.tried))
    return name, settings, tried, str(outcome.epochs), gradients, _mean(outcome.scores), diverged


def _mean(scores: list[float]) -> str:
    """Mean ± half-width."""
    mean, half = map(float, mean_and_interval(numpy.array(scores)))
    digits = digits_of(half)
    return f"{mean:.{digits}f} ± {half:.{digits}f}"


def digits_of(half_width: float) -> int:
    """How many decimals show two digits of a half-width, but six at most; four, if it is 0."""
    return min(6, max(0, 1 - math.floor(math.log10(half_width)))) if half_width > 0 else 4
