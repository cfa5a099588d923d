"""What a model in PyTorch has, and a vector of weights has not: parameters without a gradient, and batch norm's statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from ..types import Array
from .ascent import LOOK
from .in_torch import TorchLoop, TorchOptimizer
from .problems import Problem, problems
from .report import Statement
from .watch import Step, TakeStep, apart, watched

SAME = 1e-6  # relative: two vectors are one
STATISTICS = {
    "none": "they do not move at all",
    "second": "they move with the pass at w + ε, and not with that at w",
    "twice": "they move twice, with the pass at w and again with that at w + ε",
    "twice, second first": "they move twice, with the pass at w + ε and again with that at w",
}


# --- parameters without a gradient -----------------------------------------------------------------------------------


def without_gradient(implementation: TorchOptimizer, steps: Sequence[Step]) -> Statement:
    """Whether an optimizer's steps stay as they are beside a frozen parameter, and one that the loss does not depend on.

    `steps` are those that were watched without them, on the first problem.
    """
    import torch

    frozen, unused = torch.full((3,), 2.0, dtype=torch.float64), torch.full((3,), 3.0, dtype=torch.float64)
    others = {"frozen": torch.nn.Parameter(frozen, requires_grad=False), "unused": torch.nn.Parameter(unused)}
    try:
        beside = watched(_Beside(implementation, others), problems()[0], len(steps))
    except Exception as error:
        return _without_gradient(f"A parameter whose .grad is None stops the step: {type(error).__name__}: {error}")
    moved = [name for name, start in (("frozen", 2.0), ("unused", 3.0)) if (others[name] != start).any()]
    if moved:
        return _without_gradient(f"A parameter without a gradient is moved: the {' and the '.join(moved)} one.")
    off = max(apart(a.after, b.after) for a, b in zip(beside, steps, strict=True))
    says = "" if off < SAME else "A parameter without a gradient changes the steps of the others."
    return _without_gradient(says, off)


def _without_gradient(says: str, off: float | None = None) -> Statement:
    return Statement("parameters without a gradient stay", "∂L/∂wᵢ = 0 ⇒ wᵢ ← wᵢ", LOOK, not says, off, says)


class _Beside:
    """The implementation with more parameters in its model."""

    def __init__(self, implementation: TorchOptimizer, others: dict[str, Any]) -> None:
        self.implementation, self.others = implementation, others

    def begin(self, problem: Problem) -> TakeStep:
        from . import torch_parts

        return torch_parts.begin(problem, self.implementation.step_of, self.others)


# --- batch norm ------------------------------------------------------------------------------------------------------


def running_statistics(loop: TorchLoop) -> list[str]:
    """A note if a step on a model with batch norm does not move its running mean once, with the mean of the pass at w.

    It is no mistake where the model has no batch norm. An optimizer does not see the model, so this is asked of a loop alone.
    """
    before, passes, after = _a_step_with_batch_norm(loop)
    first, second = passes[0], passes[-1]
    could = {
        "once": moved(before, first),
        "none": before,
        "second": moved(before, second),
        "twice": moved(before, first, second),
        "twice, second first": moved(before, second, first),
    }
    which = next((name for name, mean in could.items() if apart(after, mean) < SAME), None)
    if which == "once":
        return []
    how = STATISTICS.get(which or "", "they do not move with the pass at w alone")
    return [
        f"With batch norm in the model, its running statistics are another network's: {how}. Let the pass at w alone move them."
    ]


def moved(mean: Array, *of_passes: Array) -> Array:
    """Batch norm's running mean after these passes, m ← 0.9 m + 0.1 μ."""
    for of_pass in of_passes:
        mean = 0.9 * mean + 0.1 * of_pass
    return mean


def _a_step_with_batch_norm(loop: TorchLoop) -> tuple[Array, list[Array], Array]:
    """The running mean before a step, the means of its passes through batch norm, and the running mean after it."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        x, y, norm = torch.randn(8, 5).double(), torch.arange(8) % 3, torch.nn.BatchNorm1d(4)
        model = torch.nn.Sequential(torch.nn.Linear(5, 4), norm, torch.nn.Tanh(), torch.nn.Linear(4, 3)).double()
    passes: list[Array] = []
    norm.register_forward_pre_hook(lambda _, args: passes.append(args[0].detach().mean(0).numpy().copy()))
    before = norm.running_mean.numpy().copy()
    loop.step_of(model)(lambda: torch.nn.functional.cross_entropy(model(x), y))
    return before, passes or [numpy.zeros(4)], norm.running_mean.numpy().copy()
