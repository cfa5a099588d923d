"""Convolutions, norms and images, as both convolutional nets use them: with one or two axes in space."""

from __future__ import annotations

import math
from collections.abc import Sequence

import autograd.numpy as anp

from ..arguments import counts
from ..checks import pick
from ..ops import primitives as ops
from ..types import Array, Shape
from . import layers
from .model import NormStatistics, Parameters, Shapes

NORMS = {"none": "no norm", "batch": "batch norm", "group": "group norm"}
GROUPS = 4  # of channels, in group norm


def check_images(shape: Sequence[int], norm: str, channels: Sequence[int]) -> tuple[list[int], int, Shape]:
    """The channels of the layers, those of the images, and their size in space; or the error that names what is wrong."""
    size, layers = counts()("shape", shape), counts()("channels", channels)
    if len(size) not in (2, 3):
        raise ValueError(f"shape must be (channels, length) or (channels, height, width), got {size}")
    pick("norm", norm, NORMS)
    for c in layers:
        if norm == "group" and c % GROUPS:
            raise ValueError(f"channels must be multiples of {GROUPS} for group norm, got {c}")
    return list(layers), size[0], size[1:]


def convolution_shapes(name: str, i: int, o: int, kernel: Sequence[int]) -> Shapes:
    return {f"{name}.W": (o, i, *kernel), f"{name}.b": (o,)}


def norm_shapes(name: str, c: int, norm: str) -> Shapes:
    return {} if norm == "none" else layers.norm_shapes(name, c)


def running_shapes(shapes: Shapes, norm: str) -> Shapes:
    """The running statistics of all batch norms of a net whose parameters have these shapes."""
    gains = {name.removesuffix(".gain"): shape for name, shape in shapes.items() if name.endswith(".gain")}
    return {f"{name}.{moment}": gains[name] for name in gains for moment in ("mean", "variance") if norm == "batch"}


def images(x: Array, shape: Shape) -> Array:
    """Rows of data (..., m, c·space) as images (..., c, *space, m)."""
    layers.check_rows(x, math.prod(shape))
    return ops.to_images(x, shape)


def convolve(p: Parameters, name: str, x: Array, stride: int = 1) -> Array:
    """A convolution that keeps the size in space, except for its stride.   (..., c, *space, m)  ->  (..., o, *space′, m)."""
    W, b = p[f"{name}.W"], p[f"{name}.b"]
    one_axis = W.ndim - b.ndim == 2
    return (ops.conv1d if one_axis else ops.conv2d)(x, W, b, stride, W.shape[-1] // 2)


def normalise(p: Parameters, name: str, x: Array, norm: str, n: int, statistics: NormStatistics | None) -> Array:
    """Normalise activations (..., c, *space, m) that have n axes in space; `norm` is a name in NORMS."""
    if norm == "none":
        return x
    gain, bias = p[f"{name}.gain"], p[f"{name}.bias"]
    *lead, c = x.shape[: -n - 1]
    if norm == "group":
        y = ops.group_norm(anp.reshape(x, (*lead, c, -1, x.shape[-1])), gain, bias, GROUPS)
    else:
        assert statistics is not None
        rows = anp.reshape(x, (*lead, c, -1))
        y = ops.batch_norm(rows, gain[..., None], bias[..., None], *statistics.moments(name, rows))
    return anp.reshape(y, x.shape)


def he_deviation(shape: Shape) -> float:
    """√(2/inputs) for a matrix (inputs, outputs) or a kernel (o, i, *k).   He et al. 2015, arXiv:1502.01852, eq. 10."""
    return math.sqrt(2 / (shape[0] if len(shape) == 2 else math.prod(shape[1:])))
