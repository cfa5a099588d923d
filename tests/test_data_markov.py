"""Texts from a source that is known."""

import re

import numpy as np
import pytest

from minisam.data import markov
from minisam.data.markov import entropy


def tokens(x, states):
    return x.reshape(len(x), -1, states).argmax(axis=-1)


def test_shapes_types_and_windows():
    data = markov(states=5, context=4, train=50, validation=20, test=30)
    assert data.x_train.shape == (50, 20)
    assert data.x_train.dtype == np.float32
    assert data.y_test.shape == (30,)
    assert data.y_test.dtype == np.int64
    t = tokens(data.x_train, 5)
    assert (data.x_train.reshape(50, 4, 5).sum(axis=-1) == 1).all()
    assert (t[1:, :-1] == t[:-1, 1:]).all()  # each window is the one before, moved on by a token
    assert (data.y_train[:-1] == t[1:, -1]).all()


def test_the_next_token_has_the_probabilities_of_the_source():
    data = markov(states=3, train=60_000)
    t = tokens(data.x_train, 3)
    row = t[:, -2] * 3 + t[:, -1]
    for k in range(9):
        n = np.sum(row == k)
        share = np.bincount(data.y_train[row == k], minlength=3) / n
        assert np.all(np.abs(share - data.probabilities[k]) < 4 / np.sqrt(n))


def test_the_floor_is_the_loss_of_who_knows_the_source():
    data = markov(states=4, test=40_000)
    t = tokens(data.x_test, 4)
    surprise = -np.log(data.probabilities[t[:, -2] * 4 + t[:, -1], data.y_test])
    assert abs(surprise.mean() - data.floor) < 4 * surprise.std() / np.sqrt(len(surprise))


def test_entropy_of_known_distributions():
    p = np.array([[0.25] * 4, [1, 0, 0, 0], [0.5, 0.5, 0, 0]])
    np.testing.assert_allclose(entropy(p), [np.log(4), 0, np.log(2)])


def test_a_seed_is_a_source_and_fewer_examples_are_the_first_of_more():
    few, more, other = markov(train=50), markov(train=80), markov(seed=1, train=50)
    assert (few.x_train == more.x_train[:50]).all()
    assert (few.x_test == more.x_test).all()
    assert (few.probabilities != other.probabilities).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"context": 1}, "context must be a whole number ≥ 2, got 1"),
        ({"concentration": 0.0}, "concentration must be > 0, got 0.0"),
        ({"states": 0}, "states must be a whole number ≥ 1, got 0"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        markov(**options)
