"""On a real GPU: NumPy's numbers up to rounding, records as CUDA graphs, and no step that waits for the device."""

import gc
import warnings

import numpy as np
import pytest
import test_on_strict

from minisam import (
    SAM,
    SGD,
    Adam,
    BatchLoss,
    array_backend,
    cross_entropy,
    data,
    mlp,
    ops,
    train,
    value_and_grad,
    verify,
)

pytestmark = pytest.mark.gpu
MODEL = mlp([64, 32, 10])


@pytest.fixture(autouse=True)
def _on_the_device():
    with array_backend.use("cupy"):
        yield


def test_every_formula_holds():
    assert [result.formula for result in verify.run() if not result.ok] == []


@pytest.mark.parametrize("name", test_on_strict.CASES)
def test_the_numbers_are_numpys(name):
    computed = [array_backend.asnumpy(a) for a in test_on_strict.CASES[name]()]
    with array_backend.use("numpy"):
        expected = test_on_strict.CASES[name]()
    for a, b in zip(computed, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("optimizer", [SGD(0.1, 0.9), SAM(SGD(0.1, 0.9), 0.05), SAM(Adam(0.01), 0.05)])
def test_a_training_ends_where_numpys_does(optimizer):
    def trained():
        return train(MODEL, data.digits(), optimizer, 2, seed=[0, 1], dtype="float64", progress=False)

    run = trained()
    assert isinstance(run.w, array_backend.xp().ndarray)
    with array_backend.use("numpy"):
        expected = trained()
    np.testing.assert_allclose(array_backend.asnumpy(run.w), expected.w, rtol=1e-6, atol=1e-8)


def test_records_are_captured_as_graphs():
    digits = data.digits()
    x, y = array_backend.asarray(digits.x_train[:64], "float32"), array_backend.asarray(digits.y_train[:64])
    w = MODEL.init(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # that a record runs call by call is a warning
        first = value_and_grad(MODEL)(w, x, y)
    again = value_and_grad(MODEL, recorded=False)(w, x, y)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_allclose(array_backend.asnumpy(a), array_backend.asnumpy(b), rtol=1e-4, atol=1e-6)


def test_a_graph_gives_the_same_after_memory_was_used_again():
    """It reads rows of ones, masks and indices at their addresses, after others pushed them out of the caches."""
    model, index = MODEL, np.array([3, 1, 2, 2])

    def loss(z, y):
        return cross_entropy(ops.softmax(z)[..., index, :], y[index])

    gradient, w = value_and_grad(model, loss), model.init(0, "float64")
    x, y = array_backend.asarray(np.eye(6, 64)), array_backend.asarray(np.arange(6))
    first = [array_backend.asnumpy(a) for a in gradient(w, x, y)]
    for n in range(1, 50):
        ops.sum_last(array_backend.xp().ones((2, n)))
        ops.sum_rows(array_backend.xp().ones((n + 50, 2)))
    gc.collect()
    array_backend.xp().get_default_memory_pool().free_all_blocks()
    others = [array_backend.xp().full(n, np.nan) for n in range(1, 200)]
    for a, b in zip(gradient(w, x, y), first, strict=True):
        np.testing.assert_array_equal(array_backend.asnumpy(a), b)
    assert len(others) == 199


def test_a_step_never_waits_for_the_device():
    import cupyx

    digits, optimizer = data.digits(), SAM(SGD(0.1, 0.9), 0.05)
    x, y = array_backend.asarray(digits.x_train[:64], "float32"), array_backend.asarray(digits.y_train[:64])
    batch, w = BatchLoss(MODEL).on(x, y), MODEL.init(range(3))
    state = optimizer.init(w)
    for _ in range(
        8
    ):  # of these 16 replays the 4th and the 12th are compared with the reference, which waits; so is the 28th
        w, state, _ = optimizer.step(w, state, batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of allow_synchronize, the one hook there is
        with cupyx.allow_synchronize(False):
            for _ in range(3):
                w, state, _ = optimizer.step(w, state, batch)
    assert np.isfinite(array_backend.asnumpy(w)).all()
