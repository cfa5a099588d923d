"""Zhuang et al. 2022, "Surrogate Gap Minimization Improves Sharpness-Aware Training". arXiv:2203.08065.

The surrogate gap h(w) = L(w + ε) − L(w), and what GSAM's step does to it and to L(w + ε), to first order.
"""

import numpy as np
import pytest

from minisam import SAM, SGD, Quadratic, value_and_grad
from minisam.sam import GSAM, epsilon

RNG = np.random.default_rng(0)
SPECTRUM = np.array([5.0, 2.0, 1.0, 0.3])
BASIS, _ = np.linalg.qr(RNG.standard_normal((4, 4)))
H = BASIS @ np.diag(SPECTRUM) @ BASIS.T
LOSS = Quadratic((H + H.T) / 2)
F = value_and_grad(LOSS)
W = RNG.standard_normal((6, 4))


def gap(w, rho):
    return LOSS(w + epsilon(F(w)[1], rho)) - LOSS(w)


def taken(optimizer):
    return W - optimizer.step(W, optimizer.init(W), F)[0]


def test_the_gap_on_a_quadratic_is_its_slope_and_its_curvature():
    """h = ρ‖g‖ + ρ² ĝᵀHĝ/2, so not negative where H is positive."""
    g = W @ LOSS.H
    size = np.linalg.norm(g, axis=-1)
    curvature = np.sum((g @ LOSS.H) * g, axis=-1) / size**2
    np.testing.assert_allclose(gap(W, 0.3), 0.3 * size + 0.3**2 * curvature / 2, rtol=1e-11)
    assert np.all(gap(W, 0.3) >= 0)


@pytest.mark.parametrize("index", range(4))
def test_near_a_minimum_the_gap_tells_the_curvature(index):
    """h ≈ ρ² λ/2 along an eigenvector: for ρ much larger than the distance to the minimum."""
    w = 1e-9 * BASIS[:, index]
    np.testing.assert_allclose(2 * gap(w, 0.1) / 0.1**2, SPECTRUM[index], rtol=1e-6)


def test_the_perturbed_loss_does_not_see_what_gsam_adds_and_the_gap_falls():
    """Along −(d − g_adv) = α g⊥, with ε held: L(w + ε) stays to first order, L(w) rises by α‖g⊥‖², so h falls by as much."""
    rho, alpha, h = 0.3, 0.4, 1e-6
    eps = epsilon(F(W)[1], rho)
    extra = taken(SAM(SGD(1.0), rho)) - taken(GSAM(SGD(1.0), rho, alpha=alpha))  # α g⊥
    square = np.sum(extra**2, axis=-1) / alpha
    assert np.all(square > 1e-4)

    def change(loss):
        return (loss(W + h * extra) - loss(W - h * extra)) / (2 * h)

    np.testing.assert_allclose(change(lambda w: LOSS(w + eps)), 0, atol=1e-8)
    np.testing.assert_allclose(change(LOSS), square, rtol=1e-6)
    np.testing.assert_allclose(change(lambda w: LOSS(w + eps) - LOSS(w)), -square, rtol=1e-6)
