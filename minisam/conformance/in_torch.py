"""The adapters for PyTorch, which is imported when they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..arguments import checked, choice, optional
from ..kinds import function
from .problems import Problem
from .watch import TakeStep

DRIVES = ("two steps", "closure", "backward, closure")


@dataclass(frozen=True)
class TorchLoop:
    """See `torch_loop`."""

    make: Callable[..., Callable[..., Any]]

    def step_of(self, model: Any) -> Callable[..., Any]:
        """A step on this model, as a function of the loss."""
        return self.make(model)

    def begin(self, problem: Problem) -> TakeStep:
        from . import torch_parts

        return torch_parts.begin(problem, self.step_of)


@dataclass(frozen=True)
class TorchOptimizer:
    """See `torch_optimizer`."""

    make: Callable[..., Any]
    drive: str | None

    def step_of(self, model: Any) -> Callable[..., Any]:
        """A step on this model, as a function of the loss."""
        from . import torch_parts

        return torch_parts.driven(self.make(model.parameters()), self.drive)

    def begin(self, problem: Problem) -> TakeStep:
        from . import torch_parts

        return torch_parts.begin(problem, self.step_of)


@checked(make=function(1, "params -> optimizer"), drive=optional(choice(dict.fromkeys(DRIVES))))
def torch_optimizer(make: Callable[..., Any], drive: str | None = None) -> TorchOptimizer:
    """An optimizer in PyTorch, for `check`.

        torch_optimizer(lambda params: MySAM(params, torch.optim.SGD, rho=0.05, lr=0.1, momentum=0.9))

    Parameters
    ----------
    make : function params -> optimizer
        `params` are float64 parameters, as `model.parameters()` gives them.
    drive : str, optional
        How a step is made:
        "two steps": `loss().backward()`, `first_step(zero_grad=True)`, `loss().backward()`, `second_step(zero_grad=True)`;
        "closure": `step(closure)`, whose closure sets the gradient to zero, and takes it;
        "backward, closure": a gradient is taken, then `step(closure)`, whose closure takes another; then `zero_grad()`.
        By default the first for an optimizer that has these methods, the second for any other.
    """
    return TorchOptimizer(make, drive)


@checked(make=function(1, "model -> (function loss -> None)"))
def torch_loop(make: Callable[..., Callable[..., Any]]) -> TorchLoop:
    """A training step in PyTorch, written by hand, for `check`.

        def make(model):
            base = torch.optim.SGD(model.parameters(), lr=0.1)
            def step(loss):
                base.zero_grad()
                loss().backward()
                ...
            return step

        check(torch_loop(make), "SAM", rho=0.05, lr=0.1)

    Parameters
    ----------
    make : function model -> step
        `model` is a torch.nn.Module with float64 parameters; `step(loss)` makes one step, and `loss()` is a scalar tensor to call
        `backward()` on: the loss on the step's batch, at the weights of the moment.
    """
    return TorchLoop(make)
