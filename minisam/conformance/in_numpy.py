"""The adapter for NumPy: functions `init` and `step`, as minisam's own optimizers have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..arguments import checked
from ..checks import shown
from ..kinds import function
from ..types import Array
from .problems import Problem
from .watch import Oracle, TakeStep


@dataclass(frozen=True)
class NumpyStep:
    """See `numpy_step`."""

    step: Callable[..., tuple[Any, ...]]
    init: Callable[[Array], object]

    def begin(self, problem: Problem) -> TakeStep:
        w, state = problem.w.copy(), self.init(problem.w.copy())

        def take_step(oracle: Oracle) -> Array:
            nonlocal w, state
            found = self.step(w, state, oracle)
            if not isinstance(found, tuple | list) or len(found) < 2:
                raise TypeError(f"step must return (w, state), got {shown(found)}")
            w, state = found[:2]
            return w

        return take_step


def nothing(w: Array) -> dict[str, Any]:
    """The state of an optimizer that keeps none."""
    return {}


@checked(step=function(3, "(w, state, loss_and_grad) -> (w, state)"), init=function(1, "w -> state"))
def numpy_step(step: Callable[..., tuple[Any, ...]], init: Callable[[Array], object] = nothing) -> NumpyStep:
    """An optimizer in NumPy, for `check`.

        numpy_step(step, init)

    Parameters
    ----------
    step : function (w, state, loss_and_grad) -> (w, state)
        One step: w (n,) is the weights, `loss_and_grad(w) -> (loss, g)` the loss on the step's batch. What it returns after
        the state, as minisam's own steps do, is not looked at. It may work in place.
    init : function w -> state, optional
        What is kept before the first step; by default an empty dict.
    """
    return NumpyStep(step, init)
