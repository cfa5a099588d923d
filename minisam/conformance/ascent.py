"""The catalogue of ways to compute ε:  ε = side · length · ρ · norm(direction).

`direction` of what was seen is (T, n); `norm(d, seen)` is ε for ρ = 1, (T, n); `side` and `length` of what was seen are factors.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy

from ..types import Array
from ..vectors import norm, over
from .readings import Part, Reading, Seen, before

LOOK, BALL = "03_sam_in_ten_lines", "05_the_inner_maximum"
NEVER_CLEARED = "The gradients are never set to zero: each backward pass adds to all that came before."


def per_tensor(d: Array, seen: Seen) -> Array:
    """Each tensor's own direction, of length 1."""
    return numpy.hstack([over(d[:, s], norm(d[:, s])) for s in seen.problem.slices])


def centred(d: Array, seen: Seen) -> Array:
    """Each tensor with two axes or more less its means over all axes but the first: gradient centralisation."""
    tensors = [
        d[:, s].reshape(len(d), *shape)
        for s, shape in zip(seen.problem.slices, seen.problem.shapes.values(), strict=True)
    ]
    less = [t - t.mean(axis=tuple(range(2, t.ndim)), keepdims=True) if t.ndim > 2 else t for t in tensors]
    return numpy.hstack([t.reshape(len(d), -1) for t in less])


def adaptive(eta: float | None = None) -> Callable[[Array, Seen], Array]:
    """T² d/‖T d‖ with T = |w| + η."""

    def unit(d: Array, seen: Seen) -> Array:
        T = abs(seen.w) + (seen.settings["eta"] if eta is None else eta)
        return over(T * T * d, seen.guard.divisor(norm(T * d)))

    return unit


def adaptive_once(d: Array, seen: Seen) -> Array:
    """T d/‖T d‖: the units of ASAM once, in place of twice."""
    T = abs(seen.w) + seen.settings.get("eta", 0.01)
    return over(T * d, norm(T * d))


DIRECTION = Part(
    "direction",
    "ε lies along ∇L(w)",
    "ε = ρ ∇L(w) / ‖∇L(w)‖",
    LOOK,
    (
        Reading("gradient", lambda s: s.g),
        Reading(
            "stale",
            lambda s: before(s.g_adv),
            "ε lies along the gradient that the step before has left, since the step takes no gradient at w (or drops it).",
        ),
        Reading(
            "left over",
            lambda s: s.g + before(s.g_adv),
            "The gradient of the step before is still there when ∇L(w) is added to it: set it to zero first.",
        ),
        Reading("never cleared", lambda s: numpy.cumsum(s.g + s.g_adv, axis=0) - s.g_adv, NEVER_CLEARED),
        Reading(
            "with decay",
            lambda s: s.g + s.settings["weight_decay"] * s.w,
            "The weight decay is part of the gradient that ε goes along: it belongs to the base's step alone.",
        ),
        Reading(
            "centred",
            lambda s: centred(s.g, s),
            "ε goes along the centred gradient, less each row's mean: SAM with gradient centralisation.",
            True,
        ),
    ),
)
NORM = Part(
    "norm",
    "one 2-norm, over all weights, divides it",
    "ε = ρ ∇L(w) / ‖∇L(w)‖₂",
    BALL,
    (
        Reading(
            "2-norm",
            lambda d, s: over(d, s.guard.divisor(norm(d))),
            "One 2-norm divides the gradient: the ball is SAM's.",
            True,
        ),
        Reading("per tensor", per_tensor, "Each tensor has a norm, and a ball, of its own: layer-wise SAM.", True),
        Reading("sign", lambda d, s: numpy.sign(d), "ε is ρ times the gradient's signs: SAM with p = ∞.", True),
        Reading(
            "none", lambda d, s: d, "The gradient is not divided by its norm: USAM, whose ρ has another unit.", True
        ),
        Reading("in units", adaptive(), "The ball is measured in units of |w| + η: ASAM.", True, needs="eta"),
        Reading("adaptive", adaptive(0.01), "The ball is measured in units of |w| + 0.01: ASAM.", True),
        Reading("adaptive, η = 0", adaptive(0.0), "The ball is measured in units of |w|: ASAM with η = 0.", True),
        Reading(
            "before",
            lambda d, s: over(d, s.guard.divisor(norm(s.g))),
            "The norm that divides is that of ∇L(w), and ε goes along another vector: its length is not ρ.",
        ),
        Reading(
            "squared",
            lambda d, s: over(d, norm(d) ** 2),
            "The gradient is divided by the square of its norm: the root is missing.",
        ),
        Reading(
            "1-norm",
            lambda d, s: over(d, norm(d, 1)),
            "The gradient is divided by its 1-norm, Σ|gᵢ|, not by its 2-norm.",
        ),
        Reading(
            "largest entry",
            lambda d, s: over(d, norm(d, math.inf)),
            "The gradient is divided by its largest entry, not by its 2-norm.",
        ),
        Reading(
            "adaptive once",
            adaptive_once,
            "ε is T g/‖T g‖ with T = |w| + η: ASAM's is T² g/‖T g‖, since T measures both the gradient and ε.",
        ),
    ),
)
SIDE = Part(
    "side",
    "ε goes uphill",
    "w + ε, with ⟨∇L(w), ε⟩ > 0",
    LOOK,
    (
        Reading("up", lambda s: 1.0),
        Reading("down", lambda s: -1.0, "The step to w + ε goes downhill: ε is subtracted where it must be added."),
    ),
)
LENGTH = Part(
    "length",
    "‖ε‖ = ρ",
    "‖ε‖₂ = ρ",
    BALL,
    (
        Reading("ρ", lambda s: 1.0),
        Reading("times lr", lambda s: s.settings["lr"], "ε is multiplied by the step size: ρ has to stay as it is."),
        Reading("ρ²", lambda s: s.settings["rho"], "ε has the length ρ², since ρ is multiplied in twice."),
        Reading(
            "√n",
            lambda s: math.sqrt(s.w.shape[-1]),
            "ε is √n times too long: the gradient is divided by its root mean square, not by its norm.",
        ),
        Reading("twice", lambda s: 2.0, "ε is added twice: the gradient is taken at w + 2ε."),
        Reading("half", lambda s: 0.5, "ε has half its length: the gradient is taken at w + ε/2."),
    ),
)
PARTS = (DIRECTION, NORM, SIDE, LENGTH)
