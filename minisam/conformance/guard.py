"""The small number τ that many implementations add to ‖g‖, so that 0/0 never happens: it is read from the steps, and no mistake.

    ε = ρ d/(‖d‖ᵏ + τ)^(1/k)        k = 1: beside the norm; k = 2: under its root

With it ε is a little shorter than ρ, which steps far from a minimum hardly show, and long paths do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from ..types import Array
from ..vectors import norm, over
from .problems import Problem
from .watch import Implementation, Oracle, TakeStep

MOST = 1e-2  # a larger τ is no guard
SEEN = 1e-9  # relative to ‖ε‖: less is not told from rounding
CLOSE, BETTER = 1e-6, 0.1  # what is left with it: relative to ‖ε‖, and to what was off without


@dataclass(frozen=True)
class Guard:
    """τ ≥ 0, which is added to the norm (power 1) or to its square (power 2)."""

    tau: float = 0.0
    power: int = 1

    def divisor(self, size: Array) -> Array:
        """What is divided by in place of the norm; the norm itself for τ = 0."""
        return (size**self.power + self.tau) ** (1 / self.power) if self.tau else size

    def note(self) -> list[str]:
        """The guard in one sentence, if there is one."""
        where = "to the norm" if self.power == 1 else "under the root of the norm"
        return [f"τ ≈ {self.tau:.3g} is added {where}, so that ε is a little shorter than ρ."] if self.tau else []


def units(w: Array, eta: float | None) -> Array:
    """T in which the ball is measured: |w| + η, or 1."""
    return numpy.ones_like(w) if eta is None else abs(w) + eta


def guard_of(eps: Array, along: Array, size: Array) -> Guard:
    """The τ by which ε ∝ along/size, all (T, ·) and not 0, is explained much better than without; else none.

    (‖along‖/‖ε‖)ᵏ = (sizeᵏ + τ)/ρᵏ is a line, in units of its left side.
    """
    if len(eps) < 3 or abs(abs((eps * along).sum(-1, keepdims=True)) / (norm(eps) * norm(along)) - 1).max() > SEEN:
        return Guard()
    found = [_fitted(over(norm(along), norm(eps)), size, power) for power in (1, 2)]
    return min(found, key=lambda one: one[0])[1]


def _fitted(length: Array, size: Array, power: int) -> tuple[float, Guard]:
    """How far the steps are from the best line, and its guard: none if it is not needed."""
    x = (size**power / length**power, 1 / length**power)
    lines = [_line(numpy.hstack(x[:many])) for many in (1, 2)]
    (off, _), (left, (slope, rest)) = lines
    tau = float(rest / slope)
    is_needed = off > SEEN and left < min(BETTER * off, CLOSE)
    return (left, Guard(tau, power)) if is_needed and 0 < tau < MOST else (off, Guard())


def _line(columns: Array) -> tuple[float, Array]:
    """The numbers with which columns (T, k) add up to 1, and the largest distance from it."""
    numbers = numpy.linalg.lstsq(columns / abs(columns).max(axis=0), numpy.ones(len(columns)), rcond=None)[0]
    numbers = numbers / abs(columns).max(axis=0)
    return float(abs(columns @ numbers - 1).max()), numbers


@dataclass(frozen=True)
class Guarded:
    """An implementation whose second gradient is taken as if its norm had a guard; `eta` of ASAM's units, None in others."""

    implementation: Implementation
    guard: Guard
    eta: float | None

    def begin(self, problem: Problem) -> TakeStep:
        take_step = self.implementation.begin(problem)
        return lambda oracle: take_step(_Shorter(oracle.problem, oracle.batch, oracle.asks, self, []))


@dataclass(frozen=True)
class _Shorter(Oracle):
    """The loss, which is asked at w, then at w + ε: it answers for an ε that the guard makes shorter."""

    how: Guarded
    first: list[tuple[Array, Array]]

    def __call__(self, w: Array) -> tuple[Array, Array]:
        if self.first:
            at, size = self.first[0]
            w = at + over(size, self.how.guard.divisor(size)) * (w - at)
        loss, g = super().__call__(w)
        self.first.append((w.copy(), norm(units(w, self.how.eta) * g)))
        return loss, g
