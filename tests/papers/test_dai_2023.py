"""Dai, Ahn & Sra 2023, "The Crucial Role of Normalization in Sharpness-Aware Minimization". arXiv:2305.15287.

Normalisation makes SAM stable where USAM diverges, and lets it drift along a valley of minima where USAM stops. Toy settings of
our own: L = l x²/2, and L = (xy)²/2, whose minima x = 0 have the curvature y².
"""

import autograd.numpy as anp
import numpy as np
import pytest

from minisam import SAM, SGD, value_and_grad
from minisam.sam import USAM

VALLEY = value_and_grad(lambda w: anp.prod(w, axis=-1) ** 2 / 2)


def walk(optimizer, w, loss_and_grad, steps):
    w, state = np.array(w), optimizer.init(np.array(w))
    for _ in range(steps):
        w, state, _ = optimizer.step(w, state, loss_and_grad)
    return w


def parabola(curvature):
    return lambda w: (np.sum(curvature * w**2, axis=-1) / 2, curvature * w)


@pytest.mark.parametrize("excess", [0.999, 1.001])
def test_usam_is_stable_if_and_only_if_its_longer_step_is(excess):
    """x′ = (1 − η l (1 + ρ l)) x: stable for η l (1 + ρ l) < 2."""
    curvature, rho = 5.0, 0.1
    lr = 2 * excess / (curvature * (1 + rho * curvature))
    x = walk(USAM(SGD(lr), rho), [1.0], parabola(curvature), 3000)
    np.testing.assert_allclose(x, [(1 - lr * curvature * (1 + rho * curvature)) ** 3000], rtol=1e-9)
    assert (abs(x[0]) < 1) == (excess < 1)


def test_sam_is_stable_wherever_gradient_descent_is_and_usam_is_not():
    lr, rho, curvature = 0.39, 0.01, 5.0
    assert abs(walk(SGD(lr), [1.0], parabola(curvature), 400)[0]) < 1e-8
    assert abs(walk(USAM(SGD(lr), rho), [1.0], parabola(curvature), 2000)[0]) > 1e3
    cycle = lr * rho * curvature / (2 - lr * curvature)
    np.testing.assert_allclose(np.abs(walk(SAM(SGD(lr), rho), [1.0], parabola(curvature), 2000)), cycle, rtol=1e-9)


def test_along_a_valley_gradient_descent_and_usam_stop_and_sam_goes_on_to_flatter_minima():
    """Both stop near where they came in, above y = 1.5; SAM bounces across the valley, and each bounce lowers y² a little."""
    lr, rho, w = 0.2, 0.02, [0.3, 2.5]
    early = {name: walk(rule, w, VALLEY, 1000) for name, rule in rules(lr, rho).items()}
    late = {name: walk(rule, early[name], VALLEY, 4000) for name, rule in rules(lr, rho).items()}
    for name in ("gradient descent", "USAM"):
        np.testing.assert_allclose(late[name], [0, early[name][1]], atol=1e-9)
        assert early[name][1] > 2.4
    assert early["SAM"][1] < 2.2
    assert late["SAM"][1] < early["SAM"][1] - 0.5


def rules(lr, rho):
    return {"gradient descent": SGD(lr), "USAM": USAM(SGD(lr), rho), "SAM": SAM(SGD(lr), rho)}


def test_where_usam_can_stop_is_where_its_step_is_stable():
    """y² (1 + ρ y²) < 2/η: from a start above it, x grows until y is below."""
    lr, rho = 0.2, 0.02
    edge = np.sqrt((np.sqrt(1 + 8 * rho / lr) - 1) / (2 * rho))
    np.testing.assert_allclose(edge**2 * (1 + rho * edge**2), 2 / lr, rtol=1e-12)
    x, y = walk(USAM(SGD(lr), rho), [0.01, 3.0], VALLEY, 3000)
    assert edge < 3.0 < np.sqrt(2 / lr)  # gradient descent would stop at once
    assert abs(x) < 1e-9
    assert abs(y) < edge
    stopped = walk(SGD(lr), [0.01, 3.0], VALLEY, 3000)
    assert edge < stopped[1] < np.sqrt(2 / lr)
