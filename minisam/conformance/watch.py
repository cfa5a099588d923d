"""An implementation at work: where it asks for gradients, on which batch, and where it leaves the weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy

from ..types import Array
from .problems import Problem


@dataclass(frozen=True)
class Ask:
    """One gradient: at which w (n,), on which batch, and what it was."""

    w: Array
    batch: int
    g: Array


@dataclass(frozen=True)
class Step:
    """One step on a batch: w before it, the gradients asked for, w after it."""

    w: Array
    batch: int
    asks: tuple[Ask, ...]
    after: Array


@dataclass(frozen=True)
class Oracle:
    """The loss on one batch of a problem: `oracle(w) -> (loss, g)`. It notes in `asks` where it was asked for a gradient."""

    problem: Problem
    batch: int
    asks: list[Ask]

    def __call__(self, w: Array) -> tuple[Array, Array]:
        w = numpy.array(w, dtype="float64")
        loss, g = self._at(w)
        self.asks.append(Ask(w, self.batch, g.copy()))
        return loss, g.copy()

    def loss(self, w: Array) -> Array:
        """L(w), which is not noted."""
        return self._at(w)[0]

    def _at(self, w: Array) -> tuple[Array, Array]:
        if w.shape != self.problem.w.shape:
            raise ValueError(f"loss_and_grad needs w of shape {self.problem.w.shape}, got {w.shape}")
        return self.problem.losses[self.batch](w)


TakeStep: TypeAlias = Callable[[Oracle], Array]  # one step on the batch of this loss -> w after it


class Implementation(Protocol):
    """What an adapter makes of an optimizer."""

    def begin(self, problem: Problem) -> TakeStep:
        """A fresh optimizer at the problem's w, as a function that makes its next step."""
        ...


def watched(implementation: Implementation, problem: Problem, steps: int) -> list[Step]:
    """So many steps of the implementation on the problem."""
    asks: list[Ask] = []
    on = [Oracle(problem, k, asks) for k in range(len(problem.losses))]
    w, seen = problem.w, []
    with numpy.errstate(all="ignore"):  # what is not finite is told in the report
        take_step = implementation.begin(problem)
        for t in range(steps):
            oracle = on[t % len(on)]
            asks.clear()
            after = numpy.array(take_step(oracle), dtype="float64")
            if after.shape != w.shape:
                raise ValueError(f"a step must leave w of shape {w.shape}, got {after.shape}")
            seen.append(Step(w, oracle.batch, tuple(asks), after))
            w = after
    return seen


def apart(a: Array, b: Array) -> float:
    """The largest difference, relative to the largest entry of b; ∞ if one is not finite."""
    off = float(abs(a - b).max() / (abs(b).max() or 1.0))
    return off if numpy.isfinite(off) else numpy.inf
