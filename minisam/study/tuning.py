"""Choosing settings: the best of a grid, which is extended where the best lies at its rim.

Truths: tests/test_study_tuning.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..checks import is_real
from ..training.sweep import Labels
from .methods import Grid

EXTENSIONS = 2  # values that a grid may be given besides its own, for each name


@dataclass(frozen=True)
class Choice:
    """The settings that were chosen, the grid they were chosen from, and the names whose value still lies at its rim."""

    settings: Labels
    score: float
    grid: Grid
    at_rim: list[str]


def choose(scores: Callable[[Grid], list[tuple[Labels, float]]], grid: Grid, takes: Callable[[Labels], bool]) -> Choice:
    """The settings with the highest score, the first of equal ones.

    While the best value of a name is the smallest or the largest of its grid, the grid is extended there by one value, at most
    twice for each name. Where the optimizer takes no such value (`takes`), or at 0, the rim is the end of what there is, and
    a choice there is no sign that the grid was too small.

    Parameters
    ----------
    scores : function grid -> [(settings, score), …]
        Of every combination of a grid.
    grid : dict
        Name → values.
    takes : function settings -> bool
    """
    tried, extended = scores(grid), Counter[str]()
    while True:
        settings, score = max(tried, key=lambda each: each[1])
        rim = list(beyond(grid, settings, takes))
        name, value = next(((name, value) for name, value in rim if extended[name] < EXTENSIONS), (None, None))
        if name is None:
            return Choice(settings, score, grid, [name for name, _ in rim])
        tried += scores(grid | {name: [value]})
        grid = grid | {name: [*grid[name], value]}
        extended[name] += 1


def beyond(grid: Grid, settings: Labels, takes: Callable[[Labels], bool]) -> Iterator[tuple[str, float]]:
    """Each name whose chosen value lies at the rim of its grid, with the next value beyond."""
    for name, values in grid.items():
        value = next_value(values, settings[name])
        if value is not None and takes(settings | {name: value}):
            yield name, value


def next_value(values: list[Any], chosen: Any) -> float | None:
    """The value beyond the smallest or the largest, by the ratio of the last two (by their distance, from 0 or below).

    None if the value lies inside, has no neighbours, is 0, or is no number.
    """
    if len(values) < 2 or not all(map(is_real, values)):
        return None
    ordered = sorted(values)
    if chosen not in (ordered[0], ordered[-1]) or chosen == 0:
        return None
    other = ordered[1] if chosen == ordered[0] else ordered[-2]
    value = chosen * chosen / other if chosen * other > 0 else chosen + (chosen - other)
    value = round(value) if all(isinstance(v, int) for v in values) else float(f"{value:.6g}")
    return None if value in values else value
