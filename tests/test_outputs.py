"""What earlier steps have left behind: a part of the gradient, the momentum, outputs, a running mean of the weights."""

import math
import re

import numpy as np
import pytest
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
    slopes,
    start,
    unit,
)

from minisam import SAM, SGD, Adam, AdamW, BatchLoss, cnn, data, train, value_and_grad
from minisam.sam import MESA, MSAM, SAF, LookSAM

MOMENTUM = {"SGD": SGD(0.1, momentum=0.9), "Adam": Adam(0.01), "AdamW": AdamW(0.01)}
STILL = SGD(0.0)  # stays at w


def dot(a, b):
    return np.sum(a * b, axis=-1)


# --- LookSAM ---------------------------------------------------------------------------------------------------------


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
    for t, batch in enumerate(losses):
        g = gradient(w, batch.x, batch.y)
        if t % 2 == 0:
            d = gradient(w + 0.3 * g / np.linalg.norm(g), batch.x, batch.y)
            g_v = d - (d @ g) / (g @ g) * g
        else:
            d = g + 0.7 * np.linalg.norm(g) / np.linalg.norm(g_v) * g_v
        w = w - 0.1 * d
        np.testing.assert_allclose(path[t], w, rtol=1e-12)
    assert [info["evaluations"] for info in told] == [2, 1, 2, 1, 2]


def test_where_sam_sees_nothing_across_g_the_base_goes_on():
    slope = np.array([0.5, -2.0, 0.0])
    linear = [lambda w: (w @ slope, np.broadcast_to(slope, w.shape))] * 4
    w = np.ones((2, 3))
    np.testing.assert_array_equal(run(LookSAM(SGD(0.5), 0.3, k=2), w, linear)[0], run(SGD(0.5), w, linear)[0])


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
    losses, w, v = batches(4, model=LINEAR), start(LINEAR)[0], np.zeros(16)
    path, told, _ = run(MSAM(SGD(0.1, 0.9), 0.3, l2=0.01), w, losses)
    for t, batch in enumerate(losses):
        eps = -0.3 * v / np.linalg.norm(v) if t else 0 * v
        v = 0.9 * v + gradient(w + eps, batch.x, batch.y) + 2 * 0.01 * w
        w = w - 0.1 * v
        np.testing.assert_allclose(path[t], w, rtol=1e-12)
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


# --- the trajectory: SAF and MESA ------------------------------------------------------------------------------------


def saf(base=SGD(0.1), **settings):  # noqa: B008
    return SAF(base, **({"examples": 32, "classes": 4, "visits": 1, "start": 0} | settings))


def assert_same(path, expected):
    """Up to the order in which a bias adds up: the logits' gradient, a sum of two, lies in another order in memory."""
    np.testing.assert_allclose(path, expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("base", BASES)
def test_lam_0_is_the_base(base):
    losses = 3 * batches()
    expected, _, _ = run(SAM(BASES[base], 0.0, l2=0.01), start(), losses)
    assert_same(run(saf(BASES[base], lam=0, l2=0.01), start(), losses)[0], expected)
    assert_same(run(MESA(BASES[base], lam=0, l2=0.01), start(), losses)[0], expected)


@pytest.mark.parametrize(("visits", "begin"), [(3, 0), (1, 3), (3, 3)])
def test_before_its_start_and_without_earlier_outputs_saf_is_the_base(visits, begin):
    optimizer, four = saf(visits=visits, start=begin, lam=5.0), 4 * batches()
    path, _, _ = run(optimizer, start(), four)
    of_base, _, _ = run(SGD(0.1), start(), four)
    assert_same(path[:12], of_base[:12])
    assert np.linalg.norm(path[12] - of_base[12]) > 1e-3


def test_outputs_that_stay_add_nothing():
    for optimizer in (saf(STILL, lam=5.0), MESA(SGD(0.1), beta=0.0, lam=5.0)):
        state = optimizer.init(start())
        for batch in 2 * batches():
            _, state, info = optimizer.step(start(), state, batch)
            loss, g = batch(start())
            np.testing.assert_allclose(info["loss"], loss, rtol=1e-14)
            np.testing.assert_allclose(info["grad_norm"], np.linalg.norm(g, axis=-1), rtol=1e-13)


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def pulled(w, batch, z_past, lam, tau):
    """∇[L + λ τ² mean KL], the term's part in the logits λ τ (softmax(z/τ) − softmax(z⁻/τ))."""
    _, g, z = by_hand(w, batch.x, batch.y)
    return np.mean(g + slopes(batch.x, lam * tau * (softmax(z / tau) - softmax(z_past / tau))), axis=0)


@pytest.mark.parametrize("visits", [1, 2])
def test_steps_of_saf_are_its_formula(visits):
    """Three epochs of four batches, whose examples are shuffled anew."""
    lam, tau, w, rng = 0.7, 2.0, start(LINEAR)[0], np.random.default_rng(0)
    x, y = rng.standard_normal((32, 3)), rng.integers(0, 4, 32)
    optimizer, losses = saf(lam=lam, tau=tau, visits=visits), BatchLoss(LINEAR)
    state, seen = optimizer.init(w), []
    for epoch in range(4):
        seen.append(np.zeros((32, 4)))
        for i in rng.permutation(32).reshape(4, 8):
            batch = losses.on(x[i], y[i], i)
            seen[-1][i] = by_hand(w, x[i], y[i])[2]
            past = seen[epoch - visits][i] if epoch >= visits else seen[-1][i]
            expected = w - 0.1 * pulled(w, batch, past, lam, tau)
            w, state, info = optimizer.step(w, state, batch)
            np.testing.assert_allclose(w, expected, rtol=1e-12)
            assert info["evaluations"] == 1


def test_each_replica_remembers_its_own_examples():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((32, 3)), rng.integers(0, 4, 32)
    orders = np.stack([rng.permutation(32), rng.permutation(32)])
    optimizer, losses = saf(), BatchLoss(LINEAR)

    def after(w, order):
        batches = [order[..., k : k + 8] for k in range(0, 32, 8)]
        return run(optimizer, w, 3 * [losses.on(x[i], y[i], i) for i in batches])[0][-1]

    together = after(start(LINEAR), orders)
    for k in range(2):
        np.testing.assert_array_equal(together[k], after(start(LINEAR)[k], orders[k]))


def test_steps_of_mesa_are_its_formula():
    lam, tau, beta, w = 0.7, 2.0, 0.6, start(LINEAR)[0]
    path, told, _ = run(MESA(SGD(0.1), lam=lam, tau=tau, beta=beta), w, batches(5, model=LINEAR))
    v = w
    for t, batch in enumerate(batches(5, model=LINEAR)):
        v = beta * v + (1 - beta) * w
        w = w - 0.1 * pulled(w, batch, by_hand(v, batch.x, batch.y)[2], lam, tau)
        np.testing.assert_allclose(path[t], w, rtol=1e-12)
        assert told[t]["evaluations"] == 1


def test_with_beta_1_mesa_stays_near_where_it_began():
    _, _, state = run(MESA(SGD(0.1), beta=1.0), start(), batches())
    np.testing.assert_array_equal(state["average"], start())
    pull = [run(MESA(SGD(0.1), lam=lam, beta=1.0), start(), 20 * batches())[0][-1] for lam in (0.0, 5.0)]
    away = [np.linalg.norm(w - start(), axis=-1) for w in pull]
    assert np.all(away[1] < away[0])


@pytest.mark.parametrize("make", [lambda: saf(examples=1040, classes=10), lambda: MESA(SGD(0.1))])
def test_they_train_nets_with_batch_norm(make):
    digits = data.digits()
    run = train(cnn((4,), norm="batch"), digits, make(), 1, progress=False)
    assert run.running
    assert all(np.any(a != 0) for a in run.running.values())


def test_the_memory_of_saf_belongs_to_training_data():
    rng = np.random.default_rng(0)
    pair = rng.standard_normal((24, 3)), rng.integers(0, 4, 24)
    optimizer = saf(examples=24, visits=2)
    whole = train(MODEL, pair, optimizer, 4, batch_size=8, seed=[0, 1], progress=False)
    assert whole.state["logits"].shape == (2, 24 * 2, 4)
    np.testing.assert_array_equal(whole.state["visited"], 4)
    np.testing.assert_array_equal(whole.history["evaluations"], [3, 6, 9, 12])


def test_what_they_need_is_named():
    w = start()
    with pytest.raises(TypeError, match=re.escape("needs loss_and_grad.outputs: hand it BatchLoss(model).on(x, y)")):
        MESA(SGD(0.1)).step(w, MESA(SGD(0.1)).init(w), value_and_grad(lambda w: (w * w).sum(axis=-1)))
    with pytest.raises(TypeError, match=r"needs the examples of each batch: BatchLoss\(model\)\.on\(x, y, examples\)"):
        saf().step(w, saf().init(w), BatchLoss(MODEL).on(np.zeros((2, 3)), np.array([0, 1])))


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda rho, alpha: LookSAM(SGD(0.1, 0.9), rho, k=2, alpha=alpha), {"rho": [0.0, 0.1], "alpha": [0.3, 1.0]}),
        (lambda rho, lr: MSAM(SGD(lr, 0.9), rho), {"rho": [0.0, 0.1], "lr": [0.1, 0.2]}),
        (lambda lam: saf(examples=24, lam=lam), {"lam": [0.0, 1.0]}),
        (lambda lam, beta: MESA(SGD(0.1), lam=lam, beta=beta), {"lam": [0.3, 1.0], "beta": [0.9, 0.99]}),
    ],
)
def test_they_sweep(make, values):
    assert_sweeps(make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: LookSAM(SGD(0.1), k=0), "k must be a whole number ≥ 1, got 0"),
        (lambda: LookSAM(SGD(0.1), k=2.5), "k must be a whole number ≥ 1, got 2.5"),
        (lambda: LookSAM(SGD(0.1), alpha=-1), "alpha must be ≥ 0, got -1"),
        (lambda: LookSAM(SGD(0.1), -1), "rho must be ≥ 0, got -1"),
        (lambda: MSAM(SGD(0.1, 0.9), -1), "rho must be ≥ 0, got -1"),
        (lambda: SAF(SGD(0.1), 0, 3), "examples must be a whole number ≥ 1, got 0"),
        (lambda: saf(classes=0), "classes must be a whole number ≥ 1, got 0"),
        (lambda: saf(visits=0), "visits must be a whole number ≥ 1, got 0"),
        (lambda: saf(start=-1), "start must be a whole number ≥ 0, got -1"),
        (lambda: saf(lam=-1), "lam must be ≥ 0, got -1"),
        (lambda: saf(tau=0), "tau must be > 0, got 0"),
        (lambda: MESA(SGD(0.1), tau=math.nan), "tau must be > 0, got nan"),
        (lambda: MESA(SGD(0.1), beta=2), r"beta must be in \[0, 1\], got 2"),
        (lambda: MESA(SGD(0.1), l2=-1), "l2 must be ≥ 0, got -1"),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()
