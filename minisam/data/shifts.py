"""Test data that differ from the training data: six shifts at severities 1 to 5, and domains that drift away step by step.

Truths: tests/test_data_shifts.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy

from ..arguments import counts
from ..checks import FINITE, check_count, check_counts, check_number, check_one_seed, pick
from ..draws import stream
from ..kinds import floats
from ..types import Shape
from .sets import Data, check_data

Images = numpy.ndarray  # (m, channels, *space)
ROWS = floats(2, "(m, features)")


def noise(x: Images, deviation: float, rng: numpy.random.Generator) -> Images:
    """Add normal noise; its deviation is in units of the range of x."""
    return x + deviation * (x.max() - x.min()) * rng.standard_normal(x.shape)


def blur(x: Images, pixels: float, rng: numpy.random.Generator) -> Images:
    """Convolve with a Gaussian of this deviation."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(x, (0, 0, *[pixels] * (x.ndim - 2)))


def contrast(x: Images, lost: float, rng: numpy.random.Generator) -> Images:
    """Scale each image's differences from its mean by 1 − lost."""
    mean = x.mean(axis=tuple(range(1, x.ndim)), keepdims=True)
    return mean + (1 - lost) * (x - mean)


def translation(x: Images, share: float, rng: numpy.random.Generator) -> Images:
    """Move each image to the right by this share of its width."""
    from scipy.ndimage import shift as move

    return move(x, [0.0] * (x.ndim - 1) + [share * x.shape[-1]], order=1, mode="nearest")


def rotation(x: Images, degrees: float, rng: numpy.random.Generator) -> Images:
    """Turn each image counterclockwise. Signals are refused."""
    from scipy.ndimage import rotate

    if x.ndim != 4:
        raise ValueError(f"rotation needs images (channels, height, width), got a signal of shape {x.shape[1:]}")
    return rotate(x, degrees, axes=(-1, -2), reshape=False, order=1, mode="nearest")


def scaling(x: Images, smaller: float, rng: numpy.random.Generator) -> Images:
    """Shrink each image around its middle by this share."""
    from scipy.ndimage import affine_transform

    factor = numpy.array([1.0, 1.0, *[1 / (1 - smaller)] * (x.ndim - 2)])
    middle = (numpy.array(x.shape) - 1) / 2
    return affine_transform(x, factor, middle - factor * middle, order=1, mode="nearest")


# name → the function, and its amount at severities 1 to 5; severity 0 changes nothing
SHIFTS: dict[str, tuple[Callable[..., Images], tuple[float, ...]]] = {
    "noise": (noise, (0.08, 0.12, 0.18, 0.26, 0.38)),
    "blur": (blur, (0.4, 0.6, 0.8, 1.0, 1.2)),
    "contrast": (contrast, (0.4, 0.6, 0.75, 0.85, 0.95)),
    "translation": (translation, (0.0625, 0.125, 0.1875, 0.25, 0.3125)),
    "rotation": (rotation, (10.0, 20.0, 30.0, 40.0, 50.0)),
    "scaling": (scaling, (0.1, 0.2, 0.3, 0.4, 0.5)),
}


def shifted(x: numpy.ndarray, shape: Shape, kind: str, severity: int, seed: int = 0) -> numpy.ndarray:
    """Shift images that are given as rows.

    Parameters
    ----------
    x : float array (m, features)
        One image per row.
    shape : tuple of int
        The shape of one image, as in `Data.shape`.
    kind : str
        "noise", "blur", "contrast", "translation", "rotation" or "scaling".
    severity : int
        0 … 5; at 0, x itself is returned.
    seed : int
        Seed of the noise, ≥ 0.

    Returns
    -------
    array like x

    Raises
    ------
    ValueError
        If an argument is out of its range, or if the examples are neither images nor signals.

    Source: the scheme of Hendrycks & Dietterich 2019, arXiv:1903.12261, section 4; amounts chosen for images of 8×8 to 32×32.
    """
    x = ROWS("x", x)
    check_one_seed(seed)
    check_count("severity", severity, 0, most=5)
    shape = _check(shape, kind)
    if x.shape[1:] != (math.prod(shape),):
        raise ValueError(f"x must have shape (m, {math.prod(shape)}), rows of images {shape}, got {x.shape}")
    if severity == 0:
        return x
    return _moved(x, shape, kind, SHIFTS[kind][1][severity - 1], stream("shift", seed))


def shift(data: Data, kind: str, severity: int, seed: int = 0) -> Data:
    """The same data with the test part shifted; training and validation stay."""
    check_data(data)
    return replace(data, x_test=shifted(data.x_test, data.shape, kind, severity, seed))


def gradual(data: Data, kind: str, most: float, steps: int, seed: int = 0) -> list[Data]:
    """Return steps + 1 domains that lead from `data` to the data shifted by `most`.

    In domain k all three parts are shifted by k/steps · most; domain 0 is `data`. `most` is in the units of the shift: degrees
    for "rotation", a share of the width for "translation". A model follows the drift by self-training from each domain to the
    next (Kumar et al. 2020, arXiv:2002.11361).
    """
    check_data(data)
    check_number("most", most, FINITE, swept=False)
    check_counts(steps=steps)
    check_one_seed(seed)
    _check(data.shape, kind)

    def domain(amount: float) -> Data:
        def move(x: numpy.ndarray, part: str) -> numpy.ndarray:
            return _moved(x, data.shape, kind, amount, stream(f"gradual shift: {part}", seed))

        return _each_part(data, move, f"{kind} {amount:g}")

    return [data, *(domain(most * k / steps) for k in range(1, steps + 1))]


def turned(data: Data, degrees: float) -> Data:
    """Turn points in the plane, x (m, 2), counterclockwise around the origin, in all three parts.

    A sequence of domains that drift away: `[turned(two_moons(seed=k), 6 * k) for k in range(16)]`.
    """
    check_data(data)
    check_number("degrees", degrees, FINITE, swept=False)
    if data.x_train.shape[-1:] != (2,):
        raise ValueError(f"data must be points in the plane, (m, 2), got {data.x_train.shape}")
    a = math.radians(degrees)
    R = numpy.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    return _each_part(data, lambda x, part: (x @ R.T).astype(x.dtype), f"turned by {degrees:g}")


def _each_part(data: Data, move: Callable[[numpy.ndarray, str], numpy.ndarray], how: str) -> Data:
    """The data with `move(x, name of the part)` in place of the x of each part."""
    return replace(
        data,
        name=f"{data.name}, {how}",
        x_train=move(data.x_train, "training"),
        x_validation=move(data.x_validation, "validation"),
        x_test=move(data.x_test, "test"),
    )


def _moved(x: numpy.ndarray, shape: Shape, kind: str, amount: float, rng: numpy.random.Generator) -> numpy.ndarray:
    move, _ = SHIFTS[kind]
    images = x.reshape(len(x), *shape).astype("float64")
    return move(images, amount, rng).reshape(x.shape).astype(x.dtype)


def _check(shape: Shape, kind: str) -> Shape:
    pick("kind", kind, SHIFTS)
    shape = counts(at_least=0)("shape", shape)
    if len(shape) not in (2, 3):
        raise ValueError(f"data must be images or signals, of shape (c, h, w) or (c, l), got shape {shape}")
    return shape
