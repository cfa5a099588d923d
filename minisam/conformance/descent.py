"""The catalogue of ways to move the weights:  w ← start − rate · η (momentum(taken + decay) + decoupled decay).

`taken` of what was seen is (T, n); `start` is where the step starts and where the base sees the weights, (T, n) both;
`decay(seen, at)` is what is added to the gradient, and to the step; `momentum(d, first, mu)` is the direction of each step,
from the gradients that were taken and those that were taken first; `rate` is a factor.
"""

from __future__ import annotations

import numpy

from ..types import Array
from ..vectors import across, mix, norm, over
from .ascent import LOOK, NEVER_CLEARED, centred
from .readings import Part, Reading, Seen

NOT_RESTORED = "The weights are not restored: the base's step starts at w + ε, not at w."
RESTORED_TWICE = "The weights are restored twice: the base's step starts at w − ε, not at w."
DAMPED = "The new gradient enters the momentum with a weight of 1 − μ: the base is SGD with dampening."


def decay_of(seen: Seen, at: Array) -> Array:
    return seen.settings["weight_decay"] * at


def running(d: Array, first: Array, mu: float, weight: float = 1.0, both: bool = False) -> Array:
    """v ← μ v + weight · d, of each step; with `both`, v ← μ v + first before that."""
    v, found = 0 * d[0], []
    for new, earlier in zip(d, first, strict=True):
        v = mu * (mu * v + earlier if both else v) + weight * new
        found.append(v)
    return numpy.array(found)


def look_ahead(d: Array, first: Array, mu: float) -> Array:
    return d + mu * running(d, first, mu)


def damped(d: Array, first: Array, mu: float) -> Array:
    return running(d, first, mu, 1 - mu)


def damped_later(d: Array, first: Array, mu: float) -> Array:
    """As PyTorch has it: the first gradient enters as it is."""
    start = numpy.vstack([d[:1] / (1 - mu), d[1:]])
    return running(start, first, mu, 1 - mu)


TAKEN = Part(
    "taken",
    "the base gets ∇L(w + ε)",
    "w ← base(w, ∇L(w + ε) + 2λw)",
    LOOK,
    (
        Reading("perturbed", lambda s: s.g_adv, "The base gets ∇L(w + ε) as it is: SAM.", True),
        Reading(
            "first", lambda s: s.g, "The base gets ∇L(w), not ∇L(w + ε): this is plain descent at twice the price."
        ),
        Reading(
            "sum",
            lambda s: s.g + s.g_adv,
            "The base gets ∇L(w) + ∇L(w + ε): set the gradient to zero between the two passes.",
        ),
        Reading("never cleared", lambda s: numpy.cumsum(s.g + s.g_adv, axis=0), NEVER_CLEARED),
        Reading(
            "difference",
            lambda s: s.g_adv - s.g,
            "The base gets ∇L(w + ε) − ∇L(w), from which the loss itself is gone.",
        ),
        Reading(
            "mean", lambda s: (s.g + s.g_adv) / 2, "The base gets the mean of both gradients: GNP with α = ½.", True
        ),
        Reading(
            "first's length",
            lambda s: norm(s.g) * over(s.g_adv, norm(s.g_adv)),
            "The gradient at w + ε has the length of that at w: StableSAM.",
            True,
        ),
        Reading(
            "centred",
            lambda s: centred(s.g_adv, s),
            "The base gets ∇L(w + ε) less each row's mean: SAM with gradient centralisation.",
            True,
        ),
        Reading(
            "unit",
            lambda s: over(s.g_adv, norm(s.g_adv)),
            "The gradient at w + ε is divided by its norm before the base gets it.",
        ),
        Reading(
            "mixture",
            lambda s: mix(s.g, s.g_adv, s.settings["alpha"]),
            "The base gets (1 − α) ∇L(w) + α ∇L(w + ε): GNP.",
            True,
            "alpha",
        ),
        Reading(
            "less across",
            lambda s: s.g_adv - s.settings["alpha"] * across(s.g, s.g_adv),
            "The base gets ∇L(w + ε) less α times ∇L(w)'s part across it: GSAM.",
            True,
            "alpha",
        ),
        Reading(
            "less across, wrong way",
            lambda s: s.g_adv + s.settings["alpha"] * across(s.g, s.g_adv),
            "The part of ∇L(w) across ∇L(w + ε) is added: GSAM subtracts it, so that the gap falls.",
            needs="alpha",
        ),
    ),
)
START = Part(
    "start",
    "the weights are restored before the base's step",
    "w ← base(w, …), not base(w + ε, …)",
    LOOK,
    (
        Reading("w", lambda s: (s.w, s.w)),
        Reading("w + ε", lambda s: (s.a, s.a), NOT_RESTORED),
        Reading("w + ε, the base sees w", lambda s: (s.a, s.w), NOT_RESTORED),
        Reading("w − ε", lambda s: (s.w - s.eps, s.w - s.eps), RESTORED_TWICE),
        Reading("w − ε, the base sees w", lambda s: (s.w - s.eps, s.w), RESTORED_TWICE),
    ),
)
DECAY = Part(
    "decay",
    "the weight decay is taken at w, outside the maximum",
    "∇L(w + ε) + 2λw",
    LOOK,
    (
        Reading("at w", lambda s, at: (decay_of(s, at), 0)),
        Reading(
            "at w + ε",
            lambda s, at: (decay_of(s, s.a), 0),
            "The weight decay is taken at w + ε, inside the maximum: it belongs to w.",
        ),
        Reading("none", lambda s, at: (0, 0), "The weight decay is lost."),
        Reading("twice", lambda s, at: (2 * decay_of(s, at), 0), "The weight decay is added twice."),
        Reading(
            "twice, once at w + ε",
            lambda s, at: (decay_of(s, at) + decay_of(s, s.a), 0),
            "The weight decay is added twice, once in the loss at w + ε and once by the base.",
        ),
        Reading(
            "decoupled",
            lambda s, at: (0, decay_of(s, at)),
            "The weight decay bypasses the momentum: decoupled decay, as in AdamW.",
            True,
        ),
    ),
    shown_by="weight_decay",
)
MOMENTUM = Part(
    "momentum",
    "the momentum is fed once a step",
    "v ← μ v + d,  w ← w − η v",
    "11_paying_less",
    (
        Reading("fed once", running),
        Reading("lost", lambda d, first, mu: d, "The momentum is lost between steps: the base is plain SGD."),
        Reading(
            "fed twice",
            lambda d, first, mu: running(d, first, mu, both=True),
            "The momentum is fed with ∇L(w), too: it must see one gradient a step, ∇L(w + ε).",
        ),
        Reading("look-ahead", look_ahead, "The base's step is Nesterov's: SGD with nesterov=True.", True),
        Reading("damped", damped, DAMPED, True),
        Reading("damped from the second", damped_later, DAMPED, True),
    ),
    shown_by="momentum",
)
RATE = Part(
    "rate",
    "the base makes one step of size η",
    "w ← w − η v",
    "02_a_tiny_network",
    (
        Reading("once", lambda s: 1.0),
        Reading("twice", lambda s: 2.0, "The step is twice as long as η says."),
        Reading("uphill", lambda s: -1.0, "The base's step goes uphill: it adds η v where it must subtract it."),
        Reading("half", lambda s: 0.5, "The step is half as long as η says."),
        Reading("damped", lambda s: 1 - s.settings["momentum"], DAMPED, True, shown_by="momentum"),
        Reading("squared", lambda s: s.settings["lr"], "The step is multiplied by η twice."),
        Reading("times ρ", lambda s: s.settings["rho"], "The step is multiplied by ρ."),
    ),
)
PARTS = (TAKEN, START, DECAY, MOMENTUM, RATE)
