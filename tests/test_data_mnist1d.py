"""MNIST-1D is the published one."""

import numpy as np
import pytest

from minisam.data import mnist1d
from minisam.data.mnist1d import templates


@pytest.fixture(scope="module")
def ours():
    return mnist1d()


@pytest.mark.filterwarnings("ignore")  # of the oracle's own imports
def test_seed_42_is_the_authors_set(ours):
    from mnist1d.data import get_dataset_args, get_templates, make_dataset

    np.testing.assert_allclose(templates(), get_templates()["x"], rtol=1e-12, atol=1e-15)
    theirs = make_dataset(get_dataset_args())
    x, y = np.concatenate([ours.x_train, ours.x_validation]), np.concatenate([ours.y_train, ours.y_validation])
    np.testing.assert_allclose(x, theirs["x"], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(y, theirs["y"])
    np.testing.assert_allclose(ours.x_test, theirs["x_test"], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(ours.y_test, theirs["y_test"])


def test_shapes_and_range(ours):
    assert ours.shape == (1, 40)
    assert [a.shape for a in (ours.x_train, ours.x_validation, ours.x_test)] == [(3600, 40), (400, 40), (1000, 40)]
    assert ours.x_train.dtype == np.float32
    assert ours.y_train.dtype == np.int64
    x = np.concatenate([ours.x_train, ours.x_validation, ours.x_test]).astype(float)
    assert x.mean() == pytest.approx(0, abs=1e-6)
    assert x.std() == pytest.approx(1, abs=1e-6)
    y = np.concatenate([ours.y_train, ours.y_validation, ours.y_test])
    np.testing.assert_array_equal(np.bincount(y), [500] * 10)


def test_the_seed_tells_the_set():
    small = {"train": 60, "validation": 20, "test": 20}
    assert np.array_equal(mnist1d(7, **small).x_train, mnist1d(7, **small).x_train)
    assert not np.array_equal(mnist1d(7, **small).x_train, mnist1d(8, **small).x_train)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"train \+ validation \+ test must be a multiple of 10, got 33"):
        mnist1d(train=11, validation=11, test=11)
    with pytest.raises(ValueError, match="seed must be a whole number"):
        mnist1d(-1)
