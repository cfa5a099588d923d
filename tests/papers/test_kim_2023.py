"""Kim, Park, Choi & Lee 2023, "Stability Analysis of Sharpness-Aware Minimization". arXiv:2301.06308.

SAM can be caught at a saddle that gradient descent leaves. Here the direction that falls alone, L = −l y²/2, along which
y′ = y + η l (y − ρ sign y).
"""

import numpy as np

from minisam import SAM, SGD

LR, RHO, CURVATURE = 0.1, 0.2, 2.0
STARTS = np.random.default_rng(0).uniform(-0.99 * RHO, 0.99 * RHO, (50, 1))


def ridge(y):
    return -CURVATURE * y[..., 0] ** 2 / 2, -CURVATURE * y


def walk(optimizer, y, steps):
    state, path = optimizer.init(y), []
    for _ in range(steps):
        y, state, _ = optimizer.step(y, state, ridge)
        path.append(y)
    return np.array(path)


def test_the_map_is_the_closed_form():
    expected = STARTS + LR * CURVATURE * (STARTS - RHO * np.sign(STARTS))
    np.testing.assert_allclose(walk(SAM(SGD(LR), RHO), STARTS, 1)[0], expected, rtol=1e-12, atol=1e-15)


def test_from_nearer_than_rho_sam_is_caught_at_the_top_and_gradient_descent_is_not():
    """It ends within η l ρ of the top, and never rests there."""
    path = walk(SAM(SGD(LR), RHO), STARTS, 300)
    assert np.all(np.abs(path[100:]) <= LR * CURVATURE * RHO * (1 + 1e-12))
    assert np.all(np.abs(np.diff(path[100:], axis=0)) > 0)
    assert np.all(np.abs(walk(SGD(LR), STARTS, 300)[-1]) > 1e3)


def test_from_farther_than_rho_it_escapes_like_gradient_descent_from_the_rim():
    """y_t = ρ + (y₀ − ρ)(1 + η l)ᵗ."""
    path = walk(SAM(SGD(LR), RHO), np.array([[0.21], [0.5]]), 20)
    growth = (1 + LR * CURVATURE) ** np.arange(1, 21)
    for k, y0 in enumerate((0.21, 0.5)):
        np.testing.assert_allclose(path[:, k, 0], RHO + (y0 - RHO) * growth, rtol=1e-11)
