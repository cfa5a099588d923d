"""The truths of the measures: worst case, largest eigenvalue, slices of the landscape."""

import math

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from known_losses import plain_net, symmetric

from minisam.autodiff import hvp, value_and_grad
from minisam.losses import cross_entropy, mse
from minisam.models import mlp
from minisam.sam import Quadratic, sam_objective
from minisam.sharpness import lambda_max, landscape, worst_case

EPS = np.finfo("float64").eps


# --- worst case --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.01, 0.5, 3.0])
def test_worst_case_at_a_minimum_is_half_rho_squared_lambda_max(rho):
    H = symmetric([0.1, 1.0, 2.0, 7.0])
    b = np.array([1.0, -1.0, 0.5, 2.0])
    f = value_and_grad(Quadratic(H, b))
    minimum = -np.linalg.solve(H, b)
    expected = rho**2 * 7.0 / 2
    rounding = 16 * EPS * np.abs(f(minimum)[0])  # of two losses that nearly cancel
    np.testing.assert_allclose(worst_case(f, minimum, rho, steps=200), expected, rtol=1e-13, atol=rounding)
    exactly = value_and_grad(Quadratic(H))  # here the gradient is 0 to the last bit
    np.testing.assert_allclose(worst_case(exactly, np.zeros(4), rho, steps=200), expected, rtol=1e-13)


@pytest.mark.parametrize("p", [1, 2, math.inf])
def test_worst_case_is_below_the_exact_one(p):
    q = Quadratic(symmetric([0.1, 1.0, 2.0, 7.0]), np.ones(4))
    w = np.random.default_rng(1).standard_normal((5, 4))
    exact = sam_objective(q, w, 0.5, p, inner="exact") - q(w)
    found = worst_case(value_and_grad(q), w, 0.5, p)
    assert np.all(found <= exact * (1 + 1e-13))
    assert np.all(found >= sam_objective(q, w, 0.5, p) - q(w))
    if p == 2:  # among corners, as for p = 1 and ∞, an ascent may end at one that is only the highest nearby
        np.testing.assert_allclose(found, exact, rtol=1e-3)


def test_worst_case_of_a_linear_loss_is_rho_times_the_dual_norm():
    slope = np.array([3.0, -4.0])
    f = value_and_grad(lambda w: anp.sum(w * slope, axis=-1))
    for p, dual in ((1, 4.0), (2, 5.0), (math.inf, 7.0)):
        np.testing.assert_allclose(worst_case(f, np.ones(2), 0.5, p), 0.5 * dual, rtol=1e-14)


def test_worst_case_inside_the_ball_of_a_hill_is_zero():
    f = value_and_grad(Quadratic(-np.eye(3)))
    np.testing.assert_array_equal(worst_case(f, np.zeros((2, 3)), 0.5), 0.0)


def test_worst_case_grows_with_the_radius_and_sweeps():
    f = value_and_grad(lambda w: anp.sum(w**4, axis=-1))
    w = np.ones((4, 2))
    rho = np.array([[0.0], [0.1], [0.2], [0.4]])
    swept = worst_case(f, w, rho)
    assert swept.shape == (4,)
    # the worst point lies along (1, 1): 2 (1 + ρ/√2)⁴ − 2
    np.testing.assert_allclose(swept, 2 * (1 + rho[:, 0] / math.sqrt(2)) ** 4 - 2, rtol=1e-12, atol=8 * EPS)


# --- the largest eigenvalue --------------------------------------------------------------------------------------

SPECTRA = {
    "positive": [0.1, 1.0, 2.0, 7.0, 7.5],
    "negative curvature dominates": [-100.0, -3.0, 0.0, 1.0, 2.0],
    "all negative": [-100.0, -3.0, -2.0, -1.5, -1.0],
    "the largest twice": [1.0, 2.0, 3.0, 3.0, -1.0],
    "two values": [-1.0, -1.0, -2.0, -2.0, -2.0],
    "one value": [4.0, 4.0, 4.0, 4.0, 4.0],
    "tiny": [1e-12, 2e-12, -3e-12, 0.0, 0.0],
    "huge": [1e12, -2e12, 1.0, 0.0, 3.0],
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_lambda_max_of_a_quadratic(spectrum, seed):
    eigenvalues = np.array(SPECTRA[spectrum])
    found = lambda_max(hvp(Quadratic(symmetric(eigenvalues, seed))), np.zeros(5), seed=seed)
    np.testing.assert_allclose(found, eigenvalues.max(), rtol=0, atol=64 * EPS * np.abs(eigenvalues).max())


@pytest.mark.parametrize("sign", [-1.0, 0.0, 1.0, -3.0])
@pytest.mark.parametrize("n", [1, 2, 3, 8])
@pytest.mark.parametrize("seed", range(6))
def test_lambda_max_of_a_multiple_of_the_identity(sign, n, seed):
    """One product spans all there is to see; no step after it may add an eigenvalue 0 of its own."""
    found = lambda_max(lambda w, v: sign * v, np.zeros(n), seed=seed)
    np.testing.assert_allclose(found, sign, rtol=16 * EPS)


@pytest.mark.parametrize("diagonal", [[-1.0, -1.0, -2.0, -2.0], [-5.0, -3.0, -3.0, -3.0], [0.0, 0.0, -1.0, -1.0]])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(6))
def test_lambda_max_where_lanczos_ends_early(diagonal, dtype, seed):
    d = np.array(diagonal, dtype=dtype)
    found = lambda_max(lambda w, v: d * v, np.zeros(4, dtype), seed=seed)
    np.testing.assert_allclose(found, d.max(), rtol=0, atol=64 * np.finfo(dtype).eps * np.abs(d).max())


def test_lambda_max_of_replicas_that_end_at_different_steps():
    d = np.array([[-1.0, -1.0, -1.0], [-1.0, -2.0, -2.0], [1.0, -2.0, 3.0], [0.0, 0.0, 0.0]])
    found = lambda_max(lambda w, v: d * v, np.zeros((4, 3)))
    np.testing.assert_allclose(found, [-1.0, -1.0, 3.0, 0.0], rtol=0, atol=64 * EPS)


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 10])
def test_lambda_max_with_few_steps_is_a_lower_bound_that_spends_as_many_products(steps):
    H, spent = symmetric(np.arange(20.0)), []

    def product(w, v):
        spent.append(v)
        return v @ H

    found = [float(lambda_max(product, np.zeros(20), steps=s)) for s in (steps, steps + 1)]
    assert len(spent) == 2 * steps + 1
    assert found[0] < found[1] <= 19.0 * (1 + 16 * EPS)


def test_lambda_max_keeps_to_orthogonal_directions():
    H, asked = symmetric(2.0 ** -np.arange(30)), []

    def product(w, v):
        asked.append(v)
        return v @ H

    lambda_max(product, np.zeros(30), steps=30)
    np.testing.assert_allclose(np.array(asked) @ np.array(asked).T, np.eye(30), rtol=0, atol=1e-13)


@pytest.mark.parametrize("size", [0.3, 3.0])
def test_lambda_max_of_a_network_is_that_of_its_dense_hessian(size):
    rng = np.random.default_rng(3)
    model = mlp([3, 4, 2], activation="tanh")
    x, y = rng.standard_normal((7, 3)), rng.integers(0, 2, 7)
    w = size * rng.standard_normal((3, model.size))
    product = hvp(model)
    found = lambda_max(lambda w, v: product(w, v, x, y), w)
    dense = [np.linalg.eigvalsh(autograd.hessian(plain_net)(v, x, y)) for v in w]
    np.testing.assert_allclose(found, [e[-1] for e in dense], rtol=1e-11)
    assert min(e[0] for e in dense) < -1e-3  # there is negative curvature too


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
@pytest.mark.parametrize("loss", [cross_entropy, mse])
def test_lambda_max_of_a_network_by_autograd_s_hessian(activation, loss):
    rng = np.random.default_rng(4)
    model = mlp([2, 3, 2], activation=activation)
    x = rng.standard_normal((6, 2))
    y = rng.integers(0, 2, 6) if loss is cross_entropy else rng.standard_normal((6, 2))
    w = rng.standard_normal(model.size)
    dense = autograd.hessian(lambda w: loss(model.apply(w, x), y))(w)
    found = lambda_max(lambda w, v: hvp(model, loss)(w, v, x, y), w)
    np.testing.assert_allclose(found, np.linalg.eigvalsh(dense)[-1], rtol=1e-11)


def test_lambda_max_refuses_no_steps():
    with pytest.raises(ValueError, match=r"^steps must be a whole number ≥ 1, got 0$"):
        lambda_max(lambda w, v: v, np.zeros(3), steps=0)


# --- the landscape -----------------------------------------------------------------------------------------------


def test_landscape_has_the_loss_in_its_centre():
    f = value_and_grad(lambda w: anp.sum(anp.cos(w) + w, axis=-1))
    w = np.random.default_rng(5).standard_normal(6)
    t, values = landscape(lambda w: f(w)[0], w, 2.0, points=11)
    np.testing.assert_allclose(t, np.linspace(-2, 2, 11), rtol=0, atol=4 * EPS)
    assert values.shape == (11, 11)
    np.testing.assert_allclose(values[5, 5], f(w)[0], rtol=4 * EPS)


def test_landscape_axes_are_distances():
    """On L = ‖w − w₀‖²/2 around w₀ the value is (t² + s²)/2, whatever the directions, if they are orthonormal."""
    w = np.random.default_rng(6).standard_normal(50)
    t, values = landscape(lambda v: np.sum((v - w) ** 2, axis=-1) / 2, w, 3.0, points=7)
    np.testing.assert_allclose(values, (t[None, :] ** 2 + t[:, None] ** 2) / 2, rtol=1e-12, atol=1e-14)


def test_landscape_columns_go_toward_the_given_direction():
    w, toward = np.array([1.0, 2.0, 3.0]), np.array([0.0, -5.0, 0.0])
    t, values = landscape(lambda v: v[..., 1], w, 1.5, points=5, toward=toward)
    np.testing.assert_allclose(values, np.tile(2.0 - t, (5, 1)), rtol=1e-14, atol=1e-14)


def test_landscape_of_a_quadratic_around_its_minimum_is_an_ellipse():
    H = symmetric([0.5, 1.0, 4.0])
    q = Quadratic(H)
    top = np.linalg.eigh(H)[1][:, -1]
    t, values = landscape(q, np.zeros(3), 2.0, points=9, toward=top)
    np.testing.assert_allclose(values[4], 4.0 * t**2 / 2, rtol=1e-13, atol=1e-14)  # along the top eigenvector
    np.testing.assert_allclose(values, values[::-1, ::-1], rtol=1e-13)  # L(−w) = L(w)
    np.testing.assert_allclose(values, values[:, ::-1], rtol=1e-12, atol=1e-13)  # orthogonal to it: an eigenspace
    across = values[:, 4][[0, -1]] / (2.0**2 / 2)  # curvature of the other direction
    assert np.all((across >= 0.5) & (across <= 1.0))


def test_landscape_is_that_of_its_seed():
    w = np.ones(4)
    values = [landscape(lambda v: v[..., 0], w, 1.0, 3, seed)[1] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(values[0], values[1])
    assert not np.allclose(values[0], values[2])
