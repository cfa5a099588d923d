"""Stay near earlier outputs, in place of a second gradient.

Truths: tests/test_outputs.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from ..array_backend import xp
from ..checks import ABOVE_0
from ..hyperparameters import NeedsExamples, at_least_0, count, number, share
from ..ops.primitives import softmax
from ..types import Array, Scalar, State
from ..vectors import mix
from .algebra import Composed, Look


@dataclass(frozen=True)
class SAF(Composed, NeedsExamples):
    """Sharpness-aware training for free: penalise drift from each example's logits a few visits ago.

        d = ∇[L + λ τ² mean KL(softmax(z⁻/τ) ‖ softmax(z/τ))],   z⁻ the example's logits `visits` visits ago

    If the outputs have hardly moved since then, the loss has not fallen steeply.

    Parameters
    ----------
    base, l2
        As in `SAM`; there is no ρ.
    examples, classes : int
        Of the training data: the memory holds visits × examples × rows × classes logits.
    lam, tau : float
        λ ≥ 0 and the temperature τ > 0.
    visits, start : int
        An example's z⁻ is from `visits` visits ago, and its term counts after its first `start` visits.
    rows : int
        Rows of logits per example: 1, or the tokens of a text for a `gpt`.

    Needs the `examples` of each batch, which `train` gives. 1 gradient and a forward pass; "loss" is the sum.

    Source: Du et al. 2022, arXiv:2205.14083, eq. 7.
    """

    examples: int = count(meaning="examples of the training data")
    classes: int = count(meaning="classes of the training data")
    lam: Scalar = at_least_0(0.3, "λ, weight of the penalty")
    tau: float = number(ABOVE_0, 5.0, "τ, the temperature", swept=False)
    visits: int = count(3, meaning="how many visits ago the logits are from")
    start: int = count(5, least=0, meaning="visits before the penalty counts")
    rows: int = count(1, meaning="rows of logits per example")

    def memory(self, w: Array) -> State:
        shape = (*w.shape[:-1], self.examples * self.visits, self.rows * self.classes)
        return {
            "logits": xp().zeros(shape, dtype=w.dtype),
            "visited": xp().zeros((*w.shape[:-1], self.examples), dtype="int64"),
        }

    def direction(self, look: Look, state: State) -> Array:
        z, places = look.outputs(), look.examples()
        *lead, n, c = z.shape
        m = places.shape[-1]
        if (n, c) != (m * self.rows, self.classes):
            raise ValueError(
                f"rows and classes must be {n // m} and {c}, as the model's outputs, got {self.rows} and {self.classes}"
            )
        if isinstance(places, numpy.ndarray) and places.max() >= self.examples:
            raise ValueError(
                f"examples must be the size of the training data, above {places.max()}, got {self.examples}"
            )
        i = numpy.broadcast_to(places, (*lead, m))
        visited = numpy.take_along_axis(state["visited"], i, axis=-1)
        place = (i * self.visits + visited % self.visits)[..., None]
        before = numpy.take_along_axis(state["logits"], place, axis=-2).reshape(*lead, m, self.rows, c)
        counts = (visited >= max(self.visits, self.start))[..., None, None]
        p = numpy.where(counts, softmax(before / self.tau), 0).reshape(z.shape)
        state["logits"] = put_along(state["logits"], place, z.reshape(*lead, m, self.rows * c), axis=-2)
        state["visited"] = put_along(state["visited"], i, visited + 1, axis=-1)
        return look.near(p, self.tau, self.lam)


def put_along(a: Array, places: Array, values: Array, axis: int) -> Array:
    """A copy of a with values at these places along an axis."""
    a = a.copy()
    flat = a.reshape(-1, *a.shape[axis:])
    rows = xp().arange(len(flat)).reshape(-1, 1)
    columns = places.reshape(len(flat), -1)
    flat[rows, columns] = values.reshape(len(flat), columns.shape[-1], *a.shape[axis:][1:])
    return a


@dataclass(frozen=True)
class MESA(Composed):
    """Stay near the outputs of a running mean of the weights.

        v ← β v + (1 − β) w,    d = ∇[L + λ τ² mean KL(softmax(z(v)/τ) ‖ softmax(z(w)/τ))]

    λ ≥ 0, τ > 0, 0 ≤ β ≤ 1; λ = 0 is the base. There is no ρ. 1 gradient and a forward pass; "loss" is the sum. The term counts
    from the first step on; in the authors' code from a start epoch on.

    Source: Du et al. 2022, arXiv:2205.14083, section 4.2.
    """

    lam: Scalar = at_least_0(0.8, "λ, weight of the penalty")
    tau: float = number(ABOVE_0, 5.0, "τ, the temperature", swept=False)
    beta: Scalar = share(0.9998, "β, decay of the running mean")

    def memory(self, w: Array) -> State:
        return {"average": w.copy()}

    def direction(self, look: Look, state: State) -> Array:
        state["average"] = mix(look.w, state["average"], self.beta)
        z = look.outputs(state["average"])
        return look.near(softmax(z / self.tau), self.tau, self.lam)
