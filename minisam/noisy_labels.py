"""What SAM has to be compared with where labels are noisy: wrappers that change the batch which an optimizer sees.

Each goes around any optimizer, SAM too, and has its protocol. The other baselines stand elsewhere: label smoothing and the
generalised cross-entropy in `minisam.losses`, averaged weights in `minisam.sam`, early stopping as `train(..., best=True)`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .array_backend import asarray, xp
from .batch import Batch
from .draws import stream
from .optim import Optimizer
from .types import Array, Info, State


@dataclass(frozen=True)
class Mixup:
    """Train on mixtures of examples.

        x̃ = s x + (1 − s) x′,    L = s ℓ(x̃, y) + (1 − s) ℓ(x̃, y′),    s ~ Beta(α, α)

    (x′, y′) is the batch in another order; order and s are drawn anew for each step, the same for all replicas and for both
    passes of SAM.

    Parameters
    ----------
    optimizer : optimizer
        What makes the step.
    alpha : float
        α > 0; small: hardly mixed.
    seed : int
        Of the mixtures.

    Source: Zhang et al. 2018, arXiv:1710.09412, eq. 1.  Truths: tests/test_noisy_labels.py.
    """

    optimizer: Optimizer
    alpha: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise ValueError(f"alpha must be > 0, got {self.alpha}")

    def init(self, w: Array) -> State:
        return self.optimizer.init(w)

    def step(self, w: Array, state: State, batch: Batch) -> tuple[Array, State, Info]:
        draw = stream("mixup", self.seed, state["t"])
        order = draw.permutation(batch.x.shape[-2])
        return self.optimizer.step(w, state, batch.mixed(draw.beta(self.alpha, self.alpha), asarray(order)))


@dataclass(frozen=True)
class SmallLoss:
    """Train on the examples of each batch whose loss is smallest: noisy labels have large ones, until they are learnt by heart.

        keep the R(t) m smallest ℓᵢ(w),    R(t) = 1 − noise · min(t/warmup, 1)

    Each replica chooses for itself, at w; the others get weight 0. Examples that tie with the last one kept are kept, too.

    Parameters
    ----------
    optimizer : optimizer
        What makes the step.
    noise : float
        Share of wrong labels, in [0, 1).
    warmup : int
        Steps over which the share that is left out grows to it.

    Source: the selection of Han et al. 2018, arXiv:1804.06872, algorithm 1, by one net alone.
    Truths: tests/test_noisy_labels.py.
    """

    optimizer: Optimizer
    noise: float
    warmup: int = 100

    def __post_init__(self) -> None:
        if not 0 <= self.noise < 1:
            raise ValueError(f"noise must be in [0, 1), got {self.noise}")
        if not self.warmup >= 1:
            raise ValueError(f"warmup must be ≥ 1, got {self.warmup}")

    def init(self, w: Array) -> State:
        return self.optimizer.init(w)

    def step(self, w: Array, state: State, batch: Batch) -> tuple[Array, State, Info]:
        losses = batch.losses(w)
        m = losses.shape[-1]
        kept = max(1, round((1 - self.noise * min(state["t"] / self.warmup, 1)) * m))
        last = xp().sort(losses, axis=-1)[..., kept - 1 : kept]
        a = (losses <= last).astype(losses.dtype)
        a = a * (m / a.sum(axis=-1, keepdims=True))
        return self.optimizer.step(w, state, lambda w: batch.weighted(w, a))
