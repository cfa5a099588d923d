"""First and second derivatives, of every primitive and of whole networks."""

from __future__ import annotations

import math
from collections.abc import Callable

import autograd.numpy as anp
import numpy

from .. import array_backend, losses, models, ops
from ..array_backend import asarray, asnumpy
from ..autodiff import check_grad, hvp, value_and_grad
from ..types import Array, LossAndGrad, Shape
from .errors import DIFFERENCE, ROUNDING, Checks, apart, drawn

LABELS = numpy.array([2, 0, 1, 1])
PRIMITIVES: dict[str, tuple[Shape, Callable[[Array], Array]]] = {
    "matmul(a, b) by a": ((3, 4), lambda a: ops.matmul(a, drawn(4, 2))),
    "matmul(a, b) by b": ((4, 2), lambda b: ops.matmul(drawn(3, 4), b)),
    "affine(x, W, b) by W": ((4, 2), lambda W: ops.affine(drawn(3, 4), W, drawn(2))),
    "affine(x, W, b) by b": ((2,), lambda b: ops.affine(drawn(3, 4), drawn(4, 2), b)),
    "relu": ((5,), ops.relu),
    "tanh": ((5,), ops.tanh),
    "gelu": ((5,), ops.gelu),
    "softmax": ((3, 4), ops.softmax),
    "log softmax": ((3, 4), ops.log_softmax),
    "cross-entropy": ((4, 3), lambda z: losses.cross_entropy(z, asarray(LABELS))),
    "cross-entropy, smoothed": ((4, 3), lambda z: losses.cross_entropy(z, asarray(LABELS), 0.1)),
    "mean squared error": ((4, 3), lambda a: losses.mse(a, drawn(4, 3))),
    "convolution by x": ((2, 4, 4, 3), lambda x: ops.conv2d(x, drawn(3, 2, 3, 3), drawn(3), 2, 1)),
    "convolution by W": ((3, 2, 3, 3), lambda W: ops.conv2d(drawn(2, 4, 4, 3), W, drawn(3), 1, 1)),
    "convolution by b": ((3,), lambda b: ops.conv1d(drawn(2, 5, 3), drawn(3, 2, 3), b)),
    "max pooling": ((2, 4, 5, 3), lambda x: ops.max_pool(x, (2, 2))),
    "average pooling": ((2, 4, 5, 3), lambda x: ops.average_pool(x, (2, 2))),
    "batch norm": ((3, 6), lambda x: ops.batch_norm(x, drawn(3, 1), drawn(3, 1, seed=3), *ops.moments(x))),
    "group norm": ((4, 3, 2), lambda x: ops.group_norm(x, drawn(4), drawn(4, seed=3), 2)),
    "layer norm by x": ((3, 4), lambda x: ops.layer_norm(x, drawn(4), drawn(4, seed=3))),
    "layer norm by its gain": ((4,), lambda gain: ops.layer_norm(drawn(3, 4), gain, drawn(4, seed=3))),
    "attention by q": ((6, 4), lambda q: ops.attention(q, drawn(6, 4), drawn(6, 4, seed=3), 2, 3, causal=True)),
    "attention by k": ((6, 4), lambda k: ops.attention(drawn(6, 4), k, drawn(6, 4, seed=3), 2, 3, causal=True)),
    "attention by v": ((6, 4), lambda v: ops.attention(drawn(6, 4), drawn(6, 4, seed=3), v, 2, 3)),
    "embedding": ((3, 4), lambda E: ops.embedding(E, asarray(LABELS))),
}


def primitives() -> Checks:
    """First and second derivatives of Σ c · f, for each primitive f."""
    for name, (shape, f) in PRIMITIVES.items():
        yield from _of_primitive(name, shape, f)


def _of_primitive(name: str, shape: Shape, f: Callable[[Array], Array]) -> Checks:
    c, w = drawn(*f(drawn(*shape)).shape, seed=2), drawn(math.prod(shape))

    def weighted(a: Array) -> Array:
        return anp.sum(c * f(anp.reshape(a, shape)))

    yield f"∂ {name}", DIFFERENCE, check_grad(weighted, w)
    eager = value_and_grad(weighted, recorded=False)
    yield f"∂² {name}", DIFFERENCE, _curvature_error(eager, hvp(weighted, recorded=False), w)


def networks() -> Checks:
    """Whole gradients: against differences, recorded against eager, this backend against NumPy."""
    rng = numpy.random.default_rng(0)
    yield from _of_network("an mlp", models.mlp((5, 6, 3), "tanh"), rng.standard_normal((4, 5)), LABELS)
    images = rng.standard_normal((4, 16))
    yield from _of_network("a cnn", models.cnn((3,), (1, 4, 4), 3, norm="batch"), images, LABELS)
    yield from _of_network("a vit", models.vit((1, 4, 4), 2, 4, 1, 2, 3), images, LABELS)
    yield from _of_network("a gpt", models.gpt(3, 4, 4, 1, 2), *rng.integers(0, 3, (2, 2, 4)))


def _of_network(name: str, model: models.Model, x: numpy.ndarray, y: numpy.ndarray) -> Checks:
    w = model.init([0, 1], "float64") + 0.3 * drawn(2, model.size)
    batch, other = (asarray(x), asarray(y)), -0.7 * w
    recorded, eager, product = value_and_grad(model), value_and_grad(model, recorded=False), hvp(model)

    def on_batch(w: Array) -> tuple[Array, Array]:
        return recorded(w, *batch)

    yield f"∇L of {name}", 1e-5, check_grad(on_batch, w)
    yield f"H v of {name}", DIFFERENCE, _curvature_error(on_batch, lambda w, v: product(w, v, *batch), w)
    yield f"{name}, recorded = eager", ROUNDING, apart(on_batch(other)[1], eager(other, *batch)[1])
    on_host = asnumpy(w)
    with array_backend.use("numpy"):
        there = value_and_grad(model)(on_host, x, y)[1]
    yield f"{name}, here = on NumPy", ROUNDING, apart(on_batch(w)[1], there)


def _curvature_error(
    loss_and_grad: LossAndGrad, product: Callable[[Array, Array], Array], w: Array, h: float = 1e-5
) -> float:
    """How far H v is from a central difference of gradients, for a random v."""
    v = drawn(*w.shape, seed=1)
    return apart(product(w, v), (loss_and_grad(w + h * v)[1] - loss_and_grad(w - h * v)[1]) / (2 * h))
