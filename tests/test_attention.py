"""Attention: derivatives against differences, values against plain oracles, and what must not change."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import jacobian
from hypothesis import given, settings
from hypothesis import strategies as st
from truths import second_vjp_error, vjp_error

from minisam import array_backend, hvp, ops, value_and_grad
from minisam.ops.attention import merge_heads, only_first_tokens, split_heads, weighted_values

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


# --- attention -------------------------------------------------------------------------------------------------------


def slow_attention(q, k, v, heads, tokens, causal):
    """Query by query, in loops over examples and heads."""
    e = q.shape[-1] // heads
    y = np.zeros_like(q)
    for start in range(0, len(q), tokens):
        for h in range(heads):
            columns = slice(h * e, (h + 1) * e)
            for i in range(tokens):
                last = i + 1 if causal else tokens
                seen = slice(start, start + last)
                fit = np.exp(k[seen, columns] @ q[start + i, columns] / np.sqrt(e))
                y[start + i, columns] = fit / fit.sum() @ v[seen, columns]
    return y


@settings(max_examples=20)
@given(SEEDS, LEADS, SIZES, SIZES, st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_attention(seed, lead, m, t, heads, e, causal):
    rng = np.random.default_rng(seed)
    q, k, v = rng.standard_normal((3, *lead, m * t, heads * e))
    y = ops.attention(q, k, v, heads, t, causal)
    for replica in np.ndindex(*lead):
        expected = slow_attention(q[replica], k[replica], v[replica], heads, t, causal)
        np.testing.assert_allclose(y[replica], expected, rtol=1e-12, atol=1e-14)
    each_argument(lambda q, k, v: ops.attention(q, k, v, heads, t, causal), (q, k, v), rng)


def test_weights_are_shares():
    q, k = np.random.default_rng(0).standard_normal((2, 3, 5, 4))
    ones = np.ones((3, 5, 4))
    for causal in (False, True):  # the mean of ones is one: each query's weights add up to 1
        np.testing.assert_allclose(weighted_values(q, k, ones, causal), ones, rtol=1e-15)


def test_equal_keys_give_the_plain_mean():
    q, v = np.random.default_rng(0).standard_normal((2, 6, 4))
    k = np.ones((6, 4))
    np.testing.assert_allclose(ops.attention(q, k, v, 2, 6), np.tile(v.mean(axis=0), (6, 1)), rtol=1e-13)
    so_far = np.cumsum(v, axis=0) / np.arange(1, 7)[:, None]
    np.testing.assert_allclose(ops.attention(q, k, v, 2, 6, causal=True), so_far, rtol=1e-13)


@given(SEEDS, st.permutations(range(5)))
def test_without_positions_the_order_of_tokens_does_not_matter(seed, order):
    q, k, v = np.random.default_rng(seed).standard_normal((3, 5, 4))
    y = ops.attention(q, k, v, 2, 5)
    np.testing.assert_allclose(ops.attention(q[order], k[order], v[order], 2, 5), y[order], rtol=1e-12, atol=1e-14)


def test_a_causal_mask_leaks_nothing():
    t, d = 5, 4
    q, k, v = np.random.default_rng(0).standard_normal((3, t, d))
    for i in range(3):

        def as_function_of_one(a, i=i):
            return ops.attention(*(a if j == i else b for j, b in enumerate((q, k, v))), 2, t, True)

        seen = np.abs(jacobian(as_function_of_one)((q, k, v)[i])).sum(axis=(1, 3))  # (output token, input token)
        np.testing.assert_array_equal(seen[np.triu_indices(t, 1)], 0.0)  # exactly
        if i == 2:
            assert (seen[np.tril_indices(t)] > 0).all()


def test_heads_and_examples_do_not_mix():
    q, k, v = np.random.default_rng(0).standard_normal((3, 6, 4))
    changed = v.copy()
    changed[:3, :2] += 1  # the first example's first head
    same = ops.attention(q, k, v, 2, 3) == ops.attention(q, k, changed, 2, 3)
    assert not same[:3, :2].any()
    assert same[3:].all()
    assert same[:, 2:].all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_scores_do_not_overflow(dtype):
    q = np.array([[1e4], [-1e4], [1e4]], dtype)
    v = np.array([[1.0], [2.0], [3.0]], dtype)
    y = ops.attention(q, q, v, 1, 3)
    np.testing.assert_array_equal(y, np.array([[2.0], [2.0], [2.0]], dtype))
    np.testing.assert_array_equal(ops.attention(q, q, v, 1, 3, causal=True), np.array([[1.0], [2.0], [2.0]], dtype))


@given(SEEDS, LEADS, SIZES, SIZES, SIZES)
def test_moves_and_their_opposites(seed, lead, m, t, e):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((*lead, m * t, 2 * e))
    heads = split_heads(x, 2, t)
    assert heads.shape == (*lead, m, 2, t, e)
    np.testing.assert_array_equal(merge_heads(heads), x)
    first = ops.first_tokens(x, t)
    np.testing.assert_array_equal(first, x.reshape(*lead, m, t, 2 * e)[..., 0, :])
    # adjoint: ⟨first x, y⟩ = ⟨x, only_first y⟩
    y = rng.standard_normal(first.shape)
    np.testing.assert_allclose(np.sum(first * y), np.sum(x * only_first_tokens(y, t)), rtol=1e-10, atol=1e-12)
    right(lambda x: split_heads(x, 2, t), x, rng)
    right(merge_heads, heads, rng)
    right(lambda x: ops.first_tokens(x, t), x, rng)
    right(lambda y: only_first_tokens(y, t), y, rng)


# --- all of them -----------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
X, TABLE, TOKENS = RNG.standard_normal((6, 4)), RNG.standard_normal((5, 4)), RNG.integers(0, 5, 6)


def landscape(causal):
    """A function of w that goes through every primitive of a transformer."""

    def f(w):
        w = anp.reshape(w, (*anp.shape(w)[:-1], 5, 4))
        x = ops.embedding(w, array_backend.asarray(TOKENS)) + array_backend.asarray(X, dtype=w.dtype)
        x = ops.layer_norm(x, w[..., 0, :], w[..., 1, :])
        x = ops.gelu(ops.attention(x, 2 * x, 1 - x, 2, 3, causal))
        return anp.sum(ops.first_tokens(x, 3), axis=(-2, -1))

    return f


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("lead", [(), (2,)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recorded_equals_eager_bit_for_bit(causal, lead, dtype):
    w, v = np.random.default_rng(1).standard_normal((2, *lead, 20)).astype(dtype)

    def computed(recorded):
        value, g = value_and_grad(landscape(causal), recorded=recorded)(w)
        return value, g, hvp(landscape(causal), recorded=recorded)(w, v)

    for a, b in zip(computed(True), computed(False), strict=True):
        assert a.dtype == dtype
        np.testing.assert_array_equal(a, b)


def test_on_a_device_the_numbers_are_numpys(device):
    def computed():
        w, v = map(array_backend.asarray, np.random.default_rng(1).standard_normal((2, 3, 20)))
        value, g = value_and_grad(landscape(True))(w)
        return [array_backend.asnumpy(a) for a in (value, g, hvp(landscape(True))(w, v))]

    expected = computed()
    with device.in_use():
        for a, b in zip(computed(), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=device.rtol, atol=1e-14)


@pytest.mark.peer
@pytest.mark.parametrize("causal", [False, True])
def test_torch_agrees(causal):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    rng = np.random.default_rng(0)
    q, k, v = rng.standard_normal((3, 2 * 5, 6))
    gain, bias = rng.standard_normal((2, 6))
    q4, k4, v4 = (torch.tensor(a).reshape(2, 5, 3, 2).transpose(1, 2) for a in (q, k, v))
    peer = functional.scaled_dot_product_attention(q4, k4, v4, is_causal=causal).transpose(1, 2).reshape(10, 6)
    np.testing.assert_allclose(ops.attention(q, k, v, 3, 5, causal), peer.numpy(), rtol=1e-12, atol=1e-14)
    peer = functional.layer_norm(torch.tensor(q), (6,), torch.tensor(gain), torch.tensor(bias))
    np.testing.assert_allclose(ops.layer_norm(q, gain, bias), peer.numpy(), rtol=1e-12, atol=1e-14)
    peer = functional.gelu(torch.tensor(q), approximate="tanh")
    np.testing.assert_allclose(ops.gelu(q), peer.numpy(), rtol=1e-12, atol=1e-14)
