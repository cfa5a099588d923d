"""When to pay for the second gradient: by chance, now and then, or when the first one is large."""

import math

import numpy as np
import pytest
import restated
from variants import BASES, LINEAR, MODEL, assert_same_bits, assert_sweeps, batches, gradient, run, start, unit

from minisam import SAM, SGD, train
from minisam.sam import AESAM, GRST, RST, EveryK, LookSAM

INF = math.inf
STILL = SGD(0.0)  # stays at w


def dot(a, b):
    return np.sum(a * b, axis=-1)


def paid(told):
    """At which steps."""
    return [info["evaluations"] == 2 for info in told]


def assert_is_sam_where_it_pays(path, told, base, losses):
    """Each step is one of SAM or of the base, bit for bit, as the gradients that it counts say."""
    w, state = start(), base.init(start())
    for t, batch in enumerate(losses):
        w, state, info = (SAM(base, 0.3) if paid(told)[t] else base).step(w, state, batch)
        np.testing.assert_array_equal(path[t], w)
        np.testing.assert_allclose(told[t]["eps_norm"], info.get("eps_norm", 0), rtol=1e-14)


# --- by chance -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_probability_1_is_sam_and_0_the_base_bit_for_bit(base):
    assert_same_bits(RST(BASES[base], 0.3, prob=1, l2=0.01), SAM(BASES[base], 0.3, l2=0.01))
    assert_same_bits(RST(BASES[base], 0.3, prob=0, l2=0.01), SAM(BASES[base], 0.0, l2=0.01))
    assert_same_bits(RST(BASES[base], 0.3, prob=0), BASES[base])


@pytest.mark.parametrize("base", BASES)
def test_each_step_is_sams_or_the_bases(base):
    losses = 3 * batches()
    path, told, _ = run(RST(BASES[base], 0.3), start(), losses)
    assert 0 < sum(paid(told)) < 12
    assert_is_sam_where_it_pays(path, told, BASES[base], losses)


def test_a_schedule_says_how_likely_at_each_step():
    _, told, _ = run(RST(SGD(0.1), prob=lambda t: float(t >= 3)), start(), 2 * batches())
    assert paid(told) == [False] * 3 + [True] * 5


@pytest.mark.parametrize("prob", [0.2, 0.5, 0.9])
def test_the_mean_direction_at_a_weight_is_between_the_two_gradients(prob):
    """E d = g + p (g_adv − g), and 1 + p evaluations: 2,000 steps that stay at w, within four standard errors."""
    k, w, batch = 2000, start(), batches()[0]
    optimizer = RST(SGD(1.0), 0.3, prob=prob)
    steps = [optimizer.step(w, {"t": t, "v": 0 * w}, batch) for t in range(k)]
    d = w - np.mean([after for after, _, _ in steps], axis=0)
    g = batch(w)[1]
    g_adv = batch(w + 0.3 * unit(g))[1]
    share = np.sum((d - g) * (g_adv - g), axis=-1) / np.sum((g_adv - g) ** 2, axis=-1)
    np.testing.assert_allclose(d, g + share[:, None] * (g_adv - g), atol=1e-13)
    error = math.sqrt(prob * (1 - prob) / k)
    assert np.all(np.abs(share - prob) < 4 * error)
    assert abs(np.mean([info["evaluations"] for _, _, info in steps]) - (1 + prob)) < 4 * error


@pytest.mark.parametrize("base", BASES)
def test_generalised_rst_with_all_of_the_perturbed_gradient_is_rst_and_with_none_the_base_bit_for_bit(base):
    assert_same_bits(GRST(BASES[base], 0.3, prob=0.5, alpha=1.0), RST(BASES[base], 0.3, prob=0.5))
    assert_same_bits(GRST(BASES[base], 0.3, prob=0.5, alpha=0.0), BASES[base])


def test_steps_of_generalised_rst_mix_both_gradients_where_they_pay():
    w, losses = start(LINEAR)[0], 2 * batches(model=LINEAR)
    path, told, _ = run(GRST(SGD(0.1), 0.3, prob=0.5, alpha=0.7), w, losses)
    assert 0 < sum(paid(told)) < 8
    for t, batch in enumerate(losses):
        g = gradient(w, batch.x, batch.y)
        g_adv = gradient(w + 0.3 * unit(g), batch.x, batch.y)
        w = w - 0.1 * (0.3 * g + 0.7 * g_adv if paid(told)[t] else g)
        np.testing.assert_allclose(path[t], w, rtol=1e-12)


def test_another_seed_throws_other_coins():
    coins = [paid(run(RST(SGD(0.1), seed=seed), start(), 8 * batches())[1]) for seed in (0, 0, 1)]
    assert coins[0] == coins[1] != coins[2]


# --- now and then ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_every_step_is_sam_bit_for_bit(base):
    assert_same_bits(EveryK(BASES[base], 0.3, k=1, l2=0.01), SAM(BASES[base], 0.3, l2=0.01))


@pytest.mark.parametrize("base", BASES)
def test_the_first_of_k_steps_pays(base):
    losses = 2 * batches()
    path, told, _ = run(EveryK(BASES[base], 0.3, k=3), start(), losses)
    assert paid(told) == [True, False, False] * 2 + [True, False]
    assert_is_sam_where_it_pays(path, told, BASES[base], losses)


# --- when the gradient is large --------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_a_bound_of_minus_infinity_is_sam_and_of_infinity_the_base_bit_for_bit(base):
    sam, of_base = SAM(BASES[base], 0.3, l2=0.01), SAM(BASES[base], 0.0, l2=0.01)
    assert_same_bits(AESAM(BASES[base], 0.3, lam1=-INF, lam2=-INF, steps=3, l2=0.01), sam)
    assert_same_bits(AESAM(BASES[base], 0.3, lam1=INF, lam2=INF, steps=3, l2=0.01), of_base)


def test_the_bound_goes_from_lam2_at_first_to_lam1_at_last():
    _, told, _ = run(AESAM(SGD(0.1), lam1=-INF, lam2=100.0, steps=1), start(), batches())
    assert paid(told) == [False, True, True, True]
    _, told, _ = run(AESAM(SGD(0.1), lam1=100.0, lam2=-INF, steps=1), start(), batches())
    assert paid(told) == [True, False, False, False]


def test_steps_of_aesam_are_its_formula():
    settings, losses, w = (
        {"delta": 0.7, "lam1": -0.5, "lam2": 2.5, "steps": 10},
        4 * batches(model=LINEAR),
        start(LINEAR)[0],
    )
    path, told, _ = run(AESAM(SGD(0.1), 0.3, **settings), w, losses)
    for t, step in enumerate(restated.path("AESAM", w, losses, rho=0.3, **settings)):
        np.testing.assert_allclose(path[t], step.w, rtol=1e-12)
        assert told[t]["evaluations"] == step.spent
    assert 0 < sum(paid(told)) < len(losses)


@pytest.mark.parametrize(("c", "fraction"), [(-1, 0.835), (0, 0.5), (1, 0.165)])
def test_for_gaussian_sizes_it_pays_about_as_often_as_a_gaussian_passes_c(c, fraction):
    """Φ(−c) is 0.841, 0.5, 0.159; the running mean holds s itself, which draws the outer two in by 0.006."""
    rng = np.random.default_rng(0)
    w, optimizer = np.zeros((1000, 1)), AESAM(SGD(0.0), lam1=c, lam2=c)
    state, shares = optimizer.init(w), []
    for t in range(250):
        g = np.sqrt(np.abs(10 + rng.standard_normal((1000, 1))))  # ‖g‖² ~ N(10, 1)
        w, state, info = optimizer.step(w, state, lambda w, g=g: (0 * w[..., 0], g))
        if t >= 200:  # it begins at 0, far from 10, and 0.9²⁰⁰ of that is left
            shares.append(info["evaluations"] - 1)
    assert abs(np.mean(shares) - fraction) < 0.006  # 50,000 decisions that depend on their neighbours


def test_each_replica_decides_for_itself_and_evaluations_are_their_mean():
    losses, optimizer = 6 * batches(), AESAM(SGD(0.1), 0.3, lam1=0.5, lam2=0.5)
    path, told, _ = run(optimizer, start(), losses)
    alone = [run(optimizer, w, losses) for w in start()]
    for k in range(2):
        np.testing.assert_array_equal(path[:, k], alone[k][0])
    spent = [[info["evaluations"] for info in told] for _, told, _ in alone]
    assert [info["evaluations"] for info in told] == list(np.mean(spent, axis=0))
    assert spent[0] != spent[1]


# --- every k steps, and reused between -------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_looksam_with_k_1_is_sam_bit_for_bit(base):
    assert_same_bits(LookSAM(BASES[base], 0.3, k=1, l2=0.01), SAM(BASES[base], 0.3, l2=0.01))


@pytest.mark.parametrize("base", BASES)
def test_with_alpha_0_it_is_a_step_of_sam_then_k_minus_1_of_the_base_bit_for_bit(base):
    path, _, _ = run(LookSAM(BASES[base], 0.3, k=3, alpha=0), start(), batches(7))
    w, state = start(), BASES[base].init(start())
    for t, batch in enumerate(batches(7)):
        w, state, _ = (BASES[base] if t % 3 else SAM(BASES[base], 0.3)).step(w, state, batch)
        np.testing.assert_array_equal(path[t], w)


def test_what_is_kept_is_orthogonal_to_g_and_the_rest_of_the_sam_gradient_along_it():
    batch, w = batches()[0], start()
    _, _, state = run(LookSAM(STILL, 0.3), w, [batch])
    g = batch(w)[1]
    g_adv, kept = batch(w + 0.3 * unit(g))[1], state["across"]
    np.testing.assert_allclose(dot(kept, unit(g)), 0, atol=1e-13)
    np.testing.assert_allclose(dot(kept, kept), 1, rtol=1e-13)
    np.testing.assert_allclose(dot(g_adv, unit(g)) ** 2 + dot(g_adv, kept) ** 2, dot(g_adv, g_adv), rtol=1e-12)
    assert np.all(dot(g_adv, kept) > 0)


@pytest.mark.parametrize("alpha", [0.7, np.array([[0.2], [1.5]])])
def test_a_reused_direction_is_longer_than_g_by_alpha(alpha):
    """At the same w and batch ‖d‖² = (1 + α²) ‖g‖²: with step size 1 and no momentum, the step is −d."""
    batch, w = batches()[0], start()
    _, _, state = run(LookSAM(STILL, 0.3), w, [batch])
    after, _, info = LookSAM(SGD(1.0), 0.3, alpha=alpha).step(w, state, batch)
    size = np.sum((after - w) ** 2, axis=-1)
    np.testing.assert_allclose(size, (1 + np.reshape(alpha, -1) ** 2) * info["grad_norm"] ** 2, rtol=1e-12)


def test_steps_of_looksam_are_its_formula():
    losses, w = batches(5, model=LINEAR), start(LINEAR)[0]
    path, told, _ = run(LookSAM(SGD(0.1), 0.3, k=2, alpha=0.7), w, losses)
    for t, step in enumerate(restated.path("LookSAM", w, losses, rho=0.3, k=2, alpha=0.7)):
        np.testing.assert_allclose(path[t], step.w, rtol=1e-12)
    assert [info["evaluations"] for info in told] == [2, 1, 2, 1, 2]


def test_where_sam_sees_nothing_across_g_the_base_goes_on():
    slope = np.array([0.5, -2.0, 0.0])
    linear = [lambda w: (w @ slope, np.broadcast_to(slope, w.shape))] * 4
    w = np.ones((2, 3))
    np.testing.assert_array_equal(run(LookSAM(SGD(0.5), 0.3, k=2), w, linear)[0], run(SGD(0.5), w, linear)[0])


# --- all of them -----------------------------------------------------------------------------------------------------


def test_what_a_replica_tells_does_not_depend_on_its_neighbour():
    """Two seeds whose coins fall apart: each tells the ε of its own step, 0 where it does not pay."""
    losses = 8 * batches()[:1]
    _, told, _ = run(RST(SGD(0.1), 0.3, seed=np.array([[0], [1]])), start(), losses)
    assert any(sum(info["eps_norm"] == 0) == 1 for info in told)
    for seed in (0, 1):
        _, alone, _ = run(RST(SGD(0.1), 0.3, seed=seed), start()[seed], losses)
        for together, one in zip(told, alone, strict=True):
            np.testing.assert_allclose(together["eps_norm"][seed], one["eps_norm"], rtol=1e-13)


@pytest.mark.parametrize(
    ("optimizer", "spent"), [(RST(SGD(0.1), prob=1.0), 30), (EveryK(SGD(0.1), k=5), 18), (RST(SGD(0.1), prob=0.0), 15)]
)
def test_in_training_they_spend_what_they_say(optimizer, spent):
    rng = np.random.default_rng(0)
    data = rng.standard_normal((40, 3)), rng.integers(0, 4, 40)
    history = train(MODEL, data, optimizer, 3, batch_size=8, seed=[0, 1], progress=False).history
    assert history["evaluations"][-1] == spent


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda rho: RST(SGD(0.1), rho), {"rho": [0.0, 0.1]}),
        (lambda rho, alpha: GRST(SGD(0.1), rho, alpha=alpha), {"rho": [0.1], "alpha": [0.3, 1.0]}),
        (lambda rho: EveryK(SGD(0.1), rho, k=2), {"rho": [0.0, 0.1]}),
        (lambda rho, lam2: AESAM(SGD(0.1), rho, lam2=lam2, steps=4), {"rho": [0.1, 0.3], "lam2": [-1.0, 1.0]}),
        (lambda delta: AESAM(SGD(0.1), 0.3, delta=delta, lam2=0.0), {"delta": [0.5, 0.9]}),
        # not at ρ = 0, where the part that LookSAM reuses is rounding
        (lambda rho, alpha: LookSAM(SGD(0.1, 0.9), rho, k=2, alpha=alpha), {"rho": [0.05, 0.1], "alpha": [0.3, 1.0]}),
    ],
)
def test_they_sweep(make, values, device):
    assert_sweeps(device, make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RST(SGD(0.1), prob=1.5), r"prob must be a number in \[0, 1\] or a schedule t -> p, got 1.5"),
        (lambda: RST(SGD(0.1), prob=lambda t: 2.0), r"prob must be a number in \[0, 1\] or a schedule t -> p, got 2.0"),
        (lambda: RST(SGD(0.1), prob=np.array([0.5])), r"prob must be a number in \[0, 1\] or a schedule"),
        (lambda: RST(SGD(0.1), seed=-1), "seed must be a whole number ≥ 0"),
        (lambda: GRST(SGD(0.1), alpha=-1.0), "alpha must be ≥ 0, got -1.0"),
        (lambda: EveryK(SGD(0.1), k=0), "k must be a whole number ≥ 1, got 0"),
        (lambda: EveryK(SGD(0.1), -1), "rho must be ≥ 0, got -1"),
        (lambda: AESAM(SGD(0.1), delta=1.5), r"delta must be in \[0, 1\], got 1.5"),
        (lambda: AESAM(SGD(0.1), steps=0), "steps must be a whole number ≥ 1, got 0"),
        (lambda: LookSAM(SGD(0.1), k=0), "k must be a whole number ≥ 1, got 0"),
        (lambda: LookSAM(SGD(0.1), k=2.5), "k must be a whole number ≥ 1, got 2.5"),
        (lambda: LookSAM(SGD(0.1), alpha=-1), "alpha must be ≥ 0, got -1"),
        (lambda: LookSAM(SGD(0.1), -1), "rho must be ≥ 0, got -1"),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()
