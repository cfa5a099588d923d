"""Embedding: derivatives against differences, a plain oracle, replicas, tokens out of range."""

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from truths import second_vjp_error, vjp_error

from minisam import ops
from minisam.ops.embedding import embedding_vjp

SIZES = st.integers(1, 4)
LEADS = st.sampled_from([(), (1,), (3,), (2, 2)])
SEEDS = st.integers(0, 10_000)
BOUND = 1e-7  # the central difference in float64 knows about eight digits


def right(f, x, rng):
    """First and second derivative of f at x, under a sine: so a linear f has a second derivative to be wrong about."""
    assert vjp_error(lambda x: anp.sin(f(x)), x, rng) < BOUND
    assert second_vjp_error(lambda x: anp.sin(f(x)), x, rng) < BOUND


@settings(max_examples=25)
@given(SEEDS, LEADS, st.booleans(), SIZES, SIZES, st.integers(1, 6))
def test_embedding(seed, lead, shared, v, d, n):
    rng = np.random.default_rng(seed)
    table, tokens = rng.standard_normal((*lead, v, d)), rng.integers(0, v, (n,) if shared else (*lead, n))
    y = ops.embedding(table, tokens)
    assert y.shape == (*lead, n, d)
    gathered = np.zeros_like(table)
    ybar = rng.standard_normal(y.shape)
    for replica in np.ndindex(*lead):
        for i, token in enumerate(tokens if shared else tokens[replica]):
            np.testing.assert_array_equal(y[(*replica, i)], table[(*replica, token)])
            gathered[(*replica, token)] += ybar[(*replica, i)]
    np.testing.assert_allclose(embedding_vjp(ybar, table, tokens), gathered, rtol=1e-12, atol=1e-14)
    right(lambda table: ops.embedding(table, tokens), table, rng)


def test_one_table_for_replicas_that_read_different_tokens():
    rng = np.random.default_rng(0)
    table, tokens = rng.standard_normal((4, 3)), rng.integers(0, 4, (2, 5))
    np.testing.assert_array_equal(ops.embedding(table, tokens), table[tokens])
    right(lambda table: ops.embedding(table, tokens), table, rng)


@pytest.mark.parametrize("tokens", [[0, 4], [-1, 0]])
def test_tokens_out_of_range_are_named(tokens):
    with pytest.raises(ValueError, match=rf"tokens must be in 0 … 3, got {min(tokens)} … {max(tokens)}"):
        ops.embedding(np.zeros((4, 2)), np.array(tokens))
