"""Base optimizers and step-size schedules.

One protocol, which SAM shares:

    state = optimizer.init(w)
    w, state, info = optimizer.step(w, state, loss_and_grad)

with `loss_and_grad(w) -> (loss, g)`. A step changes none of its inputs. `info` holds arrays of shape (...,), one number a
replica: "loss" L(w), "grad_norm" ‖∇L(w)‖₂, and the whole number "evaluations" of gradients spent. Every hyperparameter is a
number or an array of shape (..., 1), which gives each replica its own; a step size may also be a schedule t -> lr of the
step t = 0, 1, 2, …
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy

from .array_backend import xp
from .autodiff.replay import replayed
from .checks import check_at_least_0, check_betas, check_steps
from .types import Array, Info, LossAndGrad, State, StepSize
from .vectors import like, norm


class Optimizer(Protocol):
    """What `train` asks of an optimizer."""

    def init(self, w: Array) -> State: ...

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]: ...


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum μ, and λ‖w‖² added to the loss (`l2` = λ).

        g ← ∇L(w) + 2λw
        v ← μ v + g
        w ← w − η v             with Nesterov's look-ahead:  w ← w − η (g + μ v)

    Sutskever et al. 2013 (momentum and Nesterov), in PyTorch's convention: v is not multiplied by η.
    Truths: tests/test_optim.py.
    """

    lr: StepSize
    momentum: float = 0.0
    nesterov: bool = False
    l2: Any = 0.0

    def __post_init__(self) -> None:
        check_step_size(self.lr)
        check_at_least_0(momentum=self.momentum, l2=self.l2)
        if self.nesterov and numpy.all(numpy.asarray(self.momentum) == 0):
            raise ValueError("nesterov needs a momentum above 0, got momentum=0")

    def init(self, w: Array) -> State:
        return {"t": 0, "v": xp().zeros_like(w)}

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        g, info = _gradient(w, self.l2, loss_and_grad)
        lr, mu = step_size(self, state["t"], w), like(self.momentum, w)
        w, v = (_with_look_ahead if self.nesterov else _with_momentum)(w, state["v"], g, lr, mu)
        return w, {"t": state["t"] + 1, "v": v}, info


@replayed
def _with_momentum(w: Array, v: Array, g: Array, lr: Any, mu: Any) -> tuple[Array, Array]:
    v = mu * v + g
    return w - lr * v, v


@replayed
def _with_look_ahead(w: Array, v: Array, g: Array, lr: Any, mu: Any) -> tuple[Array, Array]:
    v = mu * v + g
    return w - lr * (g + mu * v), v


@dataclass(frozen=True)
class Adam:
    """Adam: steps of the running mean of the gradient over the root of its running square.

        g ← ∇L(w) + 2λw
        m ← β₁ m + (1 − β₁) g,        v ← β₂ v + (1 − β₂) g²
        w ← w − η m̂ / (√v̂ + ε)       with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ), t counted from 1

    Kingma & Ba 2015, arXiv:1412.6980, algorithm 1.  Truths: tests/test_optim.py.
    """

    lr: StepSize = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    l2: Any = 0.0

    def __post_init__(self) -> None:
        check_step_size(self.lr)
        check_betas(self.betas)
        check_at_least_0(eps=self.eps, l2=self.l2)

    def init(self, w: Array) -> State:
        return {"t": 0, "m": xp().zeros_like(w), "v": xp().zeros_like(w)}

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        g, info = _gradient(w, self.l2, loss_and_grad)
        state = adam_moments(state, g, self.betas)
        w = w - step_size(self, state["t"] - 1, w) * adam_direction(state, self.betas, self.eps)
        return w, state, info


@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay: the decay δ acts on w itself and never enters the moments.

        w ← w − η δ w − η m̂ / (√v̂ + ε)

    Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2 (in PyTorch's convention: η multiplies δ).
    Truths: tests/test_optim.py.
    """

    lr: StepSize = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: Any = 0.01

    def __post_init__(self) -> None:
        check_step_size(self.lr)
        check_betas(self.betas)
        check_at_least_0(eps=self.eps, weight_decay=self.weight_decay)

    def init(self, w: Array) -> State:
        return {"t": 0, "m": xp().zeros_like(w), "v": xp().zeros_like(w)}

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        g, info = _gradient(w, 0.0, loss_and_grad)
        state = adam_moments(state, g, self.betas)
        decay = like(self.weight_decay, w) * w
        w = w - step_size(self, state["t"] - 1, w) * (decay + adam_direction(state, self.betas, self.eps))
        return w, state, info


def adam_moments(state: State, g: Array, betas: tuple[float, float]) -> State:
    """Running means of the gradient and of its square."""
    b1, b2 = map(float, betas)
    return {
        "t": state["t"] + 1,
        "m": b1 * state["m"] + (1 - b1) * g,
        "v": b2 * state["v"] + (1 - b2) * g * g,
    }


def adam_direction(state: State, betas: tuple[float, float], eps: float) -> Array:
    """m̂ / (√v̂ + ε), with the bias of the zero start taken out."""
    b1, b2 = map(float, betas)
    m = state["m"] / (1 - b1 ** state["t"])
    v = state["v"] / (1 - b2 ** state["t"])
    return m / (xp().sqrt(v) + float(eps))


def _gradient(w: Array, l2: Any, loss_and_grad: LossAndGrad) -> tuple[Array, Info]:
    """∇L(w) + 2λw, and what a step tells."""
    loss, g = loss_and_grad(w)
    info = {"loss": loss, "grad_norm": norm(g)[..., 0], "evaluations": 1}
    return add_l2(g, l2, w), info


def add_l2(g: Array, l2: Any, w: Array) -> Array:
    """The gradient g + 2λw of a loss with λ‖w‖² added to it; g itself where λ is the number 0."""
    return g if isinstance(l2, (int, float)) and l2 == 0 else g + 2 * like(l2, w) * w


def step_size(optimizer: Any, t: int, w: Array) -> Any:
    """The optimizer's step size at step t, ready to meet w."""
    return like(optimizer.lr(t) if callable(optimizer.lr) else optimizer.lr, w)


# --- schedules: t -> lr ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class constant:
    """lr at every step: the same as the number itself, for use inside `warmup`."""

    lr: float

    def __call__(self, t: int) -> float:
        return self.lr


@dataclass(frozen=True)
class cosine:
    """From lr at t = 0 along half a cosine to `final` at t = `steps`, and there it stays.

    Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5, without restarts.
    """

    lr: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        check_steps("steps", self.steps)

    def __call__(self, t: int) -> float:
        return self.final + (self.lr - self.final) * (1 + math.cos(math.pi * min(t / self.steps, 1))) / 2


@dataclass(frozen=True)
class warmup:
    """`schedule`, multiplied by (t + 1)/steps over the first `steps` steps.   Goyal et al. 2017, arXiv:1706.02677."""

    steps: int
    schedule: Callable[[int], float]

    def __post_init__(self) -> None:
        check_steps("steps", self.steps)

    def __call__(self, t: int) -> float:
        return self.schedule(t) * min((t + 1) / self.steps, 1)


@dataclass(frozen=True)
class step_decay:
    """lr · factorᵏ after k · `every` steps."""

    lr: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        check_steps("every", self.every)

    def __call__(self, t: int) -> float:
        return self.lr * self.factor ** (t // self.every)


# --- checks of hyperparameters ---------------------------------------------------------------------------------------


def check_optimizer(**optimizers: Any) -> None:
    """Raise a TypeError that names the first one that is none."""
    for name, value in optimizers.items():
        if isinstance(value, type) or not hasattr(value, "step"):
            raise TypeError(f"{name} must be an optimizer such as SGD(lr), got {value!r}")


def check_step_size(lr: StepSize) -> None:
    """A schedule is asked for its first step size."""
    check_at_least_0(lr=lr(0) if callable(lr) else lr)
