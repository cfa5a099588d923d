"""What every model is: all its weights are one flat vector, and layers see views of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import autograd.numpy as anp
import numpy

from .. import ops
from ..array_backend import asarray, xp
from ..checks import pick
from ..types import Array

Parameters = Mapping[str, Array]


@dataclass
class Statistics:
    """Where batch norm takes its means and variances from.

    They are the batch's own, which then stand in `of_batch`; or those of `running`, if it is given: an average over the
    batches of the past, with which an example's logits do not depend on the rest of its batch.
    """

    running: Parameters | None = None
    of_batch: dict[str, Array] = field(default_factory=dict)

    def moments(self, name: str, x: Array) -> tuple[Array, Array]:
        """Mean and variance of each channel over all that follows it.   x (..., c, r)  ->  (..., c, 1) both."""
        if self.running is not None:
            return self.running[f"{name}.mean"][..., None], self.running[f"{name}.variance"][..., None]
        mean, variance = ops.moments(x)
        r = anp.shape(x)[-1]
        unbiased = variance * (r / max(r - 1, 1))  # what a running average is made of
        self.of_batch |= {f"{name}.mean": mean[..., 0], f"{name}.variance": unbiased[..., 0]}
        return mean, variance


@dataclass(frozen=True)
class Model:
    """A function of named parameters, and how they lie in one flat vector w of shape (..., n).

    Attributes
    ----------
    spec : dict
        What made it, e.g. {"model": "mlp", "sizes": [64, 32, 10], ...}: enough to make it again.
    shapes : dict
        Name → shape of each parameter, in the order in which they lie in w.
    forward : function
        (parameters, x) -> logits.
    draw : function
        (random generator) -> initial parameters as float64 NumPy arrays.
    running : dict
        Name → shape of each running statistic of batch norm: no weights, and not in w. Empty in most models; where it is
        not, forward takes a third argument, a `Statistics`.
    tokens : bool
        Whether x holds tokens, whole numbers, and not numbers in floating point.
    """

    spec: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]
    forward: Callable[..., Array] = field(repr=False)
    draw: Callable[[numpy.random.Generator], dict[str, numpy.ndarray]] = field(repr=False)
    running: dict[str, tuple[int, ...]] = field(default_factory=dict)
    tokens: bool = False

    @property
    def size(self) -> int:
        """n, the number of weights."""
        return sum(map(math.prod, self.shapes.values()))

    def init(self, seed: int | Sequence[int], dtype: Any = "float32") -> Array:
        """Initial weights: (n,) for one seed, (len(seed), n) for a sequence. Drawn on the host: equal on every backend."""
        seeds = numpy.asarray(seed)
        rows = [self._initial(int(s)) for s in seeds.ravel()]
        return asarray(numpy.reshape(rows, (*seeds.shape, self.size)).astype(dtype))

    def _initial(self, seed: int) -> numpy.ndarray:
        drawn = self.draw(numpy.random.default_rng(seed))
        return numpy.concatenate([drawn[name].ravel() for name in self.shapes])

    def apply(self, w: Array, x: Array, running: Parameters | None = None) -> Array:
        """Logits.   w (..., n), x (m, i) shared or (..., m, i) a replica  ->  (..., m, c).

        With batch norm, `running` holds the statistics to normalise with; without it they are the batch's own.
        """
        return self.outputs(self.unflatten(w), x, Statistics(running))

    def outputs(self, parameters: Parameters, x: Array, statistics: Statistics) -> Array:
        """Logits; `statistics` is where batch norm takes its means and variances from."""
        return self.forward(parameters, x, statistics) if self.running else self.forward(parameters, x)

    def init_running(self, w: Array) -> dict[str, Array]:
        """The running statistics before the first step: means 0, variances 1, for each replica of w."""
        lead, dtype = w.shape[:-1], w.dtype
        return {
            name: (xp().ones if name.endswith("variance") else xp().zeros)((*lead, *shape), dtype=dtype)
            for name, shape in self.running.items()
        }

    def mask(self, kind: str, dtype: Any = "float32") -> Array:
        """1 for the weights of a kind or of one parameter, else 0: (n,).

        `kind` is "weights" (matrices, kernels, embeddings), "biases", "norm" (gains and biases of norm layers), or a name in
        `shapes`. The three kinds add up to all of w.
        """
        kinds = {name: kind_of(name, shape) for name, shape in self.shapes.items()}
        if kind not in self.shapes:
            pick("kind", kind, dict.fromkeys(["weights", "biases", "norm", *self.shapes]))
        chosen = [
            numpy.full(math.prod(shape), kind in (name, kinds[name]), dtype) for name, shape in self.shapes.items()
        ]
        return asarray(numpy.concatenate(chosen))

    def filter_norms(self, w: Array) -> Array:
        """‖f‖ at each weight of a filter f, what one output unit sees; |w| at numbers that belong to none.   (..., n)."""
        sizes = {}
        for name, a in self.unflatten(w).items():
            ndim = len(self.shapes[name])
            if ndim == 1:
                sizes[name] = xp().abs(a)
            else:  # matrices are (in, out), kernels (out, in, *space)
                axes = (-2,) if ndim == 2 else tuple(range(-ndim + 1, 0))
                sizes[name] = xp().broadcast_to(xp().sqrt((a * a).sum(axis=axes, keepdims=True)), a.shape)
        return self.flatten(sizes)

    def __str__(self) -> str:
        """A table of the parameters: names, shapes, how many, and of which kind."""
        rows = [
            (name, str(shape), f"{math.prod(shape):,}", kind_of(name, shape)) for name, shape in self.shapes.items()
        ]
        rows = [("", "shape", "weights", "kind"), *rows, (self.spec.get("model", "model"), "", f"{self.size:,}", "")]
        a, b, c, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
        return "\n".join(f"{n:<{a}}  {s:<{b}}  {size:>{c}}  {kind}".rstrip() for n, s, size, kind in rows)

    def unflatten(self, w: Array) -> dict[str, Array]:
        """The parameters by name, as views of w: (..., n) -> {name: (..., *shape)}."""
        lead, n = anp.shape(w)[:-1], anp.shape(w)[-1]
        if n != self.size:
            raise ValueError(f"w must have shape (..., {self.size}), got {anp.shape(w)}")
        views, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + math.prod(shape)
            views[name] = anp.reshape(w[..., start:stop], lead + shape)
            start = stop
        return views

    def flatten(self, parameters: Parameters) -> Array:
        """The opposite of `unflatten`: {name: (..., *shape)} -> (..., n)."""
        if set(parameters) != set(self.shapes):
            raise ValueError(f"parameters must be named {', '.join(self.shapes)}, got {', '.join(parameters)}")
        flat = []
        for name, shape in self.shapes.items():
            a = parameters[name]
            lead = a.shape[: a.ndim - len(shape)]
            if a.shape != lead + shape:
                raise ValueError(f"{name} must have shape (..., {str(shape)[1:-1]}), got {a.shape}")
            flat.append(xp().reshape(a, (*lead, -1)))
        return xp().concatenate(flat, axis=-1)


def kind_of(name: str, shape: tuple[int, ...]) -> str:
    """Which kind a parameter is of."""
    if "norm" in name:
        return "norm"
    return "weights" if len(shape) > 1 else "biases"


def he(rng: numpy.random.Generator, i: int, o: int) -> numpy.ndarray:
    """N(0, 2/i): keeps the variance of activations through relu layers.   He et al. 2015, arXiv:1502.01852, eq. 10."""
    return rng.standard_normal((i, o)) * math.sqrt(2 / i)


def glorot(rng: numpy.random.Generator, i: int, o: int) -> numpy.ndarray:
    """U(±√(6/(i+o))): keeps variance both ways through tanh layers.   Glorot & Bengio 2010, eq. 16."""
    limit = math.sqrt(6 / (i + o))
    return rng.uniform(-limit, limit, (i, o))
