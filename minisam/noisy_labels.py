"""Other methods for noisy labels, to compare with SAM: wrappers that change the batch which an optimizer sees.

Each goes around any optimizer, SAM too, and has its protocol. Other rivals stand elsewhere: label smoothing and the
generalised cross-entropy in `minisam.losses`, which `OtherLoss` takes; averaged weights in `minisam.sam`; early stopping as
`train(..., best=True)`.

Truths: tests/test_noisy_labels.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from .arguments import checked
from .array_backend import asarray
from .batch import Batch
from .checks import ABOVE_0
from .hyperparameters import (
    Declared,
    Interval,
    NeedsExamples,
    count,
    declared,
    number,
    optimizer,
    random_seed,
    refuse_inside,
)
from .kinds import floats, function
from .optim import Optimizer, explained
from .streams import per_seed
from .types import Array, Info, Loss, LossAndGrad, Seed, State


@dataclass(frozen=True)
class Mixup(Declared, NeedsExamples):
    """Train on mixtures of examples.

        x̃ = s x + (1 − s) x′,    L = s ℓ(x̃, y) + (1 − s) ℓ(x̃, y′),    s ~ Beta(α, α)

    (x′, y′) is the batch in another order. Each step draws order and s anew, each seed of a run its own; both passes of SAM
    see the same mixtures.

    Parameters
    ----------
    optimizer : optimizer
        Makes the step. SAF is refused: it compares an example's logits with its earlier ones, and a mixture has none. What
        needs the class of each example, as ImbSAM does, is refused, too: a mixture has two.
    alpha : float
        α > 0; a small one hardly mixes.
    seed : int or array (..., 1)
        Of the mixtures.

    Source: Zhang et al. 2018, arXiv:1710.09412, eq. 1.
    """

    optimizer: Optimizer = optimizer()
    alpha: float = number(ABOVE_0, 0.2, "α of the mixtures", swept=False)
    seed: Seed = random_seed()

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_inside(self, NeedsExamples, "it needs the examples as they are")

    @checked(w=floats())
    def init(self, w: Array) -> State:
        return self.optimizer.init(w)

    @explained
    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        batch, t = a_batch(self, loss_and_grad), state["t"]
        m = batch.x.shape[-2]

        def draw(rng: numpy.random.Generator) -> numpy.ndarray:
            order = rng.permutation(m)
            return numpy.append(order, rng.beta(self.alpha, self.alpha))

        drawn = per_seed(draw, "mixup", self.seed, t, batch.seeds)
        share = asarray(drawn[..., -1], dtype=w.dtype)
        return self.optimizer.step(w, state, batch.mixed(share, asarray(drawn[..., :-1], dtype="int64")))


@dataclass(frozen=True)
class SmallLoss(Declared):
    """Train on the examples of each batch with the smallest losses: noisy labels have large ones, until they are memorised.

        keep the R(t) m smallest ℓᵢ(w),    R(t) = 1 − noise · min(t/warmup, 1)

    Each replica chooses for itself, at w. The optimizer sees a batch of the chosen examples alone, and so does batch norm.

    Parameters
    ----------
    optimizer : optimizer
        Makes the step.
    noise : float
        Share of wrong labels, in [0, 1).
    warmup : int
        Steps over which the share that is left out grows to `noise`.

    Source: the selection of Han et al. 2018, arXiv:1804.06872, algorithm 1, by one net alone.
    """

    optimizer: Optimizer = optimizer()
    noise: float = number(Interval(0, 1, high_belongs=False), meaning="share of wrong labels", swept=False)
    warmup: int = count(100, meaning="steps until the whole share is left out")

    @checked(w=floats())
    def init(self, w: Array) -> State:
        return self.optimizer.init(w)

    @explained
    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        batch = a_batch(self, loss_and_grad)
        losses = batch.losses(w)
        m = losses.shape[-1]
        kept = max(1, round((1 - self.noise * min(state["t"] / self.warmup, 1)) * m))
        return self.optimizer.step(w, state, batch.some(losses.argsort(axis=-1)[..., :kept]))


@dataclass(frozen=True)
class OtherLoss(Declared):
    """Train on another loss than that of the run, so that a loss is a method like others, with hyperparameters to tune.

        OtherLoss(SAM(SGD(0.1)), lambda z, y: cross_entropy(z, y, label_smoothing=0.3))

    All passes of the optimizer see this loss, and "loss" is it; what is evaluated besides stays the loss of the run.

    Parameters
    ----------
    optimizer : optimizer
        Makes the step.
    loss : function
        (logits, y) -> (...,), the mean over the examples.
    """

    optimizer: Optimizer = optimizer()
    loss: Loss = declared(function(2, "(logits, y) -> loss"), meaning="what is trained on")

    @checked(w=floats())
    def init(self, w: Array) -> State:
        return self.optimizer.init(w)

    @explained
    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        return self.optimizer.step(w, state, a_batch(self, loss_and_grad).with_loss(self.loss))


def a_batch(wrapper: object, loss_and_grad: LossAndGrad) -> Batch:
    """The batch, or the error that says that a plain function is none."""
    if isinstance(loss_and_grad, Batch):
        return loss_and_grad
    raise TypeError(
        f"{type(wrapper).__name__} needs BatchLoss(model).on(x, y), as `train` gives it, to change the batch, "
        f"got a plain {type(loss_and_grad).__name__}"
    )
