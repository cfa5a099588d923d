"""The residual net."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from .. import ops
from ..checks import check_counts
from ..types import Array
from . import convolutional as parts
from .model import Model, Parameters, Statistics

KERNEL = 3


def resnet(
    channels: Sequence[int] = (16, 32),
    shape: Sequence[int] = (1, 8, 8),
    classes: int = 10,
    blocks: int = 1,
    norm: str = "batch",
) -> Model:
    """A small residual net: stages of blocks, each of which adds to what passes through it.

        x ──┬── norm ── relu ── conv ── norm ── relu ── conv ──+──
            └──────────────────────────────────────────────────┘

    Parameters
    ----------
    channels : sequence of int
        Of each stage. From the second stage on its first block halves the image, and a 1×1 convolution brings x to its shape.
    shape : sequence of int
        Of an image: (channels, height, width), or (channels, length) for signals. Data hold images as rows, x (m, c·h·w).
    classes : int
        Outputs.
    blocks : int
        Of each stage.
    norm : str
        "batch", "group" (4 groups) or "none".

    Raises
    ------
    ValueError
        If an argument is out of range.

    Source: He et al. 2016, arXiv:1603.05027, figure 1(b): norm and relu before each convolution, so that x itself passes
    unchanged.  Truths: tests/test_cnn.py.
    """
    channels = [int(c) for c in channels]
    first, space = parts.check_images(shape, norm, channels)
    check_counts(classes=classes, blocks=blocks)
    n, kernel = len(space), [KERNEL] * len(space)

    shapes = parts.convolution_shapes("stem", first, channels[0], kernel)
    plan: list[tuple[str, int]] = []  # each block and its stride
    i = channels[0]
    for s, o in enumerate(channels):
        for k in range(blocks):
            name, stride = f"stage{s}.block{k}", 2 if s and not k else 1
            plan.append((name, stride))
            shapes |= parts.norm_shapes(f"{name}.norm1", i, norm)
            shapes |= parts.convolution_shapes(f"{name}.conv1", i, o, kernel)
            shapes |= parts.norm_shapes(f"{name}.norm2", o, norm)
            shapes |= parts.convolution_shapes(f"{name}.conv2", o, o, kernel)
            if (i, stride) != (o, 1):
                shapes |= parts.convolution_shapes(f"{name}.skip", i, o, [1] * n)
            i = o
    shapes |= parts.norm_shapes("norm", i, norm) | {"head.W": (i, classes), "head.b": (classes,)}

    def forward(p: Parameters, x: Array, statistics: Statistics | None = None) -> Array:
        def active(name: str, x: Array) -> Array:
            return ops.relu(parts.normalise(p, name, x, norm, n, statistics))

        x = parts.convolve(p, "stem", parts.images(x, (first, *space)))
        for name, stride in plan:
            h = parts.convolve(p, f"{name}.conv1", active(f"{name}.norm1", x), stride)
            h = parts.convolve(p, f"{name}.conv2", active(f"{name}.norm2", h))
            x = h + (parts.convolve(p, f"{name}.skip", x, stride) if f"{name}.skip.W" in p else x)
        return ops.affine(ops.T(ops.global_average_pool(active("norm", x), n)), p["head.W"], p["head.b"])

    def draw(rng: numpy.random.Generator) -> dict[str, numpy.ndarray]:
        return parts.draw_weights(rng, shapes)

    spec = {
        "model": "resnet",
        "channels": channels,
        "shape": [first, *space],
        "classes": classes,
        "blocks": blocks,
        "norm": norm,
    }
    norms = [name.removesuffix(".gain") for name in shapes if name.endswith(".gain")]
    return Model(spec, shapes, forward, draw, parts.running_shapes(norms, shapes, norm))
