"""Toy problems are what they are called; subsets and single passes leave nothing out and nothing twice."""

import inspect

import numpy as np
import pytest

from minisam import data

TOYS = {
    "two moons": (data.two_moons, 2),
    "spirals": (data.spirals, 2),
    "blobs": (data.blobs, 3),
    "linear teacher": (data.linear_teacher, 0),
    "diagonal regression": (data.diagonal_regression, 0),
}
each_toy = pytest.mark.parametrize(("make", "classes"), TOYS.values(), ids=TOYS)


def parts(d):
    return (d.x_train, d.y_train), (d.x_validation, d.y_validation), (d.x_test, d.y_test)


@each_toy
def test_sizes_types_and_seeds(make, classes):
    d = make(3, train=30, validation=20, test=10)
    for (x, y), m in zip(parts(d), (30, 20, 10), strict=True):
        assert len(x) == len(y) == m
        assert x.dtype == np.float32
        assert y.dtype == (np.int64 if classes else np.float32)
    if classes:
        assert set(np.concatenate([y for _, y in parts(d)])) == set(range(classes))
    again, other = make(3, train=30, validation=20, test=10), make(4, train=30, validation=20, test=10)
    assert np.array_equal(d.x_train, again.x_train)
    assert not np.array_equal(d.x_train, other.x_train)


@each_toy
def test_bad_arguments_are_named(make, classes):
    with pytest.raises(ValueError, match="noise must be ≥ 0, got -1"):
        make(noise=-1)
    with pytest.raises(ValueError, match="seed must be a whole number"):
        make(seed=-1)
    for name, parameter in inspect.signature(make).parameters.items():
        if name != "seed" and isinstance(parameter.default, int):
            with pytest.raises(ValueError, match=f"{name} must be a whole number ≥ 1, got 0"):
                make(**{name: 0})


def test_without_noise_each_toy_is_its_formula():
    moons = data.two_moons(noise=0.0, train=500)
    upper = moons.x_train[moons.y_train == 0]
    np.testing.assert_allclose(np.hypot(*upper.T), 1, rtol=1e-5)
    assert (upper[:, 1] >= 0).all()
    lower = np.array([1.0, 0.5]) - moons.x_train[moons.y_train == 1]
    np.testing.assert_allclose(np.hypot(*lower.T), 1, rtol=1e-5)
    spirals = data.spirals(noise=0.0, arms=3, train=500)
    radius, angle = np.hypot(*spirals.x_train.T), np.arctan2(*spirals.x_train.T[::-1])
    turns = angle / (2 * np.pi) - radius - spirals.y_train / 3
    np.testing.assert_allclose(turns - np.round(turns), 0, atol=1e-4)
    blobs = data.blobs(noise=0.0, classes=4, train=500)
    assert len(np.unique(blobs.x_train, axis=0)) == 4
    teacher = data.linear_teacher(noise=0.0, train=100)
    assert np.linalg.lstsq(teacher.x_train, teacher.y_train, rcond=None)[1] < 1e-8
    sparse = data.diagonal_regression()
    np.testing.assert_allclose(sparse.y_train[:, 0], sparse.x_train[:, :3].sum(axis=1), rtol=1e-5, atol=1e-5)


def test_a_sparse_map_has_no_more_active_entries_than_features():
    with pytest.raises(ValueError, match="active must be in 1 … 30, got 31"):
        data.diagonal_regression(active=31)


@pytest.mark.parametrize("n", [10, 37, 900])
def test_a_subset_has_as_many_of_each_class_up_to_one(n):
    digits = data.digits()
    few = data.subset(digits, n, seed=1)
    assert len(few.x_train) == len(few.y_train) == n
    rows = {row.tobytes() for row in digits.x_train}
    assert all(row.tobytes() in rows for row in few.x_train)
    counts = np.bincount(few.y_train, minlength=10)
    assert counts.max() - counts.min() <= 1 or n == 900
    assert np.array_equal(few.x_test, digits.x_test)
    with pytest.raises(ValueError, match="n must be in 1 … 900, got 901"):
        data.subset(digits, 901)


def test_a_single_pass_shows_each_example_once():
    d = data.blobs(train=40)
    seen = [row.tobytes() for x, _ in data.single_pass(d, 8) for row in x]
    assert sorted(seen) == sorted(row.tobytes() for row in d.x_train)


def told(a):
    """One number that tells which numbers a holds, and in which order."""
    return np.sum(np.ravel(a).astype("float64") * np.cos(np.arange(np.size(a))))


@pytest.mark.parametrize(
    ("make", "x", "y", "x_test"),
    [
        (data.digits, 18.8014, 28.9421, -29.2910),
        (data.two_moons, 18.3321, -2.3354, -27.0919),
        (data.spirals, -1.2568, -6.2406, -1.4951),
        (data.blobs, 5.5481, 1.5845, 12.8446),
        (data.linear_teacher, 20.4591, 0.9359, 182.9726),
        (data.diagonal_regression, 41.9976, 2.5446, -129.4800),
        (data.markov, 32.3616, 180.1703, 26.3868),
        (lambda: data.symmetric_noise(data.digits(), 0.4), 18.8014, -54.4508, -29.2910),
        (lambda: data.instance_dependent_noise(data.digits(), 0.4), 18.8014, -52.9022, -29.2910),
        (lambda: data.shift(data.digits(), "rotation", 3), 18.8014, 28.9421, -6.1512),
        (lambda: data.shift(data.digits(), "noise", 3), 18.8014, 28.9421, -8.4652),
    ],
)
def test_the_same_seed_gives_the_same_data_wherever_this_runs(make, x, y, x_test):
    """Up to rounding: as they were drawn on Linux by NumPy 2.4."""
    d = make()
    np.testing.assert_allclose([told(d.x_train), told(d.y_train), told(d.x_test)], [x, y, x_test], rtol=0, atol=1e-3)
