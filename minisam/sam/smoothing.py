"""Look somewhere at random: smoothed losses, and measures of curvature that random looks estimate.

Truths: tests/test_smoothing.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..checks import ABOVE_0
from ..hyperparameters import at_least_0, count, filters, number, random_seed, share
from ..types import Array, HasFilters, Radius, Scalar, Seed, State
from ..vectors import mix
from .algebra import Composed, Look, Variant


@dataclass(frozen=True)
class RWP(Composed):
    """Random weight perturbation: the gradient at w + ξ, ξ ~ N(0, σ²), which smooths the loss; there is no ρ.

        plain, λ = 1:     d = ∇L(w + ξ)
        mixed, λ < 1:     d = (1 − λ) ∇L_1(w) + λ ∇L_2(w + ξ),   on the halves 1 and 2 of the batch

    Parameters
    ----------
    base, l2
        As in `SAM`.
    sigma : float or array (..., 1)
        σ ≥ 0: of each weight; or, with a `model`, in units of its filter's norm, as in the article. (A number that belongs to
        no filter, such as a bias, is its own unit; in the authors' code it is the norm of its tensor.)
    lam : float
        λ in [0, 1]; the authors' mixed runs have 0.5. 1 gradient in either mode: half a batch is half a gradient.
    model : Model, optional
        Tells which weights are a filter.
    seed : int or array (..., 1)
        Of ξ. Each seed of a run draws its own.

    For λ = 1 "loss" and "statistics" are those at w + ξ.

    Source: Li et al. 2024, arXiv:2404.00357, eq. 4 and 7.
    """

    sigma: Scalar = at_least_0(0.01, "σ, deviation of the noise")
    lam: float = share(1.0, "λ, share of the noisy gradient", swept=False)
    model: HasFilters | None = filters()
    seed: Seed = random_seed()

    def direction(self, look: Look, state: State) -> Array:
        xi = weight_noise(self, look, state["t"])
        if self.lam == 1:
            return look(xi)
        first, second = parts = look.parts(2)
        g, g_noisy = gradients = first(), second(xi)
        look.gather(parts, gradients)
        return mix(g, g_noisy, self.lam)


@dataclass(frozen=True)
class RSAM(Variant):
    """SAM from a random start: first a random step Δ, then along Δ and the gradient found there.

        ε = ρ d/‖d‖,    d = Δ + λ ∇L(w + Δ),    Δ ~ N(0, σ²), scaled as in `RWP`

    σ → 0 is SAM. 2 gradients; "loss" and "statistics" are those at w + Δ. The authors' runs have λ = 2, and a σ that rises to
    0.0005 in the course of a training; here it is constant.

    Source: Liu et al. 2022, "Random sharpness-aware minimization", NeurIPS, algorithm 1.
    """

    sigma: Scalar = at_least_0(0.01, "σ, deviation of the random step")
    lam: Scalar = at_least_0(1.0, "λ, weight of the gradient beside the random step")
    model: HasFilters | None = filters()
    seed: Seed = random_seed()

    def direction(self, look: Look, state: State) -> Array:
        start = weight_noise(self, look, state["t"])
        return look(look.uphill(start + self.lam * look(start)))


def weight_noise(variant: RWP | RSAM, look: Look, t: int) -> Array:
    """σ times standard normal numbers, times the norm of each weight's filter, if there is a model.   (..., n)."""
    z = variant.sigma * look.normal("weight noise", variant.seed, t)
    return z + 0 * look.w if variant.model is None else z * variant.model.filter_norms(look.w)


@dataclass(frozen=True)
class TraceSAM(Composed):
    """A penalty on the trace of the Hessian, from random looks: E L(w + ρx) − L(w) ≈ ρ² tr H/2, x ~ N(0, I).

        d = (1 − λ) g + λ meanᵢ gᵢ,    gᵢ = ∇L(w + ρ xᵢ)

    λ ≥ 0; 0 is the base, and λ = 1 with one look is the gradient at w + ρx. 1 + `samples` gradients. (The chain rule has λ/ρ²;
    λ here includes that factor, as in the authors' code.)

    Source: Tahmasebi et al. 2024, arXiv:2406.03682, the class of section 3 with φ = ψ = identity.
    """

    rho: Radius = at_least_0(0.01, "ρ, deviation of the random looks")
    lam: Scalar = at_least_0(1.0, "λ, share of the random looks")
    samples: int = count(1, meaning="random looks per step")
    seed: Seed = random_seed()

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        found = [look(eps) for eps in random_looks(self, look, state["t"])]
        return mix(g, sum(found) / self.samples, self.lam)


@dataclass(frozen=True)
class FrobeniusSAM(Composed):
    """A penalty on the Frobenius norm of the Hessian, from the spread of the loss at random looks.

        d = g + (λ/ρ²) Cov(L(w + ρx), ∇L(w + ρx)),    x ~ N(0, I), over `samples` looks

    which is the gradient of λ/(2ρ²) Var L(w + ρx); on a quadratic Var = ρ²‖g‖² + ρ⁴‖H‖²_F/2, so away from minima it penalises the
    gradient's norm. ρ > 0. λ ≥ 0; 0 is the base. 1 + `samples` gradients, samples ≥ 2.

    Source: Tahmasebi et al. 2024, arXiv:2406.03682, section 5.
    """

    rho: Radius = number(ABOVE_0, 0.005, "ρ, deviation of the random looks")
    lam: Scalar = at_least_0(0.005, "λ, weight of the penalty")
    samples: int = count(2, least=2, meaning="random looks per step")
    seed: Seed = random_seed()

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        found = [look.loss_and_gradient(eps) for eps in random_looks(self, look, state["t"])]
        losses, gradients = zip(*found, strict=True)
        loss, gradient = sum(losses) / self.samples, sum(gradients) / self.samples
        gaps = [(a - loss)[..., None] * (b - gradient) for a, b in zip(losses, gradients, strict=True)]
        return g + self.lam * (sum(gaps) / (self.samples - 1)) / (self.rho * self.rho)


def random_looks(variant: TraceSAM | FrobeniusSAM, look: Look, t: int) -> list[Array]:
    """`variant.samples` random perturbations ρx, x ~ N(0, I)."""
    k = variant.samples
    return [variant.rho * look.normal("random looks", variant.seed, t * k + i) + 0 * look.w for i in range(k)]
