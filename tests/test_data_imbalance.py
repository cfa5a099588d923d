"""The long tail: as many examples of each class as the profile says, drawn from a seed, in the training part alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam import data
from minisam.data import long_tailed

DIGITS = data.digits(train=1000)
EVEN = data.Data(
    "even", np.zeros((50_000, 1), "float32"), np.arange(50_000) % 10, *[np.zeros((10, 1)), np.arange(10)] * 2
)


def test_cifar_10_has_the_published_numbers_of_examples():
    """CIFAR-10-LT at the imbalance ratios 100 and 10, as published with the training set of Cao et al. 2019."""
    assert np.bincount(long_tailed(EVEN, 5000, 50).y_train).tolist() == [
        5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50,
    ]  # fmt: skip
    assert np.bincount(long_tailed(EVEN, 5000, 500).y_train).tolist() == [
        5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500,
    ]  # fmt: skip


@given(st.integers(1, 5000), st.data())
def test_it_goes_from_most_to_least_and_never_up_again(most, draw):
    least = draw.draw(st.integers(1, most))
    n = np.bincount(long_tailed(EVEN, most, least).y_train)
    assert (n[0], n[-1]) == (most, least)
    assert (np.diff(n) <= 0).all()
    logs = np.log(n + np.arange(2)[:, None])  # the fraction that was cut off lies between
    straight = np.log(most) + np.arange(10) / 9 * np.log(least / most)
    assert (logs[0] <= straight + 1e-9).all()
    assert (straight <= logs[1] + 1e-9).all()


def test_what_stays_are_examples_with_their_labels_and_the_other_parts():
    tail = long_tailed(DIGITS, 80, 4, seed=3)
    rows = {row.tobytes(): label for row, label in zip(DIGITS.x_train, DIGITS.y_train, strict=True)}
    assert [rows[row.tobytes()] for row in tail.x_train] == tail.y_train.tolist()
    assert len({row.tobytes() for row in tail.x_train}) == len(tail.x_train) == 269
    for part in ("x_validation", "y_validation", "x_test", "y_test", "shape", "name"):
        assert getattr(tail, part) is getattr(DIGITS, part)


def test_the_seed_tells_which():
    assert np.array_equal(long_tailed(DIGITS, 80, 4, 5).x_train, long_tailed(DIGITS, 80, 4, 5).x_train)
    assert not np.array_equal(long_tailed(DIGITS, 80, 4, 5).x_train, long_tailed(DIGITS, 80, 4, 6).x_train)


def test_wrong_labels_stay_known():
    noisy = data.symmetric_noise(DIGITS, 0.4)
    tail = long_tailed(noisy, 50, 5)
    wrong = {row.tobytes() for row in noisy.x_train[noisy.flipped]}
    assert [row.tobytes() in wrong for row in tail.x_train] == tail.flipped.tolist()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: long_tailed(DIGITS, 500, 4),
            r"most must leave class 0 no more than its \d+ examples, got 500, so 500",
        ),
        (lambda: long_tailed(DIGITS, 10, 11), "least must be a whole number in 1 … 10, got 11"),
        (lambda: long_tailed(DIGITS, 10, 0), "least must be a whole number in 1 … 10, got 0"),
        (lambda: long_tailed(DIGITS, 80, 4, -1), "seed must be a whole number ≥ 0, got -1"),
        (lambda: long_tailed(data.linear_teacher(), 80, 4), r"data must have classes \(m,\) as labels, got float32"),
    ],
)
def test_what_is_refused_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
