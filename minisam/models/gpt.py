"""The generative transformer."""

from __future__ import annotations

import math

import autograd.numpy as anp
import numpy

from ..arguments import checked, count, number, one_seed, truth
from ..array_backend import asarray, asnumpy
from ..checks import AT_LEAST_0, as_numbers, check_counts, shown
from ..draws import stream
from ..kinds import floats
from ..ops import primitives as ops
from ..types import Array
from . import transformer as parts
from .layers import draw_normal
from .model import Model, Parameters, Shapes


def gpt(
    vocabulary: int, context: int = 64, width: int = 64, depth: int = 2, heads: int = 4, tied: bool = True
) -> Model:
    """A transformer that predicts the next token from the tokens before it.

    Its apply(w, x) takes tokens x (m, t) or (..., m, t), whole numbers below `vocabulary` with t ≤ `context`, and returns
    logits (..., m·t, vocabulary): row t·k + i scores the token that follows tokens 0 … i of text k. Labels are (m, t) or
    (..., m, t).

    Parameters
    ----------
    vocabulary : int
        Number of different tokens.
    context : int
        Number of tokens, at most, that the model sees.
    width, depth, heads : int
        Size d of a token's vector, number of blocks, and heads of attention in each block. heads has to divide width.
    tied : bool
        Whether the head scores tokens with the same table that embeds them (Press & Wolf 2017, arXiv:1608.05859).

    Raises
    ------
    ValueError
        If a number is below 1, or heads does not divide width.

    Source: Radford et al. 2019, Language models are unsupervised multitask learners, section 2.3. Initial weights are as in
    their code: N(0, 0.02²), but σ = 0.01 for positions, and σ = 0.02/√(2·depth) for the layers that add to x.
    Truths: tests/test_gpt.py.
    """
    check_counts(vocabulary=vocabulary, context=context)
    truth("tied", tied)
    parts.check_widths(width, depth, heads)
    shapes: Shapes = {"tokens": (vocabulary, width), "positions": (context, width), **parts.blocks_shapes(depth, width)}
    if not tied:
        shapes["head.W"] = (width, vocabulary)

    def forward(p: Parameters, x: Array) -> Array:
        check_tokens(x, context)
        *lead, m, t = x.shape
        x = parts.examples(ops.embedding(p["tokens"], anp.reshape(x, (*lead, m * t))), t)
        positions = ops.embedding(p["positions"], asarray(numpy.arange(t)))
        x = parts.rows(x + anp.expand_dims(positions, -3))
        for k in range(depth):
            x = parts.block(p, f"block{k}", x, heads, t, causal=True)
        return ops.matmul(parts.norm(p, "norm", x), ops.T(p["tokens"]) if tied else p["head.W"])

    def draw(rng: numpy.random.Generator) -> dict[str, numpy.ndarray]:
        drawn = draw_normal(rng, shapes, parts.deviation)
        for name in drawn:
            if name.endswith(("project.W", "contract.W")):
                drawn[name] /= math.sqrt(2 * depth)
        drawn["positions"] /= 2
        return drawn

    spec = dict(model="gpt", vocabulary=vocabulary, context=context, width=width, depth=depth, heads=heads, tied=tied)
    return Model(spec, shapes, forward, draw, tokens=True)


def row_of_tokens(name: str, value: Array) -> numpy.ndarray:
    """Tokens (t,) with t ≥ 1, on the host."""
    tokens = as_numbers(value)
    if tokens is None or tokens.dtype.kind not in "iu" or tokens.ndim != 1 or not tokens.size:
        got = shown(value) if tokens is None else f"{tokens.dtype} {tokens.shape}"
        raise ValueError(f"{name} must be a row of tokens, (t,) with t ≥ 1, got {got}")
    return asnumpy(tokens)


def check_tokens(x: Array, context: int) -> None:
    """Raise a TypeError unless x holds whole numbers, and a ValueError unless its shape is (..., m, t) with 1 ≤ t ≤ context."""
    if x.dtype.kind not in "iu":
        raise TypeError(f"x must hold tokens, whole numbers, got dtype {x.dtype}")
    if x.ndim < 2 or not 1 <= x.shape[-1] <= context:
        raise ValueError(f"x must have shape (..., m, t) with t in 1 … {context}, got {x.shape}")


@checked(w=floats(), n=count(0), seed=one_seed, temperature=number(AT_LEAST_0))
def generate(model: Model, w: Array, prompt: Array, n: int, seed: int = 0, temperature: float = 1.0) -> numpy.ndarray:
    """The prompt and n more tokens, each drawn from what the model predicts after all before it.

    Parameters
    ----------
    model : Model
        A `gpt`.
    w : float array (..., n)
        Its weights. Each replica writes its own text, and all use the same random numbers.
    prompt : integer array (t,)
        The tokens to continue, t ≥ 1. The model sees the last `context` tokens of the text.
    n : int
        Number of tokens to draw.
    seed : int
        Seed of the draws, ≥ 0.
    temperature : float
        Tokens are drawn from softmax(logits / temperature), temperature ≥ 0. At 0 the likeliest token is taken.

    Returns
    -------
    integer NumPy array (..., t + n)
        Prompt and drawn tokens.

    Raises
    ------
    ValueError
        If the prompt is not a row of at least one token, or the temperature is negative.

    Truths: tests/test_gpt.py.
    """
    if not isinstance(model, Model) or not model.tokens:
        raise TypeError(f"model must be a gpt, got {shown(model)}")
    tokens = row_of_tokens("prompt", prompt)
    rng = stream("text", seed)
    tokens = numpy.broadcast_to(tokens, (*w.shape[:-1], len(tokens)))
    for _ in range(n):
        seen = asarray(tokens[..., None, -model.spec["context"] :])
        logits = asnumpy(model.apply(w, seen))[..., -1, :]
        # the largest of logits + Gumbel noise is a draw from their softmax (Gumbel 1954)
        drawn = numpy.argmax(logits + temperature * rng.gumbel(size=logits.shape[-1]), axis=-1)
        tokens = numpy.concatenate([tokens, drawn[..., None]], axis=-1)
    return tokens
