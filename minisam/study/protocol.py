"""A study from its definition to its result: each method is tuned, then reported, under both budgets."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy

from .. import threads
from ..arguments import file
from ..checks import check_truth
from ..data import Data
from ..training.archive import Path
from ..training.settings import text
from ..training.sweep import Labels
from .fairness import check_evidence, fair_methods, for_tuning, unit_of
from .measure import Measure, measured
from .methods import Grid, Method
from .pieces import Pieces, going_on
from .problem import Problem
from .result import Outcome, Result
from .tuning import choose


def compare(
    problem: Problem,
    methods: Mapping[str, Any],
    *,
    delta: float | None,
    units: int = 10,
    tuning: int = 3,
    path: Path | None = None,
    progress: bool = True,
) -> Result:
    """Compare methods on a problem, fairly.

        compare(problem, {"SGD": (SGD, {"lr": [0.05, 0.1, 0.2, 0.4]}), "SAM": (make, {"lr": [0.1, 0.2], "rho": [0.05, 0.1]})},
                delta=0.005, path="study.json")

    Each method is tuned on its own: of its grid, the settings with the highest mean score on the validation parts of units
    0 … tuning − 1. A choice at the rim of the grid extends it (see `tuning.choose`). The chosen settings are then trained on
    `units` other units, and scored on their test parts, once. All this is done for two budgets: equal epochs; and equal
    gradients, where each method trains as long as it takes to spend what the most expensive one spends in `problem.epochs`,
    tuned anew for that length.

    Parameters
    ----------
    problem : Problem
    methods : dict
        Name → (make, grid): a function of settings that returns an optimizer, and the values of each setting. All methods have
        the same number of settings. A function that takes `steps` gets the number of steps of the training, for schedules.
    delta : float or None
        δ > 0: a difference of the score that does not matter. Only with it, methods can be found equal.
    units : int
        Units that are reported, ≥ 2.
    tuning : int
        Units that settings are chosen on, ≥ 1.
    path : path, optional
        A JSON file, written whole after each finished piece. If it exists, the study goes on from it, and ends with the same
        file as one that was never interrupted. Other methods may be asked for; a method that has changed is computed anew, alone
        (and the others' equal-gradient runs, if the largest cost has changed). More units may be asked for, too; but who adds
        units until a verdict appears will find one, so a result tells if verdicts were seen after fewer.
    progress : bool
        Whether to show a progress bar, with the time left.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        If the study is unfair or ill-defined, or the file belongs to another study or is damaged. Nothing has been trained then.
    OSError
        If the file cannot be written, or another run is writing it.

    Truths: tests/test_study.py.
    """
    check_truth("progress", progress)
    if path is not None:
        file("path", path)
    check_evidence(problem, units, tuning, delta)
    fair = fair_methods(methods)
    settings = problem.settings() | {"tuning": text("tuning", tuning), "delta": text("delta", delta)}
    with going_on(path, settings, fair) as pieces:
        bar = threads.bar(
            itertools.repeat(None), total=len(fair) * (tuning + units), unit="piece", disable=not progress
        )
        with bar:
            study = Study(problem, fair, units, tuning, pieces, bar)
            equal_epochs = {name: study.outcome(name, problem.epochs) for name in fair}
            lengths = lengths_of(equal_epochs, problem.epochs)
            bar.total += sum(length != problem.epochs for length in lengths.values()) * (tuning + units)
            equal_gradients = {
                name: equal_epochs[name] if length == problem.epochs else study.outcome(name, length)
                for name, length in lengths.items()
            }
        result = Result({"equal epochs": equal_epochs, "equal gradients": equal_gradients}, delta, pieces.looks(units))
        pieces.end(result.as_json(), units)
    return result


def lengths_of(outcomes: Mapping[str, Outcome], epochs: int) -> dict[str, int]:
    """How many epochs of each method spend as many gradients as the most expensive one does in `epochs`."""
    spent = {name: outcome.gradients for name, outcome in outcomes.items()}
    most = max((each for each in spent.values() if each), default=None)
    return {name: round(epochs * most / each) if each and most else epochs for name, each in spent.items()}


@dataclass
class Study:
    """A study while it runs."""

    problem: Problem
    methods: Mapping[str, Method]
    units: int
    tuning: int
    pieces: Pieces
    bar: Any

    def __post_init__(self) -> None:
        self.unit: Callable[[int], Data] = lru_cache(maxsize=32)(partial(unit_of, self.problem))

    def outcome(self, name: str, epochs: int) -> Outcome:
        """A method tuned for a number of epochs, and reported."""
        method = self.methods[name]
        choice = choose(lambda grid: self.validated(name, grid, epochs), method.grid, method.takes)
        alone = {setting: [value] for setting, value in choice.settings.items()}
        reported = [self.piece(name, alone, epochs, k)[0] for k in range(self.tuning, self.tuning + self.units)]
        spent = [each["gradients"] for each in reported if each["gradients"]]
        return Outcome(
            settings=choice.settings,
            tried={setting: list(values) for setting, values in choice.grid.items()},
            at_rim=choice.at_rim,
            epochs=epochs,
            gradients=spent[0] if spent else None,
            validation=choice.score,
            scores=[float(numpy.mean(each["scores"])) for each in reported],
            diverged=[sum(each["diverged"]) for each in reported],
            seeds=self.problem.seeds,
        )

    def validated(self, name: str, grid: Grid, epochs: int) -> list[tuple[Labels, float]]:
        """Each combination of the grid with its mean score on the validation parts of the tuning units."""
        if grid is not self.methods[name].grid:
            self.bar.total += self.tuning
        by_unit = [self.piece(name, grid, epochs, k) for k in range(self.tuning)]
        return [
            (each[0]["settings"], float(numpy.mean([measure["scores"] for measure in each])))
            for each in zip(*by_unit, strict=True)
        ]

    def piece(self, name: str, grid: Grid, epochs: int, k: int) -> list[Measure]:
        """All combinations of a grid on one unit: a tuning unit is scored on its validation part, another on its test part."""

        def compute() -> list[Measure]:
            data = self.unit(k)
            scored = for_tuning(data) if k < self.tuning else data
            return measured(self.problem, self.methods[name], grid, epochs, k, scored)

        self.bar.set_postfix_str(f"{name}, unit {k}")
        found = self.pieces.get(name, f"{epochs} epochs, unit {k:03}, {json.dumps(grid)}", compute)
        self.bar.update()
        return found
