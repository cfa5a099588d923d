"""The problems of the vectors: explicit, tiny, with the same bits on every machine. vectors/README.md has their formulas."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from minisam import BatchLoss, Quadratic, hvp, mlp, value_and_grad
from minisam.batch import Batch
from minisam.models.model import Model


def numbers(*shape, step=37):
    """Numbers of two digits in [-1, 1]."""
    return ((np.arange(np.prod(shape)) * step % 101 - 50) / 50).reshape(shape)


@dataclass(frozen=True)
class Watched(Batch):
    """A batch that writes down each w at which a gradient is taken."""

    log: list = field(default_factory=list)

    def __post_init__(self):
        super().__post_init__()
        taken = self.gradient
        object.__setattr__(self, "gradient", lambda w: (self.log.append(w), taken(w))[1])

    def near(self, w, *anchor):
        self.log.append(w)
        return super().near(w, *anchor)


@dataclass(frozen=True)
class Problem:
    """What a vector file says of its problem, the model that computes it, the weights at the start."""

    says: dict
    w: np.ndarray
    model: Model | None = None

    @cached_property
    def loss(self):
        """It is recorded once for all steps."""
        return BatchLoss(self.model) if self.model else value_and_grad(Quadratic(self.says["H"], self.says["b"]))

    def on(self, rows, log):
        """The loss on these examples; a quadratic has none. Each w at which a gradient is taken is added to `log`."""
        if self.model is None:
            return lambda w: (log.append(w), self.loss(w))[1]
        return Watched(self.loss, self.says["x"][rows], self.says["y"][rows], rows, log=log)

    def whole(self):
        """The loss on all examples, and its Hessian times a vector: (w, v) -> H v."""
        if self.model is None:
            return self.on([], []), hvp(Quadratic(self.says["H"], self.says["b"]))
        batch = self.on(np.arange(len(self.says["y"])), [])
        return batch, batch.hvp

    def batches(self, steps):
        """The examples of each step: two halves of the twelve, in another order in each epoch. None of a quadratic."""
        if self.model is None:
            return [[]] * steps
        orders = [np.arange(1, 13) * (epoch + 2) % 13 - 1 for epoch in range(steps // 2)]
        return [half for order in orders for half in np.split(order, 2)]


BOWL = Problem(
    {"kind": "quadratic", "H": np.diag([5.0, 2.0, 0.3]), "b": np.zeros(3)},
    np.array([1.0, -2.0, 3.0]),
)
TILTED = Problem(
    {
        "kind": "quadratic",
        "H": np.array([[3.0, 1.0, 0.5, 0.0], [1.0, 2.0, -1.0, 0.3], [0.5, -1.0, 1.5, 0.2], [0.0, 0.3, 0.2, 0.8]]),
        "b": np.array([0.5, -1.0, 0.0, 1.0]),
    },
    np.array([1.0, -0.5, 0.25, -2.0]),
)
SOFTMAX = Problem(
    {"kind": "softmax regression", "x": 2 * numbers(12, 3), "y": np.arange(12) * 7 % 5 % 4},
    numbers(16, step=29),
    mlp((3, 4)),
)
NET = Problem(
    {"kind": "tanh net", "x": 2 * numbers(12, 2), "y": np.arange(12) * 5 % 7 % 2},
    numbers(17, step=29),
    mlp((2, 3, 2), "tanh"),
)
