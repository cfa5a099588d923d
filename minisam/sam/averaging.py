"""Averages of the weights during training, which also lead to flat minima; on top of any optimizer.

Truths: tests/test_averaging.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import checked
from ..hyperparameters import Declared, count, joined, optimizer, refuse_inside, share
from ..kinds import floats
from ..optim import Optimizer, explained
from ..types import Array, Info, LossAndGrad, Scalar, State
from ..vectors import mix


class Averaging(Declared):
    """A wrapper that keeps an average of the weights beside an optimizer's state."""

    optimizer: Optimizer

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_inside(self, Averaging, "both keep their average under the same name")


@dataclass(frozen=True)
class SWA(Averaging):
    """Stochastic weight averaging: the mean of the weights after every `every` steps from step `start` on.

    Until then the average is w itself. The training goes on from its own weights; `run.averaged()` has the average.

    Source: Izmailov et al. 2018, arXiv:1803.05407, algorithm 1.
    """

    optimizer: Optimizer = optimizer()
    start: int = count(0, least=0, meaning="first step that is averaged")
    every: int = count(1, meaning="steps from one averaged step to the next")

    @checked(w=floats())
    def init(self, w: Array) -> State:
        return joined(self, {"averaged": w.copy(), "count": 0}, self.optimizer, self.optimizer.init(w))

    @explained
    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        average, n, t = state["averaged"], state["count"], state["t"]
        w, inner, info = self.optimizer.step(w, state, loss_and_grad)
        if t >= self.start and (t - self.start) % self.every == 0:
            average, n = average + (w - average) / (n + 1) if n else w, n + 1
        elif not n:
            average = w
        return w, inner | {"averaged": average, "count": n}, info


@dataclass(frozen=True)
class EMA(Averaging):
    """An exponential moving average of the weights, v ← decay · v + (1 − decay) w, from the initial ones on.

    The training goes on from its own weights; `run.averaged()` has the average.  Polyak & Juditsky 1992.
    """

    optimizer: Optimizer = optimizer()
    decay: Scalar = share(0.99, "decay of the average")

    @checked(w=floats())
    def init(self, w: Array) -> State:
        return joined(self, {"averaged": w.copy()}, self.optimizer, self.optimizer.init(w))

    @explained
    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        decay = self.met[w.dtype, type(w)].decay
        w, inner, info = self.optimizer.step(w, state, loss_and_grad)
        return w, inner | {"averaged": mix(w, state["averaged"], decay)}, info
