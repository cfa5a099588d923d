"""What every optimizer must satisfy."""

import copy

import numpy as np
import pytest
import strict
from protocol import OPTIMIZERS

from minisam import array_backend, mlp, value_and_grad

MODEL = mlp([4, 6, 3], "tanh")
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((8, 4)).astype("float32"), RNG.integers(0, 3, 8)


@pytest.fixture(params=OPTIMIZERS)
def optimizer(request):
    return OPTIMIZERS[request.param]()


def loss_on(x=X, y=Y):
    f = value_and_grad(MODEL)
    x, y = array_backend.asarray(x), array_backend.asarray(y)
    return lambda w: f(w, x, y)


def run(optimizer, w, steps=5, loss_and_grad=None):
    loss_and_grad = loss_and_grad or loss_on()
    state = optimizer.init(w)
    for _ in range(steps):
        w, state, info = optimizer.step(w, state, loss_and_grad)
    return w, state, info


def test_inputs_stay_as_they_were(optimizer):
    w, state, _ = run(optimizer, MODEL.init(0), steps=2)
    before = w.copy(), copy.deepcopy(state)
    optimizer.step(w, state, loss_on())
    np.testing.assert_array_equal(w, before[0])
    assert state.keys() == before[1].keys()
    for key in state:
        np.testing.assert_array_equal(state[key], before[1][key])


def test_the_state_is_data(optimizer):
    w, state, _ = run(optimizer, MODEL.init(0), steps=2)
    assert all(isinstance(value, int | np.ndarray) for value in state.values())
    one, _, _ = optimizer.step(w, state, loss_on())
    other, _, _ = optimizer.step(w.copy(), copy.deepcopy(state), loss_on())
    np.testing.assert_array_equal(one, other)


def test_it_does_not_matter_whether_the_gradient_is_recorded(optimizer):
    eager = value_and_grad(MODEL, recorded=False)
    np.testing.assert_array_equal(
        run(optimizer, MODEL.init(0))[0], run(optimizer, MODEL.init(0), loss_and_grad=lambda w: eager(w, X, Y))[0]
    )


def test_replicas_are_separate_runs(optimizer):
    together, _, told = run(optimizer, MODEL.init([0, 1, 2]))
    for k in range(3):
        alone, _, told_alone = run(optimizer, MODEL.init(k))
        np.testing.assert_array_equal(together[k], alone)
        for key in ("loss", "grad_norm"):
            np.testing.assert_array_equal(told[key][k], told_alone[key])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lead", [(), (3,)])
def test_dtype_and_shapes_are_kept(optimizer, dtype, lead):
    w = MODEL.init(list(range(3)) if lead else 0, dtype)
    after, state, info = run(optimizer, w)
    assert after.dtype == dtype
    assert after.shape == w.shape
    assert all(a.dtype == dtype for a in state.values() if isinstance(a, np.ndarray))
    for key in info.keys() - {"evaluations"}:
        assert info[key].shape == lead
        assert info[key].dtype == dtype


def test_evaluations_are_the_calls_made(optimizer):
    calls = []
    f = loss_on()

    def counted(w):
        calls.append(w)
        return f(w)

    _, _, info = run(optimizer, MODEL.init(0), steps=1, loss_and_grad=counted)
    assert info["evaluations"] == len(calls)


def test_the_loss_goes_down(optimizer):
    w = MODEL.init(0)
    assert loss_on()(run(optimizer, w, steps=10)[0])[0] < loss_on()(w)[0]


def test_at_a_zero_gradient_everything_stays_finite(optimizer):
    w, state, info = run(optimizer, np.zeros(5), loss_and_grad=lambda w: (np.zeros(()), np.zeros(5)))
    for a in (w, *state.values(), *info.values()):
        assert np.isfinite(a).all()
    np.testing.assert_array_equal(w, 0)


def test_the_same_seed_gives_the_same_bits(optimizer):
    np.testing.assert_array_equal(run(optimizer, MODEL.init(0))[0], run(optimizer, MODEL.init(0))[0])


def test_on_a_device_it_has_the_same_bits_and_reads_nothing_back(optimizer, monkeypatch):
    expected, _, _ = run(optimizer, MODEL.init([0, 1]))
    monkeypatch.setitem(array_backend.BACKENDS, "strict", strict.backend)
    with array_backend.use("strict"):
        f, w = loss_on(), MODEL.init([0, 1])
        f(w)  # a record is compared with the eager gradient once, which reads back
        before = strict.crossings
        w, _, _ = run(optimizer, w, loss_and_grad=f)
        assert strict.crossings == before
        np.testing.assert_allclose(array_backend.asnumpy(w), expected, rtol=1e-5, atol=1e-7)
