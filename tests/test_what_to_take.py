"""What is taken from w + ε: a part of the gradient there, or a mixture with the one at w."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from variants import BASES, LINEAR, Watched, assert_same_bits, assert_sweeps, batches, gradient, run, start, unit

from minisam import SAM, SGD, Adam, Quadratic, value_and_grad
from minisam.optim import cosine
from minisam.sam import GNP, GSAM, SAGM, WSAM, FriendlySAM, StableSAM, VaSSO

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
        lambda base: FriendlySAM(base, 0.3, sigma=0, l2=0.01),
        lambda base: VaSSO(base, 0.3, theta=1, l2=0.01),
    ],
    ids=["GSAM α = 0", "GNP α = 1", "FriendlySAM σ = 0", "VaSSO θ = 1"],
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
        lambda base: SAGM(base, 0.0, alpha=0),
        lambda base: FriendlySAM(base, 0.0),
        lambda base: VaSSO(base, 0.0),
    ],
    ids=["GNP", "WSAM", "coupled", "GNP-ρ", "WSAM-ρ", "coupled-ρ", "SAGM-ρ", "FriendlySAM-ρ", "VaSSO-ρ"],
)
def test_it_is_the_base_bit_for_bit(base, variant):
    assert_same_bits(variant(BASES[base]), BASES[base])


@pytest.mark.parametrize("variant", [GSAM, StableSAM])
def test_with_radius_0_what_is_divided_and_multiplied_again_is_the_base_up_to_rounding(variant):
    path, _, _ = run(variant(SGD(0.1), 0.0), start(), batches())
    np.testing.assert_allclose(path, run(SGD(0.1), start(), batches())[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("variant", [FriendlySAM, VaSSO])
def test_the_first_step_is_sams_bit_for_bit(variant):
    assert_same_bits(variant(Adam(0.01), 0.3), SAM(Adam(0.01), 0.3), losses=batches(1))


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


# --- gradient matching -----------------------------------------------------------------------------------------------


def test_a_step_of_sagm_is_its_formula():
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    g = gradient(w, batch.x, batch.y)
    eps = 0.3 * unit(g) - 0.2 * g
    d = (g + gradient(w + eps, batch.x, batch.y)) / 2
    path, (info,), _ = run(SAGM(SGD(0.1), 0.3, alpha=0.2, l2=0.05), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (d + 0.1 * w), rtol=1e-12)
    np.testing.assert_allclose(info["eps_norm"], np.linalg.norm(eps), rtol=1e-12)
    assert info["evaluations"] == 2


def test_sagm_without_alpha_is_gnp_at_one_half_and_with_all_of_it_the_base():
    base = SGD(0.1, momentum=0.9)
    sagm, _, _ = run(SAGM(base, 0.3, alpha=0), start(), batches())
    np.testing.assert_allclose(sagm, run(GNP(base, 0.3, alpha=0.5), start(), batches())[0], rtol=1e-12, atol=1e-14)
    batch, w = batches()[0], start()
    alpha = 0.3 / np.linalg.norm(batch(w)[1], axis=-1, keepdims=True)  # then ε = 0, up to rounding
    np.testing.assert_allclose(taken(SAGM(SGD(1.0), 0.3, alpha=alpha), w, batch), batch(w)[1], rtol=1e-9, atol=1e-14)


# --- where noise counts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [1.0, 0.3])
def test_friendly_sam_looks_along_what_is_new_in_the_gradient(sigma):
    w = start(LINEAR)[0]
    path, told, state = run(FriendlySAM(SGD(0.1), 0.3, sigma=sigma, lam=0.6), w, batches(model=LINEAR))
    mean = None
    for t, batch in enumerate(batches(model=LINEAR)):
        g = gradient(w, batch.x, batch.y)
        d = g if mean is None else g - sigma * mean
        mean = g if mean is None else 0.6 * mean + 0.4 * g
        w = w - 0.1 * gradient(w + 0.3 * unit(d), batch.x, batch.y)
        np.testing.assert_allclose(path[t], w, rtol=1e-11)
        np.testing.assert_allclose(told[t]["grad_norm"], np.linalg.norm(g), rtol=1e-11)
        assert told[t]["evaluations"] == 2
    np.testing.assert_allclose(state["mean"], mean, rtol=1e-11)


def test_where_gradients_have_no_noise_friendly_sam_is_the_base_after_its_first_step():
    slope = np.array([1.0, -2.0, 0.5, 0.0])
    linear = [lambda w: (w @ slope, slope + 0 * w)] * 4
    eps = epsilons(FriendlySAM(SGD(0.1), 0.3), W4, linear)
    np.testing.assert_allclose(np.linalg.norm(eps[0], axis=-1), 0.3, rtol=1e-13)
    np.testing.assert_array_equal(eps[1:], 0)


def test_with_sigma_1_the_old_mean_and_the_new_one_give_the_same_epsilon():
    """g − (λ m + (1 − λ) g) = λ (g − m): the article's order of the two lines does not matter."""
    lam, w = 0.7, W4
    bowls = [value_and_grad(Quadratic(H, b)) for b in np.random.default_rng(2).standard_normal((4, 4))]
    path, _, _ = run(FriendlySAM(SGD(0.1), 0.3, lam=lam), w, bowls)
    mean = None
    for t, bowl in enumerate(bowls):
        g = bowl(w)[1]
        mean = g if mean is None else lam * mean + (1 - lam) * g
        w = w - 0.1 * bowl(w + 0.3 * unit(g - mean if t else g))[1]
        np.testing.assert_allclose(path[t], w, rtol=1e-11, atol=1e-13)


def test_vasso_looks_along_the_running_mean():
    w = start(LINEAR)[0]
    path, told, state = run(VaSSO(SGD(0.1), 0.3, theta=0.4), w, batches(model=LINEAR))
    d = None
    for t, batch in enumerate(batches(model=LINEAR)):
        g = gradient(w, batch.x, batch.y)
        d = g if d is None else 0.6 * d + 0.4 * g
        w = w - 0.1 * gradient(w + 0.3 * unit(d), batch.x, batch.y)
        np.testing.assert_allclose(path[t], w, rtol=1e-11)
        np.testing.assert_allclose(told[t]["eps_norm"], 0.3, rtol=1e-12)
        assert told[t]["evaluations"] == 2
    np.testing.assert_allclose(state["mean"], d, rtol=1e-11)


def test_the_running_mean_has_less_noise():
    """Of independent noise with variance 1 a share θ/(2 − θ) is left."""
    rng = np.random.default_rng(0)

    def noisy(w):
        g = rng.standard_normal(w.shape)
        return np.sum(g * w), g

    _, _, state = run(VaSSO(SGD(0.1), theta=0.2), np.zeros(20_000), [noisy] * 40)
    np.testing.assert_allclose(np.var(state["mean"]), 0.2 / 1.8, rtol=0.05)  # five standard errors: √(2/n) = 1 %


@given(st.integers(0, 1000), st.floats(0.0, 2.0))
def test_stable_sam_keeps_the_gradients_length_and_sams_direction(seed, rho):
    w = np.random.default_rng(seed).standard_normal((2, 4))
    d = taken(StableSAM(SGD(1.0), rho), w, BOWL)
    np.testing.assert_allclose(np.linalg.norm(d, axis=-1), np.linalg.norm(w @ H, axis=-1), rtol=1e-11)
    np.testing.assert_allclose(unit(d), unit(taken(SAM(SGD(1.0), rho), w, BOWL)), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("variant", [GSAM, GNP, WSAM, FriendlySAM, VaSSO], ids=lambda v: v.__name__)
def test_where_it_looks_does_not_depend_on_the_scale_of_the_loss(variant):
    losses = [value_and_grad(Quadratic(c * H)) for c in (1.0, 100.0)]
    one, other = (epsilons(variant(SGD(0.1), 0.3), W4, [loss])[0] for loss in losses)
    np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)


# --- what they take --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda rho, alpha: GSAM(SGD(0.1), rho, alpha=alpha), {"rho": [0.0, 0.3], "alpha": [0.0, 0.4]}),
        (lambda alpha: GNP(SGD(0.1), alpha=alpha), {"alpha": [0.0, 0.3, 1.0]}),
        (lambda gamma: WSAM(SGD(0.1), gamma=gamma), {"gamma": [0.0, 0.3, 0.9]}),
        (lambda alpha: SAGM(SGD(0.1), alpha=alpha), {"alpha": [0.0, 0.1]}),
        (lambda sigma, lam: FriendlySAM(SGD(0.1), sigma=sigma, lam=lam), {"sigma": [0.3, 1.0], "lam": [0.3, 0.9]}),
        (lambda theta: VaSSO(SGD(0.1), theta=theta), {"theta": [0.2, 0.7, 1.0]}),
        (lambda rho: StableSAM(SGD(0.1), rho), {"rho": [0.0, 0.3]}),
    ],
)
def test_they_sweep(make, values):
    assert_sweeps(make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: GSAM(SGD(0.1), alpha=-1.0), "alpha must be ≥ 0, got -1.0"),
        (lambda: GNP(SGD(0.1), alpha=-1.0), "alpha must be ≥ 0, got -1.0"),
        (lambda: SAGM(SGD(0.1), alpha=-1.0), "alpha must be ≥ 0, got -1.0"),
        (lambda: WSAM(SGD(0.1), gamma=1.0), r"gamma must be in \[0, 1\), got 1.0"),
        (
            lambda: WSAM(SGD(0.1), gamma=np.array([[0.5], [-1.0]])),
            r"gamma must be in \[0, 1\), got -1.0",
        ),
        (lambda: FriendlySAM(SGD(0.1), sigma=-1.0), "sigma must be ≥ 0, got -1.0"),
        (lambda: FriendlySAM(SGD(0.1), lam=1.5), r"lam must be in \[0, 1\], got 1.5"),
        (lambda: VaSSO(SGD(0.1), theta=-0.5), r"theta must be in \[0, 1\], got -0.5"),
        (lambda: StableSAM(SGD(0.1), rho=-0.5), "rho must be ≥ 0, got -0.5"),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=f"^{says}$"):
        make()


def test_a_variant_is_no_base():
    with pytest.raises(TypeError, match=r"^base must be a base optimizer such as SGD\(lr\), got SAM"):
        WSAM(SAM(SGD(0.1)))
