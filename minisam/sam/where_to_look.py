"""Other places to look: another length of the step, more steps, another direction than the batch's gradient.

Truths: tests/test_where_to_look.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from ..hyperparameters import Interval, at_least_0, count, number, share
from ..types import Array, Radius, Scalar, State
from ..vectors import mix
from .algebra import Composed, Look, Variant
from .epsilon import first_order
from .objective import project


@dataclass(frozen=True)
class USAM(Composed):
    """Unnormalised SAM: the ascent step is ρ g itself, so it is longer where the loss is steeper.

        ε = ρ g,        w ← base(w, ∇L(w + ε) + 2λw)

    ρ has another unit than SAM's, [weight²/loss], and has to be tuned anew. 2 gradients.

    Source: Andriushchenko & Flammarion 2022, arXiv:2206.06232, section 2.
    """

    rho: Scalar = at_least_0(0.05, "ρ, the length of the ascent step over ‖g‖")

    def direction(self, look: Look, state: State) -> Array:
        return look(self.rho * look())


@dataclass(frozen=True)
class MultiStepSAM(Variant):
    """SAM with K ascent steps of length α, each projected back into the ball.

        ε ← Π_ρ(ε + α ∇L(w + ε)/‖∇L(w + ε)‖),  K times from ε = 0
        w ← base(w, ∇L(w + ε) + 2λw)

    Parameters
    ----------
    base, rho, p, l2, ball
        As in `SAM`. Fisher's units are those of the gradient at w.
    steps : int
        K ≥ 1.
    alpha : float or array (..., 1), optional
        α ≥ 0 [weight]; without it ρ, so that K = 1 is SAM, bit for bit. K + 1 gradients.

    Source: Foret et al. 2021, arXiv:2010.01412, appendix D (several inner steps); Andriushchenko & Flammarion 2022,
    arXiv:2206.06232.
    """

    steps: int = count(3, meaning="K, the number of ascent steps")
    alpha: Scalar | None = number(Interval(0), None, "α, the length of an ascent step", optional=True)

    def where(self, g: Array, look: Look, state: State) -> Array:
        T = 1 if self.ball is None else self.ball.unit(g, look.w)
        alpha = self.rho if self.alpha is None else self.alpha
        # the first step starts at ε = 0, so projecting it only limits its length to ρ
        shorter = numpy.minimum(alpha, self.rho).astype(g.dtype)
        delta = first_order(T * g, shorter, self.p)
        for _ in range(self.steps - 1):
            delta = project(delta + first_order(T * look(T * delta), alpha, self.p), self.rho, self.p)
        return T * delta


@dataclass(frozen=True)
class SAGM(Variant):
    """Gradient matching: look uphill from w − αg; this makes the gradients at both points agree.

        ε = ρ g/‖g‖ − α g,    d = (g + g_adv)/2

    α ≥ 0. 2 gradients. The authors' code has this mean; their objective is the sum.

    Source: Wang et al. 2023, arXiv:2303.10353, eq. 8.
    """

    alpha: Scalar = at_least_0(0.001, "α, the step down before the ascent")

    def where(self, g: Array, look: Look, state: State) -> Array:
        return look.uphill(g) - self.alpha * g

    def take(self, g: Array, g_adv: Array) -> Array:
        return (g + g_adv) / 2


@dataclass(frozen=True)
class FriendlySAM(Variant):
    """F-SAM: look along the batch's noise. A running mean m estimates the full gradient, and σ m is subtracted from g.

        ε = ρ d/‖d‖ with d = g − σ m;    then m ← λ m + (1 − λ) g,  from m = 0, and after the first step m = g

    σ ≥ 0; 0 is SAM. 0 ≤ λ ≤ 1. 2 gradients. As in the authors' code, the mean is updated after its use; algorithm 1 updates it
    before. For σ = 1 both give the same ε. Earlier versions of one popular implementation feed d, not g, to the running mean.

    Source: Li et al. 2024, arXiv:2403.12350, algorithm 1 and the authors' code.
    """

    rho: Radius = at_least_0(0.1, "radius ρ of the ball")
    sigma: Scalar = at_least_0(1.0, "σ, how much of the running mean is subtracted")
    lam: Scalar = share(0.9, "λ, decay of the running mean")

    def memory(self, w: Array) -> State:
        return {"mean": 0 * w}

    def where(self, g: Array, look: Look, state: State) -> Array:
        before = state["mean"]
        state["mean"] = mix(g, before, self.lam) if state["t"] else g
        return look.uphill(g - self.sigma * before)


@dataclass(frozen=True)
class VaSSO(Variant):
    """Look along a running mean of gradients, which has less noise than the last gradient.

        ε = ρ d/‖d‖  with  d ← (1 − θ) d + θ g,  from d = g

    0 ≤ θ ≤ 1; 1 is SAM. 2 gradients.  Source: Li & Giannakis 2023, arXiv:2309.15639, eq. 5.
    """

    rho: Radius = at_least_0(0.1, "radius ρ of the ball")
    theta: Scalar = share(0.9, "θ, share of the new gradient")

    def memory(self, w: Array) -> State:
        return {"mean": 0 * w}

    def where(self, g: Array, look: Look, state: State) -> Array:
        state["mean"] = mix(state["mean"], g, self.theta) if state["t"] else g
        return look.uphill(state["mean"])


@dataclass(frozen=True)
class MSAM(Variant):
    """Momentum SAM: the base's momentum v says where to look, and no gradient is spent on it.

        ε = −ρ v/‖v‖,    d = ∇L(w + ε)

    v = 0 at first, so the first step is the base's. With ρ = η μ ‖v‖ it looks where Nesterov's method does. The base has momentum
    (SGD), or a running mean of gradients (Adam). 1 gradient; "loss", "grad_norm" and the batch statistics are those at w + ε.

    ρ = 0.3 is the default of the authors' class; all their reported runs have ρ = 3. Weight decay acts at w here, at w + ε in the
    authors' code; their AdamW decays after the step, ours within it.

    Source: Becker et al. 2024, arXiv:2401.12033, algorithm 1.
    """

    rho: Radius = at_least_0(0.3, "radius ρ of the ball")

    def __post_init__(self) -> None:
        super().__post_init__()
        mu = getattr(self.base, "momentum", 0)
        if not hasattr(self.base, "betas") and numpy.ndim(mu) == 0 and mu == 0:
            raise TypeError(f"base must have momentum, as SGD(lr, momentum=0.9), Adam or AdamW have, got {self.base!r}")

    def direction(self, look: Look, state: State) -> Array:
        return look(-look.uphill(state["m"] if "m" in state else state["v"]))
