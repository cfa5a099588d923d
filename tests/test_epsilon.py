"""The truths of ε = argmax of ⟨g, ε⟩ over ‖ε‖_p ≤ ρ."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.sam import epsilon

P = [1, 1.5, 2, 3, 10, math.inf]
DTYPES = ["float32", "float64"]
shapes = st.lists(st.integers(1, 4), max_size=2).flatmap(lambda lead: st.integers(1, 9).map(lambda n: (*lead, n)))


def p_norm(a, p):
    """‖a‖_p over the last axis, in float64 and scaled, so that no power overflows."""
    a = np.abs(np.asarray(a, dtype="float64"))
    largest = a.max(axis=-1, keepdims=True)
    scaled = a / np.where(largest > 0, largest, 1)
    total = scaled.max(axis=-1) if p == math.inf else np.sum(scaled**p, axis=-1) ** (1 / p)
    return largest[..., 0] * total


def dual(p):
    return math.inf if p == 1 else 1 if p == math.inf else p / (p - 1)


def rounding(g):
    """What a sum of n products of rounded factors can be off by, relative to its size."""
    return (g.shape[-1] + 8) * float(np.finfo(g.dtype).eps)


def dot(a, b):
    return np.sum(a.astype("float64") * b.astype("float64"), axis=-1)


@pytest.mark.parametrize("p", [*P, 1.05, 1.0005, 1e6])
@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=shapes, seed=st.integers(0, 99))
def test_lies_on_the_sphere(p, dtype, shape, seed):
    g = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    eps = epsilon(g, 0.3, p)
    assert eps.shape == g.shape
    assert eps.dtype == g.dtype
    np.testing.assert_allclose(p_norm(eps, p), 0.3, rtol=rounding(g))


@pytest.mark.parametrize("p", P)
@given(shape=shapes, seed=st.integers(0, 99))
def test_attains_rho_times_the_dual_norm(p, shape, seed):
    g = np.random.default_rng(seed).standard_normal(shape)
    np.testing.assert_allclose(dot(g, epsilon(g, 0.3, p)), 0.3 * p_norm(g, dual(p)), rtol=rounding(g))


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize("seed", range(5))
def test_no_feasible_direction_is_steeper(p, seed):
    rng = np.random.default_rng(seed)
    g = rng.standard_normal(6)
    eps = epsilon(g, 0.3, p)
    anywhere = rng.standard_normal((3000, 6))
    corners = rng.integers(-1, 2, (1000, 6)) + 0.0
    nearby = eps + 10.0 ** rng.uniform(-6, -1, (3000, 1)) * rng.standard_normal((3000, 6))
    directions = np.concatenate([anywhere, corners[np.any(corners != 0, axis=-1)], nearby])
    feasible = 0.3 * directions / p_norm(directions, p)[:, None]
    assert np.max(feasible @ g) <= g @ eps * (1 + rounding(g))


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_the_size_of_the_gradient_does_not_matter(p, dtype, size):
    g = np.random.default_rng(0).standard_normal((3, 7)).astype(dtype)
    scaled = (g * size).astype(dtype)
    # scaling by `size` rounds each entry once; the power q − 1 multiplies that by itself
    tolerance = (2 + min(dual(p), 10)) * rounding(g)
    np.testing.assert_allclose(epsilon(scaled, 0.3, p), epsilon(g, 0.3, p), rtol=tolerance)


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize("power", [-90, -3, 5, 90])
def test_scaling_by_a_power_of_two_changes_no_bit(p, power):
    g = np.random.default_rng(1).standard_normal((3, 7))
    np.testing.assert_array_equal(epsilon(g * 2.0**power, 0.3, p), epsilon(g, 0.3, p))


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize("dtype", DTYPES)
def test_tiny_and_huge_entries_side_by_side(p, dtype):
    g = np.array([1e-30, -1e30, 1.0, 0.0], dtype=dtype)
    eps = epsilon(g, 0.3, p)
    np.testing.assert_allclose(p_norm(eps, p), 0.3, rtol=rounding(g))
    assert np.all(eps * np.sign(g) >= 0)
    assert eps[3] == 0


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("neighbour", [None, 1.0])
def test_a_length_that_is_no_ordinary_float(p, dtype, neighbour):
    """Entries near the largest float, whose norm lies above it, and subnormal ones, whose norm has few digits."""
    limits, signs = np.finfo(dtype), np.where(np.arange(1000) % 3, 1, -1)
    large = (0.9 * limits.max * signs).astype(dtype)
    small = (limits.smallest_subnormal * signs * (1 + np.arange(1000) % 7)).astype(dtype)
    for g in (large, small):
        g = g if neighbour is None else np.stack([g, np.full_like(g, neighbour), 0 * g])
        eps = epsilon(g, 0.3, p)
        expected = 0.3 if neighbour is None else [0.3, 0.3, 0]
        np.testing.assert_allclose(p_norm(eps, p), expected, rtol=rounding(g))
        np.testing.assert_array_equal(np.sign(eps), np.sign(g) * (eps != 0))
        if neighbour is not None:
            np.testing.assert_array_equal(eps[1], epsilon(g[1], 0.3, p))


@pytest.mark.parametrize("rho", [1e-3, 0.3])
@pytest.mark.parametrize("size", [1e-37, 1e-31, 1e31, 3e38])
def test_a_small_radius_below_a_very_long_gradient_does_not_vanish(size, rho):
    g = np.array([size, -size / 2], dtype="float32")
    np.testing.assert_allclose(epsilon(g, rho), rho * np.array([2, -1]) / math.sqrt(5), rtol=1e-6)


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_zero_gradient_gives_zero(p, dtype):
    g = np.array([[0.0, 0.0, 0.0], [0.0, 3.0, 4.0], [-0.0, 0.0, 0.0]], dtype=dtype)
    eps = epsilon(g, 0.3, p)
    np.testing.assert_array_equal(eps[[0, 2]], 0)
    np.testing.assert_allclose(p_norm(eps[1], p), 0.3, rtol=rounding(g))


@pytest.mark.parametrize("p", P)
def test_radius_zero_gives_zero(p):
    np.testing.assert_array_equal(epsilon(np.array([1.0, -2.0]), 0.0, p), 0)


def test_p_2_is_the_formula_of_the_article():
    np.testing.assert_allclose(epsilon(np.array([3.0, -4.0]), 0.5), [0.3, -0.4], rtol=1e-15)


def test_p_infinity_is_the_sign():
    np.testing.assert_array_equal(epsilon(np.array([3.0, -1e-9, 0.0]), 0.5, math.inf), [0.5, -0.5, 0.0])
    far_apart = np.array([1e-40, -1e7, 0.0], "float32")  # the first is subnormal
    np.testing.assert_array_equal(epsilon(far_apart, 0.5, math.inf), np.array([0.5, -0.5, 0.0], "float32"))


def test_p_1_puts_all_on_the_largest_entry():
    np.testing.assert_array_equal(epsilon(np.array([3.0, -4.0, 0.0]), 0.5, 1), [0.0, -0.5, 0.0])


def test_p_1_shares_among_ties():
    np.testing.assert_array_equal(epsilon(np.array([3.0, -3.0, 2.0, 0.0]), 0.5, 1), [0.25, -0.25, 0.0, 0.0])


def test_p_3_by_hand():
    # q − 1 = 1/2: d = (1, 2, −3), ‖d‖₃ = (1 + 8 + 27)^(1/3)
    expected = 0.5 * np.array([1.0, 2.0, -3.0]) / 36 ** (1 / 3)
    np.testing.assert_allclose(epsilon(np.array([1.0, 4.0, -9.0]), 0.5, 3), expected, rtol=1e-15)


@pytest.mark.parametrize("g", [[1.0, -0.9, 0.3], [2.0, -2.0, 1.0]])
def test_p_to_1_is_the_limit(g):
    g = np.array(g)
    for h in (0.1, 0.03, 0.01, 1e-6):
        # entries below the largest keep at most 0.9^(1/h) of it; two that tie share by 2^(−1/p) = ½ (1 + h log 2 + …)
        gap = np.abs(epsilon(g, 0.5, 1 + h) - epsilon(g, 0.5, 1)).max()
        assert gap <= 0.5 * (3 * 0.9 ** (1 / h) + math.log(2) * h)


def test_p_to_infinity_is_the_limit():
    g = np.array([2.0, -0.5, 1.0, 0.0])
    for p in (1e2, 1e4, 1e6):
        # |gᵢ/2|^(1/(p−1)) = 1 − log(2/|gᵢ|)/p + …, and ‖d‖_p ≤ 3^(1/p) = 1 + log(3)/p + …
        gap = np.abs(epsilon(g, 0.5, p) - epsilon(g, 0.5, math.inf)).max()
        assert gap <= 0.5 * 2 * (math.log(4) + math.log(3)) / p


@pytest.mark.parametrize("p", P)
def test_an_array_of_radii_sweeps_over_the_replicas(p):
    g = np.random.default_rng(2).standard_normal((3, 5)).astype("float32")
    rho = np.array([[0.0], [0.05], [2.0]])  # float64, as np.array makes it
    eps = epsilon(g, rho, p)
    assert eps.dtype == np.float32
    for i in range(3):
        np.testing.assert_array_equal(eps[i], epsilon(g[i], float(rho[i, 0]), p))


def test_radii_sweep_over_one_gradient():
    g = np.array([3.0, -4.0])
    np.testing.assert_allclose(epsilon(g, np.array([[1.0], [2.0]])), [[0.6, -0.8], [1.2, -1.6]], rtol=1e-15)


@pytest.mark.parametrize("rho", [1, 0.1, np.float64(0.1), np.float32(0.1), np.array(0.1), np.array([0.1])])
@pytest.mark.parametrize("p", P)
def test_the_dtype_is_that_of_the_gradient(rho, p):
    assert epsilon(np.ones(3, dtype="float32"), rho, p).dtype == np.float32


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("neighbour", [0.0, 1.0, 1e-30, 1e30])
def test_no_bit_of_a_replica_depends_on_its_neighbours(p, dtype, neighbour):
    g = np.random.default_rng(3).standard_normal((2, 3, 50)).astype(dtype)
    g[1, 1] *= neighbour
    together = epsilon(g, 0.3, p)
    for i, j in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[i, j], epsilon(g[i, j], 0.3, p))


@pytest.mark.parametrize("seed", range(5))
def test_p_2_turns_with_the_gradient(seed):
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    g = rng.standard_normal((4, 6))
    np.testing.assert_allclose(epsilon(g @ q, 0.3), epsilon(g, 0.3) @ q, rtol=0, atol=0.3 * rounding(g))


@pytest.mark.parametrize("p", P)
def test_renaming_and_flipping_weights_renames_and_flips_epsilon(p):
    rng = np.random.default_rng(4)
    g, order, sign = rng.standard_normal(7), rng.permutation(7), rng.choice([-1.0, 1.0], 7)
    np.testing.assert_allclose(epsilon(sign * g[order], 0.3, p), sign * epsilon(g, 0.3, p)[order], rtol=rounding(g))


@pytest.mark.parametrize("p", P)
def test_inputs_are_not_changed(p):
    g = np.array([[1.0, -2.0], [0.0, 0.0]])
    kept = g.copy()
    epsilon(g, 0.3, p)
    np.testing.assert_array_equal(g, kept)


@pytest.mark.parametrize(
    ("rho", "p", "message"),
    [
        (-0.1, 2, "rho must be ≥ 0, got -0.1"),
        (math.nan, 2, "rho must be ≥ 0, got nan"),
        (np.array([[0.1], [-0.2]]), 2, "rho must be ≥ 0, got -0.2"),
        (0.1, 0.5, "p must be in [1, ∞], got 0.5"),
        (0.1, -math.inf, "p must be in [1, ∞], got -inf"),
        (0.1, math.nan, "p must be in [1, ∞], got nan"),
    ],
)
def test_errors(rho, p, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        epsilon(np.ones(2), rho, p)
