"""What is taken from w + ε: a part of the gradient there, or a mixture with the one at w. 2 gradients each.

Truths: tests/test_components.py; against PyTorch: tests/test_peers.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy

from ..checks import check_at_least_0, check_share, on_host
from ..optim import add_l2, step_size
from ..types import Array, Info, LossAndGrad, State
from ..vectors import across, like, mix, norm, over
from .algebra import Look, Variant
from .epsilon import epsilon


@dataclass(frozen=True)
class GSAM(Variant):
    """Surrogate-gap SAM: lower the perturbed loss, and the gap to L(w) where that leaves the perturbed loss alone.

        d = g_adv − α (g − its component along g_adv)

    α ≥ 0; 0 is SAM. In the article ρ falls with the step size, here it is constant.

    Source: Zhuang et al. 2022, arXiv:2203.08065, algorithm 1.  Truths also: tests/papers/test_zhuang_2022.py.
    """

    alpha: Any = 0.4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_0(alpha=self.alpha)

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        g_adv = look(epsilon(g, self.rho))
        return g_adv - like(self.alpha, g) * across(g, g_adv)


@dataclass(frozen=True)
class GNP(Variant):
    """A penalty λ on the gradient's norm, its derivative by a difference: ∇‖∇L‖ ≈ (g_adv − g)/ρ.

        d = (1 − α) g + α g_adv,    α = λ/ρ

    α = 0 is the base, α = 1 SAM. The authors' code by default mixes g/‖g‖ in place of g; this is the article's formula.

    Source: Zhao et al. 2022, arXiv:2202.03599, eq. 11.
    """

    rho: Any = 0.1
    alpha: Any = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_0(alpha=self.alpha)

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        return mix(g, look(epsilon(g, self.rho)), self.alpha)


@dataclass(frozen=True)
class WSAM(Variant):
    """Sharpness as a term of its own, weighted: L + k (L_SAM − L), k = γ/(1 − γ).

        decoupled:  w ← base(w, g) − η k (g_adv − g)           the sharpness never enters momentum or moments
        coupled:    w ← base(w, (1 − k) g + k g_adv)

    0 ≤ γ < 1; 0 is the base, and with plain SGD ½ is SAM and both modes are one. η is the base's step size.

    Source: Yue et al. 2023, arXiv:2305.15817, algorithm 2 and 3.
    """

    gamma: Any = 0.9
    decoupled: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if on_host(self.gamma) and not numpy.all((numpy.asarray(self.gamma) >= 0) & (numpy.asarray(self.gamma) < 1)):
            raise ValueError(f"gamma must be in [0, 1), got {self.gamma}")
        if not hasattr(self.base, "lr"):
            raise TypeError(f"base must have a step size lr, got {self.base!r}")

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        look, k = Look(w, loss_and_grad), like(self.gamma / (1 - self.gamma), w)
        g = look()
        sharpness = look(epsilon(g, self.rho)) - g
        d = add_l2(g if self.decoupled else g + k * sharpness, self.l2, w)
        eta = step_size(self.base, state["t"], w)
        w, state, _ = self.base.step(w, state, lambda _: (look.loss, d))
        return (w - eta * (k * sharpness) if self.decoupled else w), state, look.info()


@dataclass(frozen=True)
class SAGM(Variant):
    """Gradient matching: look from w − αg on, so that both gradients come to agree.

        ε = ρ g/‖g‖ − α g,    d = (g + g_adv)/2

    The mean is the authors' code; their objective is the sum.  Source: Wang et al. 2023, arXiv:2303.10353, eq. 8.
    """

    alpha: Any = 0.001

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_0(alpha=self.alpha)

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        return (g + look(epsilon(g, self.rho) - like(self.alpha, g) * g)) / 2


@dataclass(frozen=True)
class FriendlySAM(Variant):
    """F-SAM: look along the batch's noise; a running mean m stands for the full gradient, and is taken out.

        ε = ρ d/‖d‖ with d = g − σ m;    then m ← λ m + (1 − λ) g,  from m = 0, and after the first step m = g

    σ = 0 is SAM. Earlier versions of one popular implementation feed d, not g, to the running mean.

    Source: Li et al. 2024, arXiv:2403.12350, algorithm 1.
    """

    rho: Any = 0.1
    sigma: Any = 1.0
    lam: Any = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_0(sigma=self.sigma)
        check_share(lam=self.lam)

    def memory(self, w: Array) -> State:
        return {"mean": 0 * w}

    def direction(self, look: Look, state: State) -> Array:
        g, before = look(), state["mean"]
        d = g - like(self.sigma, g) * before
        state["mean"] = mix(g, before, self.lam) if state["t"] else g
        return look(epsilon(d, self.rho))


@dataclass(frozen=True)
class VaSSO(Variant):
    """Look along a running mean of gradients, which has less noise than the last one.

        ε = ρ d/‖d‖  with  d ← (1 − θ) d + θ g,  from d = g

    θ = 1 is SAM.  Source: Li & Giannakis 2023, arXiv:2309.15639, eq. 5.
    """

    rho: Any = 0.1
    theta: Any = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(theta=self.theta)

    def memory(self, w: Array) -> State:
        return {"mean": 0 * w}

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        state["mean"] = mix(state["mean"], g, self.theta) if state["t"] else g
        return look(epsilon(state["mean"], self.rho))


@dataclass(frozen=True)
class StableSAM(Variant):
    """The direction from w + ε, with the length from w: d = g_adv ‖g‖/‖g_adv‖.   Source: Zhou et al. 2024, arXiv:2401.07250."""

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        g_adv = look(epsilon(g, self.rho))
        return norm(g) * over(g_adv, norm(g_adv))
