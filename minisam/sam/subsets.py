"""Some of the weights move to w + ε, or some of the examples count there.

Truths: tests/test_subsets.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy

from ..array_backend import asarray, xp
from ..hyperparameters import Interval, NeedsExamples, choice, classes, count, number, random_seed, share
from ..types import Array, Scalar, Seed, State
from ..vectors import in_double
from .algebra import Look, Variant


@dataclass(frozen=True)
class MSharpnessSAM(Variant):
    """SAM on m-sharpness: the batch in groups, each with an ε of its own.

        εⱼ = ρ gⱼ/‖gⱼ‖  with gⱼ = ∇L_j(w) on group j,        w ← base(w, meanⱼ ∇L_j(w + εⱼ) + 2λw)

    The sizes of the `groups` differ by one example at most. 1 group is SAM; as many as examples is 1-SAM. 2 gradients (of all
    examples each).

    Source: Foret et al. 2021, arXiv:2010.01412, section 3.1 (m-sharpness).
    """

    groups: int = count(4, meaning="groups of the batch")

    def direction(self, look: Look, state: State) -> Array:
        parts = look.parts(self.groups)
        return look.gather(parts, [part(part.uphill(part())) for part in parts])


@dataclass(frozen=True)
class SSAM(Variant):
    """Sparse SAM: ε = m · ρ g/‖g‖ with a mask m of (1 − sparsity) n ones, chosen anew every so many steps.

    Parameters
    ----------
    base, rho, p, l2, ball
        As in `SAM`.
    sparsity : float or array (..., 1)
        Share of weights that stay where they are, in [0, 1]; 0 is SAM, 1 the base.
    masks : str
        "fisher": the weights with the largest mean squared gradient over `groups` parts of the batch (per example, if there are
        as many parts as examples). "dynamic": drop the active weights with the smallest |g|, and add as many others, chosen at
        random; the share dropped falls from `drop` to 0 along half a cosine over `steps` steps.
    every : int
        Steps from one mask to the next.
    groups, drop, steps, seed
        As above; the seed is of the random choices.

    2 gradients; 3 at steps with a new Fisher mask. ‖ε‖ ≤ ρ: the norm is that of all of g. The first mask is there at the first
    step; in the authors' code the Fisher mask is zero then.

    Source: Mi et al. 2022, arXiv:2210.05177, algorithms 1 and 2.
    """

    sparsity: Scalar = share(0.5, "share of weights that stay where they are")
    masks: str = choice("fisher", "dynamic", meaning="how masks are chosen")
    every: int = count(50, meaning="steps from one mask to the next")
    groups: int = count(8, meaning="parts of the batch for a Fisher mask")
    drop: float = share(0.5, "share of active weights dropped at first", swept=False)
    steps: int = count(1000, meaning="steps until no weight is dropped")
    seed: Seed = random_seed()

    def memory(self, w: Array) -> State:
        return {"mask": xp().ones_like(w)}

    def where(self, g: Array, look: Look, state: State) -> Array:
        if state["t"] % self.every == 0:
            state["mask"] = self._fisher(look) if self.masks == "fisher" else self._dynamic(g, look, state)
        return state["mask"] * look.uphill(g)

    def _fisher(self, look: Look) -> Array:
        parts = look.parts(self.groups)
        gradients = [part() for part in parts]
        look.gather(parts, gradients)
        return largest(sum(g * g for g in gradients), self._ones(look.w))

    def _dynamic(self, g: Array, look: Look, state: State) -> Array:
        t, mask, ones, n = state["t"], state["mask"], self._ones(g), g.shape[-1]
        chance = numpy.broadcast_to(look.uniform("grown mask", self.seed, t), g.shape)
        if t == 0:
            return largest(chance, ones)
        share = self.drop * (1 + math.cos(math.pi * min(t / self.steps, 1))) / 2
        dropped = numpy.minimum(rounded(ones * share), n - ones)
        kept = largest(numpy.where(mask > 0, abs(g), -1), ones - dropped)
        return kept + largest(numpy.where(mask > 0, -1, chance), dropped)

    def _ones(self, w: Array) -> Scalar:
        """How many weights a mask has."""
        return rounded((1 - in_double(self.sparsity)) * w.shape[-1])


def rounded(k: Scalar) -> Scalar:
    """The nearest whole number, of a number or of each entry of an array."""
    return round(k) if isinstance(k, (int, float)) else numpy.rint(k)


def largest(scores: Array, k: Scalar) -> Array:
    """1 at the k largest scores of each replica, else 0.   (..., n); k a number, or (..., 1)."""
    rank = (-scores).argsort(axis=-1).argsort(axis=-1)
    return (rank < k).astype(scores.dtype)


@dataclass(frozen=True)
class ESAM(Variant):
    """Efficient SAM: a random part of the weights is perturbed, and the examples that suffer most from it count.

        ε = (ρ/β) m g/‖g‖,  mᵢ ~ Bernoulli(β);    d = mean of ∇ℓᵢ(w + ε) over the γ|B| examples with the largest ℓᵢ(w + ε) − ℓᵢ(w)

    0 < β, γ ≤ 1, β a number or an array (..., 1); β = γ = 1 is SAM. γ|B| is rounded, to one example at least. An example of a
    `gpt` is a text. 1 + γ gradients and two forward passes; the second gradient is computed on the chosen examples alone, which
    are also all that batch norm sees then. This is the article's ε, whose mean is SAM's; the authors' code draws m for whole
    tensors, divides by ‖m g‖, and keeps one example less.

    Source: Du et al. 2022, arXiv:2110.03141, algorithm 1.
    """

    beta: Scalar = number(Interval(0, 1, low_belongs=False), 0.6, "β, share of weights that are perturbed")
    gamma: float = number(Interval(0, 1, low_belongs=False), 0.5, "γ, share of examples that count", swept=False)
    seed: Seed = random_seed()

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        mask = (look.uniform("weights to perturb", self.seed, state["t"]) < self.beta).astype(g.dtype)
        eps = mask * look.uphill(g) / self.beta
        if self.gamma == 1:
            return look(eps)
        suffered = look.losses(eps) - look.losses()
        kept = max(1, round(self.gamma * suffered.shape[-1]))
        return look.some((-suffered).argsort(axis=-1)[..., :kept], eps)


@dataclass(frozen=True)
class ImbSAM(Variant, NeedsExamples):
    """Imbalanced SAM: only the loss of the rare classes is perturbed. The others have enough examples not to be overfitted.

        L = L_head + L_tail,  each the sum of its examples' losses over m;    ε = ρ g_tail/‖g_tail‖
        d = ∇L_head(w) + ∇L_tail(w + ε)

    Parameters
    ----------
    base, rho, p, l2, ball
        As in `SAM`.
    tail : sequence of int
        The rare classes; the authors take those with fewer than 20 training examples, `flatnonzero(bincount(y_train) < 20)`.
        All classes: the step is SAM's, up to rounding. None, or none in the batch: the base's, bit for bit.

    3 gradients, each over the whole batch, in which examples may have the weight 0: replicas have different numbers of rare
    examples. (The authors' code makes two forward and three backward passes over the whole batch.) Batch norm sees all of it, in
    theirs too. Needs one class for each example.

    This is the authors' first release. Since September 2023 their code doubles the tail's loss, which is
    `long_tails.Reweighted(ImbSAM(...), weights)` with the weight 2 for each class of the tail, and 1 for the others.

    Source: Zhou et al. 2023, arXiv:2308.07815, and the authors' code.  Truths also: tests/papers/test_zhou_2023.py.
    """

    tail: tuple[int, ...] = classes("the rare classes, whose loss is perturbed")

    def direction(self, look: Look, state: State) -> Array:
        g, rare = look(), self._is_rare(look.labels()).astype(look.w.dtype)
        g_tail = look.weighted(rare)
        eps = look.uphill(g_tail)
        return (g - g_tail) + look.weighted(rare, eps)

    def _is_rare(self, labels: Array) -> Array:
        return (labels[..., None] == asarray(self.tail, dtype="int64")).any(axis=-1)
