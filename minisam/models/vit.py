"""The vision transformer."""

from __future__ import annotations

from collections.abc import Sequence

import autograd.numpy as anp

from ..arguments import counts
from ..checks import check_counts
from ..ops import primitives as ops
from ..types import Array
from . import transformer as parts
from .layers import affine, affine_shapes, check_rows, draw_normal
from .model import Model, Parameters


def vit(
    shape: Sequence[int] = (1, 8, 8),
    patch: int = 2,
    width: int = 64,
    depth: int = 2,
    heads: int = 4,
    classes: int = 10,
) -> Model:
    """A vision transformer: it reads an image as a sequence of patches, and an additional class token collects the answer.

    Parameters
    ----------
    shape : sequence of int
        Channels, height, width of an image; x holds images as rows, (m, c·h·w).
    patch : int
        Side of a patch. It has to divide height and width.
    width, depth, heads : int
        Size d of a token, number of blocks, and heads of attention in each block. heads has to divide width.
    classes : int
        Number of outputs.

    Raises
    ------
    ValueError
        If a number is below 1, or one does not divide another as it has to.

    Source: Dosovitskiy et al. 2021, arXiv:2010.11929, eq. 1 to 4 and figure 1; weights drawn from N(0, 0.02²) as by Touvron et
    al. 2021, arXiv:2012.12877.  Truths: tests/test_vit.py.
    """
    shape = list(counts()("shape", shape))
    if len(shape) != 3:
        raise ValueError(f"shape must be (channels, height, width), got {tuple(shape)}")
    channels, high, wide = shape
    check_counts(patch=patch, classes=classes)
    parts.check_widths(width, depth, heads)
    if high % patch or wide % patch:
        raise ValueError(f"patch must divide height and width of the images, got {patch} for {high}×{wide}")
    tokens = (high // patch) * (wide // patch) + 1
    shapes = {
        **affine_shapes("patches", channels * patch * patch, width),
        "class_token": (1, width),
        "positions": (tokens, width),
        **parts.blocks_shapes(depth, width),
        **affine_shapes("head", width, classes),
    }

    def forward(p: Parameters, x: Array) -> Array:
        check_rows(x, channels * high * wide)
        x = parts.examples(affine(p, "patches", cut(x, shape, patch)), tokens - 1)
        token = ops.spread(anp.expand_dims(p["class_token"], -3), (*x.shape[:-2], 1, width))
        x = parts.rows(anp.concatenate([token, x], axis=-2) + anp.expand_dims(p["positions"], -3))  # eq. 1
        for k in range(depth):
            x = parts.block(p, f"block{k}", x, heads, tokens, causal=False)  # eq. 2 and 3
        return affine(p, "head", parts.norm(p, "norm", ops.first_tokens(x, tokens)))  # eq. 4

    spec = dict(model="vit", shape=shape, patch=patch, width=width, depth=depth, heads=heads, classes=classes)
    return Model(spec, shapes, forward, lambda rng: draw_normal(rng, shapes, parts.deviation))


def cut(x: Array, shape: Sequence[int], patch: int) -> Array:
    """Images as patches, from left to right and from top to bottom.   (..., m, c·h·w)  ->  (..., m·t, c·p·p)."""
    *lead, m, _ = x.shape
    c, h, w = shape
    down, across = h // patch, w // patch
    x = anp.reshape(x, (*lead, m, c, down, patch, across, patch))
    x = anp.moveaxis(x, (-4, -2), (-5, -4))  # (..., m, down, across, c, p, p)
    return anp.reshape(x, (*lead, m * down * across, c * patch * patch))
