"""What all models share: their weights are one flat vector, and their layers see views of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import autograd.numpy as anp
import numpy
from numpy.typing import DTypeLike

from ..arguments import checked, instance, optional
from ..array_backend import asarray, xp
from ..checks import check_seed, pick, shown
from ..kinds import an_array, floats
from ..ops import primitives as ops
from ..types import Array, Shape, Statistics

Parameters: TypeAlias = Mapping[str, Array]
Shapes: TypeAlias = dict[str, Shape]  # name -> shape of a parameter, without the axes of replicas
WEIGHTS = floats()
ANY_WEIGHTS = partial(an_array, kinds="fiub", what="numbers or truth values", axes=1)  # a mask, too
ROWS = floats(0, empty=True)  # what x is, or tokens; its shape is checked by each model
TOKENS = partial(an_array, kinds="iu", what="tokens, whole numbers", axes=0, empty=True)


@dataclass
class NormStatistics:
    """The means and variances with which batch norm normalises, for one forward pass.

    In training they are the batch's own, and `moments` keeps them in `of_batch`. At evaluation they are those in `running`, an
    average over the batches of the training. An example's logits then do not depend on the other examples of its batch.
    """

    running: Statistics | None = None
    of_batch: Statistics = field(default_factory=dict)

    def moments(self, name: str, x: Array) -> tuple[Array, Array]:
        """Mean and variance of each channel over the last axis.   x (..., c, r)  ->  (..., c, 1) both."""
        if self.running is not None:
            return self.running[f"{name}.mean"][..., None], self.running[f"{name}.variance"][..., None]
        mean, variance = ops.moments(x)
        r = x.shape[-1]
        unbiased = variance * (r / max(r - 1, 1))  # running averages are made of these
        self.of_batch |= {f"{name}.mean": mean[..., 0], f"{name}.variance": unbiased[..., 0]}
        return mean, variance


@dataclass(frozen=True)
class Model:
    """A function of named parameters, and the order in which they lie in one flat vector w of shape (..., n).

    Attributes
    ----------
    spec : dict
        The name of the function that made the model and its arguments, such as {"model": "mlp", "sizes": [64, 32, 10], ...}.
        They are enough to make the model again.
    shapes : dict
        Name → shape of each parameter, in the order in which they lie in w.
    forward : function
        (parameters, x) -> logits. In a model with batch norm it takes a third argument, `NormStatistics`.
    draw : function
        (random generator) -> initial parameters as float64 NumPy arrays.
    running : dict
        Name → shape of each running statistic of batch norm. These are not weights, and do not lie in w. It is empty in a
        model without batch norm.
    tokens : bool
        Whether x holds tokens, which are whole numbers. Other models take x in floating point.
    """

    spec: dict[str, Any]
    shapes: Shapes
    forward: Callable[..., Array] = field(repr=False)
    draw: Callable[[numpy.random.Generator], dict[str, numpy.ndarray]] = field(repr=False)
    running: Shapes = field(default_factory=dict)
    tokens: bool = False

    @property
    def size(self) -> int:
        """n, the number of weights."""
        return sum(map(math.prod, self.shapes.values()))

    def init(self, seed: int | Sequence[int], dtype: DTypeLike = "float32") -> Array:
        """Initial weights: (n,) for one seed, (len(seed), n) for a sequence of seeds.

        They are drawn on the host in float64, so they are equal on every backend.
        """
        seeds, dtype = check_seed(seed), float_dtype(dtype)
        drawn = [self.draw(numpy.random.default_rng(int(s))) for s in seeds.ravel()]
        rows = [numpy.concatenate([parameters[name].ravel() for name in self.shapes]) for parameters in drawn]
        return asarray(numpy.reshape(rows, (*seeds.shape, self.size)).astype(dtype))

    @checked(w=floats(), running=optional(instance(dict, "a dict of running statistics")))
    def apply(self, w: Array, x: Array, running: Statistics | None = None) -> Array:
        """Logits.   w (..., n), x (m, i) for all replicas or (..., m, i) per replica  ->  (..., m, c).

        Batch norm normalises with the statistics in `running` if they are given, and else with those of the batch.
        """
        return self.outputs(self.unflatten(w), x, NormStatistics(running))

    def outputs(self, parameters: Parameters, x: Array, statistics: NormStatistics) -> Array:
        """Logits of these parameters; batch norm takes its means and variances from `statistics`."""
        x = (TOKENS if self.tokens else ROWS)("x", x)
        return self.forward(parameters, x, statistics) if self.running else self.forward(parameters, x)

    @checked(w=WEIGHTS)
    def init_running(self, w: Array) -> Statistics:
        """The running statistics before the first step: means 0 and variances 1, for each replica of w."""
        w = self._checked(w)
        lead, dtype = w.shape[:-1], w.dtype
        return {
            name: (xp().ones if name.endswith("variance") else xp().zeros)((*lead, *shape), dtype=dtype)
            for name, shape in self.running.items()
        }

    def mask(self, kind: str, dtype: DTypeLike = "float32") -> Array:
        """1 for the weights of one kind or of one parameter, and 0 for all others: (n,).

        `kind` is "weights" (matrices, kernels, embeddings), "biases", "norm" (gains and biases of norm layers), or a name in
        `shapes`. Each weight is of exactly one of the three kinds. Raises a ValueError for any other name.
        """
        dtype = float_dtype(dtype)
        pick("kind", kind, dict.fromkeys(["weights", "biases", "norm", *self.shapes]))
        chosen = [kind in (name, kind_of(name, shape)) for name, shape in self.shapes.items()]
        return asarray(numpy.repeat(chosen, [math.prod(shape) for shape in self.shapes.values()]).astype(dtype))

    @checked(w=WEIGHTS)
    def filter_norms(self, w: Array) -> Array:
        """‖f‖ at each weight of a filter f, what one output unit sees; |w| at numbers that belong to none.   (..., n)."""
        sizes = {}
        for name, a in self.unflatten(w).items():
            ndim = len(self.shapes[name])
            if ndim == 1:
                sizes[name] = numpy.abs(a)
            else:  # matrices are (in, out), kernels (out, in, *space)
                axes = (-2,) if ndim == 2 else tuple(range(-ndim + 1, 0))
                sizes[name] = numpy.broadcast_to(numpy.sqrt((a * a).sum(axis=axes, keepdims=True)), a.shape)
        return self.flatten(sizes)

    def __str__(self) -> str:
        """A table of the parameters, with the name, shape, number of weights and kind of each."""
        rows = [
            (name, str(shape), f"{math.prod(shape):,}", kind_of(name, shape)) for name, shape in self.shapes.items()
        ]
        rows = [("", "shape", "weights", "kind"), *rows, (self.spec.get("model", "model"), "", f"{self.size:,}", "")]
        a, b, c, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
        return "\n".join(f"{n:<{a}}  {s:<{b}}  {size:>{c}}  {kind}".rstrip() for n, s, size, kind in rows)

    def unflatten(self, w: Array) -> dict[str, Array]:
        """The parameters by name, as views of w: (..., n) -> {name: (..., *shape)}."""
        w = self._checked(w)
        lead = w.shape[:-1]
        views, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + math.prod(shape)
            views[name] = anp.reshape(w[..., start:stop], (*lead, *shape))
            start = stop
        return views

    def _checked(self, w: Array) -> Array:
        """w, if it is an array (..., n): weights, or a mask."""
        w = ANY_WEIGHTS("w", w)
        if w.shape[-1] != self.size:
            raise ValueError(f"w must have shape (..., {self.size}), got {w.shape}")
        return w

    def flatten(self, parameters: Parameters) -> Array:
        """The inverse of `unflatten`: {name: (..., *shape)} -> (..., n)."""
        if not isinstance(parameters, Mapping) or set(parameters) != set(self.shapes):
            there = ", ".join(map(str, parameters)) if isinstance(parameters, Mapping) else shown(parameters)
            raise ValueError(f"parameters must be named {', '.join(self.shapes)}, got {there}")
        flat = []
        for name, shape in self.shapes.items():
            a = WEIGHTS(f"parameters [{name!r}]", parameters[name])
            lead = a.shape[: a.ndim - len(shape)]
            if a.shape != lead + shape:
                raise ValueError(f"{name} must have shape (..., {str(shape)[1:-1]}), got {a.shape}")
            flat.append(a.reshape(*lead, -1))
        return numpy.concatenate(flat, axis=-1)


def float_dtype(dtype: DTypeLike) -> numpy.dtype:
    """The dtype, if it is one of floats; in the byte order of this machine."""
    try:
        found = numpy.dtype(dtype)
    except TypeError:
        found = numpy.dtype(object)
    if dtype is None or found.kind != "f":
        raise TypeError(f"dtype must be one of 'float32' and 'float64', got {shown(dtype)}")
    return found.newbyteorder("=")


def kind_of(name: str, shape: Shape) -> str:
    """The kind of a parameter, as `Model.mask` names them: "weights", "biases" or "norm"."""
    if "norm" in name:
        return "norm"
    return "weights" if len(shape) > 1 else "biases"
