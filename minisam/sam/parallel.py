"""Two gradients that do not wait for each other, each in a thread of its own: BLAS lets the other one run.

Truths: tests/test_parallel.py.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy

from .. import threads
from ..array_backend import xp
from ..batch import Batch
from ..checks import check_share
from ..optim import add_l2, step_size
from ..types import Array, Info, LossAndGrad, State
from ..vectors import mix
from .algebra import Look, Variant
from .epsilon import epsilon


def together(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """The results of both, computed at the same time: the second one in another thread, where one can start."""
    if not threads.CAN_START:
        return first(), second()
    other = _worker().submit(_quietly, numpy.geterr(), second)
    return first(), other.result()


@cache
def _worker() -> ThreadPoolExecutor:
    """One thread, always the same: records belong to threads."""
    return ThreadPoolExecutor(1, thread_name_prefix="minisam")


def _quietly(errors: Any, f: Callable[[], Any]) -> Any:
    with numpy.errstate(**errors):  # which is a thread's own
        return f()


@dataclass(frozen=True)
class SAMPa(Variant):
    """SAM whose two gradients are parallel: the ascent direction is one step old, taken at an auxiliary point y.

        y ← w − η g_y,    in parallel:  g_adv = ∇L_{t−1}(w + ρ g_y/‖g_y‖),  g_y′ = ∇L_t(y)
        w ← base(w, (1 − λ) g_adv + λ g_y′),    g_y ← g_y′

    L_{t−1} is the loss on the batch of the step before, from which g_y came; it is kept in the state, so that a training that
    is resumed goes on with the same bits. The first step has no g_y yet: it is one of the base, and g_y = ∇L₀(w). (The article
    takes that g_y and makes no step.) 0 ≤ λ ≤ 1, 1 is optimistic gradient descent; η is the base's step size, and y has no
    momentum. 2 gradients, in the time of one where there are two processors; "loss" is L_t(y).

    Source: Xie et al. 2024, arXiv:2410.10683, algorithm 1.
    """

    rho: Any = 0.1
    lam: Any = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(lam=self.lam)
        if not hasattr(self.base, "lr"):
            raise TypeError(f"base must have a step size lr, got {self.base!r}")

    def memory(self, w: Array) -> State:
        return {"g_y": 0 * w}

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        if not isinstance(loss_and_grad, Batch):
            raise TypeError("SAMPa needs BatchLoss(model).on(x, y), as `train` gives it, to keep the batch for a step")
        look, kept = Look(w, loss_and_grad), {"x_before": loss_and_grad.x, "y_before": loss_and_grad.y}
        if state["t"] == 0:
            g_y = d = look()
        else:
            eps = epsilon(state["g_y"], self.rho)
            before = replace(loss_and_grad, x=state["x_before"], y=state["y_before"])
            to_y = -step_size(self.base, state["t"], w) * state["g_y"]
            (_, g_adv), here = together(lambda: before(w + eps), lambda: loss_and_grad(w + to_y))
            g_y = look.note(None, here)
            look.note(eps, (here[0], g_adv))
            d = mix(g_adv, g_y, self.lam)
        w, base_state, _ = self.base.step(w, state, lambda _: (look.loss, add_l2(d, self.l2, w)))
        return w, base_state | {"g_y": g_y} | kept, look.info()


@dataclass(frozen=True)
class AsyncSAM(Variant):
    """SAM along an earlier step's gradient, while this step's is being computed for a later one.

        ε = ρ g_{t−D}/‖g_{t−D}‖,    in parallel:  g_t = ∇L(w),  d = ∇L(w + ε)

    D is `delay` ≥ 0; 0 is SAM. The first D steps have ε = 0. 2 gradients, in the time of one where there are two processors.

    Source: Jo et al. 2025, arXiv:2503.11147, algorithm 1, with the whole batch for the ascent.
    """

    delay: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.delay, int) and self.delay >= 0):
            raise ValueError(f"delay must be a whole number ≥ 0, got {self.delay!r}")

    def memory(self, w: Array) -> State:
        return {"earlier": xp().zeros((*w.shape[:-1], self.delay, w.shape[-1]), dtype=w.dtype)}

    def direction(self, look: Look, state: State) -> Array:
        if self.delay == 0:
            return look(epsilon(look(), self.rho))
        earlier = state["earlier"]  # g_{t−D}, …, g_{t−1}
        eps = epsilon(earlier[..., 0, :], self.rho)
        at_w, at_eps = together(lambda: look.loss_and_grad(look.w), lambda: look.loss_and_grad(look.w + eps))
        g = look.note(None, at_w)
        state["earlier"] = xp().concatenate([earlier[..., 1:, :], g[..., None, :]], axis=-2)
        return look.note(eps, at_eps)
