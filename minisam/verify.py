"""Every formula, checked on the backend in use: `minisam verify`.

A check computes one formula in two ways and gives the largest relative error between them; it passes up to its bound. In
float64 throughout. The reference is a central difference, a closed form, or the same computation on NumPy.

Truths: tests/test_verify.py (all pass here; a wrong formula is seen).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import autograd.numpy as anp
import numpy

from . import array_backend, losses, models, ops, optim, sam, sharpness
from .array_backend import asarray, asnumpy
from .autodiff import check_grad, hvp, value_and_grad
from .batch import BatchLoss
from .types import Array

DIFFERENCE, ROUNDING = 1e-6, 1e-12  # bounds: against difference quotients; where only rounding differs


@dataclass(frozen=True)
class Result:
    """What a check found."""

    group: str
    formula: str
    error: float
    bound: float

    @property
    def ok(self) -> bool:
        return self.error <= self.bound


def run() -> Iterator[Result]:
    """All checks, one result after the other."""
    for group, checks in GROUPS.items():
        for formula, bound, error in checks():
            yield Result(group, formula, error, bound)


def table(results: list[Result]) -> str:
    """The results as text."""
    width = max(len(result.formula) for result in results)
    lines, group = [], ""
    for result in results:
        if result.group != group:
            group = result.group
            lines.append(f"{group}\n")
        mark = "ok" if result.ok else "WRONG"
        lines.append(f"    {result.formula:<{width}}  {result.error:8.1e} ≤ {result.bound:.0e}  {mark}\n")
    failed = sum(not result.ok for result in results)
    lines.append(f"{len(results)} formulas on {array_backend.name()}: {failed or 'none'} wrong")
    return "".join(lines)


Checks: TypeAlias = Iterator[tuple[str, float, float]]  # formula, bound, error


def drawn(*shape: int, seed: int = 0) -> Array:
    """Random numbers on the device, the same on every backend."""
    return asarray(numpy.random.default_rng([seed, *shape]).standard_normal(shape))


def apart(a: Any, b: Any) -> float:
    """The largest difference of a and b, relative to the largest entry of b."""
    a, b = asnumpy(a).astype("float64"), asnumpy(b).astype("float64")
    if a.shape != b.shape:
        return math.inf
    largest = float(numpy.abs(b).max(initial=0)) or 1.0
    error = float(numpy.abs(a - b).max(initial=0)) / largest
    return error if math.isfinite(error) else math.inf


def above(a: Any, b: Any) -> float:
    """How far a exceeds b, which it may not."""
    a, b = asnumpy(a), asnumpy(b)
    return apart(numpy.maximum(a, b), b)


def second_error(f: Callable[[Array], Array], w: Array, h: float = 1e-5) -> float:
    """How far H v is from a central difference of gradients along a random v."""
    v = drawn(*w.shape, seed=1)
    gradient = value_and_grad(f, recorded=False)
    quotient = (gradient(w + h * v)[1] - gradient(w - h * v)[1]) / (2 * h)
    return apart(hvp(f, recorded=False)(w, v), quotient)


# --- the checks ------------------------------------------------------------------------------------------------------


def primitives() -> Checks:
    """First and second derivatives of Σ c · f, for each primitive f."""
    for name, (shape, f) in PRIMITIVES.items():
        c = drawn(*asnumpy(f(drawn(*shape))).shape, seed=2)

        def weighted(a: Array, f: Any = f, c: Array = c, shape: tuple[int, ...] = shape) -> Array:
            return anp.sum(c * f(anp.reshape(a, shape)))

        w = drawn(math.prod(shape))
        yield f"∂ {name}", DIFFERENCE, check_grad(weighted, w)
        yield f"∂² {name}", DIFFERENCE, second_error(weighted, w)


LABELS = numpy.array([2, 0, 1, 1])
PRIMITIVES: dict[str, tuple[tuple[int, ...], Callable[[Array], Array]]] = {
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


def networks() -> Checks:
    """Whole gradients: against differences, recorded against eager, this backend against NumPy."""
    for name, (model, x, y) in NETWORKS().items():
        w = model.init([0, 1], "float64") + 0.3 * drawn(2, model.size)
        batch = asarray(x), asarray(y)
        yield f"∇L of {name}", 1e-5, gradient_error(model, w, batch)
        yield f"H v of {name}", DIFFERENCE, curvature_error(model, w, batch)
        yield f"{name}, recorded = eager", ROUNDING, recorded_error(model, w, batch)
        yield f"{name}, here = on NumPy", ROUNDING, elsewhere_error(model, w, x, y)


def NETWORKS() -> dict[str, tuple[models.Model, numpy.ndarray, numpy.ndarray]]:
    rng = numpy.random.default_rng(0)
    return {
        "an mlp": (models.mlp((5, 6, 3), "tanh"), rng.standard_normal((4, 5)), LABELS),
        "a cnn": (models.cnn((3,), (1, 4, 4), 3, norm="batch"), rng.standard_normal((4, 16)), LABELS),
        "a vit": (models.vit((1, 4, 4), 2, 4, 1, 2, 3), rng.standard_normal((4, 16)), LABELS),
        "a gpt": (models.gpt(3, 4, 4, 1, 2), rng.integers(0, 3, (2, 4)), rng.integers(0, 3, (2, 4))),
    }


def gradient_error(model: models.Model, w: Array, batch: tuple[Array, Array]) -> float:
    loss_and_grad = value_and_grad(model)
    return check_grad(lambda w: loss_and_grad(w, *batch), w)


def curvature_error(model: models.Model, w: Array, batch: tuple[Array, Array], h: float = 1e-5) -> float:
    v, gradient = drawn(*w.shape, seed=1), value_and_grad(model)
    quotient = (gradient(w + h * v, *batch)[1] - gradient(w - h * v, *batch)[1]) / (2 * h)
    return apart(hvp(model)(w, v, *batch), quotient)


def recorded_error(model: models.Model, w: Array, batch: tuple[Array, Array]) -> float:
    recorded, eager = value_and_grad(model), value_and_grad(model, recorded=False)
    recorded(w, *batch)  # makes the record; what follows replays it at other weights
    return apart(recorded(-0.7 * w, *batch)[1], eager(-0.7 * w, *batch)[1])


def elsewhere_error(model: models.Model, w: Array, x: numpy.ndarray, y: numpy.ndarray) -> float:
    here = value_and_grad(model)(w, asarray(x), asarray(y))[1]
    host = asnumpy(w)
    with array_backend.use("numpy"):
        there = value_and_grad(model)(host, x, y)[1]
    return apart(here, there)


def objective() -> Checks:
    """The inner maximum and the step."""
    g, w, rho = drawn(3, 7), drawn(3, 7, seed=1), 0.3
    for p in (1.0, 1.5, 2.0, 3.0, math.inf):
        q = math.inf if p == 1 else (1.0 if p == math.inf else p / (p - 1))
        eps = sam.epsilon(g, rho, p)
        yield f"‖ε‖ = ρ, p = {p:g}", ROUNDING, apart(ops.norm(eps, p), rho + 0 * g[:, :1])
        yield (
            f"⟨g, ε⟩ = ρ‖g‖_q, p = {p:g}",
            ROUNDING,
            apart(ops.dot(g, eps), rho * ops.norm(g, q)),
        )
    half = drawn(7, 7, seed=2)
    quadratic = sam.Quadratic(half @ half.T, drawn(7, seed=3))
    for p in (1.0, 2.0, math.inf):
        single, ascent, exact = (
            sam.sam_objective(quadratic, w, rho, p, inner=inner) for inner in ("single-step", "ascent", "exact")
        )
        yield f"max over the ball: single step ≤ ascent, p = {p:g}", ROUNDING, above(single, ascent)
        yield f"max over the ball: ascent ≤ exact, p = {p:g}", ROUNDING, above(ascent, exact)
    yield "SAM's step on a quadratic", ROUNDING, step_error(quadratic, w, rho)
    yield (
        "ρ = 0 is the base",
        0.0,
        apart(step_of(sam.SAM(optim.SGD(0.1), 0.0), quadratic, w), step_of(optim.SGD(0.1), quadratic, w)),
    )


def step_of(optimizer: Any, loss: Callable[[Array], Array], w: Array) -> Array:
    return optimizer.step(w, optimizer.init(w), value_and_grad(loss))[0]


def step_error(quadratic: sam.Quadratic, w: Array, rho: float, lr: float = 0.1, l2: float = 0.01) -> float:
    """w − η (g + ρ H g/‖g‖ + 2λw) with g = Hw + b, on the host."""
    stepped = step_of(sam.SAM(optim.SGD(lr), rho, l2=l2), quadratic, w)
    H, b, w = asnumpy(quadratic.H), asnumpy(quadratic.b), asnumpy(w)
    g = w @ H + b
    unit = g / numpy.linalg.norm(g, axis=-1, keepdims=True)
    return apart(stepped, w - lr * (g + rho * unit @ H + 2 * l2 * w))


def optimizers() -> Checks:
    """Three steps of each base optimizer, as its paper writes them, on the host."""
    H, w = drawn(5, 5), drawn(2, 5, seed=1)
    loss = sam.Quadratic(H @ H.T)
    cases = {
        "momentum": (optim.SGD(0.02, momentum=0.9), plain_momentum),
        "Adam": (optim.Adam(0.1), plain_adam),
    }
    for name, (optimizer, plain) in cases.items():
        yield (
            f"{name}, three steps",
            ROUNDING,
            apart(stepped(optimizer, loss, w), plain(asnumpy(loss.H), asnumpy(w))),
        )


def stepped(optimizer: Any, loss: Callable[[Array], Array], w: Array) -> Array:
    state, loss_and_grad = optimizer.init(w), value_and_grad(loss)
    for _ in range(3):
        w, state, _ = optimizer.step(w, state, loss_and_grad)
    return w


def plain_momentum(H: numpy.ndarray, w: numpy.ndarray) -> numpy.ndarray:
    v = numpy.zeros_like(w)
    for _ in range(3):
        v = 0.9 * v + w @ H
        w = w - 0.02 * v
    return w


def plain_adam(H: numpy.ndarray, w: numpy.ndarray) -> numpy.ndarray:
    m = v = numpy.zeros_like(w)
    for t in (1, 2, 3):
        g = w @ H
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.1 * (m / (1 - 0.9**t)) / (numpy.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


def family() -> Checks:
    """Three steps of every variant of SAM on an mlp: this backend against NumPy."""
    model, x, y = models.mlp((5, 6, 3), "tanh"), asnumpy(drawn(8, 5)), numpy.arange(8) % 3
    for name in variants(model):
        here = walked(name, model, x, y)
        with array_backend.use("numpy"):
            there = walked(name, model, x, y)
        yield f"{name}, three steps, here = on NumPy", 1e-9, apart(here, there)


def variants(model: models.Model) -> dict[str, optim.Optimizer]:
    """One of each kind, over SGD where it has a base."""
    base = optim.SGD(0.05, momentum=0.9)
    needed: dict[str, Any] = {"SAMON": {"mask": model.mask("biases")}, "SAF": {"examples": 8, "classes": 3}}
    kinds = [kind for kind in vars(sam).values() if isinstance(kind, type) and issubclass(kind, sam.Rule)]
    composed = {
        kind.__name__: kind(base, **needed.get(kind.__name__, {}))
        for kind in kinds
        if kind not in (sam.Rule, sam.Composed, sam.Variant, sam.Sometimes)
    }
    return composed | {"BSAM": sam.BSAM(), "SWA": sam.SWA(base), "EMA": sam.EMA(base)}


def walked(name: str, model: models.Model, x: numpy.ndarray, y: numpy.ndarray) -> Array:
    """Where the variant of this name is after three steps."""
    optimizer, w = variants(model)[name], model.init([0, 1], "float64")
    state, losses = optimizer.init(w), BatchLoss(model)
    for _ in range(3):
        w, state, _ = optimizer.step(w, state, losses.on(asarray(x), asarray(y), asarray(numpy.arange(8))))
    return w


def measures() -> Checks:
    """Measures of sharpness on a quadratic, whose Hessian is known."""
    half, w = drawn(6, 6), drawn(2, 6, seed=1)
    quadratic = sam.Quadratic(half @ half.T)
    top = numpy.linalg.eigvalsh(asnumpy(quadratic.H))[-1]
    yield (
        "λ_max",
        1e-9,
        apart(sharpness.lambda_max(lambda w, v: hvp(quadratic)(w, v), w, steps=6), numpy.full(2, top)),
    )


GROUPS: dict[str, Callable[[], Checks]] = {
    "primitives": primitives,
    "networks": networks,
    "the objective and its step": objective,
    "base optimizers": optimizers,
    "the family": family,
    "sharpness": measures,
}
