"""The objective itself: max over the ball of L(w + ε), plus λ‖w‖²; with three ways to find the maximum."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy

from ..arguments import checked, count, norm_order, optional, radius
from ..array_backend import asarray, asnumpy
from ..autodiff import as_loss, as_loss_and_grad
from ..checks import FINITE, check_number, pick
from ..draws import stream
from ..kinds import floats, function, host, loss_and_grad, same_shape
from ..ops.primitives import matmul, sum_last, total
from ..types import Array, LossAndGrad, Radius, Scalar
from ..vectors import like, norm, over
from .epsilon import epsilon

HESSIAN = host(finite=True)


@checked(
    loss=function(1, "w -> loss, or w -> (loss, g)"), w=floats(), rho=radius, p=norm_order, l2=radius, steps=count()
)
def sam_objective(
    loss: Callable[[Array], Any],
    w: Array,
    rho: Radius,
    p: float = 2.0,
    l2: Scalar = 0.0,
    inner: str = "single-step",
    steps: int = 20,
) -> Array:
    """max_{‖ε‖_p ≤ ρ} L(w + ε) + λ‖w‖², the value that SAM descends.

    Parameters
    ----------
    loss : function
        L: w (..., n) -> (...,), or w -> (loss, g) as `value_and_grad` makes it; or a `Quadratic`.
    w : float array (..., n)
        Weights.
    rho : float or array (..., 1)
        Radius [weight], ≥ 0.
    p : float
        Norm of the ball, 1 ≤ p ≤ ∞.
    l2 : float or array (..., 1)
        λ ≥ 0.
    inner : str
        "single-step": at ε = `epsilon(∇L(w), rho, p)`, as SAM does; a lower bound. "ascent": at the best point of a
        projected ascent (see `ascend`); a lower bound that is never below the single step. "exact": the maximum itself,
        for a `Quadratic`, by `worst_of_quadratic`.
    steps : int
        Steps of "ascent", ≥ 1.

    Returns
    -------
    float array (...,)

    Source: Foret et al. 2021, arXiv:2010.01412, eq. 1.  Truths: tests/test_objective.py.
    """
    ways: dict[str, Callable[[], Array]] = {
        "single-step": lambda: epsilon(as_loss_and_grad(loss)(w)[1], rho, p),
        "ascent": lambda: ascend(as_loss_and_grad(loss), w, rho, p, steps),
        "exact": lambda: worst_of_quadratic(loss, w, rho, p),
    }
    eps = pick("inner", inner, ways)()
    return as_loss(loss)(w + eps) + total(like(l2, w) * w * w)  # λ‖w‖², outside the maximum


@checked(loss_and_grad=loss_and_grad, w=floats(), rho=radius, p=norm_order, steps=count(), start=optional(floats()))
def ascend(
    loss_and_grad: LossAndGrad, w: Array, rho: Radius, p: float = 2.0, steps: int = 20, start: Array | None = None
) -> Array:
    """The best ε found by `steps` steps of projected ascent in the ball: (..., n) -> (..., n).

    It begins at `start`, an ε of the ball; without one, at the single step ε = `epsilon(∇L(w), rho, p)`, or in a random
    direction where the gradient is zero. Each further step goes along the steepest direction of the p-norm at w + ε, for
    a length that falls from ρ to 0, and back into the ball. Never worse than ε = 0. Costs steps + 1 gradients.
    Madry et al. 2018, arXiv:1706.06083, section 2.1 (projected gradient ascent).
    """
    if start is not None:
        same_shape("start", start, "w", w)
        _check_inside(start, rho, p)
    best_loss, g = loss_and_grad(w)
    somewhere = asarray(stream("ascent", 0).standard_normal(w.shape[-1]), dtype=w.dtype)
    best = 0 * w
    eps = epsilon(numpy.where(norm(g) > 0, g, somewhere), rho, p) if start is None else start
    for k in range(steps):
        loss, g = loss_and_grad(w + eps)
        better = loss > best_loss
        best, best_loss = numpy.where(better[..., None], eps, best), numpy.where(better, loss, best_loss)
        eps = project(eps + (1 - k / steps) * epsilon(g, rho, p), rho, p)
    return best


def _check_inside(start: Array, rho: Radius, p: float) -> None:
    """Raise a ValueError if an entry of start is not finite, or if it lies outside the ball by more than rounding.

    A start on a device is not read back.
    """
    size, rounding = norm(start, p), 1e3 * numpy.finfo(start.dtype).eps
    if isinstance(size, numpy.ndarray) and not (size <= like(rho, start) * (1 + rounding)).all():
        raise ValueError(f"start must lie in the ball ‖start‖_{p:g} ≤ rho, got a norm of {size.max():g}")


@checked(eps=floats(), rho=radius, p=norm_order)
def project(eps: Array, rho: Radius, p: float = 2.0) -> Array:
    """Back into the ball ‖ε‖_p ≤ ρ: the nearest point for p = 2 and p = ∞, else along the ray to the centre."""
    rho = like(rho, eps)
    if p == math.inf:
        return numpy.clip(eps, -rho, rho)
    size = norm(eps, p)
    return eps * over(rho, numpy.maximum(size, rho))


@dataclass(frozen=True)
class Quadratic:
    """L(w) = ½ wᵀHw + bᵀw + c: the loss whose inner maximum is known exactly.

    H (n, n) is symmetric, b (n,), c a number; arrays of the backend in use, floating point. Called with w (..., n),
    gives (...,), and can be differentiated.
    """

    H: Array
    b: Array | None = None
    c: float = 0.0

    def __post_init__(self) -> None:
        H = HESSIAN("H", self.H)
        if H.ndim != 2 or H.shape[0] != H.shape[1] or not numpy.allclose(H, H.T):
            raise ValueError(f"H must be a symmetric matrix (n, n), got shape {H.shape}")
        if self.b is not None and (b := HESSIAN("b", self.b)).shape != H.shape[:1]:
            raise ValueError(f"b must have shape {H.shape[:1]}, got {b.shape}")
        check_number("c", self.c, FINITE, swept=False)

    @checked(w=floats())
    def __call__(self, w: Array) -> Array:
        if w.shape[-1:] != self.H.shape[:1]:
            raise ValueError(f"w must have shape (..., {len(self.H)}), got {w.shape}")
        row = anp.reshape(w, (*anp.shape(w)[:-1], 1, anp.shape(w)[-1]))
        value = 0.5 * sum_last(matmul(row, self.H) * row)[..., 0, 0] + self.c
        return value if self.b is None else value + total(w * self.b)


def worst_of_quadratic(loss: Callable[[Array], Any], w: Array, rho: Radius, p: float = 2.0) -> Array:
    """The exact argmax of a `Quadratic` over ‖ε‖_p ≤ ρ around w: (..., n) -> (..., n).

    p = 2, any H: the trust-region problem. ε = (μI − H)⁻¹ g with μ ≥ max(λ_max, 0) and ‖ε‖ = ρ, or inside the ball with
    μ = 0 where H is negative definite. p = 1 and p = ∞, H positive semi-definite: the best vertex (p = ∞: at most 16
    weights). Solved on the host in float64.  Conn, Gould & Toint 2000, "Trust-Region Methods", section 7.2.
    """
    if not isinstance(loss, Quadratic):
        raise ValueError(f"inner='exact' needs a minisam.Quadratic as loss, got {type(loss).__name__}")
    H = asnumpy(loss.H).astype("float64")
    g = asnumpy(as_loss_and_grad(loss)(w)[1]).astype("float64")
    g, radius = numpy.broadcast_arrays(g, asnumpy(rho).astype("float64"))
    if p == 2:
        eps = _trust_region(H, g, radius[..., :1])
    elif p in (1, math.inf):
        eps = _best_vertex(H, g, radius[..., :1], p)
    else:
        raise ValueError(f"inner='exact' knows p = 1, 2 and ∞, got {p}")
    return asarray(eps, dtype=w.dtype)


def _trust_region(H: numpy.ndarray, g: numpy.ndarray, rho: numpy.ndarray) -> numpy.ndarray:
    """argmax of gᵀε + ½ εᵀHε over ‖ε‖₂ ≤ ρ, in the eigenbasis of H, by bisection on μ − max(λ_max, 0)."""
    eigenvalues, basis = numpy.linalg.eigh(H)
    a = g @ basis
    below_top = max(eigenvalues[-1], 0.0) - eigenvalues

    def eps_of(above_top: numpy.ndarray) -> numpy.ndarray:
        gap = above_top + below_top  # μ − λᵢ, to full precision even where it is tiny
        return numpy.divide(a, gap, out=numpy.zeros_like(a), where=gap > 0)

    def length(eps: numpy.ndarray) -> numpy.ndarray:
        return numpy.linalg.norm(eps, axis=-1, keepdims=True)

    low = numpy.zeros_like(rho)
    high = length(a) / numpy.where(rho > 0, rho, 1)  # there ‖ε‖ ≤ ρ
    for _ in range(200):
        middle = (low + high) / 2
        outside = length(eps_of(middle)) > rho
        low, high = numpy.where(outside, middle, low), numpy.where(outside, high, middle)
    eps = eps_of(high)
    if eigenvalues[-1] >= 0:  # where g has no part along the top eigenvector, ε still reaches the rim, along it
        to_rim = numpy.sqrt(numpy.maximum(rho**2 - length(eps[..., :-1]) ** 2, 0))
        short = length(eps) < rho * (1 - 1e-9)
        eps[..., -1:] = numpy.where(short, numpy.copysign(to_rim, a[..., -1:]), eps[..., -1:])
    return numpy.where(rho > 0, eps, 0) @ basis.T


def _best_vertex(H: numpy.ndarray, g: numpy.ndarray, rho: numpy.ndarray, p: float) -> numpy.ndarray:
    """A convex function is largest at a vertex: ±ρ eᵢ (p = 1), or all signs (p = ∞)."""
    n = len(H)
    if numpy.linalg.eigvalsh(H)[0] < -1e-12 * numpy.abs(H).max():
        raise ValueError(f"inner='exact' with p = {p} needs a positive semi-definite H")
    if p == 1:
        vertices = numpy.concatenate([numpy.eye(n), -numpy.eye(n)])
    elif n <= 16:
        vertices = numpy.array(list(itertools.product((-1.0, 1.0), repeat=n)))
    else:
        raise ValueError(f"inner='exact' with p = ∞ tries all 2ⁿ vertices and takes n ≤ 16 weights, got {n}")
    rise = rho * (g @ vertices.T) + 0.5 * rho**2 * numpy.sum((vertices @ H) * vertices, axis=-1)
    return rho * vertices[numpy.argmax(rise, axis=-1)]
