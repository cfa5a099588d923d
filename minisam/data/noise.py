"""Wrong labels in the training part. Which ones are wrong stays known, in `flipped`; validation and test stay clean.

Truths: tests/test_data_noise.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy

from ..checks import check_seed
from .sets import Data


def symmetric_noise(data: Data, rate: float, seed: int = 0) -> Data:
    """A share `rate` of the labels, to the nearest example, replaced by another class, each as likely as any other.

    A flipped label is never the true one. Van Rooyen et al. 2015, arXiv:1505.07634.
    """
    rng, classes, hit = _chosen(data, rate, seed)
    away = rng.integers(1, classes, len(hit))
    return _with_labels(data, numpy.where(hit, (data.y_train + away) % classes, data.y_train))


def asymmetric_noise(data: Data, rate: float, seed: int = 0, to: Mapping[int, int] | None = None) -> Data:
    """A share `rate` of the labels that can be mistaken becomes the class that each is mistaken for.

    `to` maps classes to classes; without it, each to the next, the last to the first. Patrini et al. 2017, arXiv:1609.03683.
    """
    rng, classes, _ = _chosen(data, rate, seed)
    mistaken = numpy.arange(classes)
    for a, b in ({k: (k + 1) % classes for k in range(classes)} if to is None else to).items():
        if not (0 <= a < classes and 0 <= b < classes):
            raise ValueError(f"to must map classes in 0 … {classes - 1}, got {a} → {b}")
        mistaken[a] = b
    can = numpy.flatnonzero(mistaken[data.y_train] != data.y_train)
    hit = numpy.zeros(len(data.y_train), dtype=bool)
    hit[rng.permutation(can)[: round(rate * len(can))]] = True
    return _with_labels(data, numpy.where(hit, mistaken[data.y_train], data.y_train))


def instance_dependent_noise(data: Data, rate: float, seed: int = 0) -> Data:
    """Labels flipped the more likely the more an example looks like another class, by random projections.

        qᵢ ~ N(rate, 0.1²) cut to [0, 1],    P(ỹᵢ = k) = qᵢ softmax_{k ≠ yᵢ}(xᵢ W_{yᵢ})_k,    P(ỹᵢ = yᵢ) = 1 − qᵢ

    with W standard normal; the share of wrong labels is `rate` in the mean. Xia et al. 2020, arXiv:2006.07836, algorithm 2.
    """
    rng, classes, _ = _chosen(data, rate, seed)
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


def _chosen(data: Data, rate: float, seed: int) -> tuple[numpy.random.Generator, int, numpy.ndarray]:
    """Random numbers, the number of classes, and which examples are hit: a share `rate` of them, to the nearest."""
    check_seed(seed)
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must be in [0, 1], got {rate}")
    if data.y_train.dtype.kind not in "iu" or data.y_train.ndim != 1:
        raise ValueError(f"data must have classes (m,) as labels, got {data.y_train.dtype} {data.y_train.shape}")
    rng, m = numpy.random.default_rng(seed), len(data.y_train)
    hit = numpy.zeros(m, dtype=bool)
    hit[rng.permutation(m)[: round(rate * m)]] = True
    return rng, int(max(data.y_train.max(), data.y_test.max())) + 1, hit


def _with_labels(data: Data, y: numpy.ndarray) -> Data:
    before = numpy.zeros(len(y), dtype=bool) if data.flipped is None else data.flipped
    return replace(data, y_train=y.astype("int64"), flipped=before ^ (y != data.y_train))
