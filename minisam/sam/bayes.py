"""SAM as an optimal relaxation of Bayes: an Adam-like method with a posterior around w."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..array_backend import xp
from ..checks import check_at_least_0, check_ball, check_betas, check_random_seed
from ..draws import normal
from ..optim import check_step_size, step_size
from ..types import Array, Info, LossAndGrad, State, StepSize
from ..vectors import like
from .algebra import Look


@dataclass(frozen=True)
class BSAM:
    """bSAM: the posterior N(w, 1/(N s)) is learnt with w, and says how far to look; it is its own base.

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
        Prior precision over N, which acts as weight decay, and what keeps s above 0; ≥ 0.
    seed : int or array (..., 1)
        Of z.

    2 gradients. `state["s"]` is the posterior's precision over N. One popular implementation adds noise and ε to w for good.

    Source: Möllenhoff & Khan 2023, arXiv:2210.01620, algorithm 1.  Truths: tests/test_bayes.py.
    """

    lr: StepSize = 0.5
    rho: Any = 0.05
    examples: int = 1000
    betas: tuple[float, float] = (0.9, 0.999)
    delta: float = 1e-3
    damping: float = 0.1
    seed: Any = 0

    def __post_init__(self) -> None:
        check_step_size(self.lr)
        check_ball(self.rho, 2)
        check_betas(self.betas)
        check_at_least_0(delta=self.delta, damping=self.damping)
        if not self.examples >= 1:
            raise ValueError(f"examples must be ≥ 1, got {self.examples}")
        object.__setattr__(self, "seed", check_random_seed(self.seed))

    def init(self, w: Array) -> State:
        return {"t": 0, "m": xp().zeros_like(w), "s": xp().ones_like(w)}

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        look, t, s = Look(w, loss_and_grad), state["t"], state["s"]
        b1, b2 = map(float, self.betas)
        g = look(normal("posterior", self.seed, t, w) / (math.sqrt(self.examples) * xp().sqrt(s)))
        g_adv = look(like(self.rho, w) * g / s)
        m = b1 * state["m"] + (1 - b1) * (g_adv + float(self.delta) * w)
        w = w - step_size(self, t, w) * m / s
        s = b2 * s + (1 - b2) * (xp().sqrt(s) * xp().abs(g) + float(self.damping + self.delta))
        return w, {"t": t + 1, "m": m, "s": s}, look.info()
