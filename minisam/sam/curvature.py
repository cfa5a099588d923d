"""More than one look: curvature along the way, and other measures of sharpness.

Truths: tests/test_curvature.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy

from ..checks import check_at_least_0, check_random_seed, on_host
from ..draws import normal
from ..types import Array, State
from ..vectors import across, like, mix
from .algebra import Look, Variant
from .epsilon import epsilon


@dataclass(frozen=True)
class CRSAM(Variant):
    """Curvature-regularised SAM: also look the other way, and lower the curvature that both sides show.

        d = g₊ + γ (g₊ + g₋ − 2g) + β (g₊ − g₋),    g± = ∇L(w ± ε),  ε = ρ g/‖g‖

    γ, β ≥ 0; both 0 is SAM. 3 gradients. γ and β are constants, as in the authors' code; in the article they are divided by the
    differences of the losses.  Source: Wu et al. 2024, arXiv:2312.13555, eq. 10.
    """

    rho: Any = 0.1
    gamma: Any = 0.1
    beta: Any = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_0(gamma=self.gamma, beta=self.beta)

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        eps = epsilon(g, self.rho)
        down, up = look(-eps), look(eps)
        return up + like(self.gamma, g) * (up + down - 2 * g) + like(self.beta, g) * (up - down)


@dataclass(frozen=True)
class GAM(Variant):
    """Gradient-norm aware minimisation: look where the gradient's norm, not the loss, is largest.

        g₁ = ∇L(w + ρ′ ĝ),   ε = ρ (g₁ − g)/‖g₁ − g‖,   g₂ = ∇L(w + ε),   g₃ = ∇L(w + ε + ρ′ ĝ₂)
        P = g + β₂ g₂,   G = β₁ g₁ + β₃ g₃,   d = G − γ (P − its component along G)

    ρ′ is `rho_norm`. 4 gradients.  Source: Zhang et al. 2023, arXiv:2303.03108, the accelerated form of the authors' code.
    """

    rho: Any = 0.2
    rho_norm: Any = 0.02
    beta1: Any = 0.1
    beta2: Any = 0.9
    beta3: Any = 0.9
    gamma: Any = 0.03

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_0(rho_norm=self.rho_norm, beta1=self.beta1, beta2=self.beta2, beta3=self.beta3, gamma=self.gamma)

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        g1 = look(epsilon(g, self.rho_norm))
        eps = epsilon(g1 - g, self.rho)
        g2 = look(eps)
        g3 = look(eps + epsilon(g2, self.rho_norm))
        P = g + like(self.beta2, g) * g2
        G = like(self.beta1, g) * g1 + like(self.beta3, g) * g3
        return G - like(self.gamma, g) * across(P, G)


@dataclass(frozen=True)
class TraceSAM(Variant):
    """A penalty on the trace of the Hessian, from random looks: E L(w + ρx) − L(w) ≈ ρ² tr H/2, x ~ N(0, I).

        d = (1 − λ) g + λ meanᵢ gᵢ,    gᵢ = ∇L(w + ρ xᵢ)

    λ ≥ 0; 0 is the base, and λ = 1 with one look is the gradient at w + ρx. 1 + `samples` gradients. (The chain rule has λ/ρ²;
    λ here has taken that in, as in the authors' code.)

    Source: Tahmasebi et al. 2024, arXiv:2406.03682, the class of section 3 with φ = ψ = identity.
    """

    rho: Any = 0.01
    lam: Any = 1.0
    samples: int = 1
    seed: Any = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_samples(self.lam, self.samples, 1)
        object.__setattr__(self, "seed", check_random_seed(self.seed))

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        found = [look(eps) for eps in random_looks(self, state["t"], look.w)]
        return mix(g, sum(found) / self.samples, self.lam)


@dataclass(frozen=True)
class FrobeniusSAM(Variant):
    """A penalty on the Frobenius norm of the Hessian, from the spread of the loss at random looks.

        d = g + (λ/ρ²) Cov(L(w + ρx), ∇L(w + ρx)),    x ~ N(0, I), over `samples` looks

    which is the gradient of λ/(2ρ²) Var L(w + ρx); on a quadratic Var = ρ²‖g‖² + ρ⁴‖H‖²_F/2, so away from minima it penalises the
    gradient's norm. λ ≥ 0; 0 is the base. 1 + `samples` gradients, samples ≥ 2.

    Source: Tahmasebi et al. 2024, arXiv:2406.03682, section 5.
    """

    rho: Any = 0.005
    lam: Any = 0.005
    samples: int = 2
    seed: Any = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_samples(self.lam, self.samples, 2)
        if on_host(self.rho) and numpy.any(numpy.asarray(self.rho) == 0):
            raise ValueError("rho must be > 0, got 0")
        object.__setattr__(self, "seed", check_random_seed(self.seed))

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        found = [look.loss_and_gradient(eps) for eps in random_looks(self, state["t"], look.w)]
        losses, gradients = zip(*found, strict=True)
        loss, gradient = sum(losses) / self.samples, sum(gradients) / self.samples
        gaps = [(a - loss)[..., None] * (b - gradient) for a, b in zip(losses, gradients, strict=True)]
        covariance = sum(gaps) / (self.samples - 1)
        return g + like(self.lam, g) * covariance / like(self.rho**2, g)


def random_looks(variant: Any, t: int, w: Array) -> list[Array]:
    """ρ times standard normal numbers, as often as `variant.samples`."""
    return [
        like(variant.rho, w) * normal("random looks", variant.seed, t * variant.samples + k, w) + 0 * w
        for k in range(variant.samples)
    ]


def check_samples(lam: Any, samples: int, least: int) -> None:
    check_at_least_0(lam=lam)
    if not samples >= least:
        raise ValueError(f"samples must be ≥ {least}, got {samples}")
