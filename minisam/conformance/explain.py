"""Which readings of the catalogue explain what was seen: the fewest that are not owed.

A stage of the step, up to w + ε or down to the new weights, is a vector times a number. The vector is a product of readings;
the number is fitted to what was seen, and named afterwards. What was seen of later stages, or earlier ones, is taken as it is:
so mistakes of different parts do not hide each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy

from ..types import Array
from . import ascent, descent
from .readings import Part, Reading, Seen

CLOSE = 1e-6  # relative; some implementations keep norms in single precision
MOST = 3  # parts of one stage that may deviate at once
Chosen = tuple[Reading, ...]


@dataclass(frozen=True)
class Stage:
    """A half of the step.

    `shape` are the parts that make the vector, `factors` those that make the number. `vector(seen, chosen)` is (T, n), in units
    in which the number is 1; `moved(seen, chosen)` is what was seen, less where it started.
    """

    shape: tuple[Part, ...]
    factors: tuple[Part, ...]
    vector: Callable[[Seen, Chosen], Array]
    moved: Callable[[Seen, Chosen], Array]


@dataclass(frozen=True)
class Explained:
    """Part → the reading that was found, None if it is none of the catalogue; and how far it is from the owed one."""

    found: Mapping[str, Reading | None]
    off: Mapping[str, float]
    factor: float


def up(seen: Seen, chosen: Chosen) -> Array:
    """ε by the readings of its direction and its norm."""
    direction, norm = chosen
    return seen.settings["rho"] * norm.compute(direction.compute(seen), seen)


def down(seen: Seen, chosen: Chosen) -> Array:
    """The base's step by the readings of what it takes, of its start, its decay and its momentum."""
    taken, start, decay, momentum = (reading.compute for reading in chosen)
    coupled, decoupled = decay(seen, start(seen)[1])
    d = momentum(taken(seen) + coupled, seen.g + coupled, seen.settings["momentum"])
    return -seen.settings["lr"] * (d + decoupled)


UP = Stage((ascent.DIRECTION, ascent.NORM), (ascent.SIDE, ascent.LENGTH), up, lambda seen, chosen: seen.eps)
DOWN = Stage(
    (descent.TAKEN, descent.START, descent.DECAY, descent.MOMENTUM),
    (descent.RATE,),
    down,
    lambda seen, chosen: seen.after - chosen[1].compute(seen)[0],
)


def explained(stage: Stage, seen: Seen, owes: Mapping[str, str]) -> Explained | None:
    """The first of the simplest explanations; None if the catalogue holds none."""
    owed = tuple(part.owed(owes) for part in (*stage.shape, *stage.factors))
    best: tuple[int, Chosen, tuple[Reading | None, ...], float] | None = None
    for cost, chosen in _in_order(stage.shape, owed, seen):
        if best is not None and cost >= best[0]:
            break
        vector, moved = stage.vector(seen, chosen), stage.moved(seen, chosen)
        factor = float(numpy.vdot(vector, moved) / (numpy.vdot(vector, vector) or 1.0))
        if _apart(factor * vector, moved) < CLOSE:
            named = _named(stage.factors, factor, seen, owes)
            cost += sum(reading is not part.owed(owes) for part, reading in zip(stage.factors, named, strict=True))
            if best is None or cost < best[0]:
                best = cost, chosen, named, factor
    return None if best is None else _told(stage, seen, owed, *best[1:])


def _in_order(parts: Sequence[Part], owed: Chosen, seen: Seen) -> Iterator[tuple[int, Chosen]]:
    """Every combination of readings with the number of those that are not owed, smallest number first."""
    possible = [part.possible(seen.settings, one) for part, one in zip(parts, owed, strict=False)]
    for cost in range(MOST + 1):
        for deviating in itertools.combinations(range(len(parts)), cost):
            for chosen in itertools.product(*(p[1:] if k in deviating else p[:1] for k, p in enumerate(possible))):
                yield cost, chosen


def _named(parts: Sequence[Part], factor: float, seen: Seen, owes: Mapping[str, str]) -> tuple[Reading | None, ...]:
    """The readings whose product is the factor; None for the last part, a length, if there are none."""
    choices = [part.possible(seen.settings, part.owed(owes)) for part in parts]
    signed = [chosen for chosen in itertools.product(*choices) if _product(chosen, seen) * factor > 0]
    right = [chosen for chosen in signed if abs(_product(chosen, seen) / factor - 1) < CLOSE]
    return right[0] if right else (*(signed or [tuple(c[0] for c in choices)])[0][:-1], None)


def _product(chosen: Chosen, seen: Seen) -> float:
    return float(numpy.prod([reading.compute(seen) for reading in chosen]))


def _told(
    stage: Stage, seen: Seen, owed: Chosen, chosen: Chosen, named: tuple[Reading | None, ...], factor: float
) -> Explained:
    """How far each part is from the owed reading, while the other parts are as they were found."""
    found: dict[str, Reading | None] = {}
    off: dict[str, float] = {}
    for k, part in enumerate(stage.shape):
        as_owed = (*chosen[:k], owed[k], *chosen[k + 1 :])
        found[part.key] = chosen[k]
        off[part.key] = _apart(factor * stage.vector(seen, as_owed), stage.moved(seen, as_owed))
    sizes = [abs(factor) if reading is None else reading.compute(seen) for reading in named]
    for k, (part, reading) in enumerate(zip(stage.factors, named, strict=True)):
        right = owed[len(stage.shape) + k].compute(seen) * numpy.prod(sizes[:k] + sizes[k + 1 :])
        found[part.key], off[part.key] = reading, abs(factor / right - 1)
    return Explained(found, off, factor)


def _apart(a: Array, b: Array) -> float:
    """The largest distance of two rows, relative to the longest row of b; ∞ if one is not finite."""
    size = float(numpy.linalg.norm(b, axis=-1).max()) or 1.0
    apart = float(numpy.linalg.norm(a - b, axis=-1).max()) / size
    return apart if numpy.isfinite(apart) else numpy.inf
