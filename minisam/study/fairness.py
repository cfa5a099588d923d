"""What makes a study unfair, refused before anything trains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy

from ..arguments import instance, labelled
from ..checks import ABOVE_0, check_count, check_number
from ..data import Data
from ..training.settings import fingerprint
from .methods import Method, count_of, method
from .problem import Problem


def fair_methods(methods: object) -> dict[str, Method]:
    """The methods by name, all with the same number of settings; or the error that says why they are not."""
    made = labelled(method)("methods", methods)
    if len(made) < 2:
        raise ValueError(f"methods must be two or more, to be compared, got {list(made)}")
    counts = {name: count_of(each.grid) for name, each in made.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} has {n}" for name, n in counts.items())
        raise ValueError(f"methods must have the same number of settings each, to be tuned equally well: {told}")
    return made


def check_evidence(problem: Any, units: int, tuning: int, delta: float | None) -> None:
    """Raise the error that says why these units are no evidence, if they are none."""
    instance(Problem, "a Problem(model, unit, epochs, ...)")("problem", problem)
    if check_count("units", units) < 2:
        raise ValueError("units must be ≥ 2, got 1: one unit does not show how much units differ")
    check_count("tuning", tuning)
    if delta is not None:
        check_number("delta", delta, ABOVE_0, swept=False)
    first, again, other = (unit_of(problem, k) for k in (0, 0, 1))
    if fingerprint_of(first) != fingerprint_of(again):
        raise ValueError("unit must draw the same data each time it gets the same k, got two different units 0")
    if fingerprint_of(first) == fingerprint_of(other):
        raise ValueError(
            "unit must draw other data for each k, got twice the same for k = 0 and 1: seeds on the same data are not units"
        )


def unit_of(problem: Problem, k: int) -> Data:
    """Unit k; or the error that says why its test part does not test."""
    data = instance(Data, "a minisam Data")(f"unit({k})", problem.unit(k))
    for part in ("train", "validation"):
        share = share_within(data.x_test, getattr(data, f"x_{part}"))
        if share > 0.5:
            raise ValueError(
                f"unit({k}) must test on examples of their own, got {share:.0%} of x_test in x_{part}, on which the methods are "
                + {"train": "trained", "validation": "tuned"}[part]
            )
    return data


def for_tuning(data: Data) -> Data:
    """The data with the validation part in place of the test part, which nothing that chooses settings can see."""
    return replace(data, x_test=data.x_validation, y_test=data.y_validation)


def share_within(rows: numpy.ndarray, others: numpy.ndarray) -> float:
    """Which share of the rows stand among the others, too."""
    there = {row.tobytes() for row in numpy.ascontiguousarray(others)}
    return float(numpy.mean([row.tobytes() in there for row in numpy.ascontiguousarray(rows)])) if len(rows) else 0.0


def fingerprint_of(data: Data) -> str:
    parts = ("train", "validation", "test")
    return fingerprint([getattr(data, f"{axis}_{part}") for part in parts for axis in "xy"])
