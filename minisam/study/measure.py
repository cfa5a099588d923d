"""Train a grid of settings on one unit, and score each: where the hyperparameters sweep, all in one run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy

from ..array_backend import asnumpy
from ..data import Data
from ..training.loop import DivergedError, train
from ..training.run import Run
from ..training.sweep import Labels
from .methods import Grid, Method, combinations
from .problem import Problem

Measure: TypeAlias = dict[
    str, Any
]  # of one combination, as JSON: its settings; score and whether it diverged, of each seed; …


def measured(problem: Problem, method: Method, grid: Grid, epochs: int, k: int, data: Data) -> list[Measure]:
    """What each combination of the grid reaches on the test part of `data`, from the seeds of unit k.

    A training diverges if a loss, a weight or its score is not finite. It then counts as if nothing had been trained: its
    score is that of its initial weights.
    """
    found: dict[str, Measure] = {}
    untrained = [score(problem, initial(problem, seed), data) for seed in problem.seeds_of(k)]
    if not numpy.isfinite(untrained).all():
        raise ValueError(f"score must be a finite number, got {untrained} for the initial weights of unit {k}")
    for settings, i, run in trained(problem, method, grid, epochs, k, data):
        measure = found.setdefault(
            str(settings), {"settings": settings, "scores": [], "diverged": [], "gradients": None}
        )
        reached = score(problem, run, data) if run and is_finite(run) else numpy.nan
        diverged = not numpy.isfinite(reached)
        measure["scores"].append(untrained[i] if diverged else reached)
        measure["diverged"].append(diverged)
        if run and len(run.history["evaluations"]):
            measure["gradients"] = float(run.history["evaluations"][-1])
    return list(found.values())


def trained(
    problem: Problem, method: Method, grid: Grid, epochs: int, k: int, data: Data
) -> Iterator[tuple[Labels, int, Run | None]]:
    """Each combination with the number of a seed and the run of that seed alone; None if the run diverged before its end."""
    seeds = problem.seeds_of(k)
    make = method.for_steps(epochs * steps_of(problem, data))

    def run_of(optimizer: Any, seed: Any, sweep: Any) -> Run | None:
        return _train(problem, data, optimizer, epochs, seed, sweep)

    try:
        if not grid:
            raise ValueError("a sweep needs a name")  # without one, it would end with its first seed that diverges
        together = run_of(make, list(seeds), grid)
    except (TypeError, ValueError):  # these hyperparameters cannot be arrays: one combination after the other
        for settings in combinations(grid):
            for i, seed in enumerate(seeds):
                yield settings, i, run_of(make(**settings), seed, None)
        return
    for settings in combinations(grid):
        for i, seed in enumerate(seeds):
            yield settings, i, together and together.select(**settings, seed=seed)


def _train(problem: Problem, data: Data, optimizer: Any, epochs: int, seed: Any, sweep: Any) -> Run | None:
    """The run on the training part alone; None if all of it diverged."""
    part = (data.x_train, data.y_train)
    options = {"sweep": sweep, "loss": problem.loss, "progress": False}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\d+ of \d+ replicas diverged")  # which is told in the result
        try:
            run = train(problem.model, part, optimizer, epochs, problem.batch_size, seed, **options)
        except DivergedError:
            return None
    if run.interrupted:
        raise KeyboardInterrupt
    return run


def steps_of(problem: Problem, data: Data) -> int:
    """Steps of an epoch."""
    return max(1, len(data.x_train) // problem.batch_size)


def initial(problem: Problem, seed: int) -> Run:
    """The network before its training."""
    w = problem.model.init(seed, "float32")
    return Run(problem.model, w, {}, problem.loss, running=problem.model.init_running(w))


def is_finite(run: Run) -> bool:
    """Whether all losses of a single network were finite, and its weights are."""
    return bool(numpy.isfinite(run.history["train_loss"]).all() and numpy.isfinite(asnumpy(run.w)).all())


@numpy.errstate(all="ignore")
def score(problem: Problem, run: Run, data: Data) -> float:
    """The problem's score of a single network; not finite if it cannot be told."""
    reached: Callable[..., Any] = problem.score
    return float(reached(run, data))
