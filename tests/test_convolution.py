"""Convolution and pooling: derivatives against differences, values against scipy, and what must not matter."""

import itertools

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate
from test_ops import BOUND, right
from truths import second_vjp_error

from minisam import ops
from minisam.ops import convolution

RNG = np.random.default_rng(0)


def images(*shape):
    return RNG.standard_normal(shape)


CASES = {
    "2-D": (ops.conv2d, (2, 5, 4, 3), (4, 2, 3, 3), 1, 1),
    "2-D, stride 2": (ops.conv2d, (2, 5, 6, 3), (4, 2, 3, 3), 2, 1),
    "2-D, no frame": (ops.conv2d, (2, 5, 4, 3), (4, 2, 2, 2), 1, 0),
    "2-D, 1×1": (ops.conv2d, (2, 4, 4, 3), (3, 2, 1, 1), 2, 0),
    "1-D": (ops.conv1d, (2, 7, 3), (4, 2, 5), 1, 2),
    "1-D, stride 2": (ops.conv1d, (2, 8, 3), (4, 2, 3), 2, 1),
    "replicas": (ops.conv2d, (2, 2, 4, 4, 3), (2, 3, 2, 3, 3), 1, 1),
    "replicas that share a batch": (ops.conv2d, (2, 4, 4, 3), (2, 3, 2, 3, 3), 1, 1),
    "a grid of replicas": (ops.conv1d, (2, 2, 1, 6, 2), (2, 2, 3, 1, 3), 1, 1),
}


@pytest.mark.parametrize("wrt", [0, 1, 2])
@pytest.mark.parametrize("name", CASES)
def test_derivatives_of_a_convolution(name, wrt):
    f, x_shape, W_shape, stride, padding = CASES[name]
    n = 1 if f is ops.conv1d else 2
    arguments = [images(*x_shape), images(*W_shape), images(*W_shape[: -n - 1])]

    def of_one(a):
        return f(*arguments[:wrt], a, *arguments[wrt + 1 :], stride, padding)

    right(of_one, arguments[wrt], RNG)


def test_second_derivatives_mix_input_and_kernel():
    """∂²/∂x∂W: the derivative by W of the gradient by x."""
    x, W, b = images(2, 4, 4, 3), images(3, 2, 3, 3), images(3)

    def both(w):
        return anp.sum(anp.sin(ops.conv2d(anp.reshape(w[:96], x.shape), anp.reshape(w[96:], W.shape), b, 1, 1)))

    assert second_vjp_error(both, np.concatenate([x.ravel(), W.ravel()]), RNG) < BOUND


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(0, 2), st.integers(0, 4))
def test_a_convolution_is_scipys_correlation(c, o, m, stride, padding, more):
    k = 3
    x = images(c, k + more, k + more + 1, m)
    W, b = images(o, c, k, k), images(o)
    y = ops.conv2d(x, W, b, stride, padding)
    framed = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    for j, e in itertools.product(range(o), range(m)):
        full = correlate(framed[..., e], W[j], mode="valid")[0] + b[j]
        np.testing.assert_allclose(y[j, ..., e], full[::stride, ::stride], rtol=1e-10, atol=1e-12)


def test_one_axis_is_two_of_which_one_is_trivial():
    x, W, b = images(2, 9, 3), images(4, 2, 3), images(4)
    flat = ops.conv2d(x[:, None], W[:, :, None], b, 2, 0)
    np.testing.assert_allclose(ops.conv1d(x, W, b, 2, 0), flat[:, 0], rtol=1e-12)


def test_a_shifted_image_gives_a_shifted_result():
    x, W, b = images(2, 8, 8, 3), images(4, 2, 3, 3), images(4)
    shifted = np.roll(x, (1, 2), axis=(1, 2))
    a, b = ops.conv2d(x, W, b, 1, 1), ops.conv2d(shifted, W, b, 1, 1)
    np.testing.assert_allclose(b[:, 3:-1, 4:-1], np.roll(a, (1, 2), axis=(1, 2))[:, 3:-1, 4:-1], rtol=1e-12)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 1])
def test_patches_and_their_adjoint(stride, padding):
    """⟨Px, c⟩ = ⟨x, Pᵀc⟩."""
    x = images(3, 2, 5, 6, 2)
    seen = convolution.patches(x, (3, 2), stride, padding)
    c = images(*seen.shape)
    back = convolution.unpatch(c, x.shape[1:], (3, 2), stride, padding)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(seen * c), np.sum(x * back), rtol=1e-12)


POOLS = {
    "max, 2-D": (lambda x: ops.max_pool(x, (2, 2)), (2, 5, 6, 3)),
    "max, 1-D, replicas": (lambda x: ops.max_pool(x, (3,)), (2, 2, 7, 3)),
    "average, 2-D": (lambda x: ops.average_pool(x, (2, 3)), (2, 5, 6, 3)),
    "average, 1-D, replicas": (lambda x: ops.average_pool(x, (2,)), (2, 2, 7, 3)),
    "global, 2-D": (lambda x: ops.global_average_pool(x, 2), (2, 2, 4, 3, 5)),
    "global, 1-D": (lambda x: ops.global_average_pool(x, 1), (2, 4, 5)),
}


@pytest.mark.parametrize("name", POOLS)
def test_derivatives_of_pooling(name):
    pool, shape = POOLS[name]
    x = images(*shape)
    right(pool, x, RNG)


def test_pooling_is_what_it_is_called():
    x = images(2, 4, 6, 3)
    windows = x.reshape(2, 2, 2, 3, 2, 3)
    np.testing.assert_array_equal(ops.max_pool(x, (2, 2)), windows.max(axis=(2, 4)))
    np.testing.assert_allclose(ops.average_pool(x, (2, 2)), windows.mean(axis=(2, 4)), rtol=1e-12)
    np.testing.assert_allclose(ops.global_average_pool(x, 2), x.mean(axis=(1, 2)), rtol=1e-12)


def test_of_equal_numbers_the_first_takes_the_gradient():
    _, vjp = np.ones((1, 2, 2, 1)), convolution.to_largest
    g = vjp(np.full((1, 1, 1, 1), 5.0), np.ones((1, 2, 2, 1)), np.ones((1, 1, 1, 1)), (2, 2))
    np.testing.assert_array_equal(g[0, ..., 0], [[5, 0], [0, 0]])


def test_rows_to_images_and_back():
    rows = images(2, 5, 12)
    x = ops.to_images(rows, (3, 2, 2))
    assert x.shape == (2, 3, 2, 2, 5)
    np.testing.assert_array_equal(x[1, :, :, :, 4].ravel(), rows[1, 4])
    np.testing.assert_array_equal(ops.to_rows(x, 2), rows)


def test_a_kernel_that_does_not_fit_is_named():
    with pytest.raises(
        ValueError, match=r"kernel must fit into the padded input, \(2, 2\) with padding 0, got \(3, 3\)"
    ):
        ops.conv2d(images(1, 2, 2, 1), images(1, 1, 3, 3), images(1))
