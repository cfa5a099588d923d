"""What the steps of an implementation say about each statement that its variant owes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy

from ..types import Array
from . import ascent, descent
from .ascent import BALL, LOOK
from .explain import DOWN, UP, Explained, explained
from .readings import Part, Seen
from .report import Statement
from .watch import Step, apart

SAME = 1e-6  # relative: two points are one
HIDDEN = "it cannot be told, since "


def statements(
    steps: Sequence[Step], slices: list[slice], settings: Mapping[str, float], owes: Mapping[str, str]
) -> list[Statement]:
    """Those of a variant that looks at w and at w + ε, told from its steps on a problem."""
    counts = [len(step.asks) for step in steps]
    if not min(counts):
        return [_asks(steps)]
    seen = _seen(steps, slices, settings)
    told = [_asks(steps), _first(steps), _batch(steps), _away(seen, counts)]
    if not numpy.isfinite(seen.after).all():
        k = int(numpy.argmin(numpy.isfinite(seen.after).all(axis=-1)))
        says = f"The weights are not finite after step {k}."
        return [*told, Statement("the weights stay finite", "", LOOK, False, None, says)]
    if max(counts) == 1:
        told += _untold(ascent.PARTS, "no gradient is taken at w, beside which ε could be held.")
    elif numpy.any(seen.eps):
        told += _parts(ascent.PARTS, explained(UP, seen, owes), seen, owes, _no_ascent)
    return told + _parts(descent.PARTS, explained(DOWN, seen, owes), seen, owes, _no_descent)


def _seen(steps: Sequence[Step], slices: list[slice], settings: Mapping[str, float]) -> Seen:
    first = [step.asks[0].g if len(step.asks) > 1 else 0 * step.w for step in steps]
    last = [step.asks[-1] for step in steps]
    of: Callable[[list[Array]], Array] = numpy.array
    a, g_adv = of([ask.w for ask in last]), of([ask.g for ask in last])
    return Seen(of([s.w for s in steps]), of(first), a, g_adv, of([s.after for s in steps]), slices, settings)


# --- which gradients were asked for ----------------------------------------------------------------------------------


def _asks(steps: Sequence[Step]) -> Statement:
    """Whether there are two a step."""
    counts = sorted({len(step.asks) for step in steps})
    says = f"{counts[0]} to {counts[-1]} gradients are taken a step, where two are owed."
    if counts == [0]:
        says = "No gradient is asked for: the step never evaluates the loss it is given."
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
