"""The convolutional net."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from ..checks import check_counts
from ..ops import primitives as ops
from ..types import Array, Shape
from . import convolutional as parts
from .layers import affine, affine_shapes, draw_normal
from .model import Model, NormStatistics, Parameters, Shapes


def cnn(
    channels: Sequence[int] = (16, 32),
    shape: Sequence[int] = (1, 8, 8),
    classes: int = 10,
    kernel: int = 3,
    stride: int = 1,
    pool: int = 2,
    norm: str = "none",
) -> Model:
    """Layers of convolution ─ norm ─ relu ─ max pooling, and an affine layer that reads everything that they leave.

    Parameters
    ----------
    channels : sequence of int
        Output channels of each convolution.
    shape : sequence of int
        Shape of an image: (channels, height, width), or (channels, length) for signals. Data hold images as rows, x (m, c·h·w).
    classes : int
        Number of outputs.
    kernel, stride : int
        Width and stride of the convolutions. The kernel is odd, and a frame of kernel // 2 zeros lies around the image, so that
        a convolution of stride 1 keeps its size.
    pool : int
        Width of the pooling windows; 1 for no pooling.
    norm : str
        "none", "batch" or "group" (4 groups).

    Returns
    -------
    Model
        Its parameters are conv0.W (o, c, k, k), conv0.b (o,), norm0.gain (o,), norm0.bias (o,), …, head.W (features, classes),
        head.b (classes,).

    Raises
    ------
    ValueError
        If an argument is out of range, or the layers leave nothing of the image.

    Source: LeCun et al. 1998, "Gradient-based learning applied to document recognition", section 2.
    Truths: tests/test_cnn.py.
    """
    channels, first, space = parts.check_images(shape, norm, channels)
    check_counts(classes=classes, kernel=kernel, stride=stride, pool=pool)
    if kernel % 2 == 0:
        raise ValueError(f"kernel must be odd, got {kernel}")
    n, layers = len(space), range(len(channels))
    shapes: Shapes = {}
    for k, (i, o) in enumerate(itertools.pairwise([first, *channels])):
        shapes |= parts.convolution_shapes(f"conv{k}", i, o, [kernel] * n) | parts.norm_shapes(f"norm{k}", o, norm)
    shapes |= affine_shapes("head", features_left(channels, space, stride, pool), classes)

    def forward(p: Parameters, x: Array, statistics: NormStatistics | None = None) -> Array:
        x = parts.images(x, (first, *space))
        for k in layers:
            x = parts.convolve(p, f"conv{k}", x, stride)
            x = ops.relu(parts.normalise(p, f"norm{k}", x, norm, n, statistics))
            if pool > 1:
                x = ops.max_pool(x, (pool,) * n)
        return affine(p, "head", ops.to_rows(x, n))

    spec = dict(
        model="cnn",
        channels=channels,
        shape=[first, *space],
        classes=classes,
        kernel=kernel,
        stride=stride,
        pool=pool,
        norm=norm,
    )
    running = parts.running_shapes(shapes, norm)
    return Model(spec, shapes, forward, lambda rng: draw_normal(rng, shapes, parts.he_deviation), running)


def features_left(channels: Sequence[int], space: Shape, stride: int, pool: int) -> int:
    """The number of features after all layers. Raises a ValueError if the layers leave nothing of the image."""
    left = space
    for _ in channels:
        left = tuple(((size - 1) // stride + 1) // pool for size in left)
    if min(left) < 1:
        raise ValueError(f"nothing is left of {space} after {len(channels)} layers of stride {stride} and pool {pool}")
    return channels[-1] * math.prod(left)
