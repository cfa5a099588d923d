"""Dominoes: the right half stays, and the left one agrees with the label as often as it should."""

import numpy as np
import pytest

from minisam import data
from minisam.data import dominoes

DIGITS = data.digits(3, 900, 300)
PAIRS = dominoes(DIGITS, 0.9, seed=1)
PARTS = {"train": 0.9, "validation": 0.9, "test": 0.1}
each_part = pytest.mark.parametrize("part", PARTS)


def halves(pairs, part):
    """The left and the right images of a part, as rows."""
    x = getattr(pairs, f"x_{part}").reshape(-1, *pairs.shape)
    return [half.reshape(len(x), -1) for half in np.split(x, 2, axis=-1)]


def left_labels(pairs, part):
    """The label that each left image has in its own part of the digits."""
    labels = {
        row.tobytes(): label for row, label in zip(*(getattr(DIGITS, f"{axis}_{part}") for axis in "xy"), strict=True)
    }
    return np.array([labels[row.tobytes()] for row in halves(pairs, part)[0]])


@each_part
def test_the_right_half_is_the_image_with_its_label(part):
    assert PAIRS.shape == (1, 8, 16)
    assert np.array_equal(halves(PAIRS, part)[1], getattr(DIGITS, f"x_{part}"))
    assert getattr(PAIRS, f"x_{part}").dtype == np.float32
    assert getattr(PAIRS, f"y_{part}") is getattr(DIGITS, f"y_{part}")


@each_part
def test_the_left_half_is_an_image_of_the_same_part_that_agrees_as_often_as_asked(part):
    y = getattr(DIGITS, f"y_{part}")
    assert np.sum(left_labels(PAIRS, part) == y) == round(PARTS[part] * len(y))


def test_an_image_that_disagrees_is_of_any_other_class_and_of_its_class_any():
    pairs = dominoes(DIGITS, 0.0)
    away = (left_labels(pairs, "train") - DIGITS.y_train) % 10
    seen = np.bincount(away, minlength=10)
    assert seen[0] == 0
    assert np.sum((seen[1:] - 100) ** 2) / 100 < 26.1  # χ² of 8 degrees passes this once in a thousand seeds
    assert len(np.unique(halves(pairs, "train")[0], axis=0)) > 500  # 900 draws of 900: 569 are expected


def test_the_seed_tells_which_and_signals_are_images_too():
    assert np.array_equal(PAIRS.x_train, dominoes(DIGITS, 0.9, seed=1).x_train)
    assert not np.array_equal(PAIRS.x_train, dominoes(DIGITS, 0.9, seed=2).x_train)
    signals = data.mnist1d(0, 200, 200, 200)
    pairs = dominoes(signals)
    assert pairs.shape == (1, 80)
    assert np.array_equal(halves(pairs, "test")[1], signals.x_test)


def test_wrong_labels_stay_known():
    noisy = data.symmetric_noise(DIGITS, 0.4)
    assert dominoes(noisy).flipped is noisy.flipped


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: dominoes(DIGITS, 1.1), r"agreement must be in \[0, 1\], got 1.1"),
        (lambda: dominoes(DIGITS, 0.9, -1), "seed must be a whole number ≥ 0, got -1"),
        (lambda: dominoes(data.two_moons()), r"data must be images or signals, .*, got shape \(\)"),
        (lambda: dominoes(data.mnist1d(0, 60, 3, 57)), r"data must have .* examples of all, got \[.*\] in validation"),
    ],
)
def test_bad_arguments_are_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
