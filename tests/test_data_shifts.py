"""Shifts: nothing at severity 0, more at each further one, and known movements of known images."""

import itertools

import numpy as np
import pytest

from minisam import data
from minisam.data import SHIFTS, gradual, shift, shifted

DIGITS, SIGNALS = data.digits(), data.mnist1d(0, 60, 20, 20)
each_kind = pytest.mark.parametrize("kind", SHIFTS)


@each_kind
def test_severity_0_is_the_identity_and_each_further_one_is_further_away(kind):
    x = DIGITS.x_test[:100]
    moved = [shifted(x, (1, 8, 8), kind, severity) for severity in range(6)]
    if kind == "translation":  # of strokes that have moved past each other the distance says nothing; their place does
        columns = [a.reshape(-1, 8, 8).sum(axis=(0, 1)) for a in moved]
        away = [np.sum(np.arange(8) * c) / np.sum(c) for c in columns]
    else:
        away = [np.linalg.norm(a - x) for a in moved]
    assert np.array_equal(moved[0], x)
    assert all(a < b for a, b in itertools.pairwise(away))


@each_kind
def test_only_the_test_part_is_shifted_and_the_seed_tells_how(kind):
    moved = shift(DIGITS, kind, 3, seed=1)
    for part in ("x_train", "y_train", "x_validation", "y_validation", "y_test"):
        assert getattr(moved, part) is getattr(DIGITS, part)
    assert moved.x_test.shape == DIGITS.x_test.shape
    assert moved.x_test.dtype == np.float32
    assert np.array_equal(moved.x_test, shift(DIGITS, kind, 3, seed=1).x_test)


@pytest.mark.parametrize("kind", [kind for kind in SHIFTS if kind != "rotation"])
def test_signals_can_be_shifted_too(kind):
    assert not np.array_equal(shift(SIGNALS, kind, 2).x_test, SIGNALS.x_test)


def test_the_movements_are_known():
    x = np.zeros((1, 1, 8, 8))
    x[0, 0, 3, 2] = 1.0
    rng = np.random.default_rng(0)
    moved = data.shifts.translation(x, 2 / 8, rng)
    assert moved[0, 0, 3, 4] == pytest.approx(1)
    turned = data.shifts.rotation(x, 90, rng)
    assert turned[0, 0, 5, 3] == pytest.approx(1)  # (row, column) around the middle, 3.5: left of it becomes below it
    assert data.shifts.contrast(x, 1.0, rng).std() == pytest.approx(0)
    assert data.shifts.blur(x, 1.0, rng).sum() == pytest.approx(1, abs=0.05)
    flat = np.full((2, 1, 8, 8), 0.5)
    np.testing.assert_allclose(data.shifts.scaling(flat, 0.5, rng), flat)
    small = data.shifts.scaling(np.ones((1, 1, 8, 8)) * np.arange(8), 0.5, rng)[0, 0, 0]
    np.testing.assert_allclose(np.diff(small)[3], 2)  # half as wide, so twice as steep


def test_domains_drift_step_by_step():
    domains = gradual(DIGITS, "rotation", 60, steps=4)
    assert len(domains) == 5
    assert domains[0] is DIGITS
    away = [np.linalg.norm(d.x_train - DIGITS.x_train) for d in domains]
    assert all(a < b for a, b in itertools.pairwise(away))
    np.testing.assert_array_equal(domains[2].y_test, DIGITS.y_test)
    assert domains[2].name == "digits, rotation 30"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: shift(DIGITS, "fog", 1), "kind must be one of 'noise', 'blur'"),
        (lambda: shift(DIGITS, "noise", 6), "severity must be a whole number in 0 … 5, got 6"),
        (lambda: shift(SIGNALS, "rotation", 1), "rotation needs images"),
        (lambda: shift(data.blobs(), "noise", 1), "data must be images or signals"),
        (lambda: gradual(DIGITS, "rotation", 60, 0), "steps must be a whole number ≥ 1, got 0"),
    ],
)
def test_bad_arguments_are_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()
