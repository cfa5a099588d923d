"""Small explicit problems, in double precision, on which an implementation is watched."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy

from ..autodiff import value_and_grad
from ..batch import BatchLoss
from ..draws import stream
from ..models import Model, mlp
from ..sam import Quadratic
from ..types import Array, LossAndGrad, Shape


@dataclass(frozen=True)
class Problem:
    """A loss, where its weights start, and the tensors that they are made of.

    Attributes
    ----------
    name : str
    shapes : dict of name → shape
        The tensors whose entries, in this order, are w.
    w : float64 array (n,)
        The weights before the first step.
    losses : tuple of functions w -> (loss, g)
        Step t is on batch t mod their number.
    """

    name: str
    shapes: dict[str, Shape]
    w: Array
    losses: tuple[LossAndGrad, ...]

    @property
    def slices(self) -> list[slice]:
        """Where each tensor lies in w."""
        ends = numpy.cumsum([0, *map(math.prod, self.shapes.values())]).tolist()
        return [slice(a, b) for a, b in pairwise(ends)]

    def split(self, w: Array) -> dict[str, Array]:
        """The tensors of a flat w, by name."""
        return {name: w[s].reshape(self.shapes[name]) for name, s in zip(self.shapes, self.slices, strict=True)}


@lru_cache(maxsize=1)
def problems() -> tuple[Problem, ...]:
    """All of them. The first is that on which single statements are measured: on the others, paths are compared."""
    net = network("a net with two layers, in minibatches", mlp((5, 4, 3), "tanh"), batches=3)
    half, start = _drawn(6, 6), _drawn(6)
    bowl, saddle = half @ half.T / 6 + numpy.eye(6) / 2, numpy.diag([1.0, 0.5, 0.25, -0.01, -0.02, -0.05])
    dead = {name: a if name[1] == "0" else 0 * a for name, a in net.split(net.w).items()}
    return (
        net,
        network("softmax regression", mlp((5, 3)), batches=1),
        quadratic("a quadratic", bowl, start),
        quadratic("a saddle", saddle, start / 10),
        quadratic("a minimum, whose gradient is zero", bowl, 0 * start),
        replace(
            net,
            name="a net whose first layer has no gradient yet",
            w=numpy.concatenate([*map(numpy.ravel, dead.values())]),
        ),
    )


def network(name: str, model: Model, batches: int) -> Problem:
    """Cross-entropy of an mlp on so many batches of eight random examples each."""
    losses, labels = BatchLoss(model), stream("conformance labels", 0).integers(0, 3, (batches, 8))
    x = _drawn(batches, 8, 5)
    on = tuple(losses.on(x[k], labels[k]).gradient for k in range(batches))
    return Problem(name, dict(model.shapes), model.init(0, "float64") + 0.3 * _drawn(model.size), on)


def quadratic(name: str, H: Array, w: Array) -> Problem:
    """½ wᵀHw."""
    return Problem(name, {"w": w.shape}, w, (value_and_grad(Quadratic(H)),))


def _drawn(*shape: int) -> Array:
    return stream("conformance", 0, *shape).standard_normal(shape)
