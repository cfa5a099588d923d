"""Look somewhere at random.

Truths: tests/test_smoothing.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..checks import check_at_least_0, check_random_seed
from ..draws import normal
from ..models import Model
from ..types import Array, State
from ..vectors import like, mix
from .algebra import Composed, Look, Variant
from .epsilon import epsilon
from .geometry import filter_norms


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
        λ in [0, 1]. 1 gradient in either mode: half a batch is half a gradient.
    model : Model, optional
    seed : int or array (..., 1)
        Of ξ: one for all replicas, or each its own.

    Source: Li et al. 2024, arXiv:2404.00357, eq. 4 and 7.
    """

    sigma: Any = 0.01
    lam: float = 1.0
    model: Model | None = None
    seed: Any = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_0(sigma=self.sigma)
        if not (isinstance(self.lam, (int, float)) and 0 <= self.lam <= 1):
            raise ValueError(f"lam must be a number in [0, 1], got {self.lam}")
        object.__setattr__(self, "seed", check_random_seed(self.seed))

    def direction(self, look: Look, state: State) -> Array:
        xi = scaled_noise(self.seed, state["t"], look.w, self.sigma, self.model)
        if self.lam == 1:
            return look(xi)
        first, second = parts = look.parts(2)
        g, g_noisy = first(), second(xi)
        look.gather(parts)
        return mix(g, g_noisy, self.lam)


@dataclass(frozen=True)
class RSAM(Variant):
    """SAM from a random start: first a random step Δ, then along Δ and the gradient found there.

        ε = ρ d/‖d‖,    d = Δ + λ ∇L(w + Δ),    Δ ~ N(0, σ²), scaled as in `RWP`

    σ → 0 is SAM. 2 gradients; "loss" is L(w + Δ).

    Source: Liu et al. 2022, "Random sharpness-aware minimization", NeurIPS, algorithm 1.
    """

    sigma: Any = 0.01
    lam: Any = 1.0
    model: Model | None = None
    seed: Any = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_0(sigma=self.sigma, lam=self.lam)
        object.__setattr__(self, "seed", check_random_seed(self.seed))

    def direction(self, look: Look, state: State) -> Array:
        start = scaled_noise(self.seed, state["t"], look.w, self.sigma, self.model)
        return look(epsilon(start + like(self.lam, start) * look(start), self.rho))


def scaled_noise(seed: Any, t: int, w: Array, sigma: Any, model: Model | None) -> Array:
    """σ times standard normal numbers, times the norm of each weight's filter, if there is a model.   (..., n)."""
    z = like(sigma, w) * normal("weight noise", seed, t, w)
    return z + 0 * w if model is None else z * filter_norms(model, w)
