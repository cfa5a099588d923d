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

    x, y = load_digits(return_X_y=True)
    if train < 1 or validation < 1 or train + validation >= len(x):
        raise ValueError(f"train and validation must be ≥ 1 and below {len(x)} together, got {train} and {validation}")
    order = numpy.random.default_rng(seed).permutation(len(x))
    x, y = (x[order] / 16).astype("float32"), y[order].astype("int64")
    a, b = train, train + validation
    return Data("digits", x[:a], y[:a], x[a:b], y[a:b], x[b:], y[b:])


def batches(n: int, batch_size: int, seed: int | Sequence[int], epoch: int) -> numpy.ndarray:
    """The minibatches of one epoch, as indices into n examples.

    Parameters
    ----------
    n, batch_size : int
        Each epoch is a fresh shuffle cut into n // batch_size batches; the few examples left over sit this epoch out.
    seed : int or sequence of int
        A sequence gives each replica its own order: the one it would have alone.
    epoch : int

    Returns
    -------
    integer array (steps, batch_size), or (steps, len(seed), batch_size)
    """
    steps = n // batch_size
    seeds = numpy.asarray(seed)
    orders = [numpy.random.default_rng([int(s), epoch]).permutation(n) for s in seeds.ravel()]
    cut = numpy.array(orders)[:, : steps * batch_size].reshape(*seeds.shape, steps, batch_size)
    return numpy.moveaxis(cut, -2, 0)
