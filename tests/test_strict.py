"""The stand-in refuses what CuPy refuses, and counts what is read back."""

import numpy as np
import pytest
import strict
from strict import StrictArray, xp

A = xp.asarray(np.arange(6.0).reshape(2, 3))


def test_conversion_is_refused():
    for convert in (np.asarray, np.array, lambda a: np.zeros(3) + a, lambda a: np.add(a, np.ones(3))):
        with pytest.raises(TypeError):
            convert(A)


@pytest.mark.parametrize(
    "mix",
    [
        lambda h: A + h,
        lambda h: h * A,
        lambda h: A @ h.T,
        lambda h: xp.where(A > 1, A, h),
        lambda h: xp.concatenate([A, h]),
        lambda h: A.__iadd__(h),
        lambda h: A.__setitem__(0, h[0]),
        lambda h: np.add.at(xp.zeros(3), [0], h[0]),
        lambda h: h.__iadd__(A),
        lambda h: xp.zeros_like(h),
        lambda h: A + h.tolist(),
        lambda h: xp.add(A, h.tolist()),
        lambda h: A.__setitem__(0, h[0].tolist()),
    ],
)
def test_mixing_with_numpy_arrays_is_refused(mix):
    with pytest.raises(TypeError):
        mix(np.ones((2, 3)))


def test_scalars_of_python_and_numpy_are_taken():
    assert (A + 1 + np.float64(2)).get()[0, 0] == 3
    assert (2.0 * A).dtype == np.float64


def test_results_stay_on_the_device():
    for result in (A.sum(), A.max(axis=1), np.exp(A), xp.sum(A), A[0, 0], A[0], A.T, A > 1, xp.linalg.norm(A)):
        assert isinstance(result, StrictArray)
    assert A.sum().shape == ()


def test_views_share_memory():
    a = xp.zeros((2, 3))
    a[0].reshape(3, 1)[...] = 5
    a.T[2, 1] = 7
    np.testing.assert_array_equal(a.get(), [[5, 5, 5], [0, 0, 7]])
    one = a[0, 1]
    one += 1
    next(iter(a[1]))[...] = 8
    np.testing.assert_array_equal(a.get(), [[5, 6, 5], [8, 0, 7]])


def test_indices_may_live_on_either_side():
    for index in ([1, 0], np.array([1, 0]), xp.asarray([1, 0])):
        np.testing.assert_array_equal(A[index].get(), A.get()[[1, 0]])
    total = xp.zeros(2)
    xp.add.at(total, np.array([0, 0, 1]), xp.ones(3))
    np.add.at(total, np.array([0, 0, 1]), xp.ones(3))
    np.testing.assert_array_equal(total.get(), [4, 2])


def test_operators_in_place_keep_the_array():
    a = b = xp.asarray([1.0, 2.0])
    b += 1
    b *= xp.asarray([1.0, 2.0])
    assert a is b
    np.testing.assert_array_equal(a.get(), [2, 6])


def test_a_host_list_of_device_scalars_becomes_one_array():
    np.testing.assert_array_equal(xp.asarray([A[0, 1], A[1, 1]]).get(), [1, 4])
    np.testing.assert_array_equal(xp.array([A[0, 1], A[1, 1]]).get(), [1, 4])


def test_out_must_be_a_device_array_of_the_results_dtype():
    out = xp.empty((2, 3))
    assert xp.add(A, 1, out=out) is out
    assert np.multiply(A, 2, out=out) is out
    np.testing.assert_array_equal(out.get(), 2 * A.get())
    for wrong in (np.empty((2, 3)), xp.empty((2, 3), dtype="float32")):
        with pytest.raises(TypeError):
            xp.add(A, 1, out=wrong)
    with pytest.raises(ValueError, match="output shape"):
        xp.add(A, 1, out=xp.empty((3, 2)))


def test_what_is_read_back_is_counted():
    before = strict.crossings
    float(A[0, 1])
    bool(A[0, 1] > 0)
    A.get()
    A.sum().item()
    A[A > 1]  # the size of the result has to be read
    assert strict.crossings == before + 5
    A + 1
    A.sum()
    A[0, 1]
    assert strict.crossings == before + 5


def test_what_cupy_lacks_is_refused():
    with pytest.raises(AttributeError, match="unstack"):
        xp.unstack(A)
    for call in (
        lambda: np.unstack(A),
        lambda: np.vecdot(A, A),
        lambda: xp.sum(A, where=A > 1),
        lambda: range(A[0, 1]),
    ):
        with pytest.raises(TypeError):
            call()
