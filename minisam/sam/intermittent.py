"""When to pay for the second gradient: by chance, now and then, or when the first one is large.

Truths: tests/test_intermittent.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..array_backend import asnumpy, xp
from ..checks import check_counts, check_random_seed, check_share
from ..draws import stream
from ..types import Array, State
from ..vectors import dot, like, mix
from .algebra import Look, Variant
from .epsilon import epsilon


@dataclass(frozen=True)
class RST(Variant):
    """Randomised sharpness-aware training: SAM with probability p(t), else the base.

    `prob` is a number in [0, 1] or a schedule t -> p; 0 is the base, 1 SAM. One coin a step for all replicas, from `seed`;
    1 + p gradients in the mean.

    Source: Zhao et al. 2022, arXiv:2203.09962, algorithm 1.
    """

    prob: float | Callable[[int], float] = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        prob = self.prob(0) if callable(self.prob) else self.prob
        if not (isinstance(prob, (int, float)) and 0 <= prob <= 1):
            raise ValueError(f"prob must be a number in [0, 1] or a schedule t -> p, got {prob}")
        if check_random_seed(self.seed).ndim:
            raise ValueError(f"seed must be one whole number, of a coin for all replicas, got {self.seed}")

    def direction(self, look: Look, state: State) -> Array:
        g, t = look(), state["t"]
        prob = self.prob(t) if callable(self.prob) else self.prob
        return look(epsilon(g, self.rho)) if stream("coin", self.seed, t).random() < prob else g


@dataclass(frozen=True)
class EveryK(Variant):
    """SAM at the first of every k steps, the base at the others; k = 1 is SAM. 1 + 1/k gradients.

    Composer's `SAM(interval=k)` takes the last of every k.
    """

    k: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(k=self.k)

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        return g if state["t"] % self.k else look(epsilon(g, self.rho))


@dataclass(frozen=True)
class AESAM(Variant):
    """Adaptive SAM steps: pay where the gradient is larger than it used to be.

        s = ‖g‖²,    μ ← δ μ + (1 − δ) s,    v ← δ v + (1 − δ)(s − μ)²,  from 0
        SAM if s ≥ μ + c √v, else the base,  with c from λ₂ at t = 0 to λ₁ at t = `steps`

    λ₁ = λ₂ = −∞ is SAM, ∞ the base. Each replica decides for itself; whether any pays is read back from the device, once a
    step. `evaluations` is 1 + the share of replicas that pay, what each would spend alone; a step in which any does costs all of
    them the second gradient.  Source: Jiang et al. 2023, arXiv:2304.14647, algorithm 1.
    """

    delta: Any = 0.9
    lam1: Any = -1.0
    lam2: Any = 1.0
    steps: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(delta=self.delta)
        check_counts(steps=self.steps)

    def memory(self, w: Array) -> State:
        return {"mean": 0 * w[..., :1], "variance": 0 * w[..., :1]}

    def direction(self, look: Look, state: State) -> Array:
        g, done = look(), min(state["t"] / self.steps, 1)
        s = dot(g, g)
        state["mean"] = mix(s, state["mean"], self.delta)
        state["variance"] = mix((s - state["mean"]) ** 2, state["variance"], self.delta)
        c = self.lam2 if done == 0 else self.lam1 if done == 1 else done * self.lam1 + (1 - done) * self.lam2
        deviation = xp().sqrt(state["variance"])
        pays = s >= state["mean"] + like(c, g) * xp().where(deviation > 0, deviation, 1e-30)
        share = Fraction(float(asnumpy(pays).mean()))
        if share == 0:
            return g
        g_adv = look(epsilon(g, self.rho))
        look.evaluations += share - 1
        return xp().where(pays, g_adv, g)
