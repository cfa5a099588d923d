"""English text that every CPython carries, as characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..checks import check_counts
from .sets import Data


@dataclass(frozen=True)
class TextData(Data):
    """Windows of text: x int64 (m, context) characters by number, y the characters that follow each."""

    vocabulary: str = ""

    def encode(self, text: str) -> numpy.ndarray:
        """Characters as numbers, int64 (len(text),); a ValueError names one that is not in the vocabulary."""
        number = {character: k for k, character in enumerate(self.vocabulary)}
        unknown = set(text) - set(self.vocabulary)
        if unknown:
            raise ValueError(f"text must be made of the vocabulary's characters, got {min(unknown)!r}")
        return numpy.array([number[character] for character in text], dtype="int64")

    def decode(self, tokens: Sequence[int]) -> str:
        """The opposite of `encode`."""
        return "".join(self.vocabulary[int(k)] for k in tokens)


def text(context: int = 64, validation: float = 0.05, test: float = 0.05) -> TextData:
    """The help texts of Python's language reference, about 700 KB, cut into windows that do not overlap.

    Parameters
    ----------
    context : int
        Characters in a window.
    validation, test : float
        Shares of the windows, in (0, 1); the last ones of the text, so that nothing of them has been read before.

    Returns
    -------
    TextData
        x, y int64 (m, context): y is x moved on by one character. The text grows from one version of Python to the next, and
        its vocabulary (about 100 characters) may.

    Source: `pydoc_data.topics` of the Python that runs; Python Software Foundation licence.  Truths: tests/test_data_text.py.
    """
    from pydoc_data.topics import topics

    check_counts(context=context)
    if not (validation > 0 and test > 0 and validation + test < 1):
        raise ValueError(f"validation and test must be > 0 and together below 1, got {validation} and {test}")
    whole = "\n\n".join(topics[name] for name in sorted(topics))
    vocabulary = "".join(sorted(set(whole)))
    number = {character: k for k, character in enumerate(vocabulary)}
    tokens = numpy.array([number[character] for character in whole], dtype="int64")
    m = (len(tokens) - 1) // context
    if m < 3:
        raise ValueError(f"context must be in 1 … {(len(tokens) - 1) // 3}, got {context}")
    x, y = tokens[: m * context].reshape(m, context), tokens[1 : m * context + 1].reshape(m, context)
    b = m - max(1, round(test * m))
    a = b - max(1, round(validation * m))
    return TextData("Python's help", x[:a], y[:a], x[a:b], y[a:b], x[b:], y[b:], vocabulary=vocabulary)
