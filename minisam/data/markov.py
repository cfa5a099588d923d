"""Texts drawn at random from a source whose entropy is known: what no network can get below.

Truths: tests/test_data_markov.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from ..checks import check_counts, check_seed
from .sets import Data


@dataclass(frozen=True)
class MarkovData(Data):
    """Windows of a text: x float32 (m, context · states), each token a row of one 1; y int64 (m,) the token that follows."""

    probabilities: numpy.ndarray = None  # type: ignore[assignment]  # (states², states)
    floor: float = 0.0


def markov(
    seed: int = 0,
    states: int = 8,
    context: int = 3,
    concentration: float = 0.5,
    train: int = 2000,
    validation: int = 2000,
    test: int = 4000,
) -> MarkovData:
    """A text in which each token depends on the two before it.

        P(next = k | a, b) = probabilities[a · states + b, k],    each row drawn from Dirichlet(concentration)

    Parameters
    ----------
    seed : int
        Of the source and of the text. Fewer training examples are the first ones of more.
    states, context : int
        Tokens, and how many of them x shows: at least 2, which is all that matters.
    concentration : float
        > 0; the smaller, the more predictable.
    train, validation, test : int
        Windows in each part, one a token of the text; the parts come from texts of their own.

    Returns
    -------
    MarkovData
        `floor` is the mean entropy of the next token over the test part [nats]: the test loss of who knows the source.

    Shannon 1948, "A mathematical theory of communication", sections 2 and 7.
    """
    check_seed(seed)
    check_counts(states=states, context=context, train=train, validation=validation, test=test)
    if context < 2:
        raise ValueError(f"context must be ≥ 2, got {context}")
    if not concentration > 0:
        raise ValueError(f"concentration must be > 0, got {concentration}")
    rng = numpy.random.default_rng(seed)
    p = rng.dirichlet(numpy.full(states, concentration), size=states * states)
    parts = [
        windows(p, n, context, numpy.random.default_rng((seed, k))) for k, n in enumerate((train, validation, test))
    ]
    (x, y), (x_validation, y_validation), (x_test, y_test) = ((one_hot(a, states), b) for a, b in parts)
    tokens = parts[2][0]
    floor = float(entropy(p)[tokens[:, -2] * states + tokens[:, -1]].mean())
    return MarkovData("Markov text", x, y, x_validation, y_validation, x_test, y_test, probabilities=p, floor=floor)


def windows(p: numpy.ndarray, n: int, context: int, rng: numpy.random.Generator) -> tuple[numpy.ndarray, numpy.ndarray]:
    """n windows of a text drawn from p (states², states), int64 (n, context), and the tokens that follow, (n,)."""
    states, total = p.shape[1], p.cumsum(axis=1)
    tokens = list(rng.integers(states, size=2))
    for drawn in rng.random(n + context - 2):
        row = total[tokens[-2] * states + tokens[-1]]
        tokens.append(min(int(numpy.searchsorted(row, drawn, side="right")), states - 1))
    cut = numpy.lib.stride_tricks.sliding_window_view(numpy.array(tokens, dtype="int64"), context + 1)
    return cut[:, :-1], cut[:, -1].copy()


def one_hot(tokens: numpy.ndarray, states: int) -> numpy.ndarray:
    """(m, context) -> float32 (m, context · states)."""
    return numpy.eye(states, dtype="float32")[tokens].reshape(len(tokens), -1)


def entropy(p: numpy.ndarray) -> numpy.ndarray:
    """−Σ p log p over the last axis [nats], with 0 log 0 = 0."""
    return -numpy.sum(p * numpy.log(numpy.where(p > 0, p, 1)), axis=-1)
