"""Data sets, split into training, validation and test; and the order in which minibatches are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy


@dataclass(frozen=True)
class Data:
    """Examples in three parts: to train on, to choose by, to report. NumPy arrays; `train` moves them to the device."""

    name: str
    x_train: numpy.ndarray
    y_train: numpy.ndarray
    x_validation: numpy.ndarray
    y_validation: numpy.ndarray
    x_test: numpy.ndarray
    y_test: numpy.ndarray


def digits(seed: int = 0, train: int = 900, validation: int = 300) -> Data:
    """1,797 handwritten digits of 8×8 pixels, shuffled and split.

    Parameters
    ----------
    seed : int
        Of the split.
    train, validation : int
        Examples in the first two parts, ≥ 1; the rest, ≥ 1, is the test part.

    Returns
    -------
    Data
        x float32 (m, 64) in [0, 1], y int64 (m,) in 0 … 9.

    Source: E. Alpaydin & C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998 (CC BY 4.0); the copy that
    scikit-learn carries.  Truths: tests/test_data.py.
    """
    from sklearn.datasets import load_digits

    check_seed(seed)
    check_counts(train=train, validation=validation)
    x, y = load_digits(return_X_y=True)
    if train + validation >= len(x):
        raise ValueError(f"train + validation must be below {len(x)}, got {train} + {validation}")
    order = numpy.random.default_rng(seed).permutation(len(x))
    x, y = (x[order] / 16).astype("float32"), y[order].astype("int64")
    a, b = train, train + validation
    return Data("digits", x[:a], y[:a], x[a:b], y[a:b], x[b:], y[b:])


def batches(n: int, batch_size: int, seed: int | Sequence[int], epoch: int) -> numpy.ndarray:
    """The minibatches of one epoch, as indices into n examples.

    Parameters
    ----------
    n, batch_size : int
        1 ≤ batch_size ≤ n. Each epoch is a fresh shuffle cut into n // batch_size batches; the few examples left
        over sit this epoch out.
    seed : int or sequence of int
        ≥ 0. A sequence gives each replica its own order: the one it would have alone.
    epoch : int
        From 0.

    Returns
    -------
    integer array (steps, batch_size), or (steps, len(seed), batch_size)

    Truths: tests/test_data.py.
    """
    check_counts(n=n, batch_size=batch_size)
    if batch_size > n:
        raise ValueError(f"batch_size must be in 1 … {n}, got {batch_size}")
    steps, seeds = n // batch_size, check_seed(seed)
    orders = [_generator(int(s), epoch).permutation(n) for s in seeds.ravel()]
    cut = numpy.array(orders)[:, : steps * batch_size].reshape(*seeds.shape, steps, batch_size)
    return numpy.moveaxis(cut, -2, 0)


def _generator(seed: int, epoch: int) -> numpy.random.Generator:
    """A stream for each epoch, apart from `default_rng(seed)`, which draws the initial weights."""
    return numpy.random.default_rng(numpy.random.SeedSequence(seed, spawn_key=(epoch,)))


def check_counts(**counts: int) -> None:
    """Raise a ValueError that names the first one that is not a whole number ≥ 1."""
    for name, value in counts.items():
        if not isinstance(value, (int, numpy.integer)) or value < 1:
            raise ValueError(f"{name} must be a whole number ≥ 1, got {value!r}")


def check_seed(seed: int | Sequence[int]) -> numpy.ndarray:
    """The seed or seeds as an array of whole numbers ≥ 0, or the error that says why not."""
    seeds = numpy.asarray(seed)
    if seeds.size == 0 or seeds.dtype.kind not in "iu" or seeds.min() < 0:
        raise ValueError(f"seed must be a whole number ≥ 0 or a sequence of them, got {seed!r}")
    return seeds
