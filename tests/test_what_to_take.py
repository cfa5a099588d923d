"""What is taken from w + ε: a part of the gradient there, a mixture with the one at w, more gradients."""

import math

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

from minisam import SAM, SGD, Adam, Quadratic, value_and_grad
from minisam.optim import cosine
from minisam.sam import CRSAM, GAM, GNP, GSAM, WSAM, StableSAM

H = np.diag([5.0, 3.0, 1.0, 0.2])
W4 = np.random.default_rng(1).standard_normal((3, 4))
BOWL = value_and_grad(Quadratic(H))


def hand(w, batch, rho=0.3):
    """∇L(w) and ∇L(w + ε) of softmax regression, by hand."""
    g = gradient(w, batch.x, batch.y)
    return g, gradient(w + rho * unit(g), batch.x, batch.y)


def taken(optimizer, w, loss_and_grad):
    """What the first step takes: its difference of weights, over a step size of 1."""
    return w - optimizer.step(w, optimizer.init(w), loss_and_grad)[0]


def one_batch():
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    return batch, w, lambda eps: gradient(w + eps, batch.x, batch.y)


def epsilons(optimizer, w, losses):
    """The ε of each step."""
    watched, state, found = [Watched(loss) for loss in losses], optimizer.init(w), []
    for loss in watched:
        w, state, _ = optimizer.step(w, state, loss)
        found.append(loss.points[1] - loss.points[0])
    return found


# --- what each becomes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    "variant",
    [
        lambda base: GSAM(base, 0.3, alpha=0, l2=0.01),
        lambda base: GNP(base, 0.3, alpha=1, l2=0.01),
    ],
    ids=["GSAM α = 0", "GNP α = 1"],
)
def test_it_is_sam_bit_for_bit(base, variant):
    assert_same_bits(variant(BASES[base]), SAM(BASES[base], 0.3, l2=0.01))


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    "variant",
    [
        lambda base: GNP(base, 0.3, alpha=0),
        lambda base: WSAM(base, 0.3, gamma=0),
        lambda base: WSAM(base, 0.3, gamma=0, decoupled=False),
        lambda base: GNP(base, 0.0, alpha=0.5),  # a power of two: the halves of a number add up to it
        lambda base: WSAM(base, 0.0),
        lambda base: WSAM(base, 0.0, decoupled=False),
    ],
    ids=["GNP", "WSAM", "coupled", "GNP-ρ", "WSAM-ρ", "coupled-ρ"],
)
def test_it_is_the_base_bit_for_bit(base, variant):
    assert_same_bits(variant(BASES[base]), BASES[base])


@pytest.mark.parametrize("variant", [GSAM, StableSAM])
def test_with_radius_0_what_is_divided_and_multiplied_again_is_the_base_up_to_rounding(variant):
    path, _, _ = run(variant(SGD(0.1), 0.0), start(), batches())
    np.testing.assert_allclose(path, run(SGD(0.1), start(), batches())[0], rtol=1e-12, atol=1e-15)


# --- the formulas ----------------------------------------------------------------------------------------------------


def gsam(g, g_adv, w):
    return g_adv - 0.4 * (g - (g @ g_adv) / (g_adv @ g_adv) * g_adv)


FORMULAS = {
    "GSAM": (lambda: GSAM(SGD(0.1), 0.3, l2=0.05), gsam),
    "GNP": (lambda: GNP(SGD(0.1), 0.3, l2=0.05), lambda g, g_adv, w: 0.2 * g + 0.8 * g_adv),
    "WSAM": (lambda: WSAM(SGD(0.1), 0.3, l2=0.05), lambda g, g_adv, w: g + 9 * (g_adv - g)),
    "WSAM, coupled": (
        lambda: WSAM(SGD(0.1), 0.3, gamma=0.75, decoupled=False, l2=0.05),
        lambda g, g_adv, w: (1 - 3) * g + 3 * g_adv,
    ),
    "StableSAM": (
        lambda: StableSAM(SGD(0.1), 0.3, l2=0.05),
        lambda g, g_adv, w: g_adv * np.linalg.norm(g) / np.linalg.norm(g_adv),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_step_is_its_formula(name):
    make, formula = FORMULAS[name]
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    g, g_adv = hand(w, batch)
    path, (info,), _ = run(make(), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (formula(g, g_adv, w) + 0.1 * w), rtol=1e-12)
    np.testing.assert_allclose(info["eps_norm"], 0.3, rtol=1e-12)
    np.testing.assert_allclose(info["grad_norm"], np.linalg.norm(g), rtol=1e-12)
    assert info["evaluations"] == 2


# --- GSAM ------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 1000), st.floats(0, 2), st.floats(0.01, 1))
def test_gsam_gives_up_only_what_is_orthogonal_to_sams_gradient(seed, alpha, rho):
    w = np.random.default_rng(seed).standard_normal((2, 4))
    g, g_adv = w @ H, taken(SAM(SGD(1.0), rho), w, BOWL)
    d, scale = taken(GSAM(SGD(1.0), rho, alpha=alpha), w, BOWL), np.sum(g_adv**2, axis=-1)
    np.testing.assert_allclose(np.sum(d * g_adv, axis=-1), scale, rtol=1e-11)
    along = np.sum(g * g_adv, axis=-1, keepdims=True) / scale[:, None] * g_adv
    across = np.sum((g - along) ** 2, axis=-1)
    expected = np.sum(g * g_adv, axis=-1) - alpha * across
    np.testing.assert_allclose(np.sum(d * g, axis=-1), expected, rtol=1e-9, atol=1e-10)


# --- a penalty on the gradient's norm --------------------------------------------------------------------------------


def test_on_a_quadratic_gnp_descends_the_loss_plus_the_gradients_norm():
    """∇(L + λ‖∇L‖) = g + λ H g/‖g‖, exactly, with λ = αρ."""
    rho, alpha = 0.3, 0.8
    d = taken(GNP(SGD(1.0), rho, alpha=alpha), W4, BOWL)
    g = W4 @ H
    np.testing.assert_allclose(d, g + alpha * rho * unit(g) @ H, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("gamma", [0.2, 0.5, 0.9])
def test_coupled_wsam_is_gnp(gamma):
    base = SGD(0.01, momentum=0.9)
    wsam, _, _ = run(WSAM(base, 0.3, gamma=gamma, decoupled=False), start(), batches())
    gnp, _, _ = run(GNP(base, 0.3, alpha=gamma / (1 - gamma)), start(), batches())
    np.testing.assert_allclose(wsam, gnp, rtol=1e-11, atol=1e-14)


# --- WSAM ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decoupled", [True, False])
def test_half_and_half_over_sgd_is_sam(decoupled):
    path, _, _ = run(WSAM(SGD(0.1), 0.3, gamma=0.5, decoupled=decoupled), start(), batches())
    np.testing.assert_allclose(path, run(SAM(SGD(0.1), 0.3), start(), batches())[0], rtol=1e-12, atol=1e-14)


def test_over_plain_sgd_both_modes_are_one_and_with_momentum_two():
    def path(base, decoupled):
        return run(WSAM(base, 0.3, gamma=0.8, decoupled=decoupled), start(), batches())[0]

    np.testing.assert_allclose(path(SGD(0.1), True), path(SGD(0.1), False), rtol=1e-11, atol=1e-14)
    base = SGD(0.1, momentum=0.9)
    assert np.abs(path(base, True) - path(base, False))[1:].max() > 1e-3


def test_decoupled_the_sharpness_enters_neither_moments_nor_schedule_but_its_own():
    """Adam by hand on the clean gradient, then −η_t k (g_adv − g) with the step size of that step."""
    schedule, w = cosine(0.05, 6), start(LINEAR)[0]
    path, _, state = run(WSAM(Adam(schedule), 0.3, gamma=0.75), w, batches(model=LINEAR))
    m = v = np.zeros(16)
    for t, batch in enumerate(batches(model=LINEAR), start=1):
        g, g_adv = hand(w, batch)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        lr = 0.05 * (1 + math.cos(math.pi * (t - 1) / 6)) / 2
        w = w - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8) - lr * 3 * (g_adv - g)
        np.testing.assert_allclose(path[t - 1], w, rtol=1e-10)
    np.testing.assert_allclose(state["m"], m, rtol=1e-10)


@given(st.integers(0, 1000), st.floats(0.0, 2.0))
def test_stable_sam_keeps_the_gradients_length_and_sams_direction(seed, rho):
    w = np.random.default_rng(seed).standard_normal((2, 4))
    d = taken(StableSAM(SGD(1.0), rho), w, BOWL)
    np.testing.assert_allclose(np.linalg.norm(d, axis=-1), np.linalg.norm(w @ H, axis=-1), rtol=1e-11)
    np.testing.assert_allclose(unit(d), unit(taken(SAM(SGD(1.0), rho), w, BOWL)), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("variant", [GSAM, GNP, WSAM], ids=lambda v: v.__name__)
def test_where_it_looks_does_not_depend_on_the_scale_of_the_loss(variant):
    losses = [value_and_grad(Quadratic(c * H)) for c in (1.0, 100.0)]
    one, other = (epsilons(variant(SGD(0.1), 0.3), W4, [loss])[0] for loss in losses)
    np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)


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


# --- what they take --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda rho, alpha: GSAM(SGD(0.1), rho, alpha=alpha), {"rho": [0.0, 0.3], "alpha": [0.0, 0.4]}),
        (lambda alpha: GNP(SGD(0.1), alpha=alpha), {"alpha": [0.0, 0.3, 1.0]}),
        (lambda gamma: WSAM(SGD(0.1), gamma=gamma), {"gamma": [0.0, 0.3, 0.9]}),
        (lambda rho: StableSAM(SGD(0.1), rho), {"rho": [0.0, 0.3]}),
        (lambda gamma, beta: CRSAM(SGD(0.1), gamma=gamma, beta=beta), {"gamma": [0.0, 0.3], "beta": [0.0, 0.1]}),
        (
            lambda rho_norm, gamma: GAM(SGD(0.1), rho_norm=rho_norm, gamma=gamma),
            {"rho_norm": [0.1], "gamma": [0.0, 0.3]},
        ),
        (lambda beta1, beta3: GAM(SGD(0.1), beta1=beta1, beta3=beta3), {"beta1": [0.1, 0.2], "beta3": [0.7]}),
        (lambda beta2: GAM(SGD(0.1), beta2=beta2), {"beta2": [0.3, 0.9]}),
    ],
)
def test_they_sweep(make, values, device):
    assert_sweeps(device, make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: GSAM(SGD(0.1), alpha=-1.0), "alpha must be ≥ 0, got -1.0"),
        (lambda: GNP(SGD(0.1), alpha=-1.0), "alpha must be ≥ 0, got -1.0"),
        (lambda: WSAM(SGD(0.1), gamma=1.0), r"gamma must be in \[0, 1\), got 1.0"),
        (
            lambda: WSAM(SGD(0.1), gamma=np.array([[0.5], [-1.0]])),
            r"gamma must be in \[0, 1\), got -1.0",
        ),
        (lambda: StableSAM(SGD(0.1), rho=-0.5), "rho must be ≥ 0, got -0.5"),
        (lambda: CRSAM(SGD(0.1), gamma=-1.0), "gamma must be ≥ 0, got -1.0"),
        (lambda: CRSAM(SGD(0.1), beta=-1.0), "beta must be ≥ 0, got -1.0"),
        (lambda: GAM(SGD(0.1), rho_norm=-1.0), "rho_norm must be ≥ 0, got -1.0"),
        (lambda: GAM(SGD(0.1), beta2=-1.0), "beta2 must be ≥ 0, got -1.0"),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=f"^{says}$"):
        make()


def test_a_variant_is_no_base():
    with pytest.raises(TypeError, match=r"^base must be a base optimizer such as SGD\(lr\), got SAM"):
        WSAM(SAM(SGD(0.1)))
