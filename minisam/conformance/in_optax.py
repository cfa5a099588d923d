"""The adapter for optax, which is imported when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..arguments import checked, choice, count, methods
from .problems import Problem
from .watch import TakeStep

MODES = ("transparent", "opaque")


@dataclass(frozen=True)
class OptaxTransform:
    """See `optax_transform`."""

    transform: Any
    mode: str
    updates: int

    def begin(self, problem: Problem) -> TakeStep:
        from . import optax_parts

        opaque = self.mode == "opaque"
        return optax_parts.begin(problem, self.transform, 1 if opaque else self.updates, opaque)


@checked(
    transform=methods("init update", "a gradient transformation of optax"),
    mode=choice(dict.fromkeys(MODES)),
    updates=count(),
)
def optax_transform(transform: Any, mode: str = "transparent", updates: int = 2) -> OptaxTransform:
    """A gradient transformation of optax, for `check`.

        optax_transform(optax.contrib.sam(optax.sgd(0.1), ascent, opaque_mode=True), mode="opaque")

    Parameters
    ----------
    transform : optax.GradientTransformation
        It gets params in double precision: a dict of arrays.
    mode : str
        "transparent": a step is so many updates on one batch, each with the gradient at the params of the moment; `jax.jit`
        compiles them, so `update` must be a function that it can compile;
        "opaque": a step is one update, which gets `grad_fn(params, i)`, too, and calls it.
    updates : int
        Of a step in the transparent mode, ≥ 1.
    """
    return OptaxTransform(transform, mode, updates)
