"""What a transformer needs: attention, layer norm, embedding.

Tokens lie as rows, (..., m·t, d): an example's t tokens under each other, example under example, so that every affine layer is
one product of matrices. Only attention tells examples and heads apart.

Truths: tests/test_attention.py (first and second derivatives, plain oracles, masks that leak nothing, invariances).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import autograd.numpy as anp
from autograd.core import VJPNode
from autograd.extend import defvjp, primitive
from autograd.tracer import register_notrace

from ..array_backend import name, xp
from ..types import Array
from ..vectors import dot
from .fused import Calls, straight
from .layers import matmul
from .losses import check_range, softmax
from .shapes import T, back_to, sum_last, sum_rows

# --- attention -------------------------------------------------------------------------------------------------------


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
    t, e = anp.shape(q)[-2:]
    scores = matmul(q * (1 / math.sqrt(e)), T(k))  # (..., t, t)
    if causal:
        scores = scores + no_look_ahead(t, scores.dtype, name())
    return matmul(softmax(scores), v)


@functools.lru_cache(maxsize=32)
def no_look_ahead(t: int, dtype: Any, backend: str) -> Array:
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
    """The opposite.   (..., m, h, t, e)  ->  (..., m·t, h·e)."""
    *lead, m, h, t, e = x.shape
    out = xp().empty((*lead, m * t, h * e), dtype=x.dtype) if out is None else out
    out.reshape(*lead, m, t, h, e)[...] = x.swapaxes(-3, -2)
    return out


defvjp(split_heads, lambda y, x, heads, tokens: lambda g: merge_heads(g))
defvjp(merge_heads, lambda y, x: lambda g: split_heads(g, *anp.shape(x)[-3:-1]))

# --- the class token -------------------------------------------------------------------------------------------------


@primitive
def first_tokens(x: Array, tokens: int) -> Array:
    """Each example's first token.   (..., m·t, d)  ->  (..., m, d), a view."""
    return x[..., ::tokens, :]


@primitive
def only_first_tokens(x: Array, tokens: int, out: Array = None) -> Array:
    """The opposite, with zeros for all other tokens.   (..., m, d)  ->  (..., m·t, d)."""
    *lead, m, d = x.shape
    out = xp().empty((*lead, m * tokens, d), dtype=x.dtype) if out is None else out
    out.fill(0)
    out[..., ::tokens, :] = x
    return out


defvjp(first_tokens, lambda y, x, tokens: lambda g: only_first_tokens(g, tokens))
defvjp(only_first_tokens, lambda y, x, tokens: lambda g: first_tokens(g, tokens))

# --- layer norm ------------------------------------------------------------------------------------------------------

SMALLEST_VARIANCE = 1e-5  # added to the variance: constant rows become 0, not 0/0


def layer_norm(x: Array, gain: Array, bias: Array) -> Array:
    """y = x̂ · gain + bias with x̂ = (x − μ)/σ, mean and deviation over each row.   Ba et al. 2016, arXiv:1607.06450, eq. 4.

    x (..., m, d), gain and bias (..., d)  ->  (..., m, d).
    """
    return scale_and_shift(standardised(x, standardise(x)), gain, bias)


@primitive
def standardise(x: Array, out: Array = None) -> Array:
    """x̂ = (x − μ)/σ of all rows and then 1/σ of all rows.   (..., m, d)  ->  (..., m·d + m)."""
    *lead, m, d = x.shape
    out = xp().empty((*lead, m * d + m), dtype=x.dtype) if out is None else out
    x_hat, inverse = standardised.fun(x, out), inverse_deviation.fun(x, out)
    xp().subtract(x, sum_last(x) / d, out=x_hat)
    inverse[...] = 1 / xp().sqrt(dot(x_hat, x_hat) / d + SMALLEST_VARIANCE)
    x_hat *= inverse
    return out


register_notrace(VJPNode, standardise)


@primitive
def standardised(x: Array, both: Array) -> Array:
    """x̂, as a function of x."""
    return both[..., : -x.shape[-2]].reshape(x.shape)


@primitive
def inverse_deviation(x: Array, both: Array) -> Array:
    """1/σ, as a function of x.   (..., m, 1)."""
    return both[..., -x.shape[-2] :, None]


@primitive
@straight
def scale_and_shift(x: Array, gain: Array, bias: Array) -> Calls:
    """y = x · gain + bias, column by column.   x (..., m, d), gain and bias (..., d)  ->  (..., m, d)."""
    y = yield xp().multiply, x, gain[..., None, :]
    yield xp().add, y, bias[..., None, :]


def standardised_vjp(g: Array, x_hat: Array, inverse: Array) -> Array:
    """x̄ = (ȳ − mean ȳ − x̂ mean(ȳ x̂)) / σ: what neither shifts nor scales the row."""
    d = anp.shape(g)[-1]
    return (g - sum_last(g) / d - x_hat * (sum_last(g * x_hat) / d)) * inverse


defvjp(standardised, lambda y, x, both: lambda g: standardised_vjp(g, y, inverse_deviation(x, both)), argnums=(0,))
defvjp(
    inverse_deviation,
    lambda y, x, both: lambda g: standardised(x, both) * (g * y * y / -anp.shape(x)[-1]),  # −x̂ /(d σ²)
    argnums=(0,),
)
defvjp(
    scale_and_shift,
    lambda y, x, gain, bias: lambda g: back_to(x, g * anp.expand_dims(gain, -2)),
    lambda y, x, gain, bias: lambda g: back_to(gain, sum_rows(g * x)),
    lambda y, x, gain, bias: lambda g: back_to(bias, sum_rows(g)),
)

# --- embedding -------------------------------------------------------------------------------------------------------


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
    """Row `token` gathers the gradients of all its places: a product, about as large as that of a head with v outputs."""
    return back_to(table, matmul(T(one_hot(tokens, anp.shape(table)[-2], g.dtype)), g))


defvjp(embedding, lambda y, table, tokens: lambda g: embedding_vjp(g, table, tokens), argnums=(0,))
