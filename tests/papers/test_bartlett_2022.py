"""Bartlett, Long & Bousquet 2022, "The Dynamics of Sharpness-Aware Minimization: Bouncing Across Ravines and Drifting
Towards Wide Minima". arXiv:2210.01513.

On a quadratic L = wᵀHw/2 with eigenpairs (λᵢ, vᵢ), λ₁ the largest, SAM over SGD does not come to rest: it ends in the
2-cycle ±c v₁ with c = ηρλ₁/(2 − ηλ₁).
"""

import numpy as np
import pytest

from minisam.autodiff import value_and_grad
from minisam.optim import SGD
from minisam.sam import SAM, Quadratic, epsilon

SPECTRUM = np.array([5.0, 3.0, 2.0, 1.0, 0.5, 0.2])
LR, RHO = 0.1, 0.2
BASIS, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))  # columns vᵢ
H = (BASIS * SPECTRUM) @ BASIS.T
q = Quadratic((H + H.T) / 2)
f = value_and_grad(q)


def amplitude(lr, rho, curvature):
    return lr * rho * curvature / (2 - lr * curvature)


def walk(w, steps, lr=LR, rho=RHO, loss_and_grad=f):
    sam = SAM(SGD(lr), rho)
    state = sam.init(w)
    for _ in range(steps):
        w, state, _ = sam.step(w, state, loss_and_grad)
    return w


def settled():
    """Eight starts, long after."""
    return walk(np.random.default_rng(1).standard_normal((8, 6)), 4000)


def test_the_map_is_the_closed_form():
    """w' = (I − ηH − ηρH²/‖Hw‖) w."""
    w = np.random.default_rng(2).standard_normal((8, 6))
    size = np.linalg.norm(w @ q.H, axis=-1, keepdims=True)
    expected = w - LR * w @ q.H - LR * RHO * (w @ q.H @ q.H) / size
    np.testing.assert_allclose(walk(w, 1), expected, rtol=1e-12, atol=1e-15)


def test_it_bounces_between_plus_and_minus_c_along_the_top_eigenvector():
    c = amplitude(LR, RHO, SPECTRUM[0])
    np.testing.assert_allclose(c, 1 / 15, rtol=1e-15)
    w = settled()
    np.testing.assert_allclose(np.abs(w @ BASIS), np.tile([c, 0, 0, 0, 0, 0], (8, 1)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(walk(w, 1), -w, rtol=0, atol=1e-12)
    np.testing.assert_allclose(walk(w, 2), w, rtol=0, atol=1e-12)


def test_on_the_cycle_loss_gradient_and_worst_point_are_known():
    c = amplitude(LR, RHO, SPECTRUM[0])
    w = settled()
    loss, g = f(w)
    np.testing.assert_allclose(loss, 1 / 90, rtol=1e-10)  # λ₁c²/2
    np.testing.assert_allclose(np.linalg.norm(g, axis=-1), SPECTRUM[0] * c, rtol=1e-10)
    worst = np.linalg.norm(w + epsilon(g, RHO), axis=-1)
    np.testing.assert_allclose(worst, 2 * RHO / (2 - LR * SPECTRUM[0]), rtol=1e-10)


def test_forty_step_sizes_at_once():
    lr = np.linspace(0.02, 1.9, 40)[:, None]
    line = value_and_grad(Quadratic(np.array([[1.0]])))
    w = walk(np.ones((40, 1)), 5000, lr=lr, rho=0.1, loss_and_grad=line)
    np.testing.assert_allclose(np.abs(w), amplitude(lr, 0.1, 1.0), rtol=1e-12)


def test_sgd_alone_comes_to_rest():
    sgd, w = SGD(LR), np.ones(6)
    state = sgd.init(w)
    for _ in range(4000):
        w, state, _ = sgd.step(w, state, f)
    assert np.linalg.norm(w) < 1e-30


def test_in_one_dimension_the_path_to_the_first_crossing_is_known():
    """x_t = (x₀ + ρ)(1 − ηλ)ᵗ − ρ."""
    line = value_and_grad(Quadratic(np.array([[2.0]])))
    for t in range(12):
        expected = (1.0 + RHO) * (1 - LR * 2.0) ** t - RHO
        if expected < 0:
            break
        np.testing.assert_allclose(walk(np.array([1.0]), t, loss_and_grad=line), expected, rtol=1e-12)
    assert t == 9  # log(ρ/(1 + ρ)) / log 0.8 = 8.03


@pytest.mark.parametrize("i", range(6))
def test_the_cycle_attracts_at_the_rates_of_its_linearisation(i):
    """A small offset along v₁ is multiplied by 1 − ηλ₁, and along vᵢ by 1 − ηλᵢ − (2 − ηλ₁)(λᵢ/λ₁)²."""
    cycle = amplitude(LR, RHO, SPECTRUM[0]) * BASIS[:, 0]
    h = 1e-6
    up, down = walk(cycle + h * BASIS[:, i], 1), walk(cycle - h * BASIS[:, i], 1)
    measured = (up - down) @ BASIS[:, i] / (2 * h)
    ratio = SPECTRUM[i] / SPECTRUM[0]
    expected = 1 - LR * SPECTRUM[i] - (0 if i == 0 else (2 - LR * SPECTRUM[0]) * ratio**2)
    assert abs(expected) < 1
    np.testing.assert_allclose(measured, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("j", range(1, 6))
def test_bouncing_along_a_lower_eigenvector_does_not_last(j):
    cycle = amplitude(LR, RHO, SPECTRUM[j]) * BASIS[:, j]
    np.testing.assert_allclose(walk(cycle, 1), -cycle, rtol=0, atol=1e-14)
    disturbed = walk(cycle + 1e-9 * BASIS[:, 0], 4000)
    np.testing.assert_allclose(abs(disturbed @ BASIS[:, 0]), amplitude(LR, RHO, SPECTRUM[0]), rtol=1e-9)


def test_across_a_ravine_it_drifts_to_where_the_curvature_is_smaller():
    """L = h(v) u²/2: bouncing in u, each step moves v by −(η/2) h'(v) (2ρ/(2 − ηh(v)))² to leading order in ρ."""
    ravine = value_and_grad(lambda w: (1 + w[..., 1] ** 2) * w[..., 0] ** 2 / 2)
    lr, rho, v = 0.1, 1e-3, 1.5
    h, slope = 1 + v**2, 2 * v
    w = np.array([amplitude(lr, rho, h), v])
    moved = walk(w, 1, lr, rho, ravine)[1] - v
    np.testing.assert_allclose(moved, -lr / 2 * slope * (2 * rho / (2 - lr * h)) ** 2, rtol=5e-3)
