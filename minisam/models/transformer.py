"""The block that vit and gpt are made of.

x ── norm1 ── heads of attention ── project ──+── norm2 ── expand ── gelu ── contract ──+──
  └───────────────────────────────────────────┘└─────────────────────────────────────────┘
"""

from __future__ import annotations

import autograd.numpy as anp

from ..checks import check_counts
from ..ops import primitives as ops
from ..types import Array, Shape
from .layers import affine, affine_shapes, norm_shapes
from .model import Parameters, Shapes

WIDER = 4  # the hidden layer of a block has so many times its width


def check_widths(width: int, depth: int, heads: int) -> None:
    """Raise a ValueError if one of these sizes of a transformer is below 1, or heads does not divide width."""
    check_counts(width=width, depth=depth, heads=heads)
    if width % heads:
        raise ValueError(f"width must be a multiple of heads, got width {width} and {heads} heads")


def blocks_shapes(depth: int, d: int) -> Shapes:
    """The parameters of so many blocks of width d, and of the norm after the last one."""
    shapes: Shapes = {}
    for k in range(depth):
        shapes |= norm_shapes(f"block{k}.norm1", d)
        for part in ("query", "key", "value", "project"):
            shapes |= affine_shapes(f"block{k}.{part}", d, d)
        shapes |= norm_shapes(f"block{k}.norm2", d)
        shapes |= affine_shapes(f"block{k}.expand", d, WIDER * d) | affine_shapes(f"block{k}.contract", WIDER * d, d)
    return shapes | norm_shapes("norm", d)


def norm(p: Parameters, name: str, x: Array) -> Array:
    return ops.layer_norm(x, p[f"{name}.gain"], p[f"{name}.bias"])


def block(p: Parameters, name: str, x: Array, heads: int, tokens: int, causal: bool) -> Array:
    """Tokens attend to each other; then two affine layers change each token alone.   (..., m·t, d)  ->  (..., m·t, d).

    The norms come before these layers and not after them (Radford et al. 2019, section 2.3), so that x passes unchanged.
    """
    h = norm(p, f"{name}.norm1", x)
    q, k, v = (affine(p, f"{name}.{part}", h) for part in ("query", "key", "value"))
    x = x + affine(p, f"{name}.project", ops.attention(q, k, v, heads, tokens, causal))
    h = affine(p, f"{name}.expand", norm(p, f"{name}.norm2", x))
    return x + affine(p, f"{name}.contract", ops.gelu(h))


def rows(x: Array) -> Array:
    """The tokens of all examples, one below the other.   (..., m, t, d)  ->  (..., m·t, d)."""
    *lead, m, t, d = x.shape
    return anp.reshape(x, (*lead, m * t, d))


def examples(x: Array, tokens: int) -> Array:
    """The inverse of `rows`.   (..., m·t, d)  ->  (..., m, t, d)."""
    *lead, n, d = x.shape
    return anp.reshape(x, (*lead, n // tokens, tokens, d))


def deviation(shape: Shape) -> float:
    """σ of the initial weights of a transformer, whatever their shape."""
    return 0.02
