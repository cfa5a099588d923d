"""SAM as an optimal relaxation of Bayes: an Adam-like method with a posterior around w."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy

from ..arguments import checked
from ..array_backend import xp
from ..hyperparameters import (
    Declared,
    Interval,
    at_least_0,
    count,
    decay_rates,
    number,
    random_seed,
    step_size,
)
from ..kinds import floats
from ..optim import explained, lr_at
from ..types import Array, Info, LossAndGrad, Radius, Seed, State, StepSize
from .algebra import Look


@dataclass(frozen=True)
class BSAM(Declared):
    """bSAM learns the posterior N(w, 1/(N s)): its precision sets the size of the ascent. It takes no base optimizer.

        g = ∇L(w + z/√(N s)),  z ~ N(0, I)          g_adv = ∇L(w + ρ g/s)
        m ← β₁ m + (1 − β₁)(g_adv + δ w)            w ← w − η m/s
        s ← β₂ s + (1 − β₂)(√s |g| + damping + δ)

    Parameters
    ----------
    lr : float, array (..., 1), or schedule
        η ≥ 0, near 1: s scales the step.
    rho : float or array (..., 1)
        ρ ≥ 0. The ascent starts from the mean w and is not normalised.
    examples : int
        N, the size of the training set.
    betas : pair of float
        β₁ and β₂ in [0, 1).
    delta, damping : float
        Prior precision over N, which acts as weight decay, and a number that keeps s above 0; ≥ 0.
    seed : int or array (..., 1)
        Of z. Each seed of a run draws its own.

    2 gradients; "loss" and "statistics" are those at w + z/√(N s). `state["s"]` is the posterior's precision over N. One
    popular implementation adds noise and ε to w for good.

    Source: Möllenhoff & Khan 2023, arXiv:2210.01620, algorithm 1.  Truths: tests/test_bayes.py.
    """

    lr: StepSize = step_size(0.5)
    rho: Radius = at_least_0(0.05, "ρ, the length of the ascent step over |g|/s")
    examples: int = count(1000, meaning="N, examples of the training set", most=math.inf)
    betas: tuple[float, float] = decay_rates()
    delta: float = number(Interval(0), 1e-3, "δ, prior precision over N", swept=False)
    damping: float = number(Interval(0), 0.1, "keeps s above 0", swept=False)
    seed: Seed = random_seed()

    @checked(w=floats())
    def init(self, w: Array) -> State:
        return {"t": 0, "m": xp().zeros_like(w), "s": xp().ones_like(w)}

    @explained
    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        own, look, t, s = self.met[w.dtype, type(w)], Look(w, loss_and_grad), state["t"], state["s"]
        b1, b2 = self.betas
        g = look(look.normal("posterior", self.seed, t) / (math.sqrt(self.examples) * numpy.sqrt(s)))
        g_adv = look(own.rho * g / s)
        m = b1 * state["m"] + (1 - b1) * (g_adv + own.delta * w)
        w = w - lr_at(own, t, w) * m / s
        s = b2 * s + (1 - b2) * (numpy.sqrt(s) * abs(g) + (own.damping + own.delta))
        return w, {"t": t + 1, "m": m, "s": s}, look.info()
