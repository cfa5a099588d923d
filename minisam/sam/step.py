"""SAM itself: one ascent, one descent."""

from __future__ import annotations

from dataclasses import dataclass

from ..hyperparameters import at_least_0, norm_order
from ..types import Scalar
from .algebra import Variant


@dataclass(frozen=True)
class SAM(Variant):
    """min_w max_{‖ε‖_p ≤ ρ} L(w + ε) + λ‖w‖², by a single ascent step and a descent step of any base optimizer.

        ε = ρ g/‖g‖                 with g = ∇L(w)        (p = 2; see `epsilon` for the others)
        w ← base(w, ∇L(w + ε) + 2λw)

    The gradient is taken at w + ε and applied at w. The L2 term stands outside the maximum: its gradient 2λw is taken
    at w. Both gradients must come from the same batch, so `loss_and_grad` is a function of the weights alone.

    Parameters
    ----------
    base : optimizer
        SGD, Adam, AdamW: it makes a step of a gradient.
    rho : float or array (..., 1)
        Radius ρ of the ball [weight], ≥ 0; with ρ = 0 SAM is the base optimizer, bit for bit.
    p : float
        Norm of the ball, 1 ≤ p ≤ ∞.
    l2 : float or array (..., 1)
        λ ≥ 0.
    ball : Ball, optional
        Units in which the ball is measured, such as `Adaptive()`; without one, all weights have the unit 1.

    2 gradients. `info` holds "loss" L(w), "grad_norm" ‖∇L(w)‖₂, "eps_norm" ‖ε‖_p and "evaluations" 2.

    Source: Foret et al. 2021, arXiv:2010.01412, algorithm 1.
    Truths: tests/test_sam.py, tests/papers/test_foret_2021.py.
    """

    p: float = norm_order()
    l2: Scalar = at_least_0(0.0, "λ of λ‖w‖², outside the maximum")
