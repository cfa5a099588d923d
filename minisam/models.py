"""Models: short functions over `ops`. All weights of a model are one flat vector; layers see views of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import autograd.numpy as anp
import numpy

from . import ops
from .array_backend import Array, asarray, xp

Parameters = Mapping[str, Array]


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
    """

    spec: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]
    forward: Callable[[Parameters, Array], Array] = field(repr=False)
    draw: Callable[[numpy.random.Generator], dict[str, numpy.ndarray]] = field(repr=False)

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

    def apply(self, w: Array, x: Array) -> Array:
        """Logits.   w (..., n), x (m, i) shared or (..., m, i) a replica  ->  (..., m, c)."""
        return self.forward(self.unflatten(w), x)

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


ACTIVATIONS = {"relu": ops.relu, "tanh": ops.tanh, "gelu": ops.gelu}


def he(rng: numpy.random.Generator, i: int, o: int) -> numpy.ndarray:
    """N(0, 2/i): keeps the variance of activations through relu layers.   He et al. 2015, arXiv:1502.01852, eq. 10."""
    return rng.standard_normal((i, o)) * math.sqrt(2 / i)


def glorot(rng: numpy.random.Generator, i: int, o: int) -> numpy.ndarray:
    """U(±√(6/(i+o))): keeps variance both ways through tanh layers.   Glorot & Bengio 2010, eq. 16."""
    limit = math.sqrt(6 / (i + o))
    return rng.uniform(-limit, limit, (i, o))


INITIALISERS = {"he": he, "glorot": glorot}


def mlp(sizes: Sequence[int], activation: str = "relu", init: str = "he") -> Model:
    """A multi-layer perceptron: affine layers `x @ W + b` with an activation between them.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden widths, outputs: (64, 32, 10) has parameters W0 (64, 32), b0 (32,), W1 (32, 10), b1 (10,).
    activation : str
        "relu", "tanh" or "gelu".
    init : str
        "he" or "glorot", for the W; the b start at zero.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, one is below 1, or a name is unknown.
    """
    sizes = [int(s) for s in sizes]
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes must be at least two whole numbers ≥ 1, got {sizes}")
    act = pick("activation", activation, ACTIVATIONS)
    draw_weights = pick("init", init, INITIALISERS)
    layers = list(enumerate(itertools.pairwise(sizes)))
    last = len(layers) - 1
    shapes: dict[str, tuple[int, ...]] = {}
    for k, (i, o) in layers:
        shapes |= {f"W{k}": (i, o), f"b{k}": (o,)}

    def forward(p: Parameters, x: Array) -> Array:
        if x.ndim < 2 or x.shape[-1] != sizes[0]:
            raise ValueError(f"x must have shape (..., m, {sizes[0]}), got {x.shape}")
        for k, _ in layers[:-1]:
            x = act(ops.affine(x, p[f"W{k}"], p[f"b{k}"]))
        return ops.affine(x, p[f"W{last}"], p[f"b{last}"])

    def draw(rng: numpy.random.Generator) -> dict[str, numpy.ndarray]:
        drawn: dict[str, numpy.ndarray] = {}
        for k, (i, o) in layers:
            drawn |= {f"W{k}": draw_weights(rng, i, o), f"b{k}": numpy.zeros(o)}
        return drawn

    spec = {"model": "mlp", "sizes": sizes, "activation": activation, "init": init}
    return Model(spec, shapes, forward, draw)


def pick(argument: str, name: str, choices: Mapping[str, Any]) -> Any:
    """choices[name], or an error that lists them."""
    if name not in choices:
        raise ValueError(f"{argument} must be one of {', '.join(map(repr, choices))}, got {name!r}")
    return choices[name]
