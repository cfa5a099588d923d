"""Softmax, and the losses: each with its derivative."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy
from autograd.core import VJPNode
from autograd.extend import defvjp, primitive
from autograd.tracer import register_notrace

from ..array_backend import name, xp
from ..types import Array
from .fused import Calls, prepared, straight
from .shapes import back_to, lift, sum_last


@primitive
def softmax(z: Array, out: Array = None) -> Array:
    """pⱼ = exp zⱼ / Σₖ exp zₖ over the last axis; the largest zₖ is taken off first, so no exponential overflows."""
    p = xp().subtract(z, z.max(axis=-1, keepdims=True), out=out)
    xp().exp(p, out=p)
    return xp().divide(p, sum_last(p), out=p)


def softmax_vjp(p: Array, g: Array) -> Array:
    """z̄ = p (ȳ − ⟨p, ȳ⟩)."""
    return p * (g - sum_last(p * g))


defvjp(softmax, lambda p, z: lambda g: softmax_vjp(p, g))


@primitive
def log_softmax(z: Array, out: Array = None) -> Array:
    """log pⱼ = zⱼ − log Σₖ exp zₖ over the last axis: finite also where pⱼ is too small for a number."""
    z = z - z.max(axis=-1, keepdims=True)
    return xp().subtract(z, xp().log(sum_last(xp().exp(z))), out=out)


defvjp(log_softmax, lambda y, z: lambda g: g - softmax(z) * sum_last(g))  # z̄ = ȳ − p Σ ȳ


def softmax_cross_entropy(z: Array, labels: Array, smoothing: float) -> Array:
    """Mean over the batch of −Σⱼ tⱼ log pⱼ with p = softmax z.   z (..., m, c), labels (..., m)  ->  (...,).

    The target t is 1 − s on the label plus s/c everywhere (Szegedy et al. 2016, arXiv:1512.00567, section 7; s = smoothing).
    Loss and derivative share their exponentials: both are computed at once, and z carries the derivative.
    """
    mean = mean_loss(z, losses_and_slopes(z, labels, smoothing))
    return anp.reshape(mean, anp.shape(z)[:-2])


@primitive
@prepared
def losses_and_slopes(z: Array, labels: Array, smoothing: float, out: Array) -> tuple[Array, Callable[[], None]]:
    """The loss of each example over its derivative (p − t)/m: (..., m, c) -> (..., 1 + c, m).

    Examples lie innermost, so that sums over classes, few as these are, add up whole rows.
    """
    m, c = z.shape[-2:]
    out = xp().empty((*z.shape[:-2], 1 + c, m), dtype=z.dtype) if out is None else out
    losses, slopes, flat = out[..., 0, :], out[..., 1:, :], out.reshape(-1)
    logits, first = z.swapaxes(-1, -2), first_classes(out.shape, name())
    subtract, divide, exp, log = xp().subtract, xp().divide, xp().exp, xp().log

    def fill() -> None:
        check_range(labels, c)
        slopes[...] = logits
        subtract(slopes, slopes.max(axis=-2, keepdims=True), out=slopes)  # no exponential overflows
        labelled = labels * m + first
        at_target = flat[labelled]
        if smoothing:
            at_target = (1 - smoothing) * at_target + smoothing * slopes.mean(axis=-2)
        exp(slopes, out=slopes)
        total = slopes.sum(axis=-2, keepdims=True)
        subtract(log(total[..., 0, :]), at_target, out=losses)
        total *= m
        divide(slopes, total, out=slopes)
        flat[labelled] -= (1 - smoothing) / m
        if smoothing:
            subtract(slopes, smoothing / (c * m), out=slopes)

    return out, fill


@functools.lru_cache(maxsize=32)
def first_classes(shape: tuple[int, ...], backend: str) -> Array:
    """Where the slope of each example's class 0 stands in a flat array of shape (..., 1 + c, m): (..., m)."""
    *lead, rows, m = shape
    return xp().arange(math.prod(lead)).reshape(*lead, 1) * (rows * m) + xp().arange(m, 2 * m)


register_notrace(VJPNode, losses_and_slopes)


def check_range(labels: Array, classes: int, called: str = "labels") -> None:
    """Raise a ValueError if a label on the host is none of 0 … classes − 1 (a negative one, seen as unsigned, is huge)."""
    if (
        isinstance(labels, numpy.ndarray)
        and numpy.maximum.reduce(labels.view(f"u{labels.itemsize}"), axis=None) >= classes
    ):
        raise ValueError(f"{called} must be in 0 … {classes - 1}, got {labels.min()} … {labels.max()}")


@primitive
@straight
def mean_loss(z: Array, both: Array) -> Calls:
    """Mean over the batch of the losses in `both`, as a function of z: the product of (..., 1, m) and m shares  ->  (..., 1)."""
    yield xp().matmul, both[..., 0:1, :], equal_shares(both.shape[-1], both.dtype, name())


@functools.lru_cache(maxsize=32)
def equal_shares(m: int, dtype: Any, backend: str) -> Array:
    """(1/m, …, 1/m), (m,), made once."""
    return xp().full(m, 1 / m, dtype=dtype)


@primitive
def slope(z: Array, both: Array) -> Array:
    """∂ mean_loss / ∂z = (p − t) / m."""
    return both[..., 1:, :].swapaxes(-1, -2)


defvjp(mean_loss, lambda y, z, both: lambda g: lift(g, 1) * slope(z, both), argnums=(0,))
defvjp(slope, lambda y, z, both: lambda g: softmax_vjp(softmax(z), g) / anp.shape(z)[-2], argnums=(0,))


@primitive
def squared_error(a: Array, b: Array) -> Array:
    """Mean over batch and outputs of (a − b)².   (..., m, k) both  ->  (...,)."""
    gap = a - b
    return xp().mean(gap * gap, axis=(-2, -1))


def squared_error_vjp(g: Array, a: Array, b: Array) -> Array:
    """2 (a − b) / (m k)."""
    gap = a - b
    return lift(g, 2) * (2 / (anp.shape(gap)[-1] * anp.shape(gap)[-2])) * gap


defvjp(
    squared_error,
    lambda y, a, b: lambda g: back_to(a, squared_error_vjp(g, a, b)),
    lambda y, a, b: lambda g: back_to(b, -squared_error_vjp(g, a, b)),
)
