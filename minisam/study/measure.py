"""Train a grid of settings on one unit, and score each: where the hyperparameters sweep, all in one run.

Truths: tests/test_study.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy

from ..array_backend import asnumpy
from ..checks import as_numbers, shown
from ..data import Data
from ..optim import Optimizer
from ..training.loop import DivergedError, train
from ..training.run import Run
from ..training.sweep import Labels
from .methods import Grid, Method, combinations
from .problem import Problem

Measure: TypeAlias = dict[
    str, Any
]  # of one combination, as JSON: its settings, what each seed reached, gradients spent


def measured(problem: Problem, method: Method, grid: Grid, epochs: int, k: int, data: Data) -> list[Measure]:
    """What each combination of the grid reaches on the test part of `data`, from the seeds of unit k.

    A training diverges if a loss, a weight or its score is not finite. It then counts as if nothing had been trained: its
    score is that of its initial weights.
    """
    found: dict[str, Measure] = {}
    for settings, seed, run in trained(problem, method, grid, epochs, k, data):
        measure = found.setdefault(
            str(settings), {"settings": settings, "scores": [], "diverged": [], "gradients": None}
        )
        reached = score(problem, run, data) if run and is_finite(run) else numpy.nan
        diverged = not numpy.isfinite(reached)
        measure["scores"].append(untrained(problem, seed, data) if diverged else reached)
        measure["diverged"].append(diverged)
        if run and not diverged:
            measure["gradients"] = float(run.history["evaluations"][-1])
    return list(found.values())


def trained(
    problem: Problem, method: Method, grid: Grid, epochs: int, k: int, data: Data
) -> Iterator[tuple[Labels, int, Run | None]]:
    """Each combination and seed with the run of it alone; None if it ended early, as it diverged."""
    seeds = problem.seeds_of(k)
    make = method.for_steps(epochs * max(1, len(data.x_train) // problem.batch_size))
    try:
        if not grid:
            raise ValueError("a sweep needs a name")  # without one, it would end with its first seed that diverges
        together = run_of(problem, data, make, epochs, list(seeds), grid)
    except (TypeError, ValueError):  # these hyperparameters cannot be arrays: one training after the other
        for settings in combinations(grid):
            for seed in seeds:
                yield settings, seed, run_of(problem, data, make(**settings), epochs, seed, None)
        return
    for settings in combinations(grid):
        for seed in seeds:
            yield settings, seed, together and together.select(**settings, seed=seed)


def run_of(
    problem: Problem, data: Data, optimizer: Optimizer | Any, epochs: int, seed: int | Sequence[int], sweep: Grid | None
) -> Run | None:
    """The run on the training part alone; None if all of it diverged."""
    part = (data.x_train, data.y_train)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\d+ of \d+ replicas diverged")  # which is told in the result
        try:
            run = train(
                problem.model,
                part,
                optimizer,
                epochs,
                problem.batch_size,
                seed,
                sweep=sweep,
                loss=problem.loss,
                augment=problem.augment,
                progress=False,
            )
        except DivergedError:
            return None
    if run.interrupted:
        raise KeyboardInterrupt
    return run


def is_finite(run: Run) -> bool:
    """Whether all losses of a single network were finite, and its weights are."""
    return bool(numpy.isfinite(run.history["train_loss"]).all() and numpy.isfinite(asnumpy(run.w)).all())


@numpy.errstate(all="ignore")
def score(problem: Problem, run: Run, data: Data) -> float:
    """The problem's score of a single network; not finite if it cannot be told."""
    reached = problem.score(run, data)
    number = as_numbers(reached)
    if number is None or number.ndim or number.dtype.kind not in "iuf":
        raise TypeError(f"score must return a number, got {shown(reached)}")
    return float(number)


def untrained(problem: Problem, seed: int, data: Data) -> float:
    """The score of the initial weights."""
    w = problem.model.init(seed, "float32")
    reached = score(problem, Run(problem.model, w, {}, problem.loss, running=problem.model.init_running(w)), data)
    if not numpy.isfinite(reached):
        raise ValueError(
            f"score must be finite for the initial weights, by which a training counts that diverges, got {reached}"
        )
    return reached
