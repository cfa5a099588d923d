"""A table with one row per token, and its derivative.

Truths: tests/test_embedding.py (derivatives, a plain oracle, replicas, tokens out of range).
"""

from __future__ import annotations

import math
from typing import Any

from autograd.extend import defvjp, primitive

from ..array_backend import xp
from ..types import Array
from .layers import matmul
from .losses import check_range
from .shapes import T, back_to


@primitive
def embedding(table: Array, tokens: Array) -> Array:
    """Row `token` of the table for each token.   table (..., v, d), integers (n,) or (..., n)  ->  (..., n, d)."""
    *lead, v, d = table.shape
    check_range(tokens, v, called="tokens")
    first_rows = xp().arange(math.prod(lead)).reshape(*lead, 1) * v
    return table.reshape(-1, d)[tokens + first_rows]


@primitive
def one_hot(tokens: Array, v: int, dtype: Any, out: Array = None) -> Array:
    """1 at the token, else 0.   (..., n)  ->  (..., n, v)."""
    out = xp().empty((*tokens.shape, v), dtype=dtype) if out is None else out
    out.fill(0)
    out.reshape(-1)[xp().arange(tokens.size) * v + tokens.reshape(-1)] = 1
    return out


def embedding_vjp(g: Array, table: Array, tokens: Array) -> Array:
    """Row `token` sums the gradients of all places of this token: a product as large as that of a head with v outputs."""
    return back_to(table, matmul(T(one_hot(tokens, table.shape[-2], g.dtype)), g))


defvjp(embedding, lambda y, table, tokens: lambda g: embedding_vjp(g, table, tokens), argnums=(0,))
