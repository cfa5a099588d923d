"""The multi-layer perceptron."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy

from ..arguments import counts
from ..checks import pick
from ..ops import primitives as ops
from ..types import Array
from .layers import check_rows, glorot, he
from .model import Model, Parameters, Shapes

ACTIVATIONS = {"relu": ops.relu, "tanh": ops.tanh, "gelu": ops.gelu}
INITIALISERS = {"he": he, "glorot": glorot}


def mlp(sizes: Sequence[int], activation: str = "relu", init: str = "he") -> Model:
    """A multi-layer perceptron: affine layers `x @ W + b` with an activation between them.

    Parameters
    ----------
    sizes : sequence of int
        Number of inputs, widths of the hidden layers, number of outputs. (64, 32, 10) has the parameters W0 (64, 32), b0 (32,),
        W1 (32, 10), b1 (10,).
    activation : str
        "relu", "tanh" or "gelu".
    init : str
        How the W are drawn: "he" or "glorot". The b start at zero.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, one is below 1, or a name is unknown.

    Truths: tests/test_models.py.
    """
    sizes = list(counts(at_least=2)("sizes", sizes))
    act = pick("activation", activation, ACTIVATIONS)
    draw_weights = pick("init", init, INITIALISERS)
    layers = list(enumerate(itertools.pairwise(sizes)))
    last = len(layers) - 1
    shapes: Shapes = {}
    for k, (i, o) in layers:
        shapes |= {f"W{k}": (i, o), f"b{k}": (o,)}

    def forward(p: Parameters, x: Array) -> Array:
        check_rows(x, sizes[0])
        for k, _ in layers[:-1]:
            x = act(ops.affine(x, p[f"W{k}"], p[f"b{k}"]))
        return ops.affine(x, p[f"W{last}"], p[f"b{last}"])

    def draw(rng: numpy.random.Generator) -> dict[str, numpy.ndarray]:
        return {
            name: draw_weights(rng, *shape) if name.startswith("W") else numpy.zeros(shape)
            for name, shape in shapes.items()
        }

    return Model(dict(model="mlp", sizes=sizes, activation=activation, init=init), shapes, forward, draw)
