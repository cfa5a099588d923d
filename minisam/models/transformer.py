"""The block that vit and gpt are made of.

x ── norm1 ── heads of attention ── project ──+── norm2 ── expand ── gelu ── contract ──+──
  └───────────────────────────────────────────┘└─────────────────────────────────────────┘
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy

from .. import ops
from ..checks import check_counts
from ..types import Array
from .model import Parameters

WIDER = 4  # the hidden layer of a block has so many times its width


def affine_shapes(name: str, i: int, o: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.W": (i, o), f"{name}.b": (o,)}


def norm_shapes(name: str, d: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.gain": (d,), f"{name}.bias": (d,)}


def block_shapes(name: str, d: int) -> dict[str, tuple[int, ...]]:
    """The parameters of a block of width d."""
    return {
        **norm_shapes(f"{name}.norm1", d),
        **affine_shapes(f"{name}.query", d, d),
        **affine_shapes(f"{name}.key", d, d),
        **affine_shapes(f"{name}.value", d, d),
        **affine_shapes(f"{name}.project", d, d),
        **norm_shapes(f"{name}.norm2", d),
        **affine_shapes(f"{name}.expand", d, WIDER * d),
        **affine_shapes(f"{name}.contract", WIDER * d, d),
    }


def affine(p: Parameters, name: str, x: Array) -> Array:
    return ops.affine(x, p[f"{name}.W"], p[f"{name}.b"])


def norm(p: Parameters, name: str, x: Array) -> Array:
    return ops.layer_norm(x, p[f"{name}.gain"], p[f"{name}.bias"])


def block(p: Parameters, name: str, x: Array, heads: int, tokens: int, causal: bool) -> Array:
    """Tokens look at each other, then each thinks for itself.   (..., m·t, d)  ->  (..., m·t, d).

    Normed before and not after (Radford et al. 2019, section 2.3), so that x passes through unchanged.
    """
    h = norm(p, f"{name}.norm1", x)
    q, k, v = (affine(p, f"{name}.{part}", h) for part in ("query", "key", "value"))
    x = x + affine(p, f"{name}.project", ops.attention(q, k, v, heads, tokens, causal))
    h = affine(p, f"{name}.expand", norm(p, f"{name}.norm2", x))
    return x + affine(p, f"{name}.contract", ops.gelu(h))


def rows(x: Array) -> Array:
    """Examples under each other.   (..., m, t, d)  ->  (..., m·t, d)."""
    *lead, m, t, d = anp.shape(x)
    return anp.reshape(x, (*lead, m * t, d))


def examples(x: Array, tokens: int) -> Array:
    """The opposite.   (..., m·t, d)  ->  (..., m, t, d)."""
    *lead, n, d = anp.shape(x)
    return anp.reshape(x, (*lead, n // tokens, tokens, d))


def check_widths(width: int, depth: int, heads: int) -> None:
    """Raise the error that says what is wrong with the sizes of a transformer, if anything is."""
    check_counts(width=width, depth=depth, heads=heads)
    if width % heads:
        raise ValueError(f"width must be a multiple of heads, got width {width} and {heads} heads")


def draw_normal(rng: numpy.random.Generator, shapes: dict[str, tuple[int, ...]]) -> dict[str, numpy.ndarray]:
    """Gains 1, biases 0, all else from N(0, 0.02²)."""
    drawn = {}
    for name, shape in shapes.items():
        if name.endswith((".b", ".bias")):
            drawn[name] = numpy.zeros(shape)
        else:
            drawn[name] = numpy.ones(shape) if name.endswith(".gain") else 0.02 * rng.standard_normal(shape)
    return drawn
