"""What the convolutional nets share: convolutions and norms with one or two axes in space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import autograd.numpy as anp
import numpy

from .. import ops
from ..checks import check_counts, pick
from ..types import Array
from .model import Parameters, Statistics

NORMS = {"none": "no norm", "batch": "batch norm", "group": "group norm"}
GROUPS = 4  # of channels, in group norm

Shapes = dict[str, tuple[int, ...]]


def check_images(shape: Sequence[int], norm: str, channels: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """Channels and space of the images; or the error that says what is wrong with these arguments."""
    shape = tuple(int(n) for n in shape)
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise ValueError(f"shape must be (channels, length) or (channels, height, width), got {shape}")
    if not channels:
        raise ValueError(f"channels must name at least one layer, got {channels}")
    for c in channels:
        check_counts(channels=c)
        if pick("norm", norm, NORMS) and norm == "group" and c % GROUPS:
            raise ValueError(f"channels must be multiples of {GROUPS} for group norm, got {c}")
    return shape[0], shape[1:]


def convolution_shapes(name: str, i: int, o: int, kernel: Sequence[int]) -> Shapes:
    return {f"{name}.W": (o, i, *kernel), f"{name}.b": (o,)}


def norm_shapes(name: str, c: int, norm: str) -> Shapes:
    return {} if norm == "none" else {f"{name}.gain": (c,), f"{name}.bias": (c,)}


def running_shapes(names: Sequence[str], shapes: Mapping[str, tuple[int, ...]], norm: str) -> Shapes:
    """The running statistics of batch norms of these names."""
    if norm != "batch":
        return {}
    return {f"{name}.{moment}": shapes[f"{name}.gain"] for name in names for moment in ("mean", "variance")}


def images(x: Array, shape: tuple[int, ...]) -> Array:
    """Rows of data (..., m, c·space) as images (c, *space, m)."""
    if anp.ndim(x) < 2 or anp.shape(x)[-1] != math.prod(shape):
        raise ValueError(f"x must have shape (..., m, {math.prod(shape)}), got {anp.shape(x)}")
    return ops.to_images(x, shape)


def convolve(p: Parameters, name: str, x: Array, stride: int = 1) -> Array:
    """A convolution that keeps the size of space, but for its stride.   (..., c, *space, m)  ->  (..., o, *space′, m)."""
    W, b = p[f"{name}.W"], p[f"{name}.b"]
    one_axis = anp.ndim(W) - anp.ndim(b) == 2
    return (ops.conv1d if one_axis else ops.conv2d)(x, W, b, stride, anp.shape(W)[-1] // 2)


def normalise(p: Parameters, name: str, x: Array, norm: str, n: int, statistics: Statistics | None) -> Array:
    """Activations (..., c, *space, m), with n axes in space, through their norm."""
    if norm == "none":
        return x
    gain, bias = p[f"{name}.gain"], p[f"{name}.bias"]
    *lead, c = anp.shape(x)[: -n - 1]
    if norm == "group":
        y = ops.group_norm(anp.reshape(x, (*lead, c, -1, anp.shape(x)[-1])), gain, bias, GROUPS)
    else:
        assert statistics is not None
        rows = anp.reshape(x, (*lead, c, -1))
        y = ops.batch_norm(rows, gain[..., None], bias[..., None], *statistics.moments(name, rows))
    return anp.reshape(y, anp.shape(x))


def draw_weights(rng: numpy.random.Generator, shapes: Shapes) -> dict[str, numpy.ndarray]:
    """Kernels and matrices N(0, 2/inputs) (He et al. 2015, arXiv:1502.01852, eq. 10), gains 1, biases 0."""
    drawn = {}
    for name, shape in shapes.items():
        if name.endswith("W"):
            inputs = shape[0] if len(shape) == 2 else math.prod(shape[1:])
            drawn[name] = rng.standard_normal(shape) * math.sqrt(2 / inputs)
        else:
            drawn[name] = (numpy.ones if name.endswith("gain") else numpy.zeros)(shape)
    return drawn
