"""The objective, SAM's step, the base optimizers and the measures, against closed forms and the formulas of their papers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy

from .. import optim, sam, sharpness, vectors
from ..array_backend import asnumpy
from ..autodiff import hvp, value_and_grad
from ..optim import Optimizer
from ..types import Array, LossAndGrad
from .errors import ROUNDING, Checks, above, apart, drawn


def objective() -> Checks:
    """The inner maximum and the step."""
    g, w, rho = drawn(3, 7), drawn(3, 7, seed=1), 0.3
    for p, q in ((1.0, math.inf), (1.5, 3.0), (2.0, 2.0), (3.0, 1.5), (math.inf, 1.0)):
        eps = sam.epsilon(g, rho, p)
        yield f"‖ε‖ = ρ, p = {p:g}", ROUNDING, apart(vectors.norm(eps, p), rho + 0 * g[:, :1])
        yield f"⟨g, ε⟩ = ρ‖g‖_q, p = {p:g}", ROUNDING, apart(vectors.dot(g, eps), rho * vectors.norm(g, q))
    half = drawn(7, 7, seed=2)
    quadratic = sam.Quadratic(half @ half.T, drawn(7, seed=3))
    for p in (1.0, 2.0, math.inf):
        single, ascent, exact = (
            sam.sam_objective(quadratic, w, rho, p, inner=inner) for inner in ("single-step", "ascent", "exact")
        )
        yield f"max over the ball: single step ≤ ascent, p = {p:g}", ROUNDING, above(single, ascent)
        yield f"max over the ball: ascent ≤ exact, p = {p:g}", ROUNDING, above(ascent, exact)
    yield "SAM's step on a quadratic", ROUNDING, _step_error(quadratic, w, rho)
    base, slope = optim.SGD(0.1), value_and_grad(quadratic)
    at_0, of_base = (walked(optimizer, slope, w, 1) for optimizer in (sam.SAM(base, 0.0), base))
    yield "ρ = 0 is the base", 0.0, apart(at_0, of_base)


def _step_error(quadratic: sam.Quadratic, w: Array, rho: float, lr: float = 0.1, l2: float = 0.01) -> float:
    """Against w − η (g + ρ H g/‖g‖ + 2λw) with g = Hw + b, on the host."""
    stepped = walked(sam.SAM(optim.SGD(lr), rho, l2=l2), value_and_grad(quadratic), w, 1)
    H, b, w = asnumpy(quadratic.H), asnumpy(quadratic.b), asnumpy(w)
    g = w @ H + b
    unit = g / numpy.linalg.norm(g, axis=-1, keepdims=True)
    return apart(stepped, w - lr * (g + rho * unit @ H + 2 * l2 * w))


def walked(optimizer: Optimizer, loss_and_grad: LossAndGrad, w: Array, steps: int) -> Array:
    """The weights after so many steps."""
    state = optimizer.init(w)
    for _ in range(steps):
        w, state, _ = optimizer.step(w, state, loss_and_grad)
    return w


def optimizers() -> Checks:
    """Three steps of each base optimizer, against its paper's formula on the host."""
    half, w = drawn(5, 5), drawn(2, 5, seed=1)
    loss = sam.Quadratic(half @ half.T)
    cases: dict[str, tuple[Optimizer, Callable[[numpy.ndarray, numpy.ndarray], numpy.ndarray]]] = {
        "momentum": (optim.SGD(0.02, momentum=0.9), _plain_momentum),
        "Adam": (optim.Adam(0.1), _plain_adam),
    }
    for name, (optimizer, plain) in cases.items():
        expected = plain(asnumpy(loss.H), asnumpy(w))
        yield f"{name}, three steps", ROUNDING, apart(walked(optimizer, value_and_grad(loss), w, 3), expected)


def _plain_momentum(H: numpy.ndarray, w: numpy.ndarray) -> numpy.ndarray:
    v = numpy.zeros_like(w)
    for _ in range(3):
        v = 0.9 * v + w @ H
        w = w - 0.02 * v
    return w


def _plain_adam(H: numpy.ndarray, w: numpy.ndarray) -> numpy.ndarray:
    m = v = numpy.zeros_like(w)
    for t in (1, 2, 3):
        g = w @ H
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.1 * (m / (1 - 0.9**t)) / (numpy.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


def measures() -> Checks:
    """Measures of sharpness on a quadratic, whose Hessian is known."""
    half, w = drawn(6, 6), drawn(2, 6, seed=1)
    quadratic = sam.Quadratic(half @ half.T)
    top = numpy.linalg.eigvalsh(asnumpy(quadratic.H))[-1]
    yield "λ_max", 1e-9, apart(sharpness.lambda_max(hvp(quadratic), w, steps=6), numpy.full(2, top))
