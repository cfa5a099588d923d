"""MNIST-1D: signals of 40 numbers, drawn from ten templates.

It is a hundred times smaller than MNIST, and harder for a linear model.
Greydanus & Kobak 2024, "Scaling down deep learning with MNIST-1D", arXiv:2011.14439; recipe and constants as published with it
(Apache licence 2.0). Truths: tests/test_data_mnist1d.py (against the authors' package).
"""

from __future__ import annotations

import numpy

from ..checks import check_counts, check_one_seed
from .sets import Data, split

LENGTH, PADDING, FINAL = 12, (36, 60), 40  # lengths of a template, of the zeros after it (least, most), of a signal
SCALE, TRANSLATION, SHEAR = 0.4, 48, 0.75
SMOOTH_NOISE, NOISE = 0.25, 0.02
TEMPLATES = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)


def mnist1d(seed: int = 42, train: int = 3600, validation: int = 400, test: int = 1000) -> Data:
    """Signals of ten classes. Seed 42 and 5,000 examples in all, the defaults, give the published set.

    Parameters
    ----------
    seed : int
        Seed of the signals and of their order, in 0 … 2³² − 1.
    train, validation, test : int
        The number of examples in each part, ≥ 1. Their sum must be a multiple of 10, because all classes have the same number
        of examples. The published set has 4,000 training examples; the last 400 of them are the validation part here.

    Returns
    -------
    Data
        x float32 (m, 40), mean 0 and deviation 1 over the whole set, shape (1, 40); y int64 (m,) in 0 … 9.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    check_one_seed(seed)
    check_counts(train=train, validation=validation, test=test)
    n = train + validation + test
    if n % 10:
        raise ValueError(f"train + validation + test must be a multiple of 10, got {n}")
    draw = numpy.random.RandomState(seed)  # the generator with which the published set was drawn
    x = numpy.stack([signal(template, draw) for template in templates() for _ in range(n // 10)])
    y = numpy.repeat(numpy.arange(10), n // 10)
    order = draw.permutation(n)
    x, y = x[order], y[order]
    return split("MNIST-1D", ((x - x.mean()) / x.std()).astype("float32"), y, train, validation, (1, FINAL))


def templates() -> numpy.ndarray:
    """The ten templates, (10, 12), each with deviation 1/6 and starting at 0."""
    x = numpy.array(TEMPLATES)
    x = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    return (x - x[:, :1]) / 6


def signal(template: numpy.ndarray, draw: numpy.random.RandomState) -> numpy.ndarray:
    """One example: pad, stretch, scale and move the template, add noise, shear it, and sample it at 40 places."""
    from scipy.ndimage import gaussian_filter

    low, high = PADDING
    zeros = low + int(draw.rand() * (high - low + 1))
    padded = numpy.concatenate([template + 1e-8, numpy.zeros(zeros)])  # 1e-8: a 0 of the template is not background
    x = resampled(padded, LENGTH + high)
    x = x * (1 + SCALE * (draw.rand() - 0.5))
    x = numpy.roll(x, draw.choice(TRANSLATION))
    smooth = gaussian_filter(SMOOTH_NOISE * draw.randn(len(x)), 2)
    x = numpy.where(x != 0, x, smooth) + NOISE * draw.randn(len(x))
    x = x - SHEAR * (draw.rand() - 0.5) * numpy.linspace(-0.5, 0.5, len(x))
    return resampled(x, FINAL)


def resampled(x: numpy.ndarray, n: int) -> numpy.ndarray:
    """Interpolate x linearly at n equally spaced places."""
    return numpy.interp(numpy.linspace(0, 1, n), numpy.linspace(0, 1, len(x)), x)
