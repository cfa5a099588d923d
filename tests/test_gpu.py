"""What only CuPy has: records as CUDA graphs, and no step that waits for the device."""

import gc
import warnings

import numpy as np
import pytest

from minisam import (
    SAM,
    SGD,
    BatchLoss,
    array_backend,
    cross_entropy,
    data,
    mlp,
    ops,
    value_and_grad,
)

pytestmark = pytest.mark.gpu
MODEL = mlp([64, 32, 10])


@pytest.fixture(autouse=True)
def _on_the_device():
    with array_backend.use("cupy"):
        yield


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
