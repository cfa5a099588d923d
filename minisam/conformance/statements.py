"""What the steps of an implementation say about each statement that its variant owes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy

from ..types import Array
from ..vectors import norm
from . import ascent, descent
from .ascent import BALL, LOOK
from .explain import DOWN, UP, Explained, explained
from .guard import Guard, guard_of, units
from .problems import Problem
from .readings import Part, Seen
from .report import Statement
from .watch import Step, apart

SAME = 1e-6  # relative: two points are one
HIDDEN = "it cannot be told, since "


def statements(
    steps: Sequence[Step], problem: Problem, settings: Mapping[str, float], owes: Mapping[str, str]
) -> tuple[list[Statement], Guard]:
    """Those of a variant that looks at w and at w + ε, told from its steps on a problem; and the guard of its norm."""
    counts = [len(step.asks) for step in steps]
    if not min(counts) or period(steps, settings["rho"]):
        return [_asks(steps, settings["rho"])], Guard()
    seen = guarded(_seen(steps, problem, settings), owes)
    told = [_asks(steps, settings["rho"]), _first(steps), _batch(steps), _away(seen, counts)]
    if not numpy.isfinite(seen.after).all():
        k = int(numpy.argmin(numpy.isfinite(seen.after).all(axis=-1)))
        says = f"The weights are not finite after step {k}."
        return [*told, Statement("the weights stay finite", "", LOOK, False, None, says)], Guard()
    if not settings["rho"]:
        told += _untold(ascent.PARTS, "rho is 0.")
    elif max(counts) == 1:
        told += _untold(ascent.PARTS, "no gradient is taken at w, beside which ε could be held.")
    elif numpy.any(seen.eps):
        told += _parts(ascent.PARTS, explained(UP, seen, owes), seen, owes, _no_ascent)
    told += _parts(descent.PARTS, explained(DOWN, seen, owes), seen, owes, _no_descent)
    return told, seen.guard


def _seen(steps: Sequence[Step], problem: Problem, settings: Mapping[str, float]) -> Seen:
    first = [step.asks[0].g if len(step.asks) > 1 else 0 * step.w for step in steps]
    last = [step.asks[-1] for step in steps]
    of: Callable[[list[Array]], Array] = numpy.array
    a, g_adv = of([ask.w for ask in last]), of([ask.g for ask in last])
    return Seen(of([s.w for s in steps]), of(first), a, g_adv, of([s.after for s in steps]), problem, settings)


def guarded(seen: Seen, owes: Mapping[str, str]) -> Seen:
    """The same with the guard of its norm, if the norm is owed and ε goes along a direction of the catalogue."""
    norms = ascent.NORM.owed(owes).name
    if norms not in ("2-norm", "in units"):
        return seen
    T = units(seen.w, seen.settings["eta"] if norms == "in units" else None)
    for reading in ascent.DIRECTION.readings:
        if reading.is_possible(seen.settings):
            d = reading.compute(seen)
            rows = numpy.any(d, axis=-1) & numpy.any(seen.eps, axis=-1)
            guard = guard_of(seen.eps[rows], (T * T * d)[rows], norm(T * d)[rows])
            if guard.tau:
                return replace(seen, guard=guard)
    return seen


def period(steps: Sequence[Step], rho: float) -> int:
    """How many updates make one step of SAM, if all but each last one only go to w + ε, with one gradient each; 0 if not so."""
    if any(len(step.asks) != 1 or not numpy.any(step.asks[0].g) for step in steps):
        return 0
    went_up = [apart(s.after - s.w, rho * s.asks[0].g / norm(s.asks[0].g)) < SAME for s in steps]
    many = went_up.index(False) + 1 if False in went_up else 0
    is_so = many > 1 and went_up == [(t + 1) % many != 0 for t in range(len(steps))]
    return many if is_so else 0


# --- which gradients were asked for ----------------------------------------------------------------------------------


def _asks(steps: Sequence[Step], rho: float) -> Statement:
    """Whether there are two a step."""
    counts = sorted({len(step.asks) for step in steps})
    says = f"{counts[0]} to {counts[-1]} gradients are taken a step, where two are owed."
    if counts == [0]:
        says = "No gradient is asked for: the step never evaluates the loss it is given."
    elif many := period(steps, rho):
        says = (
            f"Each update takes one gradient, and {many} of them make one step of SAM: "
            f"the first {many - 1} only go to w + ε. Call {many} a step, on one batch."
        )
    elif counts == [1]:
        away = any(numpy.any(step.asks[0].w != step.w) for step in steps)
        says = (
            "One gradient a step is taken, at w + ε, and none at w that would say where to look."
            if away
            else "One gradient a step is taken, at w: SAM is never switched on, and this is its base optimizer."
        )
    elif len(counts) == 1:
        says = f"{counts[0]} gradients a step are taken, where two are owed."
    off = abs(numpy.mean([len(step.asks) for step in steps]) - 2)
    return Statement("two gradients a step", "∇L(w), ∇L(w + ε)", LOOK, counts == [2], float(off), says)


def _first(steps: Sequence[Step]) -> Statement:
    """Whether the first is that at w."""
    two = [step for step in steps if len(step.asks) > 1]
    text, formula = "the first gradient is taken at w", "∇L(w)"
    if not two:
        return Statement(text, formula, LOOK, None, None, HIDDEN + "there is no first of two gradients.")
    off = max(apart(step.asks[0].w, step.w) for step in two)
    says = "The first gradient is not taken at w, the weights that the step before left."
    return Statement(text, formula, LOOK, off < SAME, off, says)


def _batch(steps: Sequence[Step]) -> Statement:
    """Whether all gradients of a step are on its batch."""
    wrong = [(k, step.batch != ask.batch) for step in steps for k, ask in enumerate(step.asks)]
    share = sum(is_wrong for _, is_wrong in wrong) / len(wrong)
    where = {min(k, 1) for k, is_wrong in wrong if is_wrong}
    which = (
        "The first gradient is" if where == {0} else "The second gradient is" if where == {1} else "The gradients are"
    )
    says = f"{which} taken on another batch than the step's: both gradients of a step share one batch."
    return Statement("both on the batch of the step", "∇L_B(w), ∇L_B(w + ε)", LOOK, not where, share, says)


def _away(seen: Seen, counts: Sequence[int]) -> Statement:
    """Whether the last is taken away from w; before the first step, there may be nothing to go along."""
    text, formula = "the second is taken at w + ε", "∇L(w + ε)"
    if max(counts) == 1:
        return Statement(text, formula, LOOK, None, None, HIDDEN + "there is no second gradient.")
    if not seen.settings["rho"]:
        return Statement(text, formula, LOOK, None, None, HIDDEN + "rho is 0.")
    rest = ~numpy.any(seen.eps[1:], axis=-1)
    share = float(rest.mean())
    says = "The second gradient is taken at w itself: ε is never added to the weights."
    if share < 1:
        says = f"In {rest.sum()} of {len(rest)} steps, the second gradient is taken at w itself: ε is not added."
    return Statement(text, formula, LOOK, not rest.any(), share, says)


# --- how ε and the step were computed --------------------------------------------------------------------------------


def _parts(
    parts: Sequence[Part],
    explanation: Explained | None,
    seen: Seen,
    owes: Mapping[str, str],
    unexplained: Callable[[Seen], Statement],
) -> list[Statement]:
    """A statement for each part."""
    if explanation is None:
        wrong = unexplained(seen)
        return [wrong, *_untold(parts[1:], "no step of the catalogue is like the one that was seen.")]
    return [_part(part, explanation, seen, owes) for part in parts]


def _untold(parts: Sequence[Part], why: str) -> list[Statement]:
    return [Statement(part.statement, part.formula, part.lesson, None, None, HIDDEN + why) for part in parts]


def _part(part: Part, explanation: Explained, seen: Seen, owes: Mapping[str, str]) -> Statement:
    found, off = explanation.found[part.key], explanation.off[part.key]
    if not part.is_shown(seen.settings):
        return _untold([part], f"{part.shown_by} is 0.")[0]
    if found is None:
        text = part.statement[0].upper() + part.statement[1:]
        says = f"{text} does not hold: it is {abs(explanation.factor):.4g} times as long."
        return Statement(part.statement, part.formula, part.lesson, False, off, says)
    holds = found is part.owed(owes)
    return Statement(part.statement, part.formula, part.lesson, holds, off, found.says, found.is_choice and not holds)


def _no_ascent(seen: Seen) -> Statement:
    part = ascent.DIRECTION
    cosine = _rows(seen.eps * seen.g) / numpy.sqrt(_rows(seen.eps**2) * _rows(seen.g**2) + 1e-300)
    angle = float(numpy.degrees(numpy.arccos(numpy.clip(cosine, -1, 1)).max()))
    length = numpy.sqrt(_rows(seen.eps**2)) / (seen.settings["rho"] or 1)
    long = f"{length.min():.4g} to {length.max():.4g} times ρ long"
    says = f"ε is none of the catalogue's: up to {angle:.3g}° from ∇L(w), and {long}."
    return Statement(part.statement, part.formula, BALL, False, float(numpy.radians(angle)), says)


def _no_descent(seen: Seen) -> Statement:
    part = descent.TAKEN
    says = "The new weights are none that the catalogue's steps lead to, with the gradients that were taken."
    return Statement(part.statement, part.formula, LOOK, False, None, says)


def _rows(a: Array) -> Array:
    return a.sum(axis=-1)
