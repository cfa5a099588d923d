"""A spurious feature: beside each image stands another one, which agrees with the label until it is tested.

Truths: tests/test_data_dominoes.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy

from ..checks import Interval, check_number, check_one_seed
from ..draws import stream
from .sets import Data, check_classes


def dominoes(data: Data, agreement: float = 0.95, seed: int = 0) -> Data:
    """Images that are twice as wide: at the right those of `data`, whose labels stay, and at the left others of the same part.

    In training and validation, a share `agreement` of the left images, rounded to the nearest, are of the class of the label;
    the rest are of other classes, each with the same probability. In the test part the left ones are of any class, each with
    the same probability, so that they say nothing about the label. Each is drawn from the images of its class.

    A ValueError names an `agreement` that is not in [0, 1], a seed that is no whole number ≥ 0, data that are no images or
    signals with classes as labels, or a part that lacks a class.

    Source: after Shah et al. 2020, arXiv:2006.07710, section 3.1, where the spurious half is a digit of MNIST and the other one
    a photograph of CIFAR-10.
    """
    classes = check_classes(data)
    check_number("agreement", agreement, Interval(0, 1), swept=False)
    check_one_seed(seed)
    if len(data.shape) not in (2, 3):
        raise ValueError(f"data must be images or signals, of shape (c, h, w) or (c, l), got shape {data.shape}")
    shares = {"train": agreement, "validation": agreement, "test": 1 / classes}
    pairs = {f"x_{part}": beside(data, part, classes, share, seed) for part, share in shares.items()}
    *front, width = data.shape
    return replace(data, name=f"dominoes of {data.name}", **pairs, shape=(*front, 2 * width))


def beside(data: Data, part: str, classes: int, share: float, seed: int) -> numpy.ndarray:
    """Rows (m, 2 · features): each image of a part, and at its left another one, a share of them of the same class."""
    x, y = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
    rng, m, there = stream(f"dominoes: {part}", seed), len(y), numpy.bincount(y, minlength=classes)
    if classes < 2 or 0 in there:
        raise ValueError(f"data must have two classes or more in each part, and examples of all, got {there} in {part}")
    is_other = rng.permutation(m) >= round(share * m)
    left = numpy.where(is_other, (y + rng.integers(1, classes, m)) % classes, y)
    first = numpy.cumsum(there) - there  # of each class, among the examples in the order of their classes
    chosen = numpy.argsort(y, kind="stable")[first[left] + rng.integers(0, there[left])]
    halves = [rows.reshape(m, *data.shape) for rows in (x[chosen], x)]
    return numpy.concatenate(halves, axis=-1).reshape(m, -1)
