"""Stay near earlier outputs: those of a few visits ago, or those of a running mean of the weights."""

import math
import re

import numpy as np
import pytest
import restated
from restated.steps import softmax
from variants import (
    BASES,
    LINEAR,
    MODEL,
    assert_sweeps,
    batches,
    by_hand,
    run,
    slopes,
    start,
)

from minisam import SAM, SGD, BatchLoss, cnn, data, train, value_and_grad
from minisam.sam import MESA, SAF

STILL = SGD(0.0)  # stays at w


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
    settings, w, losses = {"lam": 0.7, "tau": 2.0, "beta": 0.6}, start(LINEAR)[0], batches(5, model=LINEAR)
    path, told, _ = run(MESA(SGD(0.1), **settings), w, losses)
    for t, step in enumerate(restated.path("MESA", w, losses, **settings)):
        np.testing.assert_allclose(path[t], step.w, rtol=1e-12)
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
    with pytest.raises(ValueError, match="examples must be the size of the training data, above 32, got 32"):
        saf().step(w, saf().init(w), BatchLoss(MODEL).on(np.zeros((2, 3)), np.array([0, 1]), np.array([31, 32])))


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda lam: saf(examples=24, lam=lam), {"lam": [0.0, 1.0]}),
        (lambda lam, beta: MESA(SGD(0.1), lam=lam, beta=beta), {"lam": [0.3, 1.0], "beta": [0.9, 0.99]}),
    ],
)
def test_they_sweep(make, values, device):
    assert_sweeps(device, make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
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
