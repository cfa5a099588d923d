"""Classes of very different sizes.

Truths: tests/test_data_imbalance.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy

from ..checks import check_count, check_one_seed
from ..draws import stream
from .sets import Data, check_classes


def long_tailed(data: Data, most: int, least: int, seed: int = 0) -> Data:
    """The same data with a long tail: class 0 keeps `most` training examples, the last one `least`, and between them

        n_c = most · (least/most)^(c/(C − 1)),   c = 0 … C − 1,  the fraction cut off

    so that `long_tailed(digits(), 80, 4)` has 80, 57, 41, 29, 21, 15, 10, 7, 5 and 4 of its ten classes. The examples that stay
    are drawn with `seed`, in the order in which they were. Validation and test stay as they are: where they have as many
    examples of each class, settings are chosen, and results reported, by what all classes have in common.

    A ValueError names a `most` that some class has too few examples for, a `least` that is not in 1 … most, or data whose
    labels are no classes.

    Source: Cao et al. 2019, arXiv:1906.07413, section 4.2; Cui et al. 2019, arXiv:1901.05555, section 5.1.
    """
    classes, y = check_classes(data), data.y_train
    check_count("most", most)
    check_count("least", least, most=most)
    check_one_seed(seed)
    there = numpy.bincount(y, minlength=classes)
    # a share that should be a whole number may lie just below it
    wanted = (most * (least / most) ** (numpy.arange(classes) / max(classes - 1, 1)) + 1e-9).astype(int)
    if (short := there < wanted).any():
        c = int(numpy.flatnonzero(short)[0])
        raise ValueError(f"most must leave class {c} no more than its {there[c]} examples, got {most}, so {wanted[c]}")
    order = stream("long tail", seed).permutation(len(y))
    kept = numpy.sort(numpy.concatenate([order[y[order] == c][:n] for c, n in enumerate(wanted)]))
    flipped = None if data.flipped is None else data.flipped[kept]
    return replace(data, x_train=data.x_train[kept], y_train=y[kept], flipped=flipped)
