"""Si & Yun 2023, "Practical Sharpness-Aware Minimization Cannot Converge All the Way to Optima". arXiv:2306.09850.

With a constant ρ SAM need not come to where the gradient vanishes, however small its steps. Examples of our own: a barrier that
the ascent step jumps over, and two parabolas of different curvature, one drawn a step.
"""

import numpy as np
import pytest

from minisam import SAM, SGD
from minisam.optim import step_decay


def walk(optimizer, w, losses):
    state = optimizer.init(w)
    for loss in losses:
        w, state, _ = optimizer.step(w, state, loss)
    return w


def waves(beta, k):
    """(β/k²) cos(k x), which is β-smooth."""
    return lambda x: (np.sum(beta / k**2 * np.cos(k * x), axis=-1), -beta / k * np.sin(k * x))


@pytest.mark.parametrize("lr", [0.2, 0.05])
def test_on_a_smooth_function_sam_rests_where_the_gradient_is_not_0(lr):
    """With k = 3π/2ρ, x = π/k − ρ looks at the minimum π/k beyond the barrier at 0: there |f′| = βρ/(3π/2)."""
    beta, rho = 4.0, 0.3
    k = 1.5 * np.pi / rho
    starts = np.array([[-0.04], [-0.12], [-0.17]])
    x = walk(SAM(SGD(lr), rho), starts, [waves(beta, k)] * 2000)
    np.testing.assert_allclose(x, np.pi / k - rho, rtol=1e-9)
    np.testing.assert_allclose(np.abs(waves(beta, k)(x)[1]), beta * rho / (1.5 * np.pi), rtol=1e-9)
    descent = walk(SGD(lr), starts, [waves(beta, k)] * 2000)
    np.testing.assert_allclose(descent, -np.pi / k, rtol=1e-9)


def test_with_one_of_two_parabolas_a_step_it_settles_off_the_optimum():
    """At x* − ρ (a₁ − a₂)/(a₁ + a₂), x* = a₂/(a₁ + a₂), where the mean of SAM's gradients vanishes; four standard errors."""
    (a1, a2), rho, lr = (3.0, 1.0), 0.2, 0.01
    drawn = np.random.default_rng(0).integers(0, 2, (4000, 200, 1))

    def loss_of(choice):
        a, centre = np.where(choice, a2, a1), choice
        return lambda x: ((a * (x - centre) ** 2 / 2)[..., 0], a * (x - centre))

    sam, x, settled = SAM(SGD(lr), rho), np.full((200, 1), 0.25), []
    state = sam.init(x)
    for k, choice in enumerate(drawn):
        x, state, _ = sam.step(x, state, loss_of(choice))
        if k >= 1000:
            settled.append(x)
    means = np.mean(settled, axis=0)[:, 0]  # of each of 200 walks
    optimum = a2 / (a1 + a2)
    expected = optimum - rho * (a1 - a2) / (a1 + a2)
    error = 4 * means.std() / np.sqrt(len(means))
    assert abs(means.mean() - expected) < error
    assert expected + error < optimum - 0.05


def test_on_one_parabola_a_falling_step_size_does_come_to_the_optimum():
    """The cycle's width, ηρl/(2 − ηl), falls with η."""
    bowl = lambda x: (2.5 * np.sum(x**2, axis=-1), 5 * x)  # noqa: E731
    constant = walk(SAM(SGD(0.1), 0.2), np.array([[1.0]]), [bowl] * 1000)
    falling = walk(SAM(SGD(step_decay(0.1, 100, 0.5)), 0.2), np.array([[1.0]]), [bowl] * 1000)
    np.testing.assert_allclose(np.abs(constant), 0.1 * 0.2 * 5 / (2 - 0.5), rtol=1e-9)
    assert np.abs(falling) < 1e-3 * np.abs(constant) + 1e-3
