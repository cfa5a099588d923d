"""Other directions from there: a part of the gradient at w + ε, a mixture with the one at w, more gradients.

Truths: tests/test_what_to_take.py; against PyTorch: tests/test_peers.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..hyperparameters import Interval, at_least_0, number, truth
from ..optim import lr_at
from ..types import Array, Radius, Scalar, State
from ..vectors import across, in_double, like, mix, norm, over
from .algebra import Look, Variant


@dataclass(frozen=True)
class GSAM(Variant):
    """Surrogate-gap SAM: lower the perturbed loss, and the gap to L(w) where that leaves the perturbed loss alone.

        d = g_adv − α (g − its component along g_adv)

    α ≥ 0; 0 is SAM. 2 gradients. In the article ρ falls with the step size; here it is constant.

    Source: Zhuang et al. 2022, arXiv:2203.08065, algorithm 1.  Truths also: tests/papers/test_zhuang_2022.py.
    """

    alpha: Scalar = at_least_0(0.4, "α, weight of the component of g across g_adv")

    def take(self, g: Array, g_adv: Array) -> Array:
        return g_adv - self.alpha * across(g, g_adv)


@dataclass(frozen=True)
class GNP(Variant):
    """A penalty λ on the gradient's norm; its derivative is taken by a difference: ∇‖∇L‖ ≈ (g_adv − g)/ρ.

        d = (1 − α) g + α g_adv,    α = λ/ρ

    α ≥ 0; 0 is the base, 1 is SAM. 2 gradients. The authors' code by default mixes g/‖g‖ in place of g; this is the article's
    formula.  Source: Zhao et al. 2022, arXiv:2202.03599, eq. 11.
    """

    rho: Radius = at_least_0(0.1, "radius ρ of the ball")
    alpha: Scalar = at_least_0(0.8, "α, share of the perturbed gradient")

    def take(self, g: Array, g_adv: Array) -> Array:
        return mix(g, g_adv, self.alpha)


@dataclass(frozen=True)
class WSAM(Variant):
    """Sharpness as a term of its own, weighted: L + k (L_SAM − L), k = γ/(1 − γ).

        decoupled:  w ← base(w, g) − η k (g_adv − g)           the sharpness never enters momentum or moments
        coupled:    w ← base(w, (1 − k) g + k g_adv)

    0 ≤ γ < 1; 0 is the base, and with plain SGD ½ is SAM and both modes are one. η is the base's step size. 2 gradients.

    Source: Yue et al. 2023, arXiv:2305.15817, algorithm 2 and 3.
    """

    gamma: Scalar = number(Interval(0, 1, high_belongs=False), 0.9, "γ, weight of the sharpness")
    decoupled: bool = truth(True, "whether the sharpness term bypasses the base")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not hasattr(self.base, "lr"):
            raise TypeError(f"base must have a step size lr, got {self.base!r}")

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        sharpness = look(look.uphill(g)) - g
        k = like(in_double(self.gamma) / (1 - in_double(self.gamma)), g)
        if not self.decoupled:
            return g + k * sharpness
        look.after = -lr_at(self.base, state["t"], look.w) * (k * sharpness)
        return g


@dataclass(frozen=True)
class StableSAM(Variant):
    """The direction from w + ε, with the length from w: d = g_adv ‖g‖/‖g_adv‖. 2 gradients.

    Source: Zhou et al. 2024, arXiv:2401.07250.
    """

    def take(self, g: Array, g_adv: Array) -> Array:
        return norm(g) * over(g_adv, norm(g_adv))


@dataclass(frozen=True)
class CRSAM(Variant):
    """Curvature-regularised SAM: also look the other way, and lower the curvature that both sides show.

        d = g₊ + γ (g₊ + g₋ − 2g) + β (g₊ − g₋),    g± = ∇L(w ± ε),  ε = ρ g/‖g‖

    γ, β ≥ 0; both 0 is SAM. 3 gradients. γ and β are constants, as in the authors' code; in the article they are divided by the
    differences of the losses.  Source: Wu et al. 2024, arXiv:2312.13555, eq. 10.
    """

    rho: Radius = at_least_0(0.1, "radius ρ of the ball")
    gamma: Scalar = at_least_0(0.1, "γ, weight of the second difference")
    beta: Scalar = at_least_0(0.01, "β, weight of the first difference")

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        eps = look.uphill(g)
        down, up = look(-eps), look(eps)
        return up + self.gamma * (up + down - 2 * g) + self.beta * (up - down)


@dataclass(frozen=True)
class GAM(Variant):
    """Gradient-norm aware minimisation: look where the gradient's norm, not the loss, is largest.

        g₁ = ∇L(w + ρ′ ĝ),   ε = ρ (g₁ − g)/‖g₁ − g‖,   g₂ = ∇L(w + ε),   g₃ = ∇L(w + ε + ρ′ ĝ₂)
        P = g + β₂ g₂,   G = β₁ g₁ + β₃ g₃,   d = G − γ (P − its component along G)

    Beware of the names: ρ is the authors' `grad_norm_rho`, and ρ′, our `rho_norm`, is their `grad_rho`. The defaults mix two of
    their presets. 4 gradients.  Source: Zhang et al. 2023, arXiv:2303.03108, the accelerated form of the authors' code.
    """

    rho: Radius = at_least_0(0.2, "ρ, how far to look for a larger gradient")
    rho_norm: Radius = at_least_0(0.02, "ρ′, how far to look for the slope of the gradient's norm")
    beta1: Scalar = at_least_0(0.1, "β₁, weight of g₁")
    beta2: Scalar = at_least_0(0.9, "β₂, weight of g₂")
    beta3: Scalar = at_least_0(0.9, "β₃, weight of g₃")
    gamma: Scalar = at_least_0(0.03, "γ, weight of the component of P across G")

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        g1 = look(look.uphill(g, self.rho_norm))
        eps = look.uphill(g1 - g)
        g2 = look(eps)
        g3 = look(eps + look.uphill(g2, self.rho_norm))
        P = g + self.beta2 * g2
        G = self.beta1 * g1 + self.beta3 * g3
        return G - self.gamma * across(P, G)
