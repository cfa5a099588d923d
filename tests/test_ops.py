"""Every primitive: its derivatives against central differences, its value against independent oracles."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad, grad
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp, ndtr
from truths import second_vjp_error, vjp_error

from minisam import ops

SIZES = st.integers(1, 4)
LEADS = st.sampled_from([(), (1,), (3,), (2, 2)])
SEEDS = st.integers(0, 10_000)
BOUND = 1e-7  # the central difference in float64 knows about eight digits


def right(f, x, rng):
    """First and second derivative of f at x, under a sine: so a linear f has a second derivative to be wrong about."""
    assert vjp_error(lambda x: anp.sin(f(x)), x, rng) < BOUND
    assert second_vjp_error(lambda x: anp.sin(f(x)), x, rng) < BOUND


def each_argument(f, arguments, rng):
    """The derivatives of f with respect to each of its arguments in turn."""
    for i, a in enumerate(arguments):
        right(lambda a, i=i: f(*arguments[:i], a, *arguments[i + 1 :]), a, rng)


@settings(max_examples=25)
@given(SEEDS, LEADS, st.booleans(), SIZES, SIZES, SIZES)
def test_affine(seed, lead, shared, m, i, o):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((m, i) if shared else (*lead, m, i))
    W, b = rng.standard_normal((*lead, i, o)), rng.standard_normal((*lead, o))
    y = ops.affine(x, W, b)
    np.testing.assert_allclose(y, np.einsum("...mi,...io->...mo", x, W) + b[..., None, :], rtol=1e-12, atol=1e-14)
    each_argument(ops.affine, (x, W, b), rng)


@settings(max_examples=25)
@given(SEEDS, LEADS, LEADS, SIZES, SIZES, SIZES)
def test_matmul(seed, left, right_, m, k, n):
    rng = np.random.default_rng(seed)
    if left and right_ and left != right_:
        right_ = ()
    a, b = rng.standard_normal((*left, m, k)), rng.standard_normal((*right_, k, n))
    np.testing.assert_allclose(ops.matmul(a, b), np.einsum("...mk,...kn->...mn", a, b), rtol=1e-12, atol=1e-14)
    each_argument(ops.matmul, (a, b), rng)


@settings(max_examples=25)
@given(SEEDS, LEADS, SIZES, SIZES)
def test_shapes_and_sums(seed, lead, m, n):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((*lead, m, n))
    np.testing.assert_array_equal(ops.T(a), np.swapaxes(a, -1, -2))
    np.testing.assert_allclose(ops.sum_rows(a), np.einsum("...mn->...n", a), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ops.sum_last(a)[..., 0], np.einsum("...mn->...m", a), rtol=1e-12, atol=1e-14)
    for op in (ops.T, ops.sum_rows, ops.sum_last):
        right(op, a, rng)


@settings(max_examples=25)
@given(SEEDS, LEADS, st.lists(st.booleans(), min_size=1, max_size=3))
def test_spread_and_sum_to_are_each_others_opposite(seed, lead, repeated):
    rng = np.random.default_rng(seed)
    small = tuple(1 if r else 3 for r in repeated)
    large = (*lead, *(2 if r else 3 for r in repeated))
    a, b = rng.standard_normal(small), rng.standard_normal(large)
    np.testing.assert_array_equal(ops.spread(a, large), np.broadcast_to(a, large))
    # adjoint: ⟨spread a, b⟩ = ⟨a, sum_to b⟩
    np.testing.assert_allclose(
        np.sum(ops.spread(a, large) * b), np.sum(a * ops.sum_to(b, small)), rtol=1e-10, atol=1e-12
    )
    right(lambda a: ops.spread(a, large), a, rng)
    right(lambda b: ops.sum_to(b, small), b, rng)


@settings(max_examples=25)
@given(SEEDS, LEADS, SIZES, SIZES)
def test_activations(seed, lead, m, n):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((*lead, m, n))
    away_from_the_kink = x + 0.1 * np.sign(x)
    right(ops.relu, away_from_the_kink, rng)
    right(ops.tanh, x, rng)
    right(ops.gelu, x, rng)
    right(ops.softmax, x, rng)
    right(ops.log_softmax, x, rng)
    np.testing.assert_allclose(ops.log_softmax(x), x - logsumexp(x, axis=-1, keepdims=True), rtol=1e-12, atol=1e-14)


def test_activations_at_known_points():
    x = np.array([-2.0, -0.0, 0.0, 3.0])
    np.testing.assert_array_equal(ops.relu(x), [0, 0, 0, 3])
    np.testing.assert_array_equal(ops.tanh(x), np.tanh(x))
    # Φ(x) exactly, from which the tanh form differs by at most 5e-4 (Hendrycks & Gimpel 2016)
    wide = np.linspace(-6, 6, 1001)
    assert 1e-5 < np.abs(ops.gelu(wide) - wide * ndtr(wide)).max() < 5e-4
    assert grad(lambda a: ops.relu(a))(0.0) == 0


def test_gelu_is_its_formula():
    x = np.linspace(-6, 6, 101)
    expected = x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2
    np.testing.assert_allclose(ops.gelu(x), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gelu_of_large_numbers_is_relu(dtype):
    x = np.array([-1e4, -50.0, 50.0, 1e4], dtype)
    y, slope = ops.gelu(x), elementwise_grad(ops.gelu)(x)
    assert y.dtype == slope.dtype == dtype
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    np.testing.assert_array_equal(slope, x > 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gelu_and_its_derivatives_have_their_limits_at_any_size(dtype):
    sizes = np.array([9.0, 11.0, 1e4, 3e12, 1e19, 1e38, np.finfo(dtype).max, np.inf], dtype)
    x = np.concatenate([-sizes, sizes])
    slope = elementwise_grad(ops.gelu)
    np.testing.assert_array_equal(ops.gelu(x), np.maximum(x, 0))
    np.testing.assert_array_equal(slope(x), x > 0)
    np.testing.assert_array_equal(elementwise_grad(slope)(x), 0)


@settings(max_examples=25)
@given(SEEDS, LEADS, st.booleans(), SIZES, st.integers(2, 4), st.sampled_from([0.0, 0.1, 1.0]))
def test_softmax_cross_entropy(seed, lead, shared, m, c, smoothing):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((*lead, m, c))
    labels = rng.integers(0, c, (m,) if shared else (*lead, m))
    target = (1 - smoothing) * np.eye(c)[labels] + smoothing / c
    log_p = z - logsumexp(z, axis=-1, keepdims=True)
    loss = ops.softmax_cross_entropy(z, labels, smoothing)
    np.testing.assert_allclose(loss, -np.sum(target * log_p, axis=-1).mean(axis=-1), rtol=1e-12)
    right(lambda z: ops.softmax_cross_entropy(z, labels, smoothing), z, rng)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_cross_entropy_is_stable_for_large_logits(dtype):
    z = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], dtype)
    labels = np.array([1, 0])
    assert ops.softmax_cross_entropy(z, labels, 0.0) == pytest.approx(2e4 + np.log(2) / 2, rel=1e-7)
    slope = elementwise_grad(lambda z: ops.softmax_cross_entropy(z, labels, 0.0))(z)
    np.testing.assert_array_equal(slope, np.array([[0.5, -0.5, 0], [-0.5, 0.25, 0.25]], dtype))
    np.testing.assert_array_equal(ops.softmax(z), np.array([[1, 0, 0], [0, 0.5, 0.5]], dtype))
    np.testing.assert_allclose(ops.log_softmax(z)[0], [0, -2e4, -1e4], rtol=1e-7)
    np.testing.assert_allclose(ops.log_softmax(z)[1, 1:], -np.log(2), rtol=1e-6)


@settings(max_examples=25)
@given(SEEDS, LEADS, st.booleans(), SIZES, SIZES)
def test_squared_error(seed, lead, shared, m, k):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((*lead, m, k)), rng.standard_normal((m, k) if shared else (*lead, m, k))
    np.testing.assert_allclose(ops.squared_error(a, b), np.square(a - b).reshape(*lead, -1).mean(axis=-1), rtol=1e-12)
    each_argument(ops.squared_error, (a, b), rng)


OUT = {
    "affine": (ops.affine, [(3, 2), (2, 4), (4,)]),
    "matmul": (ops.matmul, [(3, 2), (2, 4)]),
    "relu": (ops.relu, [(3, 2)]),
    "tanh": (ops.tanh, [(3, 2)]),
    "softmax": (ops.softmax, [(3, 2)]),
    "log_softmax": (ops.log_softmax, [(3, 2)]),
    "sum_rows": (ops.sum_rows, [(3, 2)]),
    "sum_last": (ops.sum_last, [(3, 2)]),
    "squared_error": (ops.squared_error, [(3, 2), (3, 2)]),
}


@pytest.mark.parametrize("name", OUT)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_kept_and_out_is_written(name, dtype):
    op, shapes = OUT[name]
    rng = np.random.default_rng(0)
    arguments = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    y = op(*arguments)
    assert y.dtype == dtype
    out = np.empty_like(np.asarray(y))
    if name != "squared_error":  # a loss, whose value is one number
        op(*arguments, out=out)
        np.testing.assert_array_equal(out, y)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norm_neither_overflows_nor_vanishes(p, scale, dtype):
    a = np.random.default_rng(0).standard_normal((3, 5))
    a[0, 0] = 0
    computed = ops.norm((scale * a).astype(dtype), p)
    assert computed.shape == (3, 1)
    assert computed.dtype == dtype
    expected = scale * np.linalg.norm(a, p, axis=-1, keepdims=True)
    np.testing.assert_allclose(computed, expected, rtol=20 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(ops.norm(0 * a, p), np.zeros((3, 1)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_norm_above_the_largest_float_is_infinite_and_a_subnormal_one_is_rounded_once(dtype):
    limits = np.finfo(dtype)
    assert np.isinf(ops.norm(np.full((2, 9), limits.max, dtype))).all()
    np.testing.assert_array_equal(
        ops.norm(np.array([3, 4], dtype) * limits.smallest_subnormal), 5 * limits.smallest_subnormal
    )


def test_over_and_dot():
    np.testing.assert_array_equal(ops.over(np.array([0.0, 0.0]), np.array([0.0])), [0, 0])
    np.testing.assert_array_equal(ops.over(np.array([1.0, 3.0]), np.array([2.0])), [0.5, 1.5])
    a, b = np.random.default_rng(0).standard_normal((2, 4, 3, 7))
    np.testing.assert_allclose(ops.dot(a, b), np.einsum("...n,...n->...", a, b)[..., None], rtol=1e-12)
