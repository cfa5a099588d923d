"""Texts drawn at random from a source with known probabilities, so the lowest possible loss, its entropy, is known too.

Truths: tests/test_data_markov.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from ..checks import ABOVE_0, check_count, check_counts, check_number, check_one_seed
from ..draws import stream
from .sets import Data


@dataclass(frozen=True)
class MarkovData(Data):
    """Windows of a text: x float32 (m, context · states), y int64 (m,).

    x holds each token of a window as a one-hot row; y is the token that follows the window.
    """

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
        Seed of the source and of its three texts, ≥ 0. With the same seed, a smaller part is the beginning of a larger one.
    states, context : int
        The number of different tokens, ≥ 1, and the number of tokens in a window, ≥ 2. Only the last two tokens of a window
        tell anything about the next one.
    concentration : float
        > 0. With a smaller one the text is more predictable.
    train, validation, test : int
        The number of windows in each part, ≥ 1. The next window begins one token later. Each part is cut from its own text.

    Returns
    -------
    MarkovData
        `probabilities` (states², states) is the source. `floor` is the mean entropy of the next token over the test part
        [nats]: the expected test loss of a model that knows the source.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Shannon 1948, "A mathematical theory of communication", sections 2 and 7.
    """
    check_one_seed(seed)
    check_counts(states=states, train=train, validation=validation, test=test)
    check_count("context", context, least=2)
    check_number("concentration", concentration, ABOVE_0, swept=False)
    p = stream("Markov source", seed).dirichlet(numpy.full(states, concentration), size=states * states)
    lengths = {"training": train, "validation": validation, "test": test}
    parts = [windows(p, n, context, stream(f"Markov text: {part}", seed)) for part, n in lengths.items()]
    (x, y), (x_validation, y_validation), (x_test, y_test) = ((one_hot(a, states), b) for a, b in parts)
    tokens = parts[2][0]
    floor = float(entropy(p)[tokens[:, -2] * states + tokens[:, -1]].mean())
    return MarkovData("Markov text", x, y, x_validation, y_validation, x_test, y_test, probabilities=p, floor=floor)


def windows(p: numpy.ndarray, n: int, context: int, rng: numpy.random.Generator) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Draw a text from p (states², states); return its n windows, int64 (n, context), and the tokens that follow them, (n,)."""
    states, total = p.shape[1], p.cumsum(axis=1)
    tokens = list(rng.integers(states, size=2))
    for drawn in rng.random(n + context - 2):
        row = total[tokens[-2] * states + tokens[-1]]
        tokens.append(min(int(numpy.searchsorted(row, drawn, side="right")), states - 1))
    cut = numpy.lib.stride_tricks.sliding_window_view(numpy.array(tokens, dtype="int64"), context + 1)
    return cut[:, :-1], cut[:, -1].copy()


def one_hot(tokens: numpy.ndarray, states: int) -> numpy.ndarray:
    """Tokens (m, context) -> one-hot rows float32 (m, context · states)."""
    return numpy.eye(states, dtype="float32")[tokens].reshape(len(tokens), -1)


def entropy(p: numpy.ndarray) -> numpy.ndarray:
    """−Σ p log p over the last axis [nats], with 0 log 0 = 0."""
    return -numpy.sum(p * numpy.log(numpy.where(p > 0, p, 1)), axis=-1)
