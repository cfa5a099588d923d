"""Whether a computation is worth two threads, and how it may be cut for them: from the model, the loss and the shapes.

Truths: tests/test_parts.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy
from autograd.tracer import new_box

from ..losses import cross_entropy, generalised_cross_entropy, mse
from ..models import Model, NormStatistics
from ..ops.convolution import affine_columns
from ..ops.layers import affine, matmul
from ..types import Array, Shape
from .parts import Examples, Places, Plan, Replicas
from .tape import Line, Listed, Ref, new_level, package, tracing

THREADED = 2**18  # multiplications in a product of matrices from which on BLAS would use more than one thread
# multiplications in a forward pass from which on two parts were not slower than one (benchmarks/README.md): of one replica's
# examples, and of replicas, whose gradients need not be added
LARGE, MANY = 4 * 10**7, 2 * 10**7
MEANS = ((cross_entropy, 1), (generalised_cross_entropy, 1), (mse, 2))  # over m examples; the axes of y (m,) or (m, k)
PRODUCTS = {f.fun for f in (affine, affine_columns, matmul)}


@dataclass(frozen=True, eq=False)
class Layout:
    """What is known of a model's loss.

    Attributes
    ----------
    model : Model
    own : tuple of int, optional
        For each array of a batch, how many axes it has besides those of replicas: that of the examples is the first of them. None
        if nothing is known of the loss.
    """

    model: Model
    own: tuple[int, ...] | None = None
    products: dict[Shape, int] = field(default_factory=dict)

    def plan(self, point: Sequence[Any], batch: Sequence[Any]) -> Plan | None:
        """How to compute it; None: as it stands. It depends on shapes alone, and for each replica on its own."""
        if not batch or not all(type(a) is numpy.ndarray for a in (*point, *batch)) or batch[0].ndim < 2:
            return None
        w, x = point[0], batch[0]
        replicas, each = math.prod(w.shape[:-1]), self.multiplications(x.shape[-2:], x.dtype)
        if replicas * each < THREADED:
            return None
        if self.own is None or not fit(batch, self.own, x.shape[-2]):
            return Plan()
        if each >= LARGE and x.shape[-2] > 1 and not self.model.running:
            return Examples(x.shape[-2], tuple(-axes or None for axes in self.own))
        if replicas * each >= MANY and replicas > 1:
            return along_replicas(point, batch, self.own)
        return Plan()

    def multiplications(self, shape: Shape, dtype: Any) -> int:
        """In all products of matrices of a forward pass, for inputs x (m, features) of one replica; 0 if x does not fit."""
        if shape not in self.products:
            try:
                self.products[shape] = sum(multiplications(self.model, numpy.zeros(shape, dtype)))
            except Exception:  # which the computation itself will raise
                self.products[shape] = 0
        return self.products[shape]


def plan_of(
    model: Any, loss: Callable[..., Array], *others: int | None
) -> Callable[[Sequence[Any], Sequence[Any]], Plan | None]:
    """The plan of a loss; or of a mean over examples that is made of it and takes others after y.

    `others` are the numbers of their axes besides those of replicas, None for as many as y has.
    """
    if not isinstance(model, Model):  # a function of w
        return lambda point, batch: None
    while isinstance(loss, partial) and not loss.args:
        loss = loss.func
    known = [axes for mean, axes in MEANS if mean is loss]
    if not known or package(getattr(model.forward, "__module__", None)) != package(__name__):
        return Layout(model).plan
    of_y = 2 if model.tokens else known[0]
    return Layout(model, (2, of_y, *(of_y if axes is None else axes for axes in others))).plan


@numpy.errstate(all="ignore")
def multiplications(model: Model, x: Array) -> Iterator[int]:
    """Those of each product of matrices in a forward pass: as many as the product has entries, times the inner dimension."""
    lines: list[Line] = []
    w = numpy.zeros(model.size, "float32")
    with tracing, new_level() as level:
        box = new_box(w, level, Listed.new_root(lines, -1))
        model.outputs(model.unflatten(box), x, NormStatistics())
    for line in lines:
        if line.f in PRODUCTS:
            first = line.args[0]
            factor = lines[first.line].value if isinstance(first, Ref) else first
            yield line.value.size * factor.shape[-1]


def fit(batch: Sequence[Any], own: Sequence[int], m: int) -> bool:
    """Whether each array has one entry for each of m examples, if it has any."""
    return len(batch) == len(own) and all(
        a.ndim >= axes and (not axes or a.shape[-axes] == m) for a, axes in zip(batch, own, strict=True)
    )


def along_replicas(point: Sequence[Any], batch: Sequence[Any], own: Sequence[int]) -> Plan:
    """Cut along the first axis of replicas that has more than one entry; the whole if an array has another number of them."""
    lead = point[0].shape[:-1]
    k = next(axis for axis, n in enumerate(lead) if n > 1)
    outer = len(lead) - k  # axes from there to the last one of replicas

    def places(arrays: Sequence[Any], own: Sequence[int]) -> Places:
        there = [-(axes + outer) for axes in own]
        return tuple(
            axis if a.ndim >= -axis and a.shape[axis] > 1 else None for a, axis in zip(arrays, there, strict=True)
        )

    of_point, of_batch = places(point, [1] * len(point)), places(batch, own)
    cut = [(a, axis) for a, axis in zip((*point, *batch), (*of_point, *of_batch), strict=True) if axis is not None]
    fits = None not in of_point and all(a.shape[axis] == lead[k] for a, axis in cut)
    return Replicas(lead[k], k, of_point, of_batch) if fits else Plan()
