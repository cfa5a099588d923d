"""The truths of what the Hessian tells: dense Hessians by another way, moments, and errors that are as large as they say."""

import itertools
import math
import re

import autograd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_losses import plain_net, rescaled, symmetric

from minisam.autodiff import hvp
from minisam.models import mlp
from minisam.sharpness import Estimate, Spectrum, eigenvalues, lambda_max, spectral_density, trace

EPS = np.finfo("float64").eps
NET, RELU = mlp([3, 4, 2], "tanh"), mlp([3, 4, 2])
X, Y = np.random.default_rng(2).standard_normal((12, 3)), np.random.default_rng(3).integers(0, 2, 12)
W = np.random.default_rng(4).standard_normal((3, NET.size))
HVP, HVP_RELU = hvp(NET), hvp(RELU)
VALUES = np.array([-3.0, -1.0, 0.0, 0.5, 0.6, 2.0, 5.0, 11.0])
H = symmetric(VALUES)


def product(w, v):
    return HVP(w, v, X, Y)


def by_H(w, v):
    return v @ H


@pytest.fixture(scope="module")
def dense():
    """The Hessians of the net at each replica of W, by autograd alone."""
    return np.array([autograd.hessian(plain_net)(w, X, Y) for w in W])


def coverage(estimates, truth):
    """How often the truth lies within two standard errors: about 19 times in 20."""
    return np.mean([np.abs(e.value - truth) <= 2 * e.error for e in estimates])


# --- eigenvalues -----------------------------------------------------------------------------------------------------


def test_with_n_steps_all_eigenvalues_of_a_net_are_those_of_its_dense_hessian(dense):
    found = eigenvalues(product, W, count=NET.size, steps=NET.size)
    expected = np.linalg.eigvalsh(dense)[:, ::-1]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@given(
    values=st.lists(st.floats(-5, 5, allow_subnormal=False), min_size=1, max_size=8, unique=True),
    lead=st.sampled_from([(), (2,), (2, 1)]),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_eigenvalues_fall_and_are_lower_bounds(values, lead, seed, data):
    steps = data.draw(st.integers(1, len(values)))
    count = data.draw(st.integers(1, steps))
    A = symmetric(values, seed)
    found = eigenvalues(lambda w, v: v @ A, np.zeros((*lead, len(values))), count, steps, seed)
    assert found.shape == (*lead, count)
    assert found.dtype == "float64"
    assert np.all(np.diff(found, axis=-1) <= 0)
    rounding = 64 * EPS * np.abs(values).max()
    assert np.all(found <= np.sort(values)[::-1][:count] + rounding)


def test_the_largest_are_found_first():
    gap = [11.0 - eigenvalues(by_H, np.zeros(8), 1, steps).item() for steps in range(1, 9)]
    assert all(later <= earlier + 64 * EPS for earlier, later in itertools.pairwise(gap))
    assert gap[4] < 1e-3 < gap[0]
    assert abs(gap[7]) < 1e-13


def test_the_smallest_are_the_largest_of_the_negative():
    found = -eigenvalues(lambda w, v: -by_H(w, v), np.zeros(8), 3, 8)
    np.testing.assert_allclose(found, [-3.0, -1.0, 0.0], rtol=0, atol=1e-13)


def test_few_steps_see_an_eigenvalue_that_stands_twice_once_and_n_steps_see_it_twice():
    A = symmetric([1.0, 2.0, 3.0, 3.0])
    few, all_of_them = (eigenvalues(lambda w, v: v @ A, np.zeros(4), 2, steps) for steps in (3, 4))
    np.testing.assert_allclose(few, [3.0, 2.0], rtol=1e-13)
    np.testing.assert_allclose(all_of_them, [3.0, 3.0], rtol=1e-13)


def test_a_replica_whose_products_are_not_finite_is_nan_and_the_others_are_not():
    scale = np.array([1.0, np.inf, 2.0])[:, None]

    def broken(w, v):
        with np.errstate(invalid="ignore"):
            return np.where(scale < np.inf, scale * v, np.nan)

    np.testing.assert_allclose(lambda_max(broken, np.zeros((3, 4))), [1.0, np.nan, 2.0], rtol=1e-14)
    values = spectral_density(broken, np.zeros((3, 4)), samples=2).values
    assert np.isnan(values[:, 1]).all()
    assert np.isfinite(values[:, ::2]).all()


# --- trace -----------------------------------------------------------------------------------------------------------


def test_the_trace_of_a_diagonal_hessian_is_exact():
    d = np.array([[1.0, -2.0, 5.0], [0.5, 0.0, 0.25]])
    found = trace(lambda w, v: d * v, np.zeros((2, 3)), samples=3)
    np.testing.assert_allclose(found.value, d.sum(axis=-1), rtol=1e-15)
    np.testing.assert_array_equal(found.error, 0.0)


def test_the_trace_is_within_its_error_as_often_as_it_should_be():
    found = [trace(by_H, np.zeros(8), samples=100, seed=seed) for seed in range(300)]
    assert (
        0.91 < coverage(found, VALUES.sum()) < 0.985
    )  # a share of 300 is within 0.04 of 0.95, but for one in a thousand


def test_the_error_of_the_trace_is_hutchinson_s():
    variance = 2 * (np.sum(H * H) - np.sum(np.diag(H) ** 2))
    found = trace(by_H, np.zeros(8), samples=10_000)
    np.testing.assert_allclose(found.error, math.sqrt(variance / 10_000), rtol=0.03)


def test_the_trace_of_a_net(dense):
    found = trace(product, W, samples=400)
    assert np.all(np.abs(found.value - np.trace(dense, axis1=1, axis2=2)) <= 4 * found.error)
    variance = 2 * ((dense**2).sum(axis=(1, 2)) - (np.diagonal(dense, axis1=1, axis2=2) ** 2).sum(axis=1))
    np.testing.assert_allclose(found.error, np.sqrt(variance / 400), rtol=0.2)


# --- the spectral density --------------------------------------------------------------------------------------------


@given(n=st.integers(2, 9), steps=st.integers(1, 4), seed=st.integers(0, 99))
def test_the_moments_of_a_start_are_those_of_its_products_below_twice_the_steps(n, steps, seed):
    A = symmetric(np.random.default_rng(seed).uniform(-1, 1, n), seed)
    asked = []
    found = spectral_density(lambda w, v: asked.append(v) or v @ A, np.zeros(n), steps, 1, seed)
    v = asked[0]  # the random start, of length one
    for j in range(2 * min(steps, n)):
        expected = v @ np.linalg.matrix_power(A, j) @ v
        np.testing.assert_allclose(found.moment(j).value, expected, rtol=0, atol=1e-13)


def test_one_moment_more_is_not_exact():
    asked = []
    found = spectral_density(lambda w, v: asked.append(v) or by_H(w, v), np.zeros(8), 3, 1)
    v = asked[0]
    for j in (5, 6):
        gap = abs(found.moment(j).value - v @ np.linalg.matrix_power(H, j) @ v)
        assert (gap < 1e-9) == (j == 5)


def test_weights_are_shares_and_with_n_steps_the_values_are_the_eigenvalues(dense):
    found = spectral_density(product, W, steps=NET.size, samples=4)
    assert found.values.shape == found.weights.shape == (4, 3, NET.size)
    np.testing.assert_allclose(found.weights.sum(axis=-1), 1.0, rtol=1e-12)
    assert np.all(found.weights >= 0)
    expected = np.broadcast_to(np.linalg.eigvalsh(dense), found.values.shape)
    np.testing.assert_allclose(found.values, expected, rtol=0, atol=1e-12)


def test_moments_are_within_their_errors_as_often_as_they_should_be():
    found = [spectral_density(by_H, np.zeros(8), 2, 40, seed) for seed in range(150)]
    for j in (1, 2, 3):
        assert 0.88 < coverage([one.moment(j) for one in found], np.mean(VALUES**j)) < 0.995


def test_the_density_integrates_to_one_and_has_the_moments():
    found = spectral_density(by_H, np.zeros(8), 8, 5)
    at = np.linspace(-10, 20, 6001)
    step = at[1] - at[0]
    density = found.density(at, width=0.3)
    assert np.all(density.value >= 0)
    np.testing.assert_allclose(density.value.sum() * step, 1.0, rtol=1e-12)
    np.testing.assert_allclose((density.value * at).sum() * step, found.moment(1).value, rtol=1e-12)
    spread = found.moment(2).value + 0.3**2  # each value is a Gaussian of this width
    np.testing.assert_allclose((density.value * at**2).sum() * step, spread, rtol=1e-12)


def test_the_density_is_within_its_error_of_the_true_one():
    at, width = np.array([-3.0, 0.5, 5.0, 11.0]), 1.0
    truth = np.mean(np.exp(-(((at[:, None] - VALUES) / width) ** 2) / 2), axis=1) / math.sqrt(2 * math.pi)
    found = [spectral_density(by_H, np.zeros(8), 8, 30, seed).density(at, width) for seed in range(100)]
    assert 0.88 < coverage(found, truth) < 0.985


def test_the_width_is_a_hundredth_of_the_range():
    assert spectral_density(by_H, np.zeros(8), 8, 2).width == pytest.approx(0.14, rel=1e-12)
    assert Spectrum(np.zeros((1, 2)), np.full((1, 2), 0.5)).width == 0.01


def test_a_range_that_is_only_rounding_is_none():
    """A multiple of the identity: Lanczos sees one value, in as many last bits as it has steps."""
    found = spectral_density(lambda w, v: -4 * v, np.zeros(5), 3, 2)
    assert found.width == pytest.approx(0.04, rel=1e-12)


@pytest.mark.parametrize(
    ("measure", "cost"),
    [
        (lambda h: eigenvalues(h, np.zeros(8), 2, 5), 5),
        (lambda h: eigenvalues(h, np.zeros(8), 2, 30), 8),
        (lambda h: trace(h, np.zeros(8), 7), 7),
        (lambda h: spectral_density(h, np.zeros(8), 3, 4), 3 * 4),
    ],
)
def test_what_a_measure_costs(measure, cost):
    calls = []

    def watched(w, v):
        calls.append(v)
        return by_H(w, v)

    measure(watched)
    assert len(calls) == cost


# --- invariance ------------------------------------------------------------------------------------------------------


def test_the_same_function_in_other_weights_has_another_hessian_but_the_same_one_in_units_of_the_weights():
    other = rescaled(W, 3.0)

    def plain(w, v):
        return HVP_RELU(w, v, X, Y)

    def adaptive(w, v):
        return np.abs(w) * plain(w, np.abs(w) * v)  # T H T

    for measure in (
        lambda h, w: lambda_max(h, w, NET.size),
        lambda h, w: trace(h, w, 20).value,
        lambda h, w: spectral_density(h, w, 5, 3).moment(2).value,
    ):
        assert np.all(np.abs(measure(plain, other) / measure(plain, W) - 1) > 0.1)
        np.testing.assert_allclose(measure(adaptive, other), measure(adaptive, W), rtol=1e-9)


# --- replicas, progress, errors --------------------------------------------------------------------------------------

MEASURES = {
    "lambda_max": lambda w: lambda_max(product, w, 5),
    "eigenvalues": lambda w: eigenvalues(product, w, 3, 6),
    "trace": lambda w: trace(product, w, 4).value,
    "trace, error": lambda w: trace(product, w, 4).error,
    "moment": lambda w: spectral_density(product, w, 4, 3).moment(3).value,
    "density": lambda w: spectral_density(product, w, 4, 3).density(np.linspace(-1, 1, 5), 0.5).value,
}


@pytest.mark.parametrize("name", MEASURES)
def test_replicas_equal_separate_measurements(name):
    together = MEASURES[name](W.reshape(3, 1, -1))
    np.testing.assert_allclose(together[:, 0], [MEASURES[name](w) for w in W], rtol=1e-9)


def test_float32_weights_give_float64_results(dense):
    w = W.astype("float32")
    found = lambda_max(product, w, NET.size)
    assert found.dtype == "float64"
    np.testing.assert_allclose(found, np.linalg.eigvalsh(dense)[:, -1], rtol=1e-5)
    assert trace(product, w, 2).value.dtype == "float64"


def test_an_estimate_of_one_sample_says_nothing_of_its_error():
    one = Estimate.of([[1.0, 2.0]])
    np.testing.assert_array_equal(one.value, [1.0, 2.0])
    assert np.isnan(one.error).all()
    two = Estimate.of([[1.0], [3.0]])
    assert (two.value.item(), two.error.item()) == (2.0, 1.0)


@pytest.mark.parametrize(
    ("measure", "unit"),
    [
        (lambda progress: lambda_max(by_H, np.zeros(8), 3, progress=progress), "product"),
        (lambda progress: trace(by_H, np.zeros(8), 3, progress=progress), "sample"),
        (lambda progress: spectral_density(by_H, np.zeros(8), 2, 3, progress=progress), "sample"),
    ],
)
def test_progress_is_shown_where_it_is_asked_for(measure, unit, capsys):
    measure(False)
    assert capsys.readouterr().err == ""
    measure(True)
    shown = capsys.readouterr().err
    assert "/3 [" in shown
    assert f"{unit}/s" in shown


@pytest.mark.parametrize(
    ("measure", "says"),
    [
        (lambda: eigenvalues(by_H, np.zeros(8), 0), "count must be a whole number ≥ 1, got 0"),
        (lambda: eigenvalues(by_H, np.zeros(8), 4, 3), "count must be in 1 … 3, the smaller of steps and n, got 4"),
        (lambda: eigenvalues(by_H, np.zeros(8), 1, 0), "steps must be a whole number ≥ 1, got 0"),
        (lambda: trace(by_H, np.zeros(8), 0), "samples must be a whole number ≥ 1, got 0"),
        (lambda: spectral_density(by_H, np.zeros(8), 0), "steps must be a whole number ≥ 1, got 0"),
        (lambda: spectral_density(by_H, np.zeros(8), 2, 0), "samples must be a whole number ≥ 1, got 0"),
        (lambda: spectral_density(by_H, np.zeros(8)).density(np.zeros(1), 0.0), "width must be > 0, got 0.0"),
    ],
)
def test_what_is_refused_is_named(measure, says):
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        measure()
