"""Some of the weights move to w + ε, or some of the examples count there.

Truths: tests/test_subsets.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy

from ..array_backend import xp
from ..checks import check_ball, check_counts, check_random_seed, check_share, on_host
from ..draws import uniform
from ..types import Array, State
from ..vectors import like
from .algebra import Look, Variant
from .epsilon import epsilon


@dataclass(frozen=True)
class SAMON(Variant):
    """SAM that perturbs some weights only, the norm layers' in the article: `mask=model.mask("norm")`, 1 where.

        ε = `epsilon(m g, ρ, p)`, so ‖ε‖ = ρ over these weights; all weights take the step

    Needs a larger ρ. 2 gradients.  Source: Mueller et al. 2023, arXiv:2306.04226, section 3.
    """

    mask: Any = None
    p: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ball(self.rho, self.p)
        if self.mask is None:
            raise ValueError('mask must say which weights are perturbed, as model.mask("norm") does, got None')

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        return look(epsilon(like(self.mask, g) * g, self.rho, self.p))


@dataclass(frozen=True)
class SSAM(Variant):
    """Sparse SAM: ε = m · ρ g/‖g‖ with a mask m of (1 − sparsity) n ones, chosen anew every so many steps.

    Parameters
    ----------
    base, rho, l2
        As in `SAM`.
    sparsity : float or array (..., 1)
        Share of weights that stay where they are, in [0, 1]; 0 is SAM, 1 the base.
    masks : str
        "fisher": the weights with the largest mean squared gradient over `groups` parts of the batch (per example, if there are
        as many parts as examples). "dynamic": drop the active weights with the smallest |g|, let as many others grow at random;
        the share dropped falls from `drop` to 0 along half a cosine over `steps` steps.
    every : int
        Steps from one mask to the next.
    groups, drop, steps, seed
        As above; the seed is of the random choices.

    2 gradients; 3 at steps with a new Fisher mask. ‖ε‖ ≤ ρ: the norm is that of all of g. The first mask is there at the first
    step; in the authors' code the Fisher mask is zero then.
    Source: Mi et al. 2022, arXiv:2210.05177, algorithms 1 and 2.
    """

    sparsity: Any = 0.5
    masks: str = "fisher"
    every: int = 50
    groups: int = 8
    drop: float = 0.5
    steps: int = 1000
    seed: Any = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(sparsity=self.sparsity, drop=self.drop)
        if self.masks not in ("fisher", "dynamic"):
            raise ValueError(f"masks must be 'fisher' or 'dynamic', got {self.masks!r}")
        check_counts(every=self.every, groups=self.groups, steps=self.steps)
        object.__setattr__(self, "seed", check_random_seed(self.seed))

    def memory(self, w: Array) -> State:
        return {"mask": xp().ones_like(w)}

    def direction(self, look: Look, state: State) -> Array:
        g, t = look(), state["t"]
        if t % self.every == 0:
            state["mask"] = self._fisher(look) if self.masks == "fisher" else self._dynamic(g, state["mask"], t)
        return look(state["mask"] * epsilon(g, self.rho))

    def _fisher(self, look: Look) -> Array:
        parts = look.parts(self.groups)
        scores = sum(part() ** 2 for part in parts)
        look.gather(parts)
        return largest(scores, self._ones(look.w))

    def _dynamic(self, g: Array, mask: Array, t: int) -> Array:
        ones, n = self._ones(g), g.shape[-1]
        chance = xp().broadcast_to(uniform("grown mask", self.seed, t, g), g.shape)
        if t == 0:
            return largest(chance, ones)
        share = self.drop * (1 + math.cos(math.pi * min(t / self.steps, 1))) / 2
        dropped = xp().minimum(whole(ones * share), n - ones)
        kept = largest(xp().where(mask > 0, xp().abs(g), -1), ones - dropped)
        return kept + largest(xp().where(mask > 0, -1, chance), dropped)

    def _ones(self, w: Array) -> Any:
        return whole((1 - self.sparsity) * w.shape[-1])


def whole(k: Any) -> Any:
    """The nearest whole number: of a number, or of each entry of an array."""
    return round(k) if isinstance(k, (int, float)) else xp().rint(k)


def largest(scores: Array, k: Any) -> Array:
    """1 at the k largest scores of each replica, else 0.   (..., n); k a number, or (..., 1)."""
    rank = xp().argsort(xp().argsort(-scores, axis=-1), axis=-1)
    return (rank < k).astype(scores.dtype)


@dataclass(frozen=True)
class ESAM(Variant):
    """Efficient SAM: a random part of the weights is perturbed, and the examples that suffer most from it count.

        ε = (ρ/β) m g/‖g‖,  mᵢ ~ Bernoulli(β);    d = mean of ∇ℓᵢ(w + ε) over the γ|B| examples with the largest ℓᵢ(w + ε) − ℓᵢ(w)

    0 < β, γ ≤ 1, β a number or an array (..., 1); β = γ = 1 is SAM. γ|B| is rounded, to one example at least. 1 + γ gradients and
    two forward passes. The article's ε, whose mean is SAM's; the authors' code draws m for whole tensors, divides by ‖m g‖, and
    keeps one example less.

    Source: Du et al. 2022, arXiv:2110.03141, algorithm 1.
    """

    beta: Any = 0.6
    gamma: float = 0.5
    seed: Any = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        beta = numpy.asarray(self.beta) if on_host(self.beta) else 1
        if not numpy.all((beta > 0) & (beta <= 1)):
            raise ValueError(f"beta must be in (0, 1], got {self.beta}")
        if not (isinstance(self.gamma, (int, float)) and 0 < self.gamma <= 1):
            raise ValueError(f"gamma must be a number in (0, 1], got {self.gamma}")
        object.__setattr__(self, "seed", check_random_seed(self.seed))

    def direction(self, look: Look, state: State) -> Array:
        g, before = look(), look.losses()
        beta = like(self.beta, g)
        mask = (uniform("weights to perturb", self.seed, state["t"], g) < beta).astype(g.dtype)
        eps = mask * epsilon(g, self.rho) / beta
        m = before.shape[-1]
        kept = max(1, round(self.gamma * m))
        a = largest(look.losses(eps) - before, kept) * (m / kept)
        return look.weighted(a, eps, share=Fraction(kept, m))
