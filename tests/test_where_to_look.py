"""Other places to look: another length of the step, more steps, another direction than the batch's gradient."""

import numpy as np
import pytest
import restated
from hypothesis import given
from hypothesis import strategies as st
from variants import (
    BASES,
    LINEAR,
    MODEL,
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

from minisam import SAM, SGD, Adam, AdamW, Quadratic, sam_objective, value_and_grad
from minisam.sam import GNP, MSAM, SAGM, USAM, FriendlySAM, MultiStepSAM, VaSSO

H = np.diag([5.0, 3.0, 1.0, 0.2])
BOWL = value_and_grad(Quadratic(H))
W4 = np.random.default_rng(1).standard_normal((3, 4))
MOMENTUM = {"SGD": SGD(0.1, momentum=0.9), "Adam": Adam(0.01), "AdamW": AdamW(0.01)}


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


def looked_at(optimizer, w, loss_and_grad):
    """The ε of each gradient that one step takes."""
    watched = Watched(loss_and_grad)
    optimizer.step(w, optimizer.init(w), watched)
    return [point - w for point in watched.points]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    "variant",
    [USAM, MultiStepSAM, lambda base, rho: SAGM(base, rho, alpha=0), FriendlySAM, VaSSO],
    ids=["USAM", "MultiStepSAM", "SAGM", "FriendlySAM", "VaSSO"],
)
def test_radius_0_is_the_base_bit_for_bit(base, variant):
    assert_same_bits(variant(BASES[base], 0.0), BASES[base])


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    "variant",
    [
        lambda base: FriendlySAM(base, 0.3, sigma=0, l2=0.01),
        lambda base: VaSSO(base, 0.3, theta=1, l2=0.01),
    ],
    ids=["FriendlySAM σ = 0", "VaSSO θ = 1"],
)
def test_it_is_sam_bit_for_bit(base, variant):
    assert_same_bits(variant(BASES[base]), SAM(BASES[base], 0.3, l2=0.01))


# --- unnormalised SAM ------------------------------------------------------------------------------------------------


def test_a_step_of_usam_is_its_formula():
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    g = gradient(w, batch.x, batch.y)
    path, (info,), _ = run(USAM(SGD(0.1), 0.3, l2=0.05), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (gradient(w + 0.3 * g, batch.x, batch.y) + 0.1 * w), rtol=1e-13)
    np.testing.assert_allclose(info["eps_norm"], 0.3 * np.linalg.norm(g), rtol=1e-13)
    np.testing.assert_allclose(info["grad_norm"], np.linalg.norm(g), rtol=1e-13)
    np.testing.assert_allclose(info["loss"], by_hand(w, batch.x, batch.y)[0].mean(), rtol=1e-13)
    assert info["evaluations"] == 2


def test_on_a_quadratic_usam_descends_the_loss_plus_a_squared_gradient():
    """(I + ρH) g = ∇(L + ρ/2 ‖g‖²)."""
    penalised = Quadratic(H + 0.3 * H @ H)
    path, _, _ = run(USAM(SGD(0.1), 0.3), W4, [BOWL] * 4)
    expected, _, _ = run(SGD(0.1), W4, [value_and_grad(penalised)] * 4)
    np.testing.assert_allclose(path, expected, rtol=1e-12, atol=1e-15)


def test_usam_looks_farther_where_the_loss_is_steeper():
    steeper = value_and_grad(Quadratic(7 * H))
    np.testing.assert_allclose(looked_at(USAM(SGD(0.1), 0.3), W4, steeper)[1], 7 * 0.3 * W4 @ H, rtol=1e-13, atol=1e-15)
    alike = (looked_at(SAM(SGD(0.1), 0.3), W4, loss)[1] for loss in (BOWL, steeper))
    np.testing.assert_allclose(*alike, rtol=1e-12, atol=1e-15)


# --- several ascent steps --------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.sampled_from(["float32", "float64"]), st.sampled_from([0.03, 0.1, 7.0]))
def test_one_step_of_ascent_is_sam_bit_for_bit(seed, dtype, rho):
    w = MODEL.init([seed, seed + 1], dtype)
    assert_same_bits(MultiStepSAM(SGD(0.1), rho, steps=1), SAM(SGD(0.1), rho), w, batches(1, seed=seed, dtype=dtype))


@pytest.mark.parametrize("base", BASES)
def test_ascent_steps_of_length_0_are_the_base_bit_for_bit(base):
    assert_same_bits(MultiStepSAM(BASES[base], 0.3, steps=3, alpha=0.0), BASES[base])


@pytest.mark.parametrize(
    "alpha", [0.05, 0.15, 0.4, None]
)  # never at the rim; at the last step; at once, with both defaults
def test_several_ascent_steps_are_the_formula(alpha):
    rho, length = 0.3, 0.3 if alpha is None else alpha
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    eps, points = np.zeros(16), []
    for _ in range(3):
        points.append(eps)
        eps = eps + length * unit(gradient(w + eps, batch.x, batch.y))
        eps = eps * min(1, rho / np.linalg.norm(eps))
    path, (info,), _ = run(MultiStepSAM(SGD(0.1), rho, steps=3, alpha=alpha, l2=0.05), w, [batch])
    expected = w - 0.1 * (gradient(w + eps, batch.x, batch.y) + 0.1 * w)
    np.testing.assert_allclose(path[0], expected, rtol=1e-12)
    np.testing.assert_allclose(info["eps_norm"], np.linalg.norm(eps), rtol=1e-12)
    assert info["evaluations"] == 4
    seen = looked_at(MultiStepSAM(SGD(0.1), rho, steps=3, alpha=alpha), w, batch)
    np.testing.assert_allclose(seen, [*points, eps], atol=1e-14)


@given(st.integers(1, 6), st.floats(0, 3), st.floats(0, 2))
def test_no_step_of_ascent_leaves_the_ball(steps, alpha, rho):
    looks = looked_at(MultiStepSAM(SGD(0.1), rho, steps=steps, alpha=alpha), W4, BOWL)
    assert len(looks) == steps + 1
    for eps in looks:
        assert np.all(np.linalg.norm(eps, axis=-1) <= rho * (1 + 1e-13) + 1e-15)


def test_many_ascent_steps_come_to_the_worst_point_of_the_ball():
    eps = looked_at(MultiStepSAM(SGD(0.1), 0.5, steps=200, alpha=0.05), W4, BOWL)[-1]
    loss = Quadratic(H)
    np.testing.assert_allclose(loss(W4 + eps), sam_objective(loss, W4, 0.5, inner="exact"), rtol=1e-9)
    assert np.all(loss(W4 + eps) > sam_objective(loss, W4, 0.5))  # the single step's


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


@pytest.mark.parametrize("variant", [FriendlySAM, VaSSO])
def test_the_first_step_is_sams_bit_for_bit(variant):
    assert_same_bits(variant(Adam(0.01), 0.3), SAM(Adam(0.01), 0.3), losses=batches(1))


@pytest.mark.parametrize("sigma", [1.0, 0.3])
def test_friendly_sam_looks_along_what_is_new_in_the_gradient(sigma):
    w, losses = start(LINEAR)[0], batches(model=LINEAR)
    path, told, state = run(FriendlySAM(SGD(0.1), 0.3, sigma=sigma, lam=0.6), w, losses)
    for t, step in enumerate(restated.path("FriendlySAM", w, losses, rho=0.3, sigma=sigma, lam=0.6)):
        np.testing.assert_allclose(path[t], step.w, rtol=1e-11)
        np.testing.assert_allclose(told[t]["loss"], step.loss, rtol=1e-11)
        g = gradient(path[t - 1] if t else w, losses[t].x, losses[t].y)
        np.testing.assert_allclose(told[t]["grad_norm"], np.linalg.norm(g), rtol=1e-11)
        assert told[t]["evaluations"] == 2
    np.testing.assert_allclose(state["mean"], step.m["mean"], rtol=1e-11)


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
    w, losses = start(LINEAR)[0], batches(model=LINEAR)
    path, told, state = run(VaSSO(SGD(0.1), 0.3, theta=0.4), w, losses)
    for t, step in enumerate(restated.path("VaSSO", w, losses, rho=0.3, theta=0.4)):
        np.testing.assert_allclose(path[t], step.w, rtol=1e-11)
        np.testing.assert_allclose(told[t]["eps_norm"], 0.3, rtol=1e-12)
        assert told[t]["evaluations"] == 2
    np.testing.assert_allclose(state["mean"], step.m["mean"], rtol=1e-11)


def test_the_running_mean_has_less_noise():
    """Of independent noise with variance 1 a share θ/(2 − θ) is left."""
    rng = np.random.default_rng(0)

    def noisy(w):
        g = rng.standard_normal(w.shape)
        return np.sum(g * w), g

    _, _, state = run(VaSSO(SGD(0.1), theta=0.2), np.zeros(20_000), [noisy] * 40)
    np.testing.assert_allclose(np.var(state["mean"]), 0.2 / 1.8, rtol=0.05)  # five standard errors: √(2/n) = 1 %


@pytest.mark.parametrize("variant", [FriendlySAM, VaSSO], ids=lambda v: v.__name__)
def test_where_it_looks_does_not_depend_on_the_scale_of_the_loss(variant):
    losses = [value_and_grad(Quadratic(c * H)) for c in (1.0, 100.0)]
    one, other = (epsilons(variant(SGD(0.1), 0.3), W4, [loss])[0] for loss in losses)
    np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)


# --- momentum SAM ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", MOMENTUM)
def test_radius_zero_and_the_first_step_are_the_bases_bit_for_bit(base):
    assert_same_bits(MSAM(MOMENTUM[base], 0.0), MOMENTUM[base])
    assert_same_bits(MSAM(MOMENTUM[base], 0.3), MOMENTUM[base], losses=batches(1))


def test_with_rho_as_long_as_the_coming_momentum_it_looks_where_nesterov_does():
    """ρ = η μ ‖v‖ makes w + ε = w − η μ v, which is the w of SGD with Nesterov's momentum."""
    lr, mu, losses = 0.1, 0.9, batches(6)
    nesterov, of_nesterov = SGD(lr, mu, nesterov=True), [start()]
    state = nesterov.init(start())
    for batch in losses:
        w, state, _ = nesterov.step(of_nesterov[-1], state, batch)
        of_nesterov.append(w)
    w, base = start(), SGD(lr, mu)
    state = base.init(w)
    for t, batch in enumerate(losses):
        rho = lr * mu * np.linalg.norm(state["v"], axis=-1, keepdims=True)
        watched = Watched(batch)
        w, state, _ = MSAM(base, rho).step(w, state, watched)
        np.testing.assert_allclose(watched.points, [of_nesterov[t]], rtol=1e-12, atol=1e-14)


def test_steps_of_momentum_sam_are_its_formula():
    losses, w, base = batches(4, model=LINEAR), start(LINEAR)[0], {"name": "SGD", "momentum": 0.9, "nesterov": False}
    path, told, _ = run(MSAM(SGD(0.1, 0.9), 0.3, l2=0.01), w, losses)
    for t, step in enumerate(restated.path("MSAM", w, losses, base=base, rho=0.3, l2=0.01)):
        np.testing.assert_allclose(path[t], step.w, rtol=1e-12)
        np.testing.assert_allclose(told[t]["eps_norm"], 0.3 if t else 0, rtol=1e-13)
        assert told[t]["evaluations"] == 1


def test_over_adam_it_looks_against_the_running_mean_of_gradients():
    losses, optimizer = batches(2), MSAM(Adam(0.01), 0.3)
    _, _, state = run(optimizer, start(), losses[:1])
    w, watched = start(), Watched(losses[1])
    optimizer.step(w, state, watched)
    np.testing.assert_allclose(watched.points[0], w - 0.3 * unit(state["m"]), rtol=1e-13)


@pytest.mark.parametrize("base", [SGD(0.1), SGD(0.1, 0.0)])
def test_momentum_sam_needs_momentum(base):
    with pytest.raises(
        TypeError, match=r"base must have momentum, as SGD\(lr, momentum=0.9\), Adam or AdamW have, got"
    ):
        MSAM(base)


# --- what they take --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda rho: USAM(SGD(0.1), rho), {"rho": [0.0, 0.3]}),
        (lambda rho, alpha: MultiStepSAM(SGD(0.1), rho, alpha=alpha), {"rho": [0.1, 0.3], "alpha": [0.05, 0.2]}),
        (lambda alpha: SAGM(SGD(0.1), alpha=alpha), {"alpha": [0.0, 0.1]}),
        (lambda sigma, lam: FriendlySAM(SGD(0.1), sigma=sigma, lam=lam), {"sigma": [0.3, 1.0], "lam": [0.3, 0.9]}),
        (lambda theta: VaSSO(SGD(0.1), theta=theta), {"theta": [0.2, 0.7, 1.0]}),
        (lambda rho, lr: MSAM(SGD(lr, 0.9), rho), {"rho": [0.0, 0.1], "lr": [0.1, 0.2]}),
    ],
)
def test_they_sweep(make, values, device):
    assert_sweeps(device, make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: USAM(SGD(0.1), -1.0), "rho must be ≥ 0, got -1.0"),
        (lambda: USAM(SGD(0.1), l2=-1.0), "l2 must be ≥ 0, got -1.0"),
        (lambda: MultiStepSAM(SGD(0.1), steps=0), "steps must be a whole number ≥ 1, got 0"),
        (lambda: MultiStepSAM(SGD(0.1), alpha=-0.1), "alpha must be ≥ 0, got -0.1"),
        (lambda: SAGM(SGD(0.1), alpha=-1.0), "alpha must be ≥ 0, got -1.0"),
        (lambda: FriendlySAM(SGD(0.1), sigma=-1.0), "sigma must be ≥ 0, got -1.0"),
        (lambda: FriendlySAM(SGD(0.1), lam=1.5), r"lam must be in \[0, 1\], got 1.5"),
        (lambda: VaSSO(SGD(0.1), theta=-0.5), r"theta must be in \[0, 1\], got -0.5"),
        (lambda: MSAM(SGD(0.1, 0.9), -1), "rho must be ≥ 0, got -1"),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=f"^{says}$"):
        make()
