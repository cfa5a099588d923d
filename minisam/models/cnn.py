"""The convolutional net."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy

from .. import ops
from ..checks import check_counts
from ..types import Array
from . import convolutional as parts
from .model import Model, Parameters, Statistics


def cnn(
    channels: Sequence[int] = (16, 32),
    shape: Sequence[int] = (1, 8, 8),
    classes: int = 10,
    kernel: int = 3,
    stride: int = 1,
    pool: int = 2,
    norm: str = "none",
) -> Model:
    """Layers of convolution ─ norm ─ relu ─ max pooling, then an affine layer of all that is left.

    Parameters
    ----------
    channels : sequence of int
        Output channels of each convolution.
    shape : sequence of int
        Of an image: (channels, height, width), or (channels, length) for signals. Data hold images as rows, x (m, c·h·w).
    classes : int
        Outputs.
    kernel, stride : int
        Of the convolutions; the kernel is odd, and the frame of zeros as wide as keeps the size of an image at stride 1.
    pool : int
        Width of the pooling windows; 1 for none.
    norm : str
        "none", "batch" or "group" (4 groups).

    Raises
    ------
    ValueError
        If an argument is out of range, or nothing of the image is left after all layers.

    Parameters of the model are conv0.W (o, c, k, k), conv0.b (o,), norm0.gain, norm0.bias (o,), …, head.W (features, classes),
    head.b (classes,).  LeCun et al. 1998, "Gradient-based learning applied to document recognition", section 2.
    Truths: tests/test_cnn.py.
    """
    channels = [int(c) for c in channels]
    first, space = parts.check_images(shape, norm, channels)
    check_counts(classes=classes, kernel=kernel, stride=stride, pool=pool)
    if kernel % 2 == 0:
        raise ValueError(f"kernel must be odd, got {kernel}")
    n, layers = len(space), range(len(channels))
    left = space
    for _ in layers:
        left = tuple(((size - 1) // stride + 1) // pool for size in left)
    if min(left) < 1:
        raise ValueError(f"nothing is left of {space} after {len(channels)} layers of stride {stride} and pool {pool}")

    shapes: parts.Shapes = {}
    for k, (i, o) in enumerate(itertools.pairwise([first, *channels])):
        shapes |= parts.convolution_shapes(f"conv{k}", i, o, [kernel] * n) | parts.norm_shapes(f"norm{k}", o, norm)
    shapes |= {"head.W": (channels[-1] * math.prod(left), classes), "head.b": (classes,)}

    def forward(p: Parameters, x: Array, statistics: Statistics | None = None) -> Array:
        x = parts.images(x, (first, *space))
        for k in layers:
            x = parts.convolve(p, f"conv{k}", x, stride)
            x = ops.relu(parts.normalise(p, f"norm{k}", x, norm, n, statistics))
            if pool > 1:
                x = ops.max_pool(x, (pool,) * n)
        return ops.affine(ops.to_rows(x, n), p["head.W"], p["head.b"])

    def draw(rng: numpy.random.Generator) -> dict[str, numpy.ndarray]:
        return parts.draw_weights(rng, shapes)

    spec = {
        "model": "cnn",
        "channels": channels,
        "shape": [first, *space],
        "classes": classes,
        "kernel": kernel,
        "stride": stride,
        "pool": pool,
        "norm": norm,
    }
    running = parts.running_shapes([f"norm{k}" for k in layers], shapes, norm)
    return Model(spec, shapes, forward, draw, running)
