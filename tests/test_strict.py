"""The stand-in refuses what CuPy refuses (held against CuPy, where it is), and counts what is read back."""

import numpy as np
import pytest
import strict
from strict import StrictArray, xp

from minisam import array_backend

A = xp.asarray(np.arange(6.0).reshape(2, 3))


H = np.ones((2, 3))
REFUSED = {  # of a namespace and its array a (2, 3)
    "np.asarray": lambda xp, a: np.asarray(a),
    "host + device": lambda xp, a: np.zeros(3) + a,
    "np.add(device, host)": lambda xp, a: np.add(a, np.ones(3)),
    "device + host": lambda xp, a: a + H,
    "host * device": lambda xp, a: H * a,
    "device @ host": lambda xp, a: a @ H.T,
    "where": lambda xp, a: xp.where(a > 1, a, H),
    "concatenate": lambda xp, a: xp.concatenate([a, H]),
    "device += host": lambda xp, a: a.__iadd__(H),
    "host += device": lambda xp, a: H.copy().__iadd__(a),
    "device[0] = host": lambda xp, a: a.__setitem__(0, H[0]),
    "device[0] = list": lambda xp, a: a.__setitem__(0, H[0].tolist()),
    "np.add.at of host values": lambda xp, a: np.add.at(xp.zeros(3), [0], H[0]),
    "device + list": lambda xp, a: a + H.tolist(),
    "add of a list": lambda xp, a: xp.add(a, H.tolist()),
    "out= on the host": lambda xp, a: xp.add(a, 1, out=np.empty((2, 3))),
    "out= of another shape": lambda xp, a: xp.add(a, 1, out=xp.empty((3, 2))),
    "out= of einsum": lambda xp, a: xp.einsum("ij->i", a, out=xp.empty(2)),
    "reshape, order=None": lambda xp, a: a.reshape(6, order=None),
    "sum, where=": lambda xp, a: xp.sum(a, where=a > 1),
    "sum, initial=": lambda xp, a: a.sum(initial=1.0),
    "xp.unstack": lambda xp, a: xp.unstack(a),
    "np.unstack": lambda xp, a: np.unstack(a),
    "np.vecdot": lambda xp, a: np.vecdot(a, a),
    "range": lambda xp, a: range(a[0, 1]),
}
TAKEN = {
    "index by a list": lambda xp, a: a[[1, 0]],
    "index by a host array": lambda xp, a: a[np.array([1, 0])],
    "add.at by a host array": lambda xp, a: xp.add.at(xp.zeros(2), np.array([0, 0, 1]), xp.ones(3)),
    "np.add.at by a host array": lambda xp, a: np.add.at(xp.zeros(2), np.array([0, 0, 1]), xp.ones(3)),
    "a list of device scalars": lambda xp, a: xp.asarray([a[0, 1], a[1, 1]]),
    "np.concatenate": lambda xp, a: np.concatenate([a, a]),
    "numbers": lambda xp, a: a + 1 + np.float64(2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_what_cupy_refuses(name, device):
    with device.in_use():
        xp = array_backend.xp()
        with pytest.raises((TypeError, ValueError, AttributeError)):
            REFUSED[name](xp, xp.asarray(A.get()))


@pytest.mark.parametrize("name", TAKEN)
def test_it_takes_what_cupy_takes(name, device):
    with device.in_use():
        xp = array_backend.xp()
        TAKEN[name](xp, xp.asarray(A.get()))


def test_a_host_array_is_no_model_for_a_device_array():
    with pytest.raises(TypeError):
        xp.zeros_like(H)


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
    with pytest.raises(TypeError):
        xp.add(A, 1, out=xp.empty((2, 3), dtype="float32"))


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
