"""What the PyTorch adapters are made of: the problems' weights as a module, their loss as a function of autograd."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ..types import Array
from .problems import Problem
from .watch import Oracle, TakeStep


@cache
def loss_function() -> Any:
    """(w, oracle) -> the loss of a problem, whose backward pass asks for the gradient at this w."""
    import torch

    class Loss(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, w: Any, oracle: Oracle) -> Any:
            ctx.w, ctx.oracle = w.detach().numpy().copy(), oracle
            return torch.tensor(float(oracle.loss(ctx.w)), dtype=w.dtype)

        @staticmethod
        def backward(ctx: Any, *upstream: Any) -> tuple[Any, None]:
            return upstream[0] * torch.tensor(ctx.oracle(ctx.w)[1]), None

    return Loss.apply


def begin(
    problem: Problem, make: Callable[..., Callable[..., Any]], others: Mapping[str, Any] | None = None
) -> TakeStep:
    """The steps that `make(model)` makes on the problem, whose tensors are the model's parameters; and `others`, too."""
    import torch

    tensors = {name: torch.nn.Parameter(torch.tensor(a)) for name, a in problem.split(problem.w).items()}
    step = make(torch.nn.ParameterDict(tensors | dict(others or {})))

    def flat() -> Any:
        return torch.cat([tensor.reshape(-1) for tensor in tensors.values()])

    def take_step(oracle: Oracle) -> Array:
        step(lambda: loss_function()(flat(), oracle))
        return flat().detach().numpy().copy()

    return take_step


# --- how an optimizer is driven --------------------------------------------------------------------------------------


def driven(optimizer: Any, drive: str | None) -> Callable[..., Any]:
    """A step of an optimizer, as a function of the loss."""
    if drive is None:
        drive = "two steps" if hasattr(optimizer, "first_step") and hasattr(optimizer, "second_step") else "closure"
    by = {"two steps": two_steps, "closure": closure, "backward, closure": backward_then_closure}[drive]
    return lambda loss: by(optimizer, loss)


def two_steps(optimizer: Any, loss: Callable[[], Any]) -> None:
    optimizer.zero_grad()
    loss().backward()
    optimizer.first_step(zero_grad=True)
    loss().backward()
    optimizer.second_step(zero_grad=True)


def closure(optimizer: Any, loss: Callable[[], Any]) -> None:
    import torch

    def evaluate() -> Any:
        with torch.enable_grad():
            optimizer.zero_grad()
            value = loss()
            value.backward()
        return value

    optimizer.step(evaluate)


def backward_then_closure(optimizer: Any, loss: Callable[[], Any]) -> None:
    import torch

    def evaluate() -> Any:
        with torch.enable_grad():
            value = loss()
            value.backward()
        return value

    evaluate()
    optimizer.step(evaluate)
    optimizer.zero_grad()
