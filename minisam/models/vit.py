"""The vision transformer."""

from __future__ import annotations

from collections.abc import Sequence

import autograd.numpy as anp
import numpy

from .. import ops
from ..checks import check_counts
from ..types import Array
from .model import Model, Parameters
from .transformer import (
    affine,
    affine_shapes,
    block,
    block_shapes,
    check_widths,
    draw_normal,
    examples,
    norm,
    norm_shapes,
    rows,
)


def vit(
    shape: Sequence[int] = (1, 8, 8),
    patch: int = 2,
    width: int = 64,
    depth: int = 2,
    heads: int = 4,
    classes: int = 10,
) -> Model:
    """A vision transformer: an image is a sentence of patches, and a class token reads it.

    Parameters
    ----------
    shape : sequence of int
        Channels, height, width of an image; x holds images as rows, (m, c·h·w).
    patch : int
        Side of a patch, which has to divide height and width.
    width, depth, heads : int
        Size d of a token, number of blocks, heads of attention in each; heads has to divide width.
    classes : int
        Outputs.

    Raises
    ------
    ValueError
        If a number is below 1, or one does not divide another as it has to.

    Source: Dosovitskiy et al. 2021, arXiv:2010.11929, eq. 1 to 4 and figure 1; weights drawn from N(0, 0.02²) as by Touvron et
    al. 2021, arXiv:2012.12877.  Truths: tests/test_vit.py.
    """
    if len(shape) != 3:
        raise ValueError(f"shape must be (channels, height, width), got {tuple(shape)}")
    channels, high, wide = shape = [int(n) for n in shape]
    check_counts(channels=channels, height=high, width=wide, patch=patch, classes=classes)
    check_widths(width, depth, heads)
    if high % patch or wide % patch:
        raise ValueError(f"patch must divide height and width of the images, got {patch} for {high}×{wide}")
    tokens = (high // patch) * (wide // patch) + 1
    shapes: dict[str, tuple[int, ...]] = {
        **affine_shapes("patches", channels * patch * patch, width),
        "class_token": (1, width),
        "positions": (tokens, width),
    }
    for k in range(depth):
        shapes |= block_shapes(f"block{k}", width)
    shapes |= {**norm_shapes("norm", width), **affine_shapes("head", width, classes)}

    def forward(p: Parameters, x: Array) -> Array:
        if x.ndim < 2 or x.shape[-1] != channels * high * wide:
            raise ValueError(f"x must have shape (..., m, {channels * high * wide}), got {x.shape}")
        x = examples(affine(p, "patches", cut(x, shape, patch)), tokens - 1)
        token = ops.spread(anp.expand_dims(p["class_token"], -3), (*anp.shape(x)[:-2], 1, width))
        x = rows(anp.concatenate([token, x], axis=-2) + anp.expand_dims(p["positions"], -3))  # eq. 1
        for k in range(depth):
            x = block(p, f"block{k}", x, heads, tokens, causal=False)  # eq. 2 and 3
        return affine(p, "head", norm(p, "norm", ops.first_tokens(x, tokens)))  # eq. 4

    def draw(rng: numpy.random.Generator) -> dict[str, numpy.ndarray]:
        return draw_normal(rng, shapes)

    spec = {
        "model": "vit",
        "shape": shape,
        "patch": patch,
        "width": width,
        "depth": depth,
        "heads": heads,
        "classes": classes,
    }
    return Model(spec, shapes, forward, draw)


def cut(x: Array, shape: Sequence[int], patch: int) -> Array:
    """Images to patches, in the order of reading.   (..., m, c·h·w)  ->  (..., m·t, c·p·p)."""
    *lead, m, _ = anp.shape(x)
    c, h, w = shape
    down, across = h // patch, w // patch
    x = anp.reshape(x, (*lead, m, c, down, patch, across, patch))
    x = anp.moveaxis(x, (-4, -2), (-5, -4))  # (..., m, down, across, c, p, p)
    return anp.reshape(x, (*lead, m * down * across, c * patch * patch))
