"""Two gradients that do not wait for each other, each in a thread of its own.

NumPy releases the interpreter lock in BLAS calls and large loops, so both threads compute at once. On a device each has a
stream.

Truths: tests/test_parallel.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy

from .. import array_backend
from ..array_backend import xp
from ..autodiff.tape import is_tracing, refuse
from ..hyperparameters import at_least_0, count, share
from ..optim import lr_at
from ..types import Array, Radius, Scalar, State
from ..vectors import mix
from ..workers import at_once
from .algebra import Look, Variant

A = TypeVar("A")
B = TypeVar("B")


def together(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """The results of both, computed at the same time: the second in another thread, where there may be one."""
    if is_tracing():
        refuse("it computes in two threads")
    second, join = array_backend.current().beside(second)
    both = at_once(first, second)
    join()
    return both


@dataclass(frozen=True)
class SAMPa(Variant):
    """SAM whose two gradients are parallel: the ascent direction is one step old, taken at an auxiliary point y.

        y ← w − η g_y,    in parallel:  g_adv = ∇L_{t−1}(w + ρ g_y/‖g_y‖),  g_y′ = ∇L_t(y)
        w ← base(w, (1 − λ) g_adv + λ g_y′),    g_y ← g_y′

    L_{t−1} is the loss on the batch of the step before, from which g_y came; it is kept in the state, so that a training that
    is resumed goes on with the same bits. The first step has no g_y yet: it is one of the base, and g_y = ∇L₀(w).
    (In the article, step 0 only computes g_y and leaves w as it is.) 0 ≤ λ ≤ 1, 1 is optimistic gradient descent; η is the
    base's step size, and y has no momentum. 2 gradients, in the time of one where there are two processors;
    "loss" and "statistics" are those of L_t at y.

    Source: Xie et al. 2024, arXiv:2410.10683, algorithm 1.
    """

    rho: Radius = at_least_0(0.1, "radius ρ of the ball")
    lam: Scalar = share(0.2, "λ, share of the gradient at y")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not hasattr(self.base, "lr"):
            raise TypeError(f"base must have a step size lr, got {self.base!r}")

    def memory(self, w: Array) -> State:
        return {"g_y": 0 * w}

    def direction(self, look: Look, state: State) -> Array:
        kept = look.arrays()
        if state["t"] == 0:
            g_y = d = look()
        else:
            eps = look.uphill(state["g_y"])
            before = look.earlier({name: state[f"{name}_before"] for name in kept})
            y = look.w - lr_at(self.base, state["t"], look.w) * state["g_y"]
            (_, g_adv), here = together(lambda: before(look.w + eps), lambda: look.gradient(y))
            g_y = look.note(None, here)
            look.note(eps, (here[0], g_adv))
            d = mix(g_adv, g_y, self.lam)
        state |= {"g_y": g_y} | {f"{name}_before": a for name, a in kept.items()}
        return d


@dataclass(frozen=True)
class AsyncSAM(Variant):
    """SAM along an earlier step's gradient, while this step's is being computed for a later one.

        ε = ρ g_{t−D}/‖g_{t−D}‖,    in parallel:  g_t = ∇L(w),  d = ∇L(w + ε)

    D is `delay` ≥ 0; 0 is SAM. The first D steps have ε = 0. 2 gradients, in the time of one where there are two processors.

    Source: Jo et al. 2025, arXiv:2503.11147, algorithm 1, with the whole batch for the ascent.
    """

    delay: int = count(1, least=0, meaning="D, steps from a gradient to its use")

    def memory(self, w: Array) -> State:
        return {"earlier": xp().zeros((*w.shape[:-1], self.delay, w.shape[-1]), dtype=w.dtype)}

    def direction(self, look: Look, state: State) -> Array:
        if self.delay == 0:
            return super().direction(look, state)
        earlier = state["earlier"]  # g_{t−D}, …, g_{t−1}
        eps = look.uphill(earlier[..., 0, :])
        at_w, at_eps = together(lambda: look.gradient(look.w), lambda: look.gradient(look.w + eps))
        g = look.note(None, at_w)
        state["earlier"] = numpy.concatenate([earlier[..., 1:, :], g[..., None, :]], axis=-2)
        return look.note(eps, at_eps)
