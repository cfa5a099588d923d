"""bSAM: the posterior is learnt with the weights, and says how far to look."""

import math

import numpy as np
import pytest
import restated
from hypothesis import given
from hypothesis import strategies as st
from variants import LINEAR, Watched, batches, gradient, run, start

from minisam import SGD, Quadratic, value_and_grad
from minisam.draws import stream
from minisam.optim import cosine
from minisam.sam import BSAM, USAM

H = np.diag([5.0, 3.0, 1.0, 0.2])
W4 = np.random.default_rng(1).standard_normal((3, 4))
BOWL = value_and_grad(Quadratic(H))
ALMOST_1 = math.nextafter(1, 0)


def test_six_steps_are_algorithm_1_by_hand():
    """With a schedule, N, the decay δ in momentum and precision, and the precision of before the step."""
    w, schedule, losses = start(LINEAR)[0], cosine(0.4, 8), batches(6, model=LINEAR)
    settings = {"rho": 0.3, "examples": 50, "betas": (0.8, 0.9), "delta": 0.02, "damping": 0.2}
    path, told, state = run(BSAM(schedule, **settings, seed=7), w, losses)
    rates = [0.4 * (1 + math.cos(math.pi * t / 8)) / 2 for t in range(6)]
    draws = {"posterior": [stream("posterior", 7, 0, t).standard_normal(16) for t in range(6)]}
    for t, step in enumerate(restated.path("BSAM", w, losses, rates, draws, **settings)):
        np.testing.assert_allclose(path[t], step.w, rtol=1e-11)
        np.testing.assert_allclose(told[t]["eps_norm"], np.linalg.norm(step.eps[1]), rtol=1e-11)
        np.testing.assert_allclose(told[t]["loss"], step.loss, rtol=1e-11)
        g = gradient((path[t - 1] if t else w) + step.eps[0], losses[t].x, losses[t].y)
        np.testing.assert_allclose(told[t]["grad_norm"], np.linalg.norm(g), rtol=1e-11)
        assert told[t]["evaluations"] == 2
    np.testing.assert_allclose(state["s"], step.m["s"], rtol=1e-11)
    assert state["t"] == 6


def test_with_a_certain_posterior_of_precision_1_and_no_momentum_it_is_usam():
    """N → ∞, β₁ = 0, β₂ → 1, δ = 0."""
    certain = BSAM(0.1, 0.3, examples=10**30, betas=(0.0, ALMOST_1), delta=0.0)
    path, _, _ = run(certain, start(), batches())
    np.testing.assert_allclose(path, run(USAM(SGD(0.1), 0.3), start(), batches())[0], rtol=1e-11, atol=1e-13)


def test_with_step_size_0_the_weights_stay():
    """Noise and ε are where the gradients are taken, and never enter the weights."""
    path, _, state = run(BSAM(0.0, 0.3), start(), batches())
    np.testing.assert_array_equal(path, np.broadcast_to(start(), path.shape))
    assert np.all(state["s"] != 1)  # while the posterior is learnt


def test_without_decay_it_still_learns():
    path, _, _ = run(BSAM(0.2, delta=0.0, examples=10**6), W4, [BOWL] * 60)
    loss = Quadratic(H)
    assert np.all(loss(path[-1]) < 0.05 * loss(W4))


@pytest.mark.parametrize("examples", [1, 100, 10**6])
def test_the_noise_has_the_posteriors_standard_deviation(examples):
    """w + z/√(N s): with s = 1 and 4,000 weights, within four standard errors, √(1/8000) each."""
    watched = Watched(lambda w: (np.sum(w * w), 2 * w))
    optimizer = BSAM(0.1, examples=examples)
    optimizer.step(np.zeros(4000), optimizer.init(np.zeros(4000)), watched)
    np.testing.assert_allclose(np.std(watched.points[0]) * math.sqrt(examples), 1, rtol=4 / math.sqrt(8000))


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_the_precision_stays_above_0(seed, scale):
    w = np.random.default_rng(seed).standard_normal((2, 4))
    _, _, state = run(BSAM(0.1, betas=(0.9, 0.5)), w, [value_and_grad(Quadratic(scale * H))] * 30)
    assert np.all(state["s"] > 0)


def test_at_rest_the_precision_is_damping_plus_decay():
    flat = lambda w: (0 * w[..., 0], 0 * w)  # noqa: E731
    _, _, state = run(BSAM(0.1, betas=(0.9, 0.5), delta=0.02, damping=0.2), W4, [flat] * 60)
    np.testing.assert_allclose(state["s"], 0.22, rtol=1e-12)


def test_hyperparameters_and_seeds_sweep_over_the_replicas():
    lr, rho, seed = np.array([[0.1], [0.2], [0.3]]), np.array([[0.0], [0.1], [0.2]]), np.array([[3], [4], [5]])
    together, _, _ = run(BSAM(lr, rho, seed=seed), W4, [BOWL] * 3)
    for k in range(3):
        alone, _, _ = run(BSAM(float(lr[k, 0]), float(rho[k, 0]), seed=3 + k), W4[k], [BOWL] * 3)
        np.testing.assert_array_equal(together[:, k], alone)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: BSAM(-0.1), "lr must be ≥ 0, got -0.1"),
        (lambda: BSAM(rho=-0.1), "rho must be ≥ 0, got -0.1"),
        (lambda: BSAM(betas=(0.9, 1.0)), r"betas must be two numbers in \[0, 1\), got \(0.9, 1.0\)"),
        (lambda: BSAM(delta=-0.1), "delta must be ≥ 0, got -0.1"),
        (lambda: BSAM(damping=-0.1), "damping must be ≥ 0, got -0.1"),
        (lambda: BSAM(examples=0), "examples must be a whole number ≥ 1, got 0"),
        (lambda: BSAM(seed=-1), r"seed must be a whole number ≥ 0, or an array \(..., 1\) of them, got -1"),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=f"^{says}$"):
        make()
