"""Text as characters: nothing lost, the next character next, the parts apart."""

import numpy as np
import pytest

from minisam.data import text


@pytest.fixture(scope="module")
def data():
    return text(context=32)


def test_y_is_x_moved_on_by_one(data):
    for x, y in ((data.x_train, data.y_train), (data.x_validation, data.y_validation), (data.x_test, data.y_test)):
        assert x.shape[1] == 32
        assert x.dtype == y.dtype == np.int64
        np.testing.assert_array_equal(x[:, 1:], y[:, :-1])
        np.testing.assert_array_equal(x[1:, 0], y[:-1, -1])


def test_it_is_long_and_english(data):
    whole = data.decode(np.concatenate([data.x_train.ravel(), data.x_validation.ravel(), data.x_test.ravel()]))
    assert len(whole) > 400_000
    assert whole.count(" the ") > 2_000
    assert 80 <= len(data.vocabulary) <= 200


def test_encode_and_decode(data):
    assert data.decode(data.encode("Sharp minima, flat minima.")) == "Sharp minima, flat minima."
    assert data.encode("the").max() < len(data.vocabulary)
    with pytest.raises(ValueError, match="text must be made of the vocabulary's characters, got '☃'"):
        data.encode("snow ☃")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"context": 0}, "context must be a whole number ≥ 1, got 0"),
        ({"context": 10**7}, "context must be in 1 …"),
        ({"validation": 0.0}, r"validation must be in \(0, 1\), got 0.0"),
        ({"test": 0.99}, "validation and test must be > 0 and together below 1"),
    ],
)
def test_bad_arguments_are_named(options, says):
    with pytest.raises(ValueError, match=says):
        text(**options)
