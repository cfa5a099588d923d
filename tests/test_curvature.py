"""More than one look: curvature along the way, and other measures of sharpness."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from variants import (
    BASES,
    LINEAR,
    Watched,
    assert_same_bits,
    assert_sweeps,
    batches,
    by_hand,
    gradient,
    run,
    start,
    unit,
)

from minisam import SAM, SGD, Quadratic, value_and_grad
from minisam.draws import stream
from minisam.sam import CRSAM, GAM, FrobeniusSAM, TraceSAM

H = np.diag([5.0, 3.0, 1.0, 0.2])
W4 = np.random.default_rng(1).standard_normal((3, 4))
BOWL = value_and_grad(Quadratic(H))


def taken(optimizer, w, loss_and_grad):
    """What the first step takes, at a step size of 1."""
    return w - optimizer.step(w, optimizer.init(w), loss_and_grad)[0]


def one_batch():
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    return batch, w, lambda eps: gradient(w + eps, batch.x, batch.y)


def normal(seed, t, n):
    """The library's numbers of step t."""
    return stream("random looks", seed, 0, t).standard_normal(n)


# --- CR-SAM ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_without_regulariser_it_is_sam_bit_for_bit(base):
    assert_same_bits(CRSAM(BASES[base], 0.3, gamma=0, beta=0, l2=0.01), SAM(BASES[base], 0.3, l2=0.01))
    assert_same_bits(CRSAM(BASES[base], 0.0, gamma=0), BASES[base])  # g₊ = g₋


def test_a_step_of_cr_sam_is_its_formula():
    batch, w, g = one_batch()
    e = 0.3 * unit(g(0))
    d = g(e) + 0.4 * (g(e) + g(-e) - 2 * g(0)) + 0.2 * (g(e) - g(-e))
    path, (info,), _ = run(CRSAM(SGD(0.1), 0.3, gamma=0.4, beta=0.2, l2=0.05), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (d + 0.1 * w), rtol=1e-12)
    np.testing.assert_allclose(info["eps_norm"], 0.3, rtol=1e-12)
    assert info["evaluations"] == 3


def test_on_a_quadratic_only_the_slope_of_both_sides_counts():
    """g₊ + g₋ − 2g = 0 and g₊ − g₋ = 2ρ H ĝ."""
    g = W4 @ H
    d = taken(CRSAM(SGD(1.0), 0.3, gamma=7.0, beta=0.2), W4, BOWL)
    np.testing.assert_allclose(d, g + (1 + 2 * 0.2) * 0.3 * unit(g) @ H, rtol=1e-10, atol=1e-12)


def test_with_the_articles_coefficients_it_is_the_gradient_of_logarithms():
    """∇[L₊ + a log(L₊ + L₋ − 2L) + b log(L₊ − L₋)] for a fixed ε, by central differences."""
    batch, w, g = one_batch()
    e, a, b = 0.3 * unit(g(0)), 0.02, 0.05

    def loss(v):
        return by_hand(v, batch.x, batch.y)[0].mean()

    def objective(v):
        up, down, here = loss(v + e), loss(v - e), loss(v)
        return up + a * np.log(up + down - 2 * here) + b * np.log(up - down)

    gamma, beta = a / (loss(w + e) + loss(w - e) - 2 * loss(w)), b / (loss(w + e) - loss(w - e))
    d = taken(CRSAM(SGD(1.0), 0.3, gamma=gamma, beta=beta), w, batch)
    slope = [(objective(w + h) - objective(w - h)) / 2e-5 for h in 1e-5 * np.eye(16)]
    np.testing.assert_allclose(d, slope, rtol=1e-6, atol=1e-8)


# --- GAM -------------------------------------------------------------------------------------------------------------


def test_a_step_of_gam_is_its_formula():
    batch, w, g = one_batch()
    g0 = g(0)
    g1 = g(0.1 * unit(g0))
    e = 0.3 * unit(g1 - g0)
    g2 = g(e)
    g3 = g(e + 0.1 * unit(g2))
    P, G = g0 + 0.7 * g2, 0.2 * g1 + 0.6 * g3
    d = G - 0.5 * (P - (P @ G) / (G @ G) * G)
    gam = GAM(SGD(0.1), 0.3, rho_norm=0.1, beta1=0.2, beta2=0.7, beta3=0.6, gamma=0.5, l2=0.05)
    path, (info,), _ = run(gam, w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (d + 0.1 * w), rtol=1e-10)
    np.testing.assert_allclose(info["eps_norm"], np.linalg.norm(e + 0.1 * unit(g2)), rtol=1e-9)
    np.testing.assert_allclose(info["grad_norm"], np.linalg.norm(g0), rtol=1e-12)
    assert info["evaluations"] == 4


def test_on_a_quadratic_gam_is_exact():
    """g₁ − g is ρ′ H ĝ, so ε = ρ H ĝ/‖H ĝ‖ and g₂ = g + H ε, whatever ρ′."""
    g = W4 @ H
    e = 0.3 * unit(unit(g) @ H)
    g2 = g + e @ H
    P = g + 0.9 * g2
    G = 0.1 * (g + 0.02 * unit(g) @ H) + 0.9 * (g + (e + 0.02 * unit(g2)) @ H)
    across = P - np.sum(P * G, -1, keepdims=True) / np.sum(G * G, -1, keepdims=True) * G
    d = taken(GAM(SGD(1.0), 0.3), W4, BOWL)
    np.testing.assert_allclose(d, G - 0.03 * across, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("base", BASES)
def test_gam_that_keeps_one_gradient_only_is_sam_or_the_base(base):
    only = {"beta1": 1.0, "beta2": 0.0, "beta3": 0.0, "gamma": 0.0}
    assert_same_bits(GAM(BASES[base], 0.3, rho_norm=0.2, **only), SAM(BASES[base], 0.2))
    assert_same_bits(GAM(BASES[base], 0.3, rho_norm=0.0, **only), BASES[base])


# --- the trace -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("variant", [TraceSAM, FrobeniusSAM])
def test_lambda_0_is_the_base_bit_for_bit(base, variant):
    assert_same_bits(variant(BASES[base], 0.3, lam=0, samples=3), BASES[base])


def test_with_lambda_1_and_one_look_it_is_the_gradient_there_and_nothing_else():
    batch, w = batches()[0], start()
    watched = Watched(batch)
    d = taken(TraceSAM(SGD(1.0), 0.3, lam=1, seed=5), w, watched)
    np.testing.assert_array_equal(watched.points[1], w + 0.3 * normal(5, 0, w.shape[-1]))
    np.testing.assert_array_equal(w - d, w - batch(watched.points[1])[1])


@pytest.mark.parametrize("samples", [1, 3])
def test_a_step_of_trace_sam_is_its_formula(samples):
    batch, w, _ = one_batch()
    optimizer = TraceSAM(SGD(0.1), 0.3, lam=0.7, samples=samples, seed=5, l2=0.05)
    path, told, _ = run(optimizer, w, [batch] * 2)
    for t in range(2):
        looks = [w + 0.3 * normal(5, t * samples + k, 16) for k in range(samples)]
        g, *there = (gradient(v, batch.x, batch.y) for v in (w, *looks))
        w = w - 0.1 * (g + 0.7 * (sum(there) / samples - g) + 0.1 * w)
        np.testing.assert_allclose(path[t], w, rtol=1e-11)
        assert told[t]["evaluations"] == 1 + samples


def test_the_mean_gradient_at_random_looks_is_that_of_the_loss_plus_half_the_trace():
    """For L = Σ wᵢ⁴/4, E ∇L(w + ρx) = w³ + 3ρ² w = ∇(L + ρ² tr H/2), exactly; within four standard errors."""
    rho, k = 0.3, 4000
    w = np.array([1.0, -0.5, 2.0])
    quartic = lambda v: (np.sum(v**4, axis=-1) / 4, v**3)  # noqa: E731
    optimizer = TraceSAM(SGD(1.0), rho, seed=np.arange(k)[:, None])
    d = taken(optimizer, np.broadcast_to(w, (k, 3)), quartic)
    assert np.all(np.abs(d.mean(axis=0) - (w**3 + 3 * rho**2 * w)) < 4 * d.std(axis=0) / np.sqrt(k))


# --- the Frobenius norm ----------------------------------------------------------------------------------------------


def test_a_step_of_frobenius_sam_is_the_gradient_of_the_variance():
    """∇[L + λ/(2ρ²) Var L(w + ρ xᵢ)] over the looks xᵢ, Var with n − 1, by central differences."""
    batch, w, _ = one_batch()
    rho, lam, x = 0.3, 0.2, [normal(5, k, 16) for k in range(4)]

    def loss(v):
        return by_hand(v, batch.x, batch.y)[0].mean()

    def objective(v):
        return loss(v) + lam / (2 * rho**2) * np.var([loss(v + rho * a) for a in x], ddof=1)

    slope = [(objective(w + h) - objective(w - h)) / 2e-5 for h in 1e-5 * np.eye(16)]
    path, (info,), _ = run(FrobeniusSAM(SGD(0.1), rho, lam=lam, samples=4, seed=5, l2=0.05), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (np.array(slope) + 0.1 * w), rtol=1e-8)
    assert info["evaluations"] == 5


def test_on_a_quadratic_the_expected_penalty_is_a_gradient_norm():
    """Var = ρ²‖g‖² + ρ⁴‖H‖²_F/2, so the mean step is g + λ H g; within four standard errors."""
    k, lam, w = 4000, 0.3, W4[0]
    optimizer = FrobeniusSAM(SGD(1.0), 0.1, lam=lam, samples=2, seed=np.arange(k)[:, None])
    d = taken(optimizer, np.broadcast_to(w, (k, 4)), BOWL)
    assert np.all(np.abs(d.mean(axis=0) - (w @ H + lam * w @ H @ H)) < 4 * d.std(axis=0) / np.sqrt(k))


@given(st.integers(0, 100), st.integers(2, 4))
def test_a_constant_added_to_the_loss_changes_nothing(seed, samples):
    frobenius = FrobeniusSAM(SGD(1.0), 0.3, lam=0.2, samples=samples, seed=seed)
    shifted = lambda w: (BOWL(w)[0] + 3.0, BOWL(w)[1])  # noqa: E731
    np.testing.assert_allclose(taken(frobenius, W4, shifted), taken(frobenius, W4, BOWL), rtol=1e-9, atol=1e-11)


# --- what they take --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", [TraceSAM, FrobeniusSAM])
def test_looks_are_drawn_from_the_seed_anew_each_step(variant):
    def looks(seed):
        watched = Watched(BOWL)
        run(variant(SGD(0.0), 0.3, samples=2, seed=seed), W4, [watched] * 2)
        return np.array(watched.points) - W4

    eps = looks(3)
    assert len({float(e) for e in eps[[1, 2, 4, 5], 0, 0]}) == 4
    np.testing.assert_allclose(eps[:, 0], eps[:, 1], atol=1e-15)  # one seed, the same for all replicas
    each_its_own = looks(np.array([[3], [4], [5]]))
    np.testing.assert_array_equal(each_its_own[:, 0], eps[:, 0])
    assert np.abs(each_its_own[1, 0] - each_its_own[1, 1]).max() > 0.01


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda gamma, beta: CRSAM(SGD(0.1), gamma=gamma, beta=beta), {"gamma": [0.0, 0.3], "beta": [0.0, 0.1]}),
        (
            lambda rho_norm, gamma: GAM(SGD(0.1), rho_norm=rho_norm, gamma=gamma),
            {"rho_norm": [0.1], "gamma": [0.0, 0.3]},
        ),
        (lambda beta1, beta3: GAM(SGD(0.1), beta1=beta1, beta3=beta3), {"beta1": [0.1, 0.2], "beta3": [0.7]}),
        (lambda beta2: GAM(SGD(0.1), beta2=beta2), {"beta2": [0.3, 0.9]}),
        (lambda rho, lam: TraceSAM(SGD(0.1), rho, lam=lam), {"rho": [0.0, 0.1], "lam": [0.3, 1.0]}),
        (lambda rho, lam: FrobeniusSAM(SGD(0.1), rho, lam=lam), {"rho": [0.005, 0.1], "lam": [0.0, 0.005]}),
    ],
)
def test_they_sweep(make, values):
    assert_sweeps(make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: CRSAM(SGD(0.1), gamma=-1.0), "gamma must be ≥ 0, got -1.0"),
        (lambda: CRSAM(SGD(0.1), beta=-1.0), "beta must be ≥ 0, got -1.0"),
        (lambda: GAM(SGD(0.1), rho_norm=-1.0), "rho_norm must be ≥ 0, got -1.0"),
        (lambda: GAM(SGD(0.1), beta2=-1.0), "beta2 must be ≥ 0, got -1.0"),
        (lambda: TraceSAM(SGD(0.1), samples=0), "samples must be a whole number ≥ 1, got 0"),
        (lambda: TraceSAM(SGD(0.1), lam=-1.0), "lam must be ≥ 0, got -1.0"),
        (
            lambda: TraceSAM(SGD(0.1), seed=-1),
            r"seed must be a whole number ≥ 0, or an array \(..., 1\) of them, got -1",
        ),
        (lambda: FrobeniusSAM(SGD(0.1), samples=1), "samples must be a whole number ≥ 2, got 1"),
        (lambda: FrobeniusSAM(SGD(0.1), 0), "rho must be > 0, got 0"),
        (lambda: FrobeniusSAM(SGD(0.1), -1.0), "rho must be > 0, got -1.0"),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=f"^{says}$"):
        make()
