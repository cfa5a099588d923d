"""Test data unlike the training data: six shifts of images, at severities 1 to 5, and domains that drift away step by step.

Truths: tests/test_data_shifts.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy

from ..checks import check_counts, check_seed
from .sets import Data

Images = numpy.ndarray  # (m, channels, *space)


def noise(x: Images, deviation: float, rng: numpy.random.Generator) -> Images:
    """Normal noise of this deviation, in units of the images' own range."""
    return x + deviation * (x.max() - x.min()) * rng.standard_normal(x.shape)


def blur(x: Images, pixels: float, rng: numpy.random.Generator) -> Images:
    """A Gaussian of this width."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(x, (0, 0, *[pixels] * (x.ndim - 2)))


def contrast(x: Images, lost: float, rng: numpy.random.Generator) -> Images:
    """This share of each image's differences from its mean taken away."""
    mean = x.mean(axis=tuple(range(1, x.ndim)), keepdims=True)
    return mean + (1 - lost) * (x - mean)


def translation(x: Images, share: float, rng: numpy.random.Generator) -> Images:
    """Moved to the right by this share of the width."""
    from scipy.ndimage import shift as move

    return move(x, [0.0] * (x.ndim - 1) + [share * x.shape[-1]], order=1, mode="nearest")


def rotation(x: Images, degrees: float, rng: numpy.random.Generator) -> Images:
    """Turned counterclockwise; images only."""
    from scipy.ndimage import rotate

    if x.ndim != 4:
        raise ValueError(f"rotation needs images (channels, height, width), got a signal of shape {x.shape[1:]}")
    return rotate(x, degrees, axes=(-1, -2), reshape=False, order=1, mode="nearest")


def scaling(x: Images, smaller: float, rng: numpy.random.Generator) -> Images:
    """Made smaller by this share, around the middle."""
    from scipy.ndimage import affine_transform

    factor = numpy.array([1.0, 1.0, *[1 / (1 - smaller)] * (x.ndim - 2)])
    middle = (numpy.array(x.shape) - 1) / 2
    return affine_transform(x, factor, middle - factor * middle, order=1, mode="nearest")


# name → what it does, and its amount at severities 1 to 5; at severity 0 nothing is done
SHIFTS: dict[str, tuple[Callable[..., Images], tuple[float, ...]]] = {
    "noise": (noise, (0.08, 0.12, 0.18, 0.26, 0.38)),
    "blur": (blur, (0.4, 0.6, 0.8, 1.0, 1.2)),
    "contrast": (contrast, (0.4, 0.6, 0.75, 0.85, 0.95)),
    "translation": (translation, (0.0625, 0.125, 0.1875, 0.25, 0.3125)),
    "rotation": (rotation, (10.0, 20.0, 30.0, 40.0, 50.0)),
    "scaling": (scaling, (0.1, 0.2, 0.3, 0.4, 0.5)),
}


def shifted(x: numpy.ndarray, shape: tuple[int, ...], kind: str, severity: int, seed: int = 0) -> numpy.ndarray:
    """Rows of images (m, c·h·w), shifted.

    Parameters
    ----------
    x : float array (m, features)
    shape : tuple of int
        Of an image, as in `Data.shape`.
    kind : str
        "noise", "blur", "contrast", "translation", "rotation" or "scaling".
    severity : int
        0, which is x itself, to 5.
    seed : int
        Of the noise.

    Source: the scheme of Hendrycks & Dietterich 2019, arXiv:1903.12261, section 4; amounts chosen for images of 8×8 to 32×32.
    """
    check_seed(seed)
    if severity not in range(6):
        raise ValueError(f"severity must be in 0 … 5, got {severity}")
    _check(shape, kind)
    if severity == 0:
        return x
    return _moved(x, shape, kind, SHIFTS[kind][1][severity - 1], seed)


def shift(data: Data, kind: str, severity: int, seed: int = 0) -> Data:
    """The same data with the test part shifted; training and validation stay."""
    return replace(data, x_test=shifted(data.x_test, data.shape, kind, severity, seed))


def gradual(data: Data, kind: str, most: float, steps: int, seed: int = 0) -> list[Data]:
    """Domains between the data and the data shifted by `most`: in domain k all three parts are shifted by k/steps · most.

    For self-training from one to the next (Kumar et al. 2020, arXiv:2002.11361): steps + 1 domains, the first is `data`. `most`
    is in the units of the shift: degrees for "rotation", a share of the width for "translation".
    """
    check_counts(steps=steps)
    check_seed(seed)
    _check(data.shape, kind)
    domains = [data]
    for k in range(1, steps + 1):
        parts: dict[str, Any] = {
            part: _moved(getattr(data, part), data.shape, kind, most * k / steps, seed)
            for part in ("x_train", "x_validation", "x_test")
        }
        domains.append(replace(data, name=f"{data.name}, {kind} {most * k / steps:g}", **parts))
    return domains


def turned(data: Data, degrees: float) -> Data:
    """Points in the plane, x (m, 2), turned counterclockwise around the origin, in all three parts.

    Domains to follow one by one: `[turned(two_moons(seed=k), 6 * k) for k in range(16)]`.
    """
    if data.x_train.shape[-1:] != (2,):
        raise ValueError(f"data must be points in the plane, (m, 2), got {data.x_train.shape}")
    a = math.radians(degrees)
    R = numpy.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    parts: dict[str, Any] = {
        part: (getattr(data, part) @ R.T).astype(data.x_train.dtype) for part in ("x_train", "x_validation", "x_test")
    }
    return replace(data, name=f"{data.name}, turned by {degrees:g}", **parts)


def _moved(x: numpy.ndarray, shape: tuple[int, ...], kind: str, amount: float, seed: int) -> numpy.ndarray:
    move, _ = SHIFTS[kind]
    images = x.reshape(len(x), *shape).astype("float64")
    return move(images, amount, numpy.random.default_rng(seed)).reshape(x.shape).astype(x.dtype)


def _check(shape: tuple[int, ...], kind: str) -> None:
    if kind not in SHIFTS:
        raise ValueError(f"kind must be one of {', '.join(map(repr, SHIFTS))}, got {kind!r}")
    if len(shape) not in (2, 3) or math.prod(shape) < 1:
        raise ValueError(f"data must be images or signals, of shape (c, h, w) or (c, l), got {shape}")
