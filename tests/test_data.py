"""Data sets: the split is a partition, told by its seed. Minibatches: what an epoch draws, and what a replica sees."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from minisam.data import batches, digits


def parts(data):
    return [(getattr(data, f"x_{p}"), getattr(data, f"y_{p}")) for p in ("train", "validation", "test")]


def rows(x, y):
    """Examples as sorted tuples, so that two collections can be held against each other."""
    return sorted((*pixels, label) for pixels, label in zip(x.tolist(), y.tolist(), strict=True))


@pytest.mark.parametrize(("seed", "train", "validation"), [(0, 900, 300), (7, 1, 1), (3, 1000, 796)])
def test_the_three_parts_are_all_digits_once(seed, train, validation):
    data = digits(seed, train, validation)
    assert [len(x) for x, _ in parts(data)] == [train, validation, 1797 - train - validation]
    x, y = load_digits(return_X_y=True)
    assert rows(*map(np.concatenate, zip(*parts(data), strict=True))) == rows(x / 16, y)


def test_digits_are_float32_in_0_to_1_with_int64_labels_0_to_9():
    for x, y in parts(digits()):
        assert x.dtype == "float32"
        assert y.dtype == "int64"
        assert x.shape == (len(y), 64)
        assert x.min() == 0
        assert x.max() == 1
        assert set(y.tolist()) == set(range(10))


def test_the_seed_alone_decides_the_split():
    first, again, other = digits(1), digits(1), digits(2)
    for (x, y), (x_again, y_again) in zip(parts(first), parts(again), strict=True):
        assert np.array_equal(x, x_again)
        assert np.array_equal(y, y_again)
    assert not np.array_equal(first.x_train, other.x_train)


def test_a_larger_training_part_contains_the_smaller():
    assert np.array_equal(digits(train=500).x_train, digits(train=900).x_train[:500])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"train": 0}, "train must be a whole number ≥ 1, got 0"),
        ({"train": 1.5}, "train must be a whole number ≥ 1, got 1.5"),
        ({"validation": -3}, "validation must be a whole number ≥ 1, got -3"),
        ({"train": 1500, "validation": 297}, "train + validation must be below 1797, got 1500 + 297"),
        ({"seed": -1}, "seed must be a whole number ≥ 0, got -1"),
        ({"seed": [0, 1]}, "seed must be a whole number ≥ 0, got [0, 1]"),
        ({"seed": True}, "seed must be a whole number ≥ 0, got True"),
        ({"train": True}, "train must be a whole number ≥ 1, got True"),
    ],
)
def test_digits_say_what_is_wrong(arguments, says):
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        digits(**arguments)


# --- minibatches ---------------------------------------------------------------------------------------------------

sizes = st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))
seeds = st.integers(0, 2**40)


@given(sizes, seeds, st.integers(0, 1000))
def test_each_example_is_drawn_at_most_once_an_epoch_and_only_a_remainder_sits_out(size, seed, epoch):
    n, batch_size = size
    drawn = batches(n, batch_size, seed, epoch)
    assert drawn.shape == (n // batch_size, batch_size)
    assert len(set(drawn.ravel().tolist())) == drawn.size
    assert drawn.dtype.kind == "i"
    assert drawn.min() >= 0
    assert drawn.max() < n


@given(sizes, st.lists(seeds, min_size=1, max_size=4), st.integers(0, 1000))
def test_a_replica_sees_the_order_that_it_has_alone(size, seeds, epoch):
    together = batches(*size, seeds, epoch)
    for k, seed in enumerate(seeds):
        assert np.array_equal(together[:, k], batches(*size, seed, epoch))


def test_epochs_and_seeds_are_shuffled_each_in_its_own_way():
    orders = {batches(50, 50, seed, epoch).tobytes() for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25
    assert np.array_equal(batches(50, 10, 3, 4), batches(50, 10, 3, 4))


@pytest.mark.parametrize("epoch", [0, 1])
def test_the_order_is_drawn_from_another_stream_than_the_initial_weights(epoch):
    assert not np.array_equal(batches(50, 50, 3, epoch)[0], np.random.default_rng(3).permutation(50))


def test_every_example_is_as_likely_to_sit_out():
    """Of 7 examples in batches of 3 one sits out: in 7,000 epochs each does so 1,000 times, ± 29 (σ of a binomial)."""
    drawn = np.array([np.bincount(batches(7, 3, 0, epoch).ravel(), minlength=7) for epoch in range(7000)])
    assert np.abs((drawn == 0).sum(axis=0) - 1000).max() < 4 * 29.3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0, 1, 0, 0), "n must be a whole number ≥ 1, got 0"),
        ((5, 0, 0, 0), "batch_size must be a whole number ≥ 1, got 0"),
        ((5, 6, 0, 0), "batch_size must be in 1 … 5, got 6"),
        ((5, 2, [], 0), "seed must be a whole number ≥ 0 or a sequence of them, got []"),
        ((5, 2, [1, -1], 0), "seed must be a whole number ≥ 0 or a sequence of them, got [1, -1]"),
        ((5, 2, 0.5, 0), "seed must be a whole number ≥ 0 or a sequence of them, got 0.5"),
    ],
)
def test_batches_say_what_is_wrong(arguments, says):
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        batches(*arguments)
