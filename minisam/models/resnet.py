"""The residual net."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..checks import check_counts
from ..ops import primitives as ops
from ..types import Array
from . import convolutional as parts
from .layers import affine, affine_shapes, draw_normal
from .model import Model, NormStatistics, Parameters, Shapes

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
        Channels of each stage. From the second stage on, the first block halves the image, and a 1×1 convolution brings x to
        the block's shape.
    shape : sequence of int
        Shape of an image: (channels, height, width), or (channels, length) for signals. Data hold images as rows, x (m, c·h·w).
    classes : int
        Number of outputs.
    blocks : int
        Number of blocks in each stage.
    norm : str
        "batch", "group" (4 groups) or "none".

    Raises
    ------
    ValueError
        If an argument is out of range.

    Source: He et al. 2016, arXiv:1603.05027, figure 1(b): norm and relu come before each convolution, so that x itself passes
    unchanged.  Truths: tests/test_cnn.py.
    """
    channels, first, space = parts.check_images(shape, norm, channels)
    check_counts(classes=classes, blocks=blocks)
    n, last = len(space), channels[-1]
    planned = list(plan(channels, blocks))
    shapes = parts.convolution_shapes("stem", first, channels[0], [KERNEL] * n)
    for name, i, o, stride in planned:
        shapes |= block_shapes(name, i, o, stride, n, norm)
    shapes |= parts.norm_shapes("norm", last, norm) | affine_shapes("head", last, classes)

    def forward(p: Parameters, x: Array, statistics: NormStatistics | None = None) -> Array:
        def active(name: str, x: Array) -> Array:
            return ops.relu(parts.normalise(p, name, x, norm, n, statistics))

        x = parts.convolve(p, "stem", parts.images(x, (first, *space)))
        for name, _, _, stride in planned:
            h = parts.convolve(p, f"{name}.conv1", active(f"{name}.norm1", x), stride)
            h = parts.convolve(p, f"{name}.conv2", active(f"{name}.norm2", h))
            x = h + (parts.convolve(p, f"{name}.skip", x, stride) if f"{name}.skip.W" in p else x)
        return affine(p, "head", ops.T(ops.global_average_pool(active("norm", x), n)))

    spec = dict(model="resnet", channels=channels, shape=[first, *space], classes=classes, blocks=blocks, norm=norm)
    running = parts.running_shapes(shapes, norm)
    return Model(spec, shapes, forward, lambda rng: draw_normal(rng, shapes, parts.he_deviation), running)


def plan(channels: Sequence[int], blocks: int) -> Iterator[tuple[str, int, int, int]]:
    """Each block in turn: its name, its channels before and after, and its stride."""
    i = channels[0]
    for s, o in enumerate(channels):
        for k in range(blocks):
            yield f"stage{s}.block{k}", i, o, 2 if s and not k else 1
            i = o


def block_shapes(name: str, i: int, o: int, stride: int, n: int, norm: str) -> Shapes:
    """The parameters of a block; it has a convolution on its way past only if it changes the shape of x."""
    return {
        **parts.norm_shapes(f"{name}.norm1", i, norm),
        **parts.convolution_shapes(f"{name}.conv1", i, o, [KERNEL] * n),
        **parts.norm_shapes(f"{name}.norm2", o, norm),
        **parts.convolution_shapes(f"{name}.conv2", o, o, [KERNEL] * n),
        **(parts.convolution_shapes(f"{name}.skip", i, o, [1] * n) if (i, stride) != (o, 1) else {}),
    }
