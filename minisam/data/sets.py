"""Data sets, split into training, validation and test; and the order in which minibatches are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy
from numpy.random import Generator

from ..checks import AT_LEAST_0, check_count, check_counts, check_number, check_one_seed, check_seed, shown
from ..draws import stream
from ..types import Shape


@dataclass(frozen=True)
class Data:
    """Examples in three parts: train on the first, choose hyperparameters by the second, report the third.

    The arrays are NumPy's; `train` moves them to the device.

    Attributes
    ----------
    name : str
    x_train, x_validation, x_test : array (m, features)
        One example per row; float32, or int64 for tokens.
    y_train, y_validation, y_test : array
        Classes int64 (m,), targets float32 (m, k), or the next tokens int64 (m, t).
    shape : tuple of int
        The shape of one example, if it is an image (channels, height, width) or a signal (channels, length); otherwise ().
    flipped : bool array (m,), optional
        True where a training label is wrong, if `minisam.data.noise` changed labels.
    """

    name: str
    x_train: numpy.ndarray
    y_train: numpy.ndarray
    x_validation: numpy.ndarray
    y_validation: numpy.ndarray
    x_test: numpy.ndarray
    y_test: numpy.ndarray
    shape: Shape = ()
    flipped: numpy.ndarray | None = None


def check_data(data: Data) -> None:
    """Raise a TypeError unless this is a `Data`."""
    if not isinstance(data, Data):
        raise TypeError(f"data must be a minisam Data such as digits(), got {shown(data)}")


def check_classes(data: Data) -> int:
    """The number of classes; or a ValueError if the labels are no classes (m,)."""
    check_data(data)
    if data.y_train.dtype.kind not in "iu" or data.y_train.ndim != 1:
        raise ValueError(f"data must have classes (m,) as labels, got {data.y_train.dtype} {data.y_train.shape}")
    return int(max(data.y_train.max(), data.y_test.max())) + 1


def digits(seed: int = 0, train: int = 900, validation: int = 300) -> Data:
    """1,797 handwritten digits of 8×8 pixels, shuffled and split.

    Parameters
    ----------
    seed : int
        Seed of the shuffle, ≥ 0.
    train, validation : int
        Numbers of examples in the first two parts, each ≥ 1. The test part gets the rest, which must be ≥ 1 too.

    Returns
    -------
    Data
        x float32 (m, 64) in [0, 1], y int64 (m,) in 0 … 9.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Source: E. Alpaydin & C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998 (CC BY 4.0); the copy that
    scikit-learn carries.  Truths: tests/test_data.py.
    """
    from sklearn.datasets import load_digits

    check_one_seed(seed)
    check_counts(train=train, validation=validation)
    x, y = load_digits(return_X_y=True)
    if train + validation >= len(x):
        raise ValueError(f"train + validation must be below {len(x)}, got {train} + {validation}")
    order = stream("split of digits", seed).permutation(len(x))
    x, y = (x[order] / 16).astype("float32"), y[order].astype("int64")
    return split("digits", x, y, train, validation, (1, 8, 8))


def split(name: str, x: numpy.ndarray, y: numpy.ndarray, train: int, validation: int, shape: Shape = ()) -> Data:
    """Train on the first `train` examples, validate on the next `validation`, and test on the rest."""
    a, b = train, train + validation
    return Data(name, x[:a], y[:a], x[a:b], y[a:b], x[b:], y[b:], shape)


# --- toy problems: drawn at random, so there are as many examples as one asks for -------------------------------------
#
# All take `seed`, the deviation `noise` ≥ 0 of normal noise, and the number of examples in each part, ≥ 1. They raise a
# ValueError that names an argument out of its range. Truths: tests/test_data_sets.py.


def two_moons(seed: int = 0, noise: float = 0.15, train: int = 200, validation: int = 200, test: int = 1000) -> Data:
    """Two interlocking half circles of radius 1, with noise.   x float32 (m, 2), y int64 (m,) in {0, 1}."""
    rng, n = _drawn("two moons", seed, noise, train, validation, test)
    y = rng.integers(0, 2, n)
    angle = numpy.pi * rng.random(n)
    x = numpy.stack([numpy.cos(angle), numpy.sin(angle)], axis=1)
    x = numpy.where(y[:, None] == 0, x, numpy.array([1.0, 0.5]) - x) + noise * rng.standard_normal((n, 2))
    return split("two moons", x.astype("float32"), y, train, validation)


def spirals(
    seed: int = 0, noise: float = 0.05, arms: int = 2, train: int = 200, validation: int = 200, test: int = 1000
) -> Data:
    """Arms that wind once around the origin, in the unit disc, with noise.   x float32 (m, 2), y int64 (m,) in 0 … arms − 1."""
    check_counts(arms=arms)
    rng, n = _drawn("spirals", seed, noise, train, validation, test)
    y = rng.integers(0, arms, n)
    radius = numpy.sqrt(rng.random(n))
    angle = 2 * numpy.pi * (radius + y / arms)
    x = radius[:, None] * numpy.stack([numpy.cos(angle), numpy.sin(angle)], axis=1)
    return split("spirals", (x + noise * rng.standard_normal((n, 2))).astype("float32"), y, train, validation)


def blobs(
    seed: int = 0,
    noise: float = 0.2,
    classes: int = 3,
    features: int = 2,
    train: int = 200,
    validation: int = 200,
    test: int = 1000,
) -> Data:
    """One normal cloud per class, of deviation `noise` around a centre; the centres are standard normal.

    x float32 (m, features), y int64 (m,) in 0 … classes − 1.
    """
    check_counts(classes=classes, features=features)
    rng, n = _drawn("blobs", seed, noise, train, validation, test)
    centres = rng.standard_normal((classes, features))
    y = rng.integers(0, classes, n)
    x = centres[y] + noise * rng.standard_normal((n, features))
    return split("blobs", x.astype("float32"), y, train, validation)


def linear_teacher(
    seed: int = 0,
    noise: float = 0.1,
    features: int = 20,
    outputs: int = 1,
    train: int = 100,
    validation: int = 100,
    test: int = 1000,
) -> Data:
    """Targets of a linear map, y = xA + noise.   x float32 (m, features) standard normal, y float32 (m, outputs)."""
    check_counts(features=features, outputs=outputs)
    rng, n = _drawn("linear teacher", seed, noise, train, validation, test)
    A = rng.standard_normal((features, outputs)) / numpy.sqrt(features)
    x = rng.standard_normal((n, features))
    y = x @ A + noise * rng.standard_normal((n, outputs))
    return split("linear teacher", x.astype("float32"), y.astype("float32"), train, validation)


def diagonal_regression(
    seed: int = 0,
    noise: float = 0.0,
    features: int = 30,
    active: int = 3,
    train: int = 20,
    validation: int = 20,
    test: int = 1000,
) -> Data:
    """A sparse linear map with fewer examples than weights, for diagonal linear nets: many solutions, one of them sparse.

    y = xβ + noise. The first `active` entries of β are 1 and the others 0. x float32 (m, features) standard normal, y float32
    (m, 1).  Woodworth et al. 2020, arXiv:2002.09277, section 4.
    """
    check_counts(features=features, active=active)
    if active > features:
        raise ValueError(f"active must be in 1 … {features}, got {active}")
    rng, n = _drawn("diagonal regression", seed, noise, train, validation, test)
    x = rng.standard_normal((n, features))
    y = x[:, :active].sum(axis=1, keepdims=True) + noise * rng.standard_normal((n, 1))
    return split("diagonal regression", x.astype("float32"), y.astype("float32"), train, validation)


def _drawn(problem: str, seed: int, noise: float, train: int, validation: int, test: int) -> tuple[Generator, int]:
    """The random stream of a toy problem, and its number of examples."""
    check_one_seed(seed)
    check_counts(train=train, validation=validation, test=test)
    check_number("noise", noise, AT_LEAST_0, swept=False)
    return stream(problem, seed), train + validation + test


# --- fewer examples, and each only once ------------------------------------------------------------------------------


def subset(data: Data, n: int, seed: int = 0) -> Data:
    """The same data with n training examples; validation and test stay.

    The numbers of examples of any two classes differ by at most 1, as long as no class runs out. Use this to study repeated
    exposure: with fewer examples, a training of the same length shows each of them more often.

    A ValueError names an `n` that is not in 1 … m, or a seed that is no whole number ≥ 0.
    """
    check_data(data)
    check_counts(n=n)
    check_one_seed(seed)
    if n > len(data.y_train):
        raise ValueError(f"n must be in 1 … {len(data.y_train)}, got {n}")
    order = stream("subset", seed).permutation(len(data.y_train))
    if data.y_train.ndim == 1:
        nth_of_class = numpy.zeros(len(order), dtype=int)
        for label in numpy.unique(data.y_train):
            hits = data.y_train[order] == label
            nth_of_class[hits] = numpy.arange(hits.sum())
        order = order[numpy.argsort(nth_of_class, kind="stable")]
    kept = numpy.sort(order[:n])
    flipped = None if data.flipped is None else data.flipped[kept]
    return replace(data, x_train=data.x_train[kept], y_train=data.y_train[kept], flipped=flipped)


def single_pass(data: Data, batch_size: int, seed: int = 0) -> Iterator[tuple[numpy.ndarray, numpy.ndarray]]:
    """Yield the training examples in batches (x, y), each example once. `train` with epochs=1 sees the same batches."""
    check_data(data)
    check_one_seed(seed)
    for i in batches(len(data.x_train), batch_size, seed, epoch=0):
        yield data.x_train[i], data.y_train[i]


def batches(n: int, batch_size: int, seed: int | Sequence[int], epoch: int) -> numpy.ndarray:
    """The minibatches of one epoch, as indices into n examples.

    Parameters
    ----------
    n, batch_size : int
        1 ≤ batch_size ≤ n. Each epoch is a fresh shuffle, cut into n // batch_size batches. The few examples left over are
        not used in this epoch.
    seed : int or sequence of int
        ≥ 0. With a sequence, each replica gets its own order: the one that it would have alone.
    epoch : int
        Counted from 0.

    Returns
    -------
    integer array (steps, batch_size), or (steps, len(seed), batch_size)

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Truths: tests/test_data.py.
    """
    check_counts(n=n, batch_size=batch_size)
    check_count("epoch", epoch, 0)
    if batch_size > n:
        raise ValueError(f"batch_size must be in 1 … {n}, got {batch_size}")
    steps, seeds = n // batch_size, check_seed(seed)
    orders = [_generator(int(s), epoch).permutation(n) for s in seeds.ravel()]
    cut = numpy.array(orders)[:, : steps * batch_size].reshape(*seeds.shape, steps, batch_size)
    return numpy.moveaxis(cut, -2, 0)


def _generator(seed: int, epoch: int) -> Generator:
    """The stream of one epoch; not one of `draws.stream`, so that checkpoints of before continue in the same order."""
    return numpy.random.default_rng(numpy.random.SeedSequence(seed, spawn_key=(epoch,)))
