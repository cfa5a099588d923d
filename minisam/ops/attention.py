"""Attention.

Tokens lie as rows, (..., m·t, d): an example's t tokens under each other, example under example, so that every affine layer is
one product of matrices. Only attention tells examples and heads apart.

Truths: tests/test_attention.py (first and second derivatives, plain oracles, masks that leak nothing).
"""

from __future__ import annotations

import math
from typing import Any

from autograd.extend import defvjp, primitive

from ..array_backend import xp
from ..constants import made_once
from ..types import Array
from .layers import matmul
from .losses import softmax
from .shapes import T


def attention(q: Array, k: Array, v: Array, heads: int, tokens: int, causal: bool = False) -> Array:
    """Each token looks at all tokens of its example, once in each head.   q, k, v (..., m·t, d)  ->  (..., m·t, d).

    A head has d/heads of the columns to itself. With `causal`, token i sees tokens 0 … i only. Vaswani et al. 2017,
    arXiv:1706.03762, section 3.2.
    """
    q, k, v = (split_heads(a, heads, tokens) for a in (q, k, v))
    return merge_heads(weighted_values(q, k, v, causal))


def weighted_values(q: Array, k: Array, v: Array, causal: bool) -> Array:
    """softmax(q kᵀ/√e) v: for each query the mean of the values, weighted by how well their keys fit (eq. 1).

    q, k, v (..., t, e)  ->  (..., t, e).
    """
    t, e = q.shape[-2:]
    scores = matmul(q * (1 / math.sqrt(e)), T(k))  # (..., t, t)
    if causal:
        scores = scores + no_look_ahead(t, scores.dtype)
    return matmul(softmax(scores), v)


@made_once
def no_look_ahead(t: int, dtype: Any) -> Array:
    """0 for keys up to the query, −∞ after it, of which softmax makes an exact 0.   (t, t)."""
    return xp().triu(xp().full((t, t), -math.inf, dtype=dtype), 1)


@primitive
def split_heads(x: Array, heads: int, tokens: int, out: Array = None) -> Array:
    """Rows to heads, each in one piece, for BLAS.   (..., m·t, h·e)  ->  (..., m, h, t, e)."""
    *lead, rows, d = x.shape
    m, e = rows // tokens, d // heads
    out = xp().empty((*lead, m, heads, tokens, e), dtype=x.dtype) if out is None else out
    out[...] = x.reshape(*lead, m, tokens, heads, e).swapaxes(-3, -2)
    return out


@primitive
def merge_heads(x: Array, out: Array = None) -> Array:
    """The inverse of `split_heads`.   (..., m, h, t, e)  ->  (..., m·t, h·e)."""
    *lead, m, h, t, e = x.shape
    out = xp().empty((*lead, m * t, h * e), dtype=x.dtype) if out is None else out
    out.reshape(*lead, m, t, h, e)[...] = x.swapaxes(-3, -2)
    return out


defvjp(split_heads, lambda y, x, heads, tokens: lambda g: merge_heads(g))
defvjp(merge_heads, lambda y, x: lambda g: split_heads(g, *x.shape[-3:-1]))

# --- the class token -------------------------------------------------------------------------------------------------


@primitive
def first_tokens(x: Array, tokens: int) -> Array:
    """Each example's first token.   (..., m·t, d)  ->  (..., m, d), a view."""
    return x[..., ::tokens, :]


@primitive
def only_first_tokens(x: Array, tokens: int, out: Array = None) -> Array:
    """The adjoint of `first_tokens`: zeros for all other tokens.   (..., m, d)  ->  (..., m·t, d)."""
    *lead, m, d = x.shape
    out = xp().empty((*lead, m * tokens, d), dtype=x.dtype) if out is None else out
    out.fill(0)
    out[..., ::tokens, :] = x
    return out


defvjp(first_tokens, lambda y, x, tokens: lambda g: only_first_tokens(g, tokens))
defvjp(only_first_tokens, lambda y, x, tokens: lambda g: first_tokens(g, tokens))
