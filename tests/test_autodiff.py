"""Gradients and Hessian-vector products of whole networks, against networks written plainly in autograd.numpy."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minisam import check_grad, cross_entropy, hvp, mlp, mse, ops, value_and_grad

ACTIVATIONS = {
    "relu": lambda z: anp.maximum(z, 0.0),
    "tanh": anp.tanh,
    "gelu": lambda z: 0.5 * z * (1 + anp.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
}


def plain_loss(parameters, x, y, activation, layers):
    """Cross-entropy of an MLP, from nothing but autograd.numpy."""
    for k in range(layers):
        x = anp.dot(x, parameters[f"W{k}"]) + parameters[f"b{k}"]
        if k < layers - 1:
            x = ACTIVATIONS[activation](x)
    x = x - anp.max(x, axis=1, keepdims=True)
    log_p = x - anp.log(anp.sum(anp.exp(x), axis=1, keepdims=True))
    return -anp.mean(log_p[np.arange(len(y)), y])


def problem(seed=0, sizes=(4, 6, 5, 3), activation="relu", m=7):
    rng = np.random.default_rng(seed)
    model = mlp(sizes, activation)
    w = model.init(seed, "float64") + 0.01 * rng.standard_normal(model.size)
    return model, w, rng.standard_normal((m, sizes[0])), rng.integers(0, sizes[-1], m)


@settings(max_examples=20)
@given(
    st.integers(0, 1000),
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.sampled_from(list(ACTIVATIONS)),
    st.integers(1, 5),
    st.booleans(),
)
def test_whole_networks_against_plain_autograd(seed, sizes, activation, m, recorded):
    sizes = [*sizes, 3]
    model, w, x, y = problem(seed, sizes, activation, m)
    loss, g = value_and_grad(model, recorded=recorded)(w, x, y)
    oracle = autograd.value_and_grad(plain_loss)
    with np.errstate(over="ignore"):  # autograd's derivative of tanh is 1/cosh², 1/∞ where it is saturated
        expected, parts = oracle(model.unflatten(w), x, y, activation, len(sizes) - 1)
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
    np.testing.assert_allclose(g, model.flatten(parts), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_hvp_against_a_dense_hessian(activation):
    model, w, x, y = problem(1, (3, 4, 2), activation)

    def flat_loss(w):
        return plain_loss(model.unflatten(w), x, y, activation, 2)

    H = autograd.hessian(flat_loss)(w)
    product = hvp(model)
    columns = np.array([product(w, e, x, y) for e in np.eye(model.size)])
    np.testing.assert_allclose(columns, H, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(columns, columns.T, atol=1e-13)


def test_hvp_of_closed_forms():
    w, v = np.random.default_rng(0).standard_normal((2, 4, 3))
    np.testing.assert_allclose(hvp(lambda w: anp.sum(w**4, -1))(w, v), 12 * w**2 * v, rtol=1e-12)
    np.testing.assert_array_equal(hvp(lambda w: anp.sum(2 * w, -1))(w, v), 0 * v)


@pytest.mark.parametrize("recorded", [True, False])
def test_a_replica_equals_the_run_alone(recorded):
    model = mlp([4, 6, 3], "tanh")
    rng = np.random.default_rng(0)
    w, v = model.init([0, 1, 2], "float64"), rng.standard_normal((3, model.size))
    x, y = rng.standard_normal((3, 5, 4)), rng.integers(0, 3, (3, 5))
    f, h = value_and_grad(model, recorded=recorded), hvp(model, recorded=recorded)
    loss, g = f(w, x, y)
    Hv = h(w, v, x, y)
    for k in range(3):
        loss_k, g_k = f(w[k], x[k], y[k])
        np.testing.assert_allclose(loss[k], loss_k, rtol=1e-13)
        np.testing.assert_allclose(g[k], g_k, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(Hv[k], h(w[k], v[k], x[k], y[k]), rtol=1e-11, atol=1e-14)


def test_replicas_may_share_a_batch():
    model, _, x, y = problem()
    w = model.init([0, 1], "float64")
    shared = value_and_grad(model)(w, x, y)
    own = value_and_grad(model)(w, np.stack([x, x]), np.stack([y, y]))
    for a, b in zip(shared, own, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_the_dtype_of_the_weights_rules():
    model, w, x, y = problem()
    loss, g = value_and_grad(model)(w.astype("float32"), x, y)  # x is float64
    assert loss.dtype == g.dtype == np.float32
    assert hvp(model)(w.astype("float32"), w, x, y).dtype == np.float32
    reference = value_and_grad(model)(w, x, y)[1]
    assert reference.dtype == np.float64
    np.testing.assert_allclose(g, reference, atol=1e-6)


@pytest.mark.parametrize("recorded", [True, False])
def test_the_dtype_of_the_weights_rules_also_where_autograd_changes_it(recorded):
    """The gradient of anp.mean is divided by a NumPy integer, which makes float64 of float32."""
    w = np.linspace(-1, 1, 6, dtype="float32").reshape(2, 3)
    f, h = (make(lambda w: anp.mean(w**3, axis=-1), recorded=recorded) for make in (value_and_grad, hvp))
    assert f(w)[1].dtype == h(w, w).dtype == np.float32
    np.testing.assert_allclose(f(w)[1], w**2, rtol=1e-6)
    np.testing.assert_allclose(h(w, w), 2 * w * w, rtol=1e-6)


def test_a_loss_that_does_not_depend_on_w_has_gradient_zero():
    w = np.ones((2, 3))
    loss, g = value_and_grad(lambda w: np.array([1.0, 2.0]))(w)
    np.testing.assert_array_equal(loss, [1, 2])
    np.testing.assert_array_equal(g, np.zeros((2, 3)))


def test_regression():
    model, w, x, _ = problem()
    target = np.random.default_rng(1).standard_normal((7, 3))
    assert check_grad(lambda w: value_and_grad(model, mse)(w, x, target), w) < 1e-6


def test_autograd_differentiates_through_our_primitives():
    g = autograd.grad(lambda a: anp.sum(ops.softmax(ops.tanh(a)) ** 2))(np.array([0.1, -0.4, 0.3]))
    h = 1e-6
    for i, e in enumerate(np.eye(3)):
        up, down = (np.sum(ops.softmax(ops.tanh(np.array([0.1, -0.4, 0.3]) + s * h * e)) ** 2) for s in (1, -1))
        assert g[i] == pytest.approx((up - down) / (2 * h), abs=1e-9)


# --- check_grad ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_check_grad_finds_nothing_wrong_with_a_network(activation):
    model, w, x, y = problem(3, (3, 5, 3), activation)
    assert check_grad(lambda w: value_and_grad(model, cross_entropy)(w, x, y), w) < 1e-6
    assert check_grad(lambda w: cross_entropy(model.apply(w, x), y), w) < 1e-6


@pytest.mark.parametrize("size", [1e-7, 1.0, 1e7])
def test_check_grad_catches_what_is_wrong_at_any_scale(size):
    w = np.array([[0.3, 1.2, -0.7], [2.0, -0.1, 0.4]])

    def wrong_by(factor):
        return lambda w: (size * np.sum(np.sin(w), -1), factor * size * np.cos(w))

    assert check_grad(wrong_by(1.0), w) < 1e-8
    assert check_grad(wrong_by(-1.0), w) == pytest.approx(1, rel=1e-3)
    assert check_grad(wrong_by(0.0), w) == pytest.approx(1, rel=1e-3)
    assert 4e-4 < check_grad(wrong_by(1.001), w) < 6e-4  # relative to |g| + |d|
    assert check_grad(wrong_by(np.array([1, 1, 1.001])), w) > 4e-4


def test_check_grad_takes_float32_weights_to_float64():
    assert check_grad(lambda w: anp.sum(w**3, -1), np.array([0.5, 2.0], "float32")) < 1e-8


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("w", "error", "says"),
    [
        ([1.0, 2.0], TypeError, r"w must be an array of the backend in use \(numpy\), got list"),
        (np.array([1, 2]), TypeError, "w must be floating point, got dtype int64"),
        (np.array(1.0), ValueError, r"w must have shape \(\.\.\., n\) with n ≥ 1, got \(\)"),
        (np.ones((3, 0)), ValueError, r"w must have shape \(\.\.\., n\) with n ≥ 1, got \(3, 0\)"),
    ],
)
def test_weights_that_are_none_are_refused(w, error, says):
    for f in (value_and_grad(lambda w: anp.sum(w, -1)), lambda w: hvp(lambda w: anp.sum(w, -1))(w, w)):
        with pytest.raises(error, match=says):
            f(w)


def test_what_else_is_refused_is_named():
    model, w, x, y = problem()
    with pytest.raises(ValueError, match=r"w must have shape \(\.\.\., 83\), got \(3,\)"):
        value_and_grad(model)(w[:3], x, y)
    with pytest.raises(ValueError, match=r"one value per replica, shape \(2,\), got \(\)"):
        value_and_grad(lambda w: anp.sum(w))(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"v must have the shape of w, \(83,\), got \(3,\)"):
        hvp(model)(w, w[:3], x, y)
    recorded = value_and_grad(model)
    for _ in range(2):  # before there is a record, and when it is replayed
        with pytest.raises(ValueError, match="labels must be in 0 … 2, got 0 … 9"):
            recorded(w, x, np.array([0, 9, 0, 0, 0, 0, 0]))
        with pytest.raises(ValueError, match="labels must be in 0 … 2, got -1 … 0"):
            recorded(w, x, np.array([0, -1, 0, 0, 0, 0, 0]))
        recorded(w, x, y)
    with pytest.raises(TypeError, match="model must be a minisam Model or a function of w, got"):
        value_and_grad("mlp")
    with pytest.raises(ValueError, match="h must be > 0, got 0"):
        check_grad(lambda w: anp.sum(w, -1), np.ones(2), h=0)
