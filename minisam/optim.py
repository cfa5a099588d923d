"""Base optimizers and step-size schedules.

One protocol, which SAM and its variants share:

    state = optimizer.init(w)
    w, state, info = optimizer.step(w, state, loss_and_grad)

with `loss_and_grad(w) -> (loss, g)`. A base optimizer also makes a step of a gradient that someone else took:

    w, state = optimizer.update(w, state, g)

Neither changes its inputs. `info` holds arrays of shape (...,) with one number per replica: "loss" L(w) and "grad_norm"
‖∇L(w)‖₂; the number "evaluations" of gradients spent; and, for a model with batch norm, "statistics", the means and
variances of that gradient's batch. Every hyperparameter is a number, or an array of shape (..., 1) which gives each replica
its own. A step size may also be a schedule t -> lr of the step t = 0, 1, 2, …
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol

import autograd.numpy as anp
import numpy

from .arguments import checked
from .array_backend import xp
from .autodiff.replay import replayed
from .checks import shown
from .hyperparameters import (
    Declared,
    Interval,
    at_least_0,
    decay_rates,
    number,
    ready,
    step_size,
    truth,
)
from .kinds import floats, loss_and_grad, same_shape
from .schedules import constant, cosine, step_decay, warmup
from .types import Array, Evaluated, Info, LossAndGrad, Scalar, State, StepSize
from .vectors import norm
from .whole_step import WRONG, whole_step

__all__ = ["SGD", "Adam", "AdamW", "Base", "Optimizer", "Updater", "constant", "cosine", "step_decay", "warmup"]


class Optimizer(Protocol):
    """The protocol that `train` and the wrappers ask of an optimizer."""

    def init(self, w: Array) -> State: ...

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]: ...


class Updater(Protocol):
    """The protocol that SAM and its variants ask of their base optimizer."""

    @property
    def lr(self) -> StepSize: ...

    def init(self, w: Array) -> State: ...

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]: ...

    def update(self, w: Array, state: State, g: Array) -> tuple[Array, State]: ...


def explained(taken: Callable[..., Any]) -> Any:
    """Decorate a step, or an update: if it fails, the first of its arguments that is wrong is named.

    They are looked at only then, so that a step which succeeds pays nothing for it. On a device a step is recorded as a whole,
    if it can be, and is then one graph; on the host that is not faster.
    """

    def step(self: Any, w: Array, state: State, loss_and_grad: LossAndGrad) -> Any:
        try:
            whole = None if isinstance(w, numpy.ndarray) else whole_step(self, w, state, loss_and_grad)
            return whole or taken(self, w, state, loss_and_grad)
        except WRONG:
            check_step(self, w, state, loss_and_grad=loss_and_grad)
            raise

    def update(self: Any, w: Array, state: State, g: Array) -> Any:
        try:
            return taken(self, w, state, g)
        except WRONG:
            check_step(self, w, state, g=g)
            raise

    return wraps(taken)(step if taken.__name__ == "step" else update)


def check_step(optimizer: Any, w: Any, state: Any, **last: Any) -> None:
    """Raise the error that names the wrong argument of a step: w, the state, g or loss_and_grad."""
    w = floats()("w", w)
    known = optimizer.init(w)
    if not isinstance(state, dict) or known.keys() - state.keys():
        raise TypeError(f"state must be what init(w) returned, with {', '.join(known)}, got {shown(state)}")
    for name, a in known.items():
        if getattr(state[name], "shape", ())[-1:] != getattr(a, "shape", ())[-1:]:
            raise ValueError(
                f"state must be what init(w) returned; {name} must have shape {a.shape}, got {state[name]!r}"
            )
    if "g" in last:
        same_shape("g", floats()("g", last["g"]), "w", w)
    else:
        loss_and_grad("loss_and_grad", last["loss_and_grad"])(w)


class Base(Declared):
    """A base optimizer: its step is an update with the gradient at w."""

    lr: StepSize

    @explained
    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        result = loss_and_grad(w)
        loss, g = result
        w, state = self.update(w, state, g)
        told = {"loss": loss, "grad_norm": norm(g)[..., 0], "evaluations": 1}
        return w, state, told | ({"statistics": result.statistics} if isinstance(result, Evaluated) else {})

    @explained
    def update(self, w: Array, state: State, g: Array) -> tuple[Array, State]:
        """w and state after a step of the gradient g (..., n)."""
        own, t = self.met[w.dtype, type(w), g.dtype, type(g)], state["t"]
        w, kept = own.moved(w, state, g, *own.at(t, w))
        return w, {"t": t + 1, **kept}

    def at(self, t: int, w: Array) -> tuple[Scalar, ...]:
        """The numbers of step t, for `moved`: η, and what else depends on t."""
        return (lr_at(self, t, w),)

    def moved(self, w: Array, state: State, g: Array, *numbers: Scalar) -> tuple[Array, State]:
        """w and what is kept for the next step: arithmetic alone, which may be recorded."""
        raise NotImplementedError


@dataclass(frozen=True)
class SGD(Base):
    """Stochastic gradient descent with momentum μ, and λ‖w‖² added to the loss (`l2` = λ).

        g ← ∇L(w) + 2λw
        v ← μ v + g
        w ← w − η v             with Nesterov's look-ahead:  w ← w − η (g + μ v)

    Sutskever et al. 2013 (momentum and Nesterov), in PyTorch's convention: v is not multiplied by η.
    Truths: tests/test_optim.py.
    """

    lr: StepSize = step_size()
    momentum: Scalar = at_least_0(0.0, "μ")
    nesterov: bool = truth(False, "whether the step looks ahead")
    l2: Scalar = at_least_0(0.0, "λ of λ‖w‖²")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and numpy.ndim(self.momentum) == 0 and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0, got momentum=0")

    @checked(w=floats())
    def init(self, w: Array) -> State:
        return {"t": 0, "v": xp().zeros_like(w)}

    def moved(self, w: Array, state: State, g: Array, *numbers: Scalar) -> tuple[Array, State]:
        (lr,), mu = numbers, self.momentum
        g = add_l2(g, self.l2, w)
        if isinstance(mu, float) and mu == 0:
            return _along_g(w, g, lr), {"v": g}
        w, v = (_with_look_ahead if self.nesterov else _with_momentum)(w, state["v"], g, lr, mu)
        return w, {"v": v}


@replayed
def _along_g(w: Array, g: Array, lr: Scalar) -> Array:
    return w - lr * g


@replayed
def _with_momentum(w: Array, v: Array, g: Array, lr: Scalar, mu: Scalar) -> tuple[Array, Array]:
    v = mu * v + g
    return w - lr * v, v


@replayed
def _with_look_ahead(w: Array, v: Array, g: Array, lr: Scalar, mu: Scalar) -> tuple[Array, Array]:
    v = mu * v + g
    return w - lr * (g + mu * v), v


@dataclass(frozen=True)
class Adam(Base):
    """Adam: steps of the running mean of the gradient over the root of its running square.

        g ← ∇L(w) + 2λw
        m ← β₁ m + (1 − β₁) g,        v ← β₂ v + (1 − β₂) g²
        w ← w − η m̂ / (√v̂ + ε)       with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ), t counted from 1

    Kingma & Ba 2015, arXiv:1412.6980, algorithm 1.  Truths: tests/test_optim.py.
    """

    lr: StepSize = step_size(1e-3)
    betas: tuple[float, float] = decay_rates()
    eps: float = number(Interval(0), 1e-8, "ε, which keeps the step finite", swept=False)
    l2: Scalar = at_least_0(0.0, "λ of λ‖w‖²")

    @checked(w=floats())
    def init(self, w: Array) -> State:
        return first_moments(w)

    def at(self, t: int, w: Array) -> tuple[Scalar, ...]:
        return *super().at(t, w), *seen(self.betas, t + 1)

    def moved(self, w: Array, state: State, g: Array, *numbers: Scalar) -> tuple[Array, State]:
        lr, of_m, of_v = numbers
        kept = adam_moments(state, add_l2(g, self.l2, w), self.betas)
        return w - lr * adam_direction(kept["m"], kept["v"], of_m, of_v, self.eps), kept


@dataclass(frozen=True)
class AdamW(Base):
    """Adam with decoupled weight decay: the decay δ acts on w itself and never enters the moments.

        w ← w − η δ w − η m̂ / (√v̂ + ε)

    Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2 (in PyTorch's convention: η multiplies δ).
    Truths: tests/test_optim.py.
    """

    lr: StepSize = step_size(1e-3)
    betas: tuple[float, float] = decay_rates()
    eps: float = number(Interval(0), 1e-8, "ε, which keeps the step finite", swept=False)
    weight_decay: Scalar = at_least_0(0.01, "δ")

    @checked(w=floats())
    def init(self, w: Array) -> State:
        return first_moments(w)

    def at(self, t: int, w: Array) -> tuple[Scalar, ...]:
        return *super().at(t, w), *seen(self.betas, t + 1)

    def moved(self, w: Array, state: State, g: Array, *numbers: Scalar) -> tuple[Array, State]:
        lr, of_m, of_v = numbers
        kept = adam_moments(state, g, self.betas)
        return w - lr * (self.weight_decay * w + adam_direction(kept["m"], kept["v"], of_m, of_v, self.eps)), kept


def first_moments(w: Array) -> State:
    return {"t": 0, "m": xp().zeros_like(w), "v": xp().zeros_like(w)}


def adam_moments(state: State, g: Array, betas: tuple[float, float]) -> State:
    """The running means of the gradient and of its square."""
    b1, b2 = betas
    return {"m": b1 * state["m"] + (1 - b1) * g, "v": b2 * state["v"] + (1 - b2) * g * g}


def seen(betas: tuple[float, float], t: int) -> tuple[float, float]:
    """1 − βᵗ: how much of each running mean has been seen after t steps; the rest is its start at zero."""
    b1, b2 = betas
    return 1 - b1**t, 1 - b2**t


def adam_direction(m: Array, v: Array, of_m: Scalar, of_v: Scalar, eps: float) -> Array:
    """m̂ / (√v̂ + ε): both means are corrected for their start at zero."""
    return m / of_m / (anp.sqrt(v / of_v) + eps)  # of autograd's functions, so that a step can be recorded


def add_l2(g: Array, l2: Scalar, w: Array) -> Array:
    """The gradient g + 2λw of a loss with λ‖w‖² added to it; g itself where λ is the number 0."""
    return g if isinstance(l2, float) and l2 == 0 else g + 2 * l2 * w


def lr_at(optimizer: Updater | Base, t: int, w: Array) -> Scalar:
    """The step size at step t of an optimizer that met w."""
    return ready(optimizer.lr(t), w.dtype) if callable(optimizer.lr) else optimizer.lr
