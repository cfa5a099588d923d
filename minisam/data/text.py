"""English text that comes with every CPython, as characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..checks import Interval, check_counts, check_number, shown
from ..kinds import host
from .sets import Data


@dataclass(frozen=True)
class TextData(Data):
    """Windows of text: x int64 (m, context) holds numbers of characters, y int64 (m, context) the character after each.

    Character k of `vocabulary` has the number k.
    """

    vocabulary: str = ""

    def encode(self, text: str) -> numpy.ndarray:
        """Return the numbers of the characters, int64 (len(text),). A ValueError names one that is not in the vocabulary."""
        return numbers(text, self.vocabulary)

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of these numbers: the inverse of `encode`."""
        rows, most = host("iu", axes=1)("tokens", tokens), len(self.vocabulary)
        if rows.ndim != 1 or rows.min() < 0 or rows.max() >= most:
            raise ValueError(f"tokens must be a row of numbers in 0 … {most - 1}, got {shown(tokens)}")
        return "".join(self.vocabulary[k] for k in rows)


def numbers(text: str, vocabulary: str) -> numpy.ndarray:
    """The place of each character in the vocabulary, int64 (len(text),)."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, got {shown(text)}")
    place = {character: k for k, character in enumerate(vocabulary)}
    unknown = set(text) - set(vocabulary)
    if unknown:
        raise ValueError(f"text must be made of the vocabulary's characters, got {min(unknown)!r}")
    return numpy.array([place[character] for character in text], dtype="int64")


def text(context: int = 64, validation: float = 0.05, test: float = 0.05) -> TextData:
    """The help texts of Python's language reference, about 700 KB, cut into windows that do not overlap.

    Parameters
    ----------
    context : int
        The number of characters in a window, ≥ 1.
    validation, test : float
        Shares of the windows, each > 0, together below 1. These parts are the end of the text, so training does not see them.

    Returns
    -------
    TextData
        x, y int64 (m, context): y is x moved on by one character. The text, and its vocabulary of about 100 characters, may
        grow from one version of Python to the next.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Source: `pydoc_data.topics` of the Python that runs; Python Software Foundation licence.  Truths: tests/test_data_text.py.
    """
    from pydoc_data.topics import topics

    check_counts(context=context)
    for name, part in {"validation": validation, "test": test}.items():
        check_number(name, part, Interval(0, 1, low_belongs=False, high_belongs=False), swept=False)
    if validation + test >= 1:
        raise ValueError(f"validation and test must be > 0 and together below 1, got {validation} and {test}")
    whole = "\n\n".join(topics[name] for name in sorted(topics))
    vocabulary = "".join(sorted(set(whole)))
    tokens = numbers(whole, vocabulary)
    m = (len(tokens) - 1) // context
    if m < 3:
        raise ValueError(f"context must be in 1 … {(len(tokens) - 1) // 3}, got {context}")
    x, y = tokens[: m * context].reshape(m, context), tokens[1 : m * context + 1].reshape(m, context)
    b = m - max(1, round(test * m))
    a = b - max(1, round(validation * m))
    return TextData("Python's help", x[:a], y[:a], x[a:b], y[a:b], x[b:], y[b:], vocabulary=vocabulary)
