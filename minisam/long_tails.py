"""Training on classes of very different sizes: reweighting, to compare with `sam.ImbSAM`.

`data.long_tailed` makes such data, and `losses.balanced_accuracy` counts all classes alike.

Truths: tests/test_long_tails.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from .arguments import checked, number
from .checks import Interval
from .hyperparameters import Declared, NeedsExamples, optimizer, per_class, refuse_inside
from .kinds import floats, host
from .noisy_labels import Mixup, a_batch
from .ops.losses import check_range
from .optim import Optimizer, explained
from .types import Array, Info, LossAndGrad, State


@checked(labels=host("iu", axes=1), beta=number(Interval(0, 1)))
def class_weights(labels: Array, beta: float = 1.0) -> numpy.ndarray:
    """Weights of classes that are larger for rare ones, by the effective number of their examples.

        v_c ∝ (1 − β)/(1 − β^n_c),    scaled so that their mean over the examples is 1

    Parameters
    ----------
    labels : integer array (m,)
        Classes of the training examples, n_c of class c.
    beta : float
        β in [0, 1]. 0: all weights are 1. 1, the limit: v_c ∝ 1/n_c, and all classes together weigh the same.

    Returns
    -------
    float64 array (c,)
        A class without examples has the weight 0. (The authors scale the weights to a sum of c; that is another step size.)

    Source: Cui et al. 2019, arXiv:1901.05555, eq. 4.
    """
    if labels.ndim != 1 or labels.min() < 0:
        raise ValueError(f"labels must be classes (m,), whole numbers ≥ 0, got {labels.shape} from {labels.min()}")
    n = numpy.bincount(labels)
    there = n > 0
    v = numpy.zeros(len(n))
    v[there] = 1 / (n[there] if beta == 1 else 1 - beta ** n[there])  # 1 − β is the same for all
    return v * (len(labels) / (n @ v))


@dataclass(frozen=True)
class Reweighted(Declared, NeedsExamples):
    """Train on examples that weigh as their classes do: L = Σᵢ v_{yᵢ} ℓᵢ / m, in all passes of the optimizer.

    With `class_weights(y_train)`, L over all examples is the mean over the classes of their mean losses. A gradient costs what it
    costs without weights. "loss" is the weighted one.

    Parameters
    ----------
    optimizer : optimizer
        Makes the step. `Mixup` is refused: a mixture has two classes.
    weights : array (c,)
        Weight v ≥ 0 of each class.
    """

    optimizer: Optimizer = optimizer()
    weights: Array = per_class("weight of each class")

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_inside(self, Mixup, "a mixture has two classes")

    @checked(w=floats())
    def init(self, w: Array) -> State:
        return self.optimizer.init(w)

    @explained
    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        batch = a_batch(self, loss_and_grad)
        v, y = self.met[w.dtype, type(w)].weights, batch.labels()
        check_range(y, len(v), "y")
        return self.optimizer.step(w, state, batch.weighted(v[y]))
