"""When to pay for the second gradient: by chance, now and then, or when the first gradient is large.

Truths: tests/test_when_to_pay.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy

from ..array_backend import asarray, asnumpy
from ..checks import first_of, is_real, is_schedule, shown
from ..hyperparameters import Interval, at_least_0, count, declared, number, random_seed, share
from ..streams import per_seed
from ..types import Array, Scalar, Seed, State
from ..vectors import across, dot, mix, norm, over
from .algebra import Look, Variant


@dataclass(frozen=True)
class Sometimes(Variant):
    """A variant that pays for the second gradient at some steps only, and is the base at the others.

    `pays` says at which: True or False; or truth values (..., 1), one per replica. A step at which any replica pays costs all
    of them the second gradient; "evaluations" is 1 + the share of replicas that pay, which each would spend alone.
    """

    def pays(self, g: Array, look: Look, state: State) -> bool | Array:
        """Whether to look a second time."""
        raise NotImplementedError

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        pays = self.pays(g, look, state)
        share = Fraction(float(numpy.mean(asnumpy(pays))))
        if share == 0:
            return g
        eps = self.where(g, look, state)
        d = self.take(g, look(eps))
        if share == 1:
            return d
        pays = asarray(pays)
        look.evaluations += share - 1
        look.eps = numpy.where(pays, eps, 0)
        return numpy.where(pays, d, g)


def share_or_schedule(default: float) -> Any:
    """The field of a number in [0, 1], or of a schedule t -> such a number."""

    def check(name: str, value: Any) -> Any:
        first = first_of(name, value) if is_schedule(value) else value
        if not is_real(first) or not 0 <= first <= 1:
            raise ValueError(f"{name} must be a number in [0, 1] or a schedule t -> p, got {shown(first)}")
        return value

    return declared(check, default, "probability of a SAM step")


@dataclass(frozen=True)
class RST(Sometimes):
    """Randomised sharpness-aware training: SAM with probability p(t), else the base.

    `prob` is a number in [0, 1] or a schedule t -> p; 0 is the base, 1 is SAM. Each seed of a run tosses a coin of its own.
    1 + p gradients in the mean.

    Source: Zhao et al. 2022, arXiv:2203.09962, algorithm 1.
    """

    prob: float | Callable[[int], float] = share_or_schedule(0.5)
    seed: Seed = random_seed()

    def pays(self, g: Array, look: Look, state: State) -> Array:
        t = state["t"]
        coin = per_seed(lambda rng: rng.random(1), "coin", self.seed, t, look.seeds)
        return coin < (self.prob(t) if callable(self.prob) else self.prob)


@dataclass(frozen=True)
class GRST(RST):
    """Generalised RST: at the steps that pay, d = (1 − α) g + α g_adv; α = 1 is RST.

    Source: Zhao et al. 2022, arXiv:2203.09962, section 4.
    """

    alpha: Scalar = at_least_0(1.0, "α, share of the perturbed gradient")

    def take(self, g: Array, g_adv: Array) -> Array:
        return mix(g, g_adv, self.alpha)


@dataclass(frozen=True)
class EveryK(Sometimes):
    """SAM at the first of every k steps, the base at the others; k = 1 is SAM. 1 + 1/k gradients.

    Composer's `SAM(interval=k)` takes the last of every k.
    """

    k: int = count(5, meaning="k, steps from one SAM step to the next")

    def pays(self, g: Array, look: Look, state: State) -> bool:
        return state["t"] % self.k == 0


@dataclass(frozen=True)
class AESAM(Sometimes):
    """Adaptive SAM steps: pay where the gradient is larger than it used to be.

        s = ‖g‖²,    μ ← δ μ + (1 − δ) s,    v ← δ v + (1 − δ)(s − μ)²,  from 0
        SAM if s ≥ μ + c √v, else the base,  with c from λ₂ at t = 0 to λ₁ at t = `steps`

    λ₁ = λ₂ = −∞ is SAM, ∞ the base. Each replica decides for itself. Whether any pays is read back from the device, once a
    step.  Source: Jiang et al. 2023, arXiv:2304.14647, algorithm 1.
    """

    delta: Scalar = share(0.9, "δ, decay of the running means")
    lam1: Scalar = number(Interval(), -1.0, "λ₁, threshold at the end")
    lam2: Scalar = number(Interval(), 1.0, "λ₂, threshold at the start")
    steps: int = count(1000, meaning="steps over which the threshold moves")

    def memory(self, w: Array) -> State:
        return {"mean": 0 * w[..., :1], "variance": 0 * w[..., :1]}

    def pays(self, g: Array, look: Look, state: State) -> Array:
        done = min(state["t"] / self.steps, 1)
        s = dot(g, g)
        state["mean"] = mix(s, state["mean"], self.delta)
        state["variance"] = mix((s - state["mean"]) ** 2, state["variance"], self.delta)
        c = self.lam2 if done == 0 else self.lam1 if done == 1 else done * self.lam1 + (1 - done) * self.lam2
        deviation = numpy.sqrt(state["variance"])
        return s >= state["mean"] + c * numpy.where(deviation > 0, deviation, 1e-30)


@dataclass(frozen=True)
class LookSAM(Variant):
    """SAM every k steps; between them, the part of that gradient orthogonal to g is reused, rescaled to ‖g‖.

        t % k = 0:  d = g_adv,    g_v = g_adv − its component along g
        else:       d = g + α ‖g‖ g_v/‖g_v‖

    k ≥ 1; 1 is SAM. α ≥ 0. 1 + 1/k gradients. Norms are over all weights; some implementations take them tensor by tensor.

    Source: Liu et al. 2022, arXiv:2203.02714, algorithm 1.
    """

    k: int = count(5, meaning="k, steps from one SAM step to the next")
    alpha: Scalar = at_least_0(0.7, "α, weight of the reused part")

    def memory(self, w: Array) -> State:
        return {"across": 0 * w}

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        if state["t"] % self.k:
            return g + (self.alpha * look.length(g)) * state["across"]
        g_adv = look(self.where(g, look, state))
        g_v = across(g_adv, g)
        state["across"] = over(g_v, norm(g_v))  # only its direction is reused
        return g_adv
