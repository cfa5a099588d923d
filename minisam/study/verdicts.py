"""Verdicts: what the differences between two methods, one for each unit, let us say.

Truths: tests/test_study_verdicts.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..stats import mean_and_interval
from .statistics import (
    LEVEL,
    MOST,
    holm,
    p_of_difference,
    p_of_equality,
    power_of_difference,
    power_of_equality,
    units_needed,
)

BETTER, WORSE, EQUAL, UNDECIDED = "better", "worse", "equal", "undecided"


@dataclass(frozen=True)
class Comparison:
    """A method's scores minus those of another one, unit by unit."""

    method: str
    against: str
    budgets: tuple[str, ...]  # those under which both were trained so
    differences: tuple[float, ...]

    @property
    def spread(self) -> float:
        """The standard deviation of the differences; 0 where all are the same, however their mean is rounded."""
        return float(numpy.std(self.differences, ddof=1)) if len(set(self.differences)) > 1 else 0.0


@dataclass(frozen=True)
class Verdict:
    """What a study says about two methods.

    Attributes
    ----------
    comparison : Comparison
    effect, half_width : float
        The mean difference, and the half-width of its paired 95% interval over the units.
    p : float
        Of "there is no difference", adjusted by Holm's method for all comparisons of the study.
    p_equal : float or None
        Of "the difference is δ or more", adjusted likewise; None without a δ.
    delta : float or None
    word : str
        "better", "worse", "equal" (within ±δ), or "undecided". A difference that is shown to be within ±δ is "equal" even where
        it is told from 0: δ says what does not matter.
    level : float
        What Holm's method leaves each comparison of the 5%, in the worst case.
    """

    comparison: Comparison
    effect: float
    half_width: float
    p: float
    p_equal: float | None
    delta: float | None
    word: str
    level: float

    @property
    def units_needed(self) -> int | None:
        """The units with which a study like this one would decide in 80% of cases, be the difference 0 or δ.

        Without a δ: be it as large as the one seen. It rests on the spread of these few differences, so it is rough. None if it
        is more than 10,000, or if the differences show no spread.
        """
        spread = self.comparison.spread
        effect = self.delta or abs(self.effect)
        if not spread or not effect:
            return None
        tells = units_needed(lambda n: power_of_difference(n, effect, spread, self.level))
        if self.delta is None:
            return tells
        equal = units_needed(lambda n: power_of_equality(n, effect, spread, self.level))
        return max(tells, equal) if tells and equal else None

    def __str__(self) -> str:
        c, low, high = self.comparison, self.effect - self.half_width, self.effect + self.half_width
        word = f"equal within ±{self.delta:g}" if self.word == EQUAL else self.word
        p = f"p = {self.p:.2g}" + (f", of no equality {self.p_equal:.2g}" if self.p_equal is not None else "")
        said = (
            f"{c.method} against {c.against} at {' and '.join(c.budgets)}: {word}, "
            f"{self.effect:+.4g} [{low:+.4g}, {high:+.4g}] over {len(c.differences)} units ({p})"
        )
        return said + (f"; {self.needs()}" if self.word == UNDECIDED else "")

    def needs(self) -> str:
        """How many units would decide."""
        if not self.comparison.spread:
            return "no spread between the units, so it cannot be told how many would decide"
        needed = self.units_needed
        units = f"about {needed:,}" if needed else f"more than {MOST:,}"
        size = f"be it 0 or {self.delta:g}" if self.delta else "if it is as large as the one seen"
        return f"{units} units would decide, with a chance of 80%, {size}"


def judge(comparisons: Sequence[Comparison], delta: float | None) -> list[Verdict]:
    """A verdict on each comparison, where all of them together are wrong about a difference in at most 5% of studies.

    The same holds for what they say about equality.
    """
    d = numpy.array([each.differences for each in comparisons])
    effects, halves = (each.tolist() for each in mean_and_interval(d))
    p = holm(p_of_difference(d)).tolist()
    p_equal = [None] * len(d) if delta is None else holm(p_of_equality(d, delta)).tolist()
    told = zip(comparisons, effects, halves, p, p_equal, strict=True)
    return [
        Verdict(each, effect, half, p_, equal, delta, word_of(effect, p_, equal), LEVEL / len(d))
        for each, effect, half, p_, equal in told
    ]


def word_of(effect: float, p: float, p_equal: float | None) -> str:
    if p_equal is not None and p_equal < LEVEL:
        return EQUAL
    if p < LEVEL:
        return BETTER if effect > 0 else WORSE
    return UNDECIDED
