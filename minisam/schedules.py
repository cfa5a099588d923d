"""Schedules of the step size: t -> lr, for step t = 0, 1, 2, …

Truths: tests/test_optim.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from .hyperparameters import Declared, at_least_0, count, schedule
from .types import Scalar


@dataclass(frozen=True)
class constant(Declared):
    """lr at every step: the same as the number itself, for use inside `warmup`."""

    lr: Scalar = at_least_0()

    def __call__(self, t: int) -> Scalar:
        return self.lr


@dataclass(frozen=True)
class cosine(Declared):
    """Half a cosine from lr at t = 0 to `final` at t = `steps`; from then on the step size stays `final`.

    Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5, without restarts.
    """

    lr: Scalar = at_least_0()
    steps: int = count()
    final: Scalar = at_least_0(0.0)

    def __call__(self, t: int) -> Scalar:
        return self.final + (self.lr - self.final) * (1 + math.cos(math.pi * min(t / self.steps, 1))) / 2


@dataclass(frozen=True)
class warmup(Declared):
    """`schedule`, multiplied by (t + 1)/steps over the first `steps` steps.   Goyal et al. 2017, arXiv:1706.02677."""

    steps: int = count()
    schedule: Callable[[int], Scalar] = schedule()

    def __call__(self, t: int) -> Scalar:
        return self.schedule(t) * min((t + 1) / self.steps, 1)


@dataclass(frozen=True)
class step_decay(Declared):
    """lr · factorᵏ after k · `every` steps."""

    lr: Scalar = at_least_0()
    every: int = count()
    factor: Scalar = at_least_0(0.1)

    def __call__(self, t: int) -> Scalar:
        return math.prod([self.factor] * (t // self.every), start=self.lr)  # rounded alike for numbers and arrays
