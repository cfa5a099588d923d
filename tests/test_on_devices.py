"""The whole library on arrays that do not live on the host: NumPy's numbers, and nothing crosses silently."""

import autograd.numpy as anp
import numpy as np
import pytest

from minisam import (
    SAM,
    SGD,
    Adam,
    BatchLoss,
    Quadratic,
    array_backend,
    check_grad,
    data,
    hvp,
    l2_penalty,
    mlp,
    mse,
    sam_objective,
    sharpness,
    train,
    value_and_grad,
)
from minisam.autodiff import records

RNG = np.random.default_rng(0)
X, Y, TARGET = RNG.standard_normal((6, 5)), RNG.integers(0, 3, 6), RNG.standard_normal((6, 3))
A = RNG.standard_normal((4, 4))
W4 = RNG.standard_normal((3, 4))


def gradients(activation, loss, recorded):
    model = mlp([5, 7, 3], activation)
    w, x = model.init([0, 1], "float64"), array_backend.asarray(X)
    y = array_backend.asarray(Y if loss is None else TARGET)
    losses = () if loss is None else (loss,)
    value, g = value_and_grad(model, *losses, recorded=recorded)(w, x, y)
    return value, g, hvp(model, *losses, recorded=recorded)(w, g, x, y)


def objectives():
    q = Quadratic(array_backend.asarray(A @ A.T), array_backend.asarray(np.ones(4)), 0.5)
    w = array_backend.asarray(W4)
    balls = [(inner, p) for inner in ("single-step", "ascent", "exact") for p in (1, 2, np.inf)]
    return [sam_objective(q, w, 0.3, p, l2=0.1, inner=inner) for inner, p in balls]


def measures():
    model = mlp([5, 7, 3], "tanh")
    w, x, y = model.init([0, 1], "float64"), array_backend.asarray(X), array_backend.asarray(Y)
    f, h = value_and_grad(model), hvp(model)
    worst = sharpness.worst_case(lambda w: f(w, x, y), w, 0.1)
    top = sharpness.lambda_max(lambda w, v: h(w, v, x, y), w, steps=5)
    _, plane = sharpness.landscape(lambda w: f(w, *batch_of(w, x, y))[0], w[0], 1.0, points=3)
    return worst, top, plane


def batch_of(w, x, y):
    return x, y


MEASURES = {  # each of a loss, a Hessian-vector product, weights and a model; and how often it may read from the device
    "worst case": (lambda f, h, w, m: sharpness.worst_case(f, w, 0.1, steps=2, restarts=2, adaptive=True), 0),
    "worst case, p = ∞": (lambda f, h, w, m: sharpness.worst_case(f, w, 0.1, np.inf, steps=2), 0),
    "worst case, swept": (lambda f, h, w, m: sharpness.worst_case(f, w, RADII, steps=2), 0),
    "worst case of matrices": (
        lambda f, h, w, m: sharpness.worst_case(f, w, 0.1, steps=2, adaptive=sharpness.matrices(m)),
        0,
    ),
    "surrogate gap": (lambda f, h, w, m: sharpness.surrogate_gap(f, w, 0.1), 0),
    "gradient norm": (lambda f, h, w, m: sharpness.gradient_norm(f, w, 3.0), 0),
    "accuracy": (lambda f, h, w, m: sharpness.single_step_accuracy(f, w, 0.1, steps=2).ratio, 0),
    "cosine": (lambda f, h, w, m: sharpness.single_step_accuracy(f, w, 0.1, steps=2).cosine, 0),
    "what SAM drops": (lambda f, h, w, m: sharpness.second_order(f, h, w, 0.1).dropped, 0),
    "its share": (lambda f, h, w, m: sharpness.second_order(f, h, w, 0.1).share, 0),
    "m-sharpness": (lambda f, h, w, m: sharpness.m_sharpness(f.parts(3), w, 0.1, steps=2).value, 1),
    "average case": (lambda f, h, w, m: sharpness.average_case(f, w, 0.1, True, samples=3).error, 1),
    "eigenvalues": (lambda f, h, w, m: sharpness.eigenvalues(h, w, 2, steps=4), 1),
    "trace": (lambda f, h, w, m: sharpness.trace(h, w, samples=3).error, 1),
    "density": (lambda f, h, w, m: sharpness.spectral_density(h, w, 4, 3).density(RHO), 3),
    "landscape": (lambda f, h, w, m: sharpness.landscape(f, w, 1.0, 3, toward=w, model=m)[1], 1),
    "profile": (lambda f, h, w, m: sharpness.profile(f, w, 1.0, 3)[1], 1),
    "interpolation": (lambda f, h, w, m: sharpness.interpolation(f, w, 0 * w, 3)[1], 1),
}
RHO = np.array([0.0, 0.1])
RADII = RHO[:, None, None]


def measured(name, crossings=lambda: 0):
    """A measure's numbers, and how often it reads something back from the device."""
    model = mlp([5, 7, 3], "tanh")
    w, x, y = model.init([0, 1], "float64"), array_backend.asarray(X), array_backend.asarray(Y)
    f, of_net = BatchLoss(model).on(x, y), hvp(model)
    measure, _ = MEASURES[name]
    for _ in range(2):  # the first time records are made and checked, which looks
        before = crossings()
        found = measure(f, lambda w, v: of_net(w, v, x, y), w, model)
        crossed = crossings() - before
    return array_backend.asnumpy(found.value if isinstance(found, sharpness.Estimate) else found), crossed


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_has_numpys_numbers_and_reads_back_its_result_alone(name, device, monkeypatch):
    monkeypatch.setattr(records, "COMPARED", (10**6, 10**6))  # later comparisons with tracing look as well
    expected, _ = measured(name)
    with device.in_use(), device.counted() as crossings:
        found, crossed = measured(name, crossings)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)
    assert crossed == MEASURES[name][1]


def landscape_of_a_user():
    def landscape(w):
        return anp.sum(anp.sin(w) * w, axis=-1) + anp.mean(w**2, -1) * anp.max(w, axis=-1, keepdims=True)[..., 0]

    w = array_backend.asarray(W4)
    value, g = value_and_grad(landscape)(w)
    return value, g, hvp(landscape)(w, g), l2_penalty(w, 0.3)


CASES = {
    **{
        f"{activation}, {'mse' if loss else 'cross-entropy'}, {'recorded' if recorded else 'eager'}": (
            lambda a=activation, k=loss, r=recorded: gradients(a, k, r)
        )
        for activation in ("relu", "tanh", "gelu")
        for loss in (None, mse)
        for recorded in (True, False)
    },
    "the objective": objectives,
    "the measures": measures,
    "a loss written with autograd.numpy": landscape_of_a_user,
}


@pytest.mark.parametrize("name", CASES)
def test_the_numbers_are_numpys(name, device):
    expected = CASES[name]()
    with device.in_use():
        computed = [array_backend.asnumpy(a) for a in CASES[name]()]
    for a, b in zip(computed, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=device.rtol, atol=1e-2 * device.rtol)


def test_check_grad_runs_on_a_device(device):
    with device.in_use():
        assert check_grad(lambda w: anp.sum(anp.sin(w), axis=-1), array_backend.asarray(W4)) < 1e-8


@pytest.mark.parametrize(
    "optimizer", [SGD(0.1, 0.9), SAM(SGD(0.1, 0.9), 0.05), SAM(Adam(0.01), np.array([[0.0], [0.1]]))]
)
def test_a_training_stays_on_the_device_and_ends_where_numpys_does(optimizer, device):
    settings = {"epochs": 2, "seed": [0, 1], "dtype": "float64", "progress": False}
    digits, model = data.digits(), mlp([64, 8, 10])
    expected = train(model, digits, optimizer, **settings)
    with device.in_use():
        run = train(model, digits, optimizer, **settings)
        assert isinstance(run.w, array_backend.xp().ndarray)
        device.assert_close(run.w, expected.w, rtol=device.rtol, atol=device.rtol)
        for key, values in run.history.items():
            np.testing.assert_allclose(values, expected.history[key], rtol=1e-6)


def test_an_epoch_reads_back_only_its_summary(device):
    digits = data.digits()

    def read(batch_size):
        before = crossings()
        train(mlp([64, 8, 10]), digits, SAM(SGD(0.1)), epochs=1, batch_size=batch_size, progress=False)
        return crossings() - before

    with device.in_use(), device.counted() as crossings:
        assert read(64) == read(16)  # four times the steps, and not one value more


def test_host_arrays_are_refused_by_name(device):
    model = mlp([5, 7, 3])
    with device.in_use(), pytest.raises(TypeError, match=rf"backend in use \({device.name}\), got ndarray"):
        value_and_grad(model)(np.zeros(model.size), X, Y)
