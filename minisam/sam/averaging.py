"""Flat minima by another road: averages of the weights that a training passes through, on top of any optimizer.

Truths: tests/test_averaging.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..array_backend import xp
from ..checks import check_share
from ..optim import Optimizer, check_optimizer
from ..training.run import Run
from ..types import Array, Info, LossAndGrad, State
from ..vectors import mix


@dataclass(frozen=True)
class SWA:
    """Stochastic weight averaging: the mean of the weights after every `every` steps from step `start` on.

    Until then the average is w itself. The training goes on from its own weights; `averaged(run)` has the average.

    Source: Izmailov et al. 2018, arXiv:1803.05407, algorithm 1.
    """

    optimizer: Optimizer
    start: int = 0
    every: int = 1

    def __post_init__(self) -> None:
        check_optimizer(optimizer=self.optimizer)
        if not (self.start >= 0 and self.every >= 1):
            raise ValueError(f"start must be ≥ 0 and every ≥ 1, got {self.start} and {self.every}")

    def init(self, w: Array) -> State:
        return self.optimizer.init(w) | {"averaged": xp().array(w), "count": 0}

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        average, n, t = state["averaged"], state["count"], state["t"]
        w, inner, info = self.optimizer.step(w, state, loss_and_grad)
        if t >= self.start and (t - self.start) % self.every == 0:
            average, n = average + (w - average) / (n + 1) if n else w, n + 1
        elif not n:
            average = w
        return w, inner | {"averaged": average, "count": n}, info


@dataclass(frozen=True)
class EMA:
    """An exponential moving average of the weights, v ← decay · v + (1 − decay) w, from the initial ones on.

    The training goes on from its own weights; `averaged(run)` has the average.  Polyak & Juditsky 1992.
    """

    optimizer: Optimizer
    decay: Any = 0.99

    def __post_init__(self) -> None:
        check_optimizer(optimizer=self.optimizer)
        check_share(decay=self.decay)

    def init(self, w: Array) -> State:
        return self.optimizer.init(w) | {"averaged": xp().array(w)}

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        w, inner, info = self.optimizer.step(w, state, loss_and_grad)
        return w, inner | {"averaged": mix(w, state["averaged"], self.decay)}, info


def averaged(run: Run) -> Run:
    """The run of a training with `SWA` or `EMA`, with the average for its weights. (Batch norm's statistics stay w's own.)"""
    if "averaged" not in run.state:
        raise ValueError(f"run must be of a training with SWA or EMA, got one with the state {', '.join(run.state)}")
    return replace(run, w=run.state["averaged"])
