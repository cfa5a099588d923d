"""Wrong labels in the training part. `Data.flipped` records which ones are wrong; validation and test stay clean.

All raise a ValueError if `rate` is not in [0, 1], if the seed is no whole number ≥ 0, or if the labels are no classes (m,).
Truths: tests/test_data_noise.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy

from ..checks import Interval, check_number, check_one_seed, shown, whole
from ..draws import stream
from .sets import Data, check_classes, check_data


def symmetric_noise(data: Data, rate: float, seed: int = 0) -> Data:
    """Replace a share `rate` of the labels by another class, each other class with the same probability.

    The number of replaced labels is rounded to the nearest. Van Rooyen et al. 2015, arXiv:1505.07634.
    """
    classes, rng = _classes(data, rate, seed), stream("symmetric label noise", seed)
    hit = _chosen(numpy.arange(len(data.y_train)), rate, len(data.y_train), rng)
    away = rng.integers(1, classes, len(hit))
    return _with_labels(data, numpy.where(hit, (data.y_train + away) % classes, data.y_train))


def asymmetric_noise(data: Data, rate: float, seed: int = 0, to: Mapping[int, int] | None = None) -> Data:
    """Replace a share `rate` of the labels of some classes by the class that each is mistaken for.

    `to` maps a class to the class it is mistaken for; the labels of other classes stay. Without `to`, each class is mistaken
    for the next, and the last for the first. Patrini et al. 2017, arXiv:1609.03683.
    """
    classes = _classes(data, rate, seed)
    mistaken = numpy.arange(classes)
    to = {k: (k + 1) % classes for k in range(classes)} if to is None else to
    if not isinstance(to, Mapping):
        raise TypeError(f"to must be a dict that maps classes in 0 … {classes - 1}, got {shown(to)}")
    for a, b in to.items():
        if not (whole(a) and whole(b) and 0 <= a < classes and 0 <= b < classes):
            raise ValueError(f"to must map classes in 0 … {classes - 1}, got {a} → {b}")
        mistaken[a] = b
    can = numpy.flatnonzero(mistaken[data.y_train] != data.y_train)
    hit = _chosen(can, rate, len(data.y_train), stream("asymmetric label noise", seed))
    return _with_labels(data, numpy.where(hit, mistaken[data.y_train], data.y_train))


def instance_dependent_noise(data: Data, rate: float, seed: int = 0) -> Data:
    """Flip labels at random, with a probability that depends on the example, by random projections.

        qᵢ ~ N(rate, 0.1²) cut to [0, 1],    P(ỹᵢ = k) = qᵢ softmax_{k ≠ yᵢ}(xᵢ W_{yᵢ})_k,    P(ỹᵢ = yᵢ) = 1 − qᵢ

    W is standard normal. The expected share of wrong labels is `rate`. Xia et al. 2020, arXiv:2006.07836, algorithm 2.
    """
    classes, rng = _classes(data, rate, seed), stream("instance-dependent label noise", seed)
    x, y = data.x_train, data.y_train
    q = numpy.full(len(y), -1.0)
    while (out := (q < 0) | (q > 1)).any():
        q = numpy.where(out, rng.normal(rate, 0.1, len(y)), q)
    W = rng.standard_normal((classes, x.shape[1], classes))
    looks = numpy.stack([x[i] @ W[y[i]] for i in range(len(y))])
    looks[numpy.arange(len(y)), y] = -numpy.inf
    p = numpy.exp(looks - looks.max(axis=1, keepdims=True))
    p *= (q / p.sum(axis=1))[:, None]
    p[numpy.arange(len(y)), y] = 1 - q
    drawn = (rng.random((len(y), 1)) > numpy.cumsum(p, axis=1)).sum(axis=1)
    return _with_labels(data, numpy.minimum(drawn, classes - 1))


def _classes(data: Data, rate: float, seed: int) -> int:
    """Check the arguments that all kinds of noise share, and return the number of classes."""
    check_data(data)
    check_one_seed(seed)
    check_number("rate", rate, Interval(0, 1), swept=False)
    return check_classes(data)


def _chosen(among: numpy.ndarray, rate: float, m: int, rng: numpy.random.Generator) -> numpy.ndarray:
    """A mask (m,) of a share `rate` of the examples `among`, to the nearest."""
    hit = numpy.zeros(m, dtype=bool)
    hit[rng.permutation(among)[: round(rate * len(among))]] = True
    return hit


def _with_labels(data: Data, y: numpy.ndarray) -> Data:
    before = numpy.zeros(len(y), dtype=bool) if data.flipped is None else data.flipped
    return replace(data, y_train=y.astype("int64"), flipped=before ^ (y != data.y_train))
