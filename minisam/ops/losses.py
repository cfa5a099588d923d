"""Softmax, and the losses: each with its derivative."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import autograd.numpy as anp
import numpy
from autograd.extend import defvjp, primitive

from ..array_backend import kernels, xp
from ..constants import made_once
from ..types import Array, Shape
from .fused import Call, Steps, prepared, straight, with_slope
from .shapes import back_to, lift, sum_last


@primitive
def softmax(z: Array, out: Array = None) -> Array:
    """pⱼ = exp zⱼ / Σₖ exp zₖ over the last axis; the largest zₖ is taken off first, so no exponential overflows."""
    p = numpy.subtract(z, z.max(axis=-1, keepdims=True), out=out)
    numpy.exp(p, out=p)
    return numpy.divide(p, sum_last(p), out=p)


def softmax_vjp(p: Array, g: Array) -> Array:
    """z̄ = p (ȳ − ⟨p, ȳ⟩)."""
    return p * (g - sum_last(p * g))


defvjp(softmax, lambda p, z: lambda g: softmax_vjp(p, g))


@primitive
def log_softmax(z: Array, out: Array = None) -> Array:
    """log pⱼ = zⱼ − log Σₖ exp zₖ over the last axis: finite also where pⱼ is too small for a number."""
    z = z - z.max(axis=-1, keepdims=True)
    return numpy.subtract(z, numpy.log(sum_last(numpy.exp(z))), out=out)


defvjp(log_softmax, lambda y, z: lambda g: g - softmax(z) * sum_last(g))  # z̄ = ȳ − p Σ ȳ


def softmax_cross_entropy(z: Array, labels: Array, smoothing: float) -> Array:
    """Mean over the batch of −Σⱼ tⱼ log pⱼ with p = softmax z.   z (..., m, c), labels (..., m)  ->  (...,).

    The target t is 1 − s on the label plus s/c everywhere (Szegedy et al. 2016, arXiv:1512.00567, section 7; s = smoothing).
    """
    return anp.reshape(mean_cross_entropy(z, labels, smoothing), z.shape[:-2])


@straight
def mean_loss(z: Array, both: Array) -> Steps:
    """Mean over the batch of the losses: the product of (..., 1, m) and m shares  ->  (..., 1)."""
    yield numpy.matmul, both[..., 0:1, :], equal_shares(both.shape[-1], both.dtype)


@made_once
def equal_shares(m: int, dtype: Any) -> Array:
    """(1/m, …, 1/m), (m,)."""
    return xp().full(m, 1 / m, dtype=dtype)


@with_slope(
    value=mean_loss,
    slope=lambda z, both: both[..., 1:, :].swapaxes(-1, -2),  # (p − t)/m
    value_vjp=lambda g, mean, slope: lift(g, 1) * slope,
    slope_vjp=lambda g, slope, z: softmax_vjp(softmax(z), g) / z.shape[-2],
)
@prepared
def mean_cross_entropy(z: Array, labels: Array, smoothing: float, out: Array) -> tuple[Array, Call]:
    """The mean loss (..., 1). In one pass: the loss of each example over its slope (p − t)/m, (..., m, c) -> (..., 1 + c, m).

    The examples are the last axis. A sum over the few classes then adds whole rows.
    """
    m, c = z.shape[-2:]
    out = xp().empty((*z.shape[:-2], 1 + c, m), dtype=z.dtype) if out is None else out
    if kernels.has_cross_entropy(z, labels):
        return out, partial(kernels.cross_entropy, z, labels, smoothing, out)
    losses, slopes, flat = out[..., 0, :], out[..., 1:, :], out.reshape(-1)
    logits, first = z.swapaxes(-1, -2), first_classes(out.shape)

    def fill() -> None:
        check_range(labels, c)
        slopes[...] = logits
        numpy.subtract(slopes, slopes.max(axis=-2, keepdims=True), out=slopes)  # no exponential overflows
        labelled = numpy.multiply(labels, m, dtype="int64") + first  # m labels of a small type may be too many for it
        at_target = flat[labelled]
        if smoothing:
            at_target = (1 - smoothing) * at_target + smoothing * slopes.mean(axis=-2)
        numpy.exp(slopes, out=slopes)
        total = slopes.sum(axis=-2, keepdims=True)
        numpy.subtract(numpy.log(total[..., 0, :]), at_target, out=losses)
        total *= m
        numpy.divide(slopes, total, out=slopes)
        flat[labelled] -= (1 - smoothing) / m
        if smoothing:
            numpy.subtract(slopes, smoothing / (c * m), out=slopes)

    return out, fill


@made_once
def first_classes(shape: Shape) -> Array:
    """Where the slope of each example's class 0 stands in a flat array of shape (..., 1 + c, m): (..., m)."""
    *lead, rows, m = shape
    return xp().arange(math.prod(lead)).reshape(*lead, 1) * (rows * m) + xp().arange(m, 2 * m)


def check_range(labels: Array, classes: int, called: str = "labels") -> None:
    """Raise a ValueError if a label on the host is not in 0 … classes − 1 (a negative one, read as unsigned, is huge)."""
    if (
        isinstance(labels, numpy.ndarray)
        and numpy.maximum.reduce(labels.view(f"u{labels.itemsize}"), axis=None) >= classes
    ):
        raise ValueError(f"{called} must be in 0 … {classes - 1}, got {labels.min()} … {labels.max()}")


@primitive
def squared_error(a: Array, b: Array) -> Array:
    """Mean over batch and outputs of (a − b)².   (..., m, k) both  ->  (...,)."""
    gap = a - b
    return (gap * gap).mean(axis=(-2, -1))


def squared_error_vjp(g: Array, a: Array, b: Array) -> Array:
    """2 (a − b) / (m k)."""
    gap = a - b
    return lift(g, 2) * (2 / (gap.shape[-1] * gap.shape[-2])) * gap


defvjp(
    squared_error,
    lambda y, a, b: lambda g: back_to(a, squared_error_vjp(g, a, b)),
    lambda y, a, b: lambda g: back_to(b, -squared_error_vjp(g, a, b)),
)
