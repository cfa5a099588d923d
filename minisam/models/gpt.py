"""The generative transformer."""

from __future__ import annotations

import math

import autograd.numpy as anp
import numpy

from .. import ops
from ..array_backend import asarray, asnumpy
from ..checks import check_counts
from ..types import Array
from .model import Model, Parameters
from .transformer import block, block_shapes, check_widths, draw_normal, examples, norm, norm_shapes, rows


def gpt(
    vocabulary: int, context: int = 64, width: int = 64, depth: int = 2, heads: int = 4, tied: bool = True
) -> Model:
    """A transformer that predicts the next token from those before it.

    Its apply(w, x) takes tokens x (m, t) or (..., m, t), whole numbers below `vocabulary` with t ≤ `context`, and returns
    logits (..., m·t, vocabulary): row m·t + i scores what follows tokens 0 … i of an example. Labels are (m, t) or (..., m, t).

    Parameters
    ----------
    vocabulary, context : int
        How many tokens there are, and how many it looks back on.
    width, depth, heads : int
        Size d of a token's vector, number of blocks, heads of attention in each; heads has to divide width.
    tied : bool
        Whether the head scores tokens by the very table that embeds them (Press & Wolf 2017, arXiv:1608.05859).

    Raises
    ------
    ValueError
        If a number is below 1, or heads does not divide width.

    Source: Radford et al. 2019, Language models are unsupervised multitask learners, section 2.3; initial weights as in their
    code, N(0, 0.02²), 0.01 for positions, and layers that add to x over √(2·depth).  Truths: tests/test_gpt.py.
    """
    check_counts(vocabulary=vocabulary, context=context)
    check_widths(width, depth, heads)
    shapes: dict[str, tuple[int, ...]] = {"tokens": (vocabulary, width), "positions": (context, width)}
    for k in range(depth):
        shapes |= block_shapes(f"block{k}", width)
    shapes |= norm_shapes("norm", width)
    if not tied:
        shapes |= {"head.W": (width, vocabulary)}

    def forward(p: Parameters, x: Array) -> Array:
        if x.dtype.kind not in "iu":
            raise TypeError(f"x must hold tokens, whole numbers, got dtype {x.dtype}")
        if x.ndim < 2 or not 1 <= x.shape[-1] <= context:
            raise ValueError(f"x must have shape (..., m, t) with t in 1 … {context}, got {x.shape}")
        *lead, m, t = anp.shape(x)
        x = examples(ops.embedding(p["tokens"], anp.reshape(x, (*lead, m * t))), t)
        positions = ops.embedding(p["positions"], asarray(numpy.arange(t)))
        x = rows(x + anp.expand_dims(positions, -3))
        for k in range(depth):
            x = block(p, f"block{k}", x, heads, t, causal=True)
        return ops.matmul(norm(p, "norm", x), ops.T(p["tokens"]) if tied else p["head.W"])

    def draw(rng: numpy.random.Generator) -> dict[str, numpy.ndarray]:
        drawn = draw_normal(rng, shapes)
        for name in drawn:
            if name.endswith(("project.W", "contract.W")):
                drawn[name] /= math.sqrt(2 * depth)
        drawn["positions"] /= 2
        return drawn

    spec = {
        "model": "gpt",
        "vocabulary": vocabulary,
        "context": context,
        "width": width,
        "depth": depth,
        "heads": heads,
        "tied": tied,
    }
    return Model(spec, shapes, forward, draw, tokens=True)


def generate(model: Model, w: Array, prompt: Array, n: int, seed: int = 0, temperature: float = 1.0) -> numpy.ndarray:
    """The prompt and n tokens drawn after it, one by one.

    Parameters
    ----------
    model : Model
        A `gpt`.
    w : float array (..., n)
        Its weights; each replica writes its own text, from the same random numbers.
    prompt : integer array (t,)
        What is to be continued, t ≥ 1. At any time the last `context` tokens count.
    n : int
        How many tokens to draw.
    seed : int
        Of the draws.
    temperature : float
        Tokens are drawn from softmax(logits / temperature); 0 takes the likeliest.

    Returns
    -------
    integer NumPy array (..., t + n)

    Raises
    ------
    ValueError
        If the prompt is no row of tokens, or the temperature is negative.

    Truths: tests/test_gpt.py.
    """
    tokens = asnumpy(prompt)
    if tokens.ndim != 1 or tokens.size == 0 or tokens.dtype.kind not in "iu":
        raise ValueError(f"prompt must be a row of tokens, (t,) with t ≥ 1, got {tokens.dtype} {tokens.shape}")
    if not temperature >= 0:
        raise ValueError(f"temperature must be ≥ 0, got {temperature}")
    rng = numpy.random.default_rng(seed)
    tokens = numpy.broadcast_to(tokens, (*w.shape[:-1], len(tokens)))
    for _ in range(n):
        seen = asarray(tokens[..., None, -model.spec["context"] :])
        logits = asnumpy(model.apply(w, seen))[..., -1, :]
        # the largest of logits + Gumbel noise is a draw from their softmax (Gumbel 1954)
        drawn = numpy.argmax(logits + temperature * rng.gumbel(size=logits.shape[-1]), axis=-1)
        tokens = numpy.concatenate([tokens, drawn[..., None]], axis=-1)
    return tokens
