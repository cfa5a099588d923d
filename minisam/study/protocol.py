"""A study from its definition to its result: each method is tuned, then reported, under both budgets."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeAlias

import numpy

from .. import threads
from ..arguments import file
from ..checks import check_truth
from ..data import Data
from ..executors import Calls, Executor
from ..executors import executor as an_executor
from ..training.archive import Path
from ..training.settings import text
from ..training.sweep import Labels
from .fairness import check_evidence, fair_methods, for_tuning, unit_of
from .measure import Measure, measured
from .methods import Grid, Method
from .pieces import Missing, Piece, Pieces, going_on
from .problem import Problem
from .result import Outcome, Result
from .tuning import choose

Budgets: TypeAlias = dict[str, dict[str, Outcome]]  # name of a budget → name of a method → what it reached
Unit: TypeAlias = Callable[[int], Data]


def compare(
    problem: Problem,
    methods: Mapping[str, Any],
    *,
    delta: float | None,
    units: int = 10,
    tuning: int = 3,
    path: Path | None = None,
    progress: bool = True,
    executor: Executor | None = None,
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
    executor : executor, optional
        Computes the pieces (a method's grid on a unit), several at a time, such as
        `concurrent.futures.ProcessPoolExecutor()`; see `minisam.executors`. By default this process does. A piece is computed
        on one thread of BLAS, so the result is the same bits whoever computes it, in whatever order.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        If the study is unfair or ill-defined, or the file belongs to another study or is damaged. Nothing has been trained then.
    OSError
        If the file cannot be written, or another run is writing it.
    BrokenExecutor
        If a worker of the executor is lost. Finished pieces are in the file, as they are after Ctrl-C, which cancels the others.

    Truths: tests/test_study.py.
    """
    check_truth("progress", progress)
    if path is not None:
        file("path", path)
    check_evidence(problem, units, tuning, delta)
    fair = fair_methods(methods)
    an_executor("executor", executor)
    settings = problem.settings() | {"tuning": text("tuning", tuning), "delta": text("delta", delta)}
    with going_on(path, settings, fair) as pieces:
        study = Study(problem, fair, units, tuning, pieces)
        budgets = carried_out(study, executor, progress)
        result = Result(budgets, delta, pieces.looks(units))
        pieces.end(result.as_json(), units)
    return result


def carried_out(study: Study, executor: Executor | None, progress: bool) -> Budgets:
    """The outcomes of a study. What it lacks is computed and kept, and then it is asked again, until it lacks nothing."""
    path = study.pieces.path
    kept = f"a second call goes on from {os.fspath(path)}" if path else "nothing is kept, because path is None"
    calls: Calls[Piece] = Calls(executor, kept)
    budgets, missing = study.asked()
    with calls, threads.bar((), initial=study.there, unit="piece", disable=not progress) as bar:
        while missing:
            bar.total, bar.n = study.planned, study.there
            bar.refresh()
            for piece in missing:
                calls.add(piece, computed, **study.call(piece, here=executor is None))
            for piece, found in calls.finished():
                study.pieces.keep(piece, found)
                bar.set_postfix_str(f"{piece.method}, unit {piece.unit}", refresh=False)
            budgets, missing = study.asked()
    return budgets


def computed(
    problem: Problem, methods: Mapping[str, Method], piece: Piece, is_tuning: bool, unit: Unit | None = None
) -> list[Measure]:
    """A piece: a tuning unit is scored on its validation part, another on its test part."""
    data = unit(piece.unit) if unit else unit_of(problem, piece.unit)
    method, scored = methods[piece.method], for_tuning(data) if is_tuning else data
    return measured(problem, method, piece.grid, piece.epochs, piece.unit, scored)


def lengths_of(outcomes: Mapping[str, Outcome], epochs: int) -> dict[str, int]:
    """How many epochs of each method spend as many gradients as the most expensive one does in `epochs`."""
    spent = {name: outcome.gradients for name, outcome in outcomes.items()}
    most = max((each for each in spent.values() if each), default=None)
    return {name: round(epochs * most / each) if each and most else epochs for name, each in spent.items()}


@dataclass
class Study:
    """A study, as far as its pieces are there."""

    problem: Problem
    methods: Mapping[str, Method]
    units: int
    tuning: int
    pieces: Pieces
    planned: int = 0  # pieces, as far as is known
    there: int = 0

    def __post_init__(self) -> None:
        self.unit: Unit = lru_cache(maxsize=32)(partial(unit_of, self.problem))

    def asked(self) -> tuple[Budgets, list[Piece]]:
        """The outcomes, and no pieces; or nothing, and the pieces that can be computed now."""
        try:
            return self.budgets(), []
        except Missing as lacks:
            return {}, lacks.pieces

    def budgets(self) -> Budgets:
        """The outcomes for both budgets; or `Missing`, with all pieces that can be computed now."""
        self.planned = self.there = 0
        equal_epochs = self.outcomes(dict.fromkeys(self.methods, self.problem.epochs))
        lengths = lengths_of(equal_epochs, self.problem.epochs)
        longer = self.outcomes({name: n for name, n in lengths.items() if n != self.problem.epochs})
        return {"equal epochs": equal_epochs, "equal gradients": equal_epochs | longer}

    def outcomes(self, lengths: Mapping[str, int]) -> dict[str, Outcome]:
        """The outcome of each method that is trained for so many epochs."""
        found, missing = {}, []
        for name, epochs in lengths.items():
            self.planned += self.tuning + self.units
            try:
                found[name] = self.outcome(name, epochs)
            except Missing as lacks:
                missing += lacks.pieces
        if missing:
            raise Missing(missing)
        return found

    def outcome(self, name: str, epochs: int) -> Outcome:
        """A method tuned for a number of epochs, and reported."""
        method = self.methods[name]
        choice = choose(lambda grid: self.validated(name, grid, epochs), method.grid, method.takes)
        alone = {setting: [value] for setting, value in choice.settings.items()}
        reported = [
            each[0] for each in self.on_units(name, alone, epochs, range(self.tuning, self.tuning + self.units))
        ]
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
            self.planned += self.tuning
        return [
            (each[0]["settings"], float(numpy.mean([measure["scores"] for measure in each])))
            for each in zip(*self.on_units(name, grid, epochs, range(self.tuning)), strict=True)
        ]

    def on_units(self, name: str, grid: Grid, epochs: int, units: range) -> list[list[Measure]]:
        """All combinations of a grid on each of these units; or `Missing`, with the pieces that are not there."""
        pieces = [Piece(name, grid, epochs, k) for k in units]
        missing = [piece for piece in pieces if not self.pieces.has(piece)]
        self.there += len(pieces) - len(missing)
        if missing:
            raise Missing(missing)
        return [self.pieces.get(piece) for piece in pieces]

    def call(self, piece: Piece, here: bool) -> dict[str, Any]:
        """The arguments of `computed`; units that are drawn here are drawn once."""
        methods = {piece.method: self.methods[piece.method]}
        drawn = {"unit": self.unit} if here else {}
        return {
            "problem": self.problem,
            "methods": methods,
            "piece": piece,
            "is_tuning": piece.unit < self.tuning,
            **drawn,
        }
