"""Batch norm, group norm, layer norm: derivatives against differences, plain formulas, invariances."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad
from hypothesis import given, settings
from hypothesis import strategies as st
from truths import second_vjp_error, vjp_error

from minisam import cnn, ops, value_and_grad

SIZES = st.integers(1, 4)
LEADS = st.sampled_from([(), (1,), (3,), (2, 2)])
SEEDS = st.integers(0, 10_000)
RNG = np.random.default_rng(0)


def batch(x, gain, bias):
    return ops.batch_norm(x, gain[..., None], bias[..., None], *ops.moments(x))


def group(x, gain, bias):
    return ops.group_norm(x, gain, bias, 2)


NORMS = {"batch": (batch, (2, 4, 6)), "group": (group, (2, 4, 3, 5))}


@pytest.mark.parametrize("wrt", [0, 1, 2])
@pytest.mark.parametrize("name", NORMS)
def test_derivatives_of_a_norm(name, wrt):
    norm, shape = NORMS[name]
    arguments = [RNG.standard_normal(shape), RNG.standard_normal((2, 4)), RNG.standard_normal((2, 4))]

    def of_one(a):
        return norm(*arguments[:wrt], a, *arguments[wrt + 1 :])

    assert vjp_error(of_one, arguments[wrt], RNG) < 1e-7
    assert second_vjp_error(lambda a: anp.sin(of_one(a)), arguments[wrt], RNG) < 1e-6


def test_batch_norm_is_its_formula():
    x, gain, bias = RNG.standard_normal((4, 6)), RNG.standard_normal(4), RNG.standard_normal(4)
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    expected = gain[:, None] * (x - mean) / np.sqrt(variance + 1e-5) + bias[:, None]
    np.testing.assert_allclose(batch(x, gain, bias), expected, rtol=1e-10, atol=1e-12)


def test_group_norm_is_its_formula():
    x, gain, bias = RNG.standard_normal((4, 3, 5)), RNG.standard_normal(4), RNG.standard_normal(4)
    y = group(x, gain, bias)
    for e in range(5):
        for g in range(2):
            part = x[2 * g : 2 * g + 2, :, e]
            normed = (part - part.mean()) / np.sqrt(part.var() + 1e-5)
            expected = normed * gain[2 * g : 2 * g + 2, None] + bias[2 * g : 2 * g + 2, None]
            np.testing.assert_allclose(y[2 * g : 2 * g + 2, :, e], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("norm", ["batch", "group"])
def test_under_a_norm_the_scale_of_a_kernel_does_not_matter(norm):
    model = cnn(channels=(4, 8), norm=norm)
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((6, 64)), rng.integers(0, 10, 6)
    w = model.init(0, "float64")
    kernels = model.mask("conv0.W", "float64") + model.mask("conv1.W", "float64")
    loss, g = value_and_grad(model)(w, x, y)
    scaled, g_scaled = value_and_grad(model)(w * (1 + 9 * kernels), x, y)
    np.testing.assert_allclose(scaled, loss, rtol=1e-3)
    assert abs(np.sum(g * w * kernels)) < 1e-3 * np.linalg.norm(g * kernels) * np.linalg.norm(w * kernels)
    np.testing.assert_allclose(g_scaled * kernels, g * kernels / 10, rtol=0.05, atol=1e-3 * np.abs(g).max())


@settings(max_examples=25)
@given(SEEDS, LEADS, st.booleans(), SIZES, st.integers(3, 6))
def test_layer_norm(
    seed, lead, shared, m, d
):  # of two numbers it leaves only their order, and no derivative to measure
    rng = np.random.default_rng(seed)
    x = 3 * rng.standard_normal((m, d) if shared else (*lead, m, d)) + rng.standard_normal()
    gain, bias = rng.standard_normal((2, *lead, d))
    variance = x.var(axis=-1, keepdims=True)
    expected = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(variance + 1e-5) * gain[..., None, :] + bias[..., None, :]
    np.testing.assert_allclose(ops.layer_norm(x, gain, bias), expected, rtol=1e-10, atol=1e-12)
    for wrt, a in enumerate((x, gain, bias)):

        def of_one(a, wrt=wrt):
            return anp.sin(ops.layer_norm(*(a if i == wrt else b for i, b in enumerate((x, gain, bias)))))

        assert vjp_error(of_one, a, rng) < 1e-7
        assert second_vjp_error(of_one, a, rng) < 1e-7


@given(SEEDS, st.floats(-100, 100), st.floats(0.1, 100))
def test_layer_norm_sees_neither_shift_nor_scale(seed, shift, scale):
    x = 100 * np.random.default_rng(seed).standard_normal((3, 8))  # so large that 1e-5 in the variance does not count
    one, zero = np.ones(8), np.zeros(8)
    y = ops.layer_norm(x, one, zero)
    np.testing.assert_allclose(ops.layer_norm(scale * x + shift, one, zero), y, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-14)
    np.testing.assert_allclose(y.std(axis=-1), 1, rtol=1e-6)


def test_layer_norm_of_a_constant_row_is_its_bias():
    gain, bias = np.random.default_rng(0).standard_normal((2, 4))
    x = np.full((2, 4), 7.0)
    np.testing.assert_array_equal(ops.layer_norm(x, gain, bias), np.tile(bias, (2, 1)))
    assert np.isfinite(elementwise_grad(lambda x: ops.layer_norm(x, gain, bias))(x)).all()
