"""Measures of sharpness, and slices of the loss landscape. All are batched over replicas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from .array_backend import Array, asarray, asnumpy, xp
from .autodiff import LossAndGrad
from .ops import norm, over
from .sam.objective import ascend


def worst_case(loss_and_grad: LossAndGrad, w: Array, rho: Any, p: float = 2.0, steps: int = 20) -> Array:
    """max_{‖ε‖_p ≤ ρ} L(w + ε) − L(w), by projected ascent (a lower bound): (..., n) -> (...,) [loss].

    Foret et al. 2021, arXiv:2010.01412, section 2.  Truths: tests/test_sharpness.py.
    """
    eps = ascend(loss_and_grad, w, rho, p, steps)
    return loss_and_grad(w + eps)[0] - loss_and_grad(w)[0]


def lambda_max(
    hessian_vector: Callable[[Array, Array], Array], w: Array, steps: int = 30, seed: int = 0
) -> numpy.ndarray:
    """The largest eigenvalue of the Hessian at w, by Lanczos with full reorthogonalisation: (..., n) -> (...,).

    Parameters
    ----------
    hessian_vector : function
        (w, v) -> H v, as `hvp` makes it, with the batch filled in.
    w : float array (..., n)
        Weights.
    steps : int
        Hessian-vector products spent, ≥ 1; with n steps the result is exact.
    seed : int
        Of the random start.

    Returns
    -------
    float64 NumPy array (...,)

    Source: Golub & Van Loan, "Matrix Computations", section 10.1.  Truths: tests/test_sharpness.py.
    """
    if not steps >= 1:
        raise ValueError(f"steps must be ≥ 1, got {steps}")
    v = asarray(numpy.random.default_rng(seed).standard_normal(w.shape), dtype=w.dtype)
    basis: list[Array] = []
    diagonal, off_diagonal = [], []
    for _ in range(min(steps, w.shape[-1])):
        length = norm(v)
        basis.append(over(v, length))
        off_diagonal.append(length[..., 0])
        v = hessian_vector(w, basis[-1])
        diagonal.append(xp().sum(v * basis[-1], axis=-1))
        for _ in range(2):  # twice is enough to stay orthogonal in floating point
            for q in basis:
                v = v - xp().sum(v * q, axis=-1, keepdims=True) * q
    a = asnumpy(xp().stack(diagonal, axis=-1)).astype("float64")
    b = asnumpy(xp().stack(off_diagonal, axis=-1)).astype("float64")[..., 1:]
    # Where b vanishes, the vectors so far span all that H makes of the start; the rest is rounding: a₀ in its place.
    size = numpy.abs(a).max(axis=-1, keepdims=True)
    going = numpy.logical_and.accumulate(b > numpy.finfo(w.dtype).eps * size, axis=-1)
    a[..., 1:], b = numpy.where(going, a[..., 1:], a[..., :1]), numpy.where(going, b, 0)
    tridiagonal = numpy.zeros((*a.shape, a.shape[-1]))
    k = numpy.arange(a.shape[-1])
    tridiagonal[..., k, k] = a
    tridiagonal[..., k[1:], k[:-1]] = tridiagonal[..., k[:-1], k[1:]] = b
    return numpy.linalg.eigvalsh(tridiagonal)[..., -1]


def landscape(
    loss: Callable[[Array], Array],
    w: Array,
    radius: float,
    points: int = 41,
    seed: int = 0,
    toward: Array | None = None,
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The loss on a square around one w, along two orthogonal directions of length one, so that the axes are distances.

    Parameters
    ----------
    loss : function
        w (k, n) -> (k,).
    w : float array (n,)
        The centre.
    radius : float
        Half the side of the square [weight].
    points : int
        Grid points a side.
    seed : int
        Of the random directions.
    toward : float array (n,), optional
        The first direction, such as the ε of `minisam.sam.ascend`; without it, it is random as the second is.

    Returns
    -------
    (points,), (points, points)
        The coordinates along either axis, and the loss, whose columns go along the first direction; on the host.
    """
    drawn = numpy.random.default_rng(seed).standard_normal((w.shape[-1], 2))
    if toward is not None:
        drawn[:, 0] = asnumpy(toward)
    directions, r = numpy.linalg.qr(drawn)
    d1, d2 = asarray((directions * numpy.sign(numpy.diag(r))).T, dtype=w.dtype)
    t = numpy.linspace(-radius, radius, points)
    along = asarray(t[:, None], dtype=w.dtype)
    rows = [asnumpy(loss(w + along * d1 + float(s) * d2)) for s in t]
    return t, numpy.array(rows)
