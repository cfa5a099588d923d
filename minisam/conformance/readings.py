"""What a catalogue of mistakes is made of: parts of a step, and the ways in which each part can be computed.

A step is SAM's, or another variant's, if each of its parts is computed in the way that the variant owes. Another way is a
mistake, or a choice, which makes it a different variant; it has one sentence. `ascent` and `descent` hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy

from ..types import Array
from .guard import Guard
from .problems import Problem


@dataclass(frozen=True)
class Seen:
    """What was seen of T steps, each as an array (T, n), and the settings that the implementation was said to have.

    Attributes
    ----------
    w, after : before and after each step
    g, a, g_adv : the first gradient; the point of the last, w + ε; the last gradient
    problem : whose tensors w is made of
    settings : rho, lr, momentum, weight_decay, and what else the variant has
    guard : what is added to the norm that divides ε
    """

    w: Array
    g: Array
    a: Array
    g_adv: Array
    after: Array
    problem: Problem
    settings: Mapping[str, float]
    guard: Guard = Guard()

    @cached_property
    def eps(self) -> Array:
        return self.a - self.w


@dataclass(frozen=True)
class Reading:
    """One way to compute a part of a step.

    Attributes
    ----------
    name : str
    compute : function
        What the part computes, from a `Seen`; see `ascent` and `descent` for the other arguments of each part.
    says : str
        The mistake in one sentence; or the choice, with the name of the variant that it makes.
    is_choice : bool
    needs : str
        The setting without which it cannot be computed.
    shown_by : str
        The setting that must not be 0, or the reading is another one, too.
    """

    name: str
    compute: Callable[..., Any]
    says: str = ""
    is_choice: bool = False
    needs: str = ""
    shown_by: str = ""

    def is_possible(self, settings: Mapping[str, float]) -> bool:
        return (not self.needs or self.needs in settings) and (not self.shown_by or settings[self.shown_by] != 0)


@dataclass(frozen=True)
class Part:
    """A part of a step: the statement that is owed about it, its line of the formula, and a lesson.

    Attributes
    ----------
    key, statement, formula, lesson : str
    readings : tuple of Reading
        The first is SAM's.
    shown_by : str
        The setting without which all readings are one; the part is then not seen.
    """

    key: str
    statement: str
    formula: str
    lesson: str
    readings: tuple[Reading, ...]
    shown_by: str = ""

    def owed(self, owes: Mapping[str, str]) -> Reading:
        """The reading that a variant owes; SAM's, if it says nothing of this part."""
        name = owes.get(self.key, self.readings[0].name)
        return next(reading for reading in self.readings if reading.name == name)

    def possible(self, settings: Mapping[str, float], owed: Reading) -> list[Reading]:
        """The readings that these settings can tell apart, the owed one first."""
        if not self.is_shown(settings):
            return [owed]
        return [owed, *(r for r in self.readings if r is not owed and r.is_possible(settings))]

    def is_shown(self, settings: Mapping[str, float]) -> bool:
        return not self.shown_by or settings[self.shown_by] != 0


def before(a: Array) -> Array:
    """The rows of a, each one step later; zeros in the first step.   (T, n) -> (T, n)."""
    return numpy.vstack([0 * a[:1], a[:-1]])
