"""The step: one ascent, one descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..autodiff.replay import replayed
from ..checks import check_at_least_0, check_ball
from ..optim import Optimizer, add_l2, check_optimizer
from ..types import Array, Info, LossAndGrad, State
from ..vectors import norm
from .epsilon import epsilon


@replayed
def add(w: Array, eps: Array) -> Array:
    return w + eps


@dataclass(frozen=True)
class SAM:
    """min_w max_{‖ε‖_p ≤ ρ} L(w + ε) + λ‖w‖², by a single ascent step and a descent step of any base optimizer.

        ε = ρ g/‖g‖                 with g = ∇L(w)        (p = 2; see `epsilon` for the others)
        w ← base(w, ∇L(w + ε) + 2λw)

    The gradient is taken at w + ε and applied at w. The L2 term stands outside the maximum: its gradient 2λw is taken
    at w. Both gradients must come from the same batch, so `loss_and_grad` is a function of the weights alone.

    Parameters
    ----------
    base : optimizer
        SGD, Adam, AdamW: what makes a step of a gradient.
    rho : float or array (..., 1)
        Radius ρ of the ball [weight], ≥ 0; ρ = 0 is the base optimizer, bit for bit.
    p : float
        Norm of the ball, 1 ≤ p ≤ ∞.
    l2 : float or array (..., 1)
        λ ≥ 0.

    `info` holds, besides the base's entries, "eps_norm" ‖ε‖_p; "loss" is L(w), "grad_norm" ‖∇L(w)‖₂, "evaluations" 2.

    Source: Foret et al. 2021, arXiv:2010.01412, algorithm 1.
    Truths: tests/test_sam.py, tests/papers/test_foret_2021.py.
    """

    base: Optimizer
    rho: Any = 0.05
    p: float = 2.0
    l2: Any = 0.0

    def __post_init__(self) -> None:
        check_optimizer(base=self.base)
        check_ball(self.rho, self.p)
        check_at_least_0(l2=self.l2)

    def init(self, w: Array) -> State:
        return self.base.init(w)

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        loss, g = loss_and_grad(w)
        eps = epsilon(g, self.rho, self.p)  # ascent: the worst point of the ball, to first order
        _, g_adv = loss_and_grad(add(w, eps))  # descent: ∇L(w + ε)
        grad = add_l2(g_adv, self.l2, w)  # + ∇ λ‖w‖² = 2λw, at w and not at w + ε
        w, state, info = self.base.step(w, state, lambda _: (loss, grad))
        told = {"grad_norm": norm(g)[..., 0], "eps_norm": norm(eps, self.p)[..., 0], "evaluations": 2}
        return w, state, info | told
