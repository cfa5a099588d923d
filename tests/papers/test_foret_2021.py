"""Foret, Kleiner, Mobahi & Neyshabur 2021, "Sharpness-Aware Minimization for Efficiently Improving Generalization".

arXiv:2010.01412. One test a statement, named after it.
"""

import math

import autograd.numpy as anp
import numpy as np
import pytest

from minisam.autodiff import hvp, value_and_grad
from minisam.optim import SGD
from minisam.sam import SAM, Quadratic, epsilon, sam_objective

RHO, L2 = 0.3, 0.01


def loss(w):
    """A loss that is neither quadratic nor convex, with every weight tied to the next."""
    return anp.sum(anp.cos(2 * w) + w**4 / 10, axis=-1) + anp.sum(w[..., 1:] * w[..., :-1] ** 2, axis=-1)


f = value_and_grad(loss)
W = np.random.default_rng(0).standard_normal((4, 5))


def quadratic(n=5, seed=0, lowest=0.0):
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.standard_normal((n, n)))
    H = (basis * np.linspace(lowest, 3.0, n)) @ basis.T
    return Quadratic((H + H.T) / 2, rng.standard_normal(n))


def unit(a):
    return a / np.linalg.norm(a, axis=-1, keepdims=True)


def dot(a, b):
    return np.sum(a * b, axis=-1, keepdims=True)


def slope(value, w, h=1e-3):
    """∇ value(w) by central differences, two steps extrapolated: off by O(h⁴) and by rounding of about 1e-13/h."""

    def central(h):
        shifts = h * np.eye(w.shape[-1])
        return np.stack([(value(w + s) - value(w - s)) / (2 * h) for s in shifts], axis=-1)

    return (4 * central(h / 2) - central(h)) / 3


def test_section_2_objective_splits_into_sharpness_loss_and_l2():
    """[max L(w+ε) − L(w)] + L(w) + λ‖w‖²."""
    q = quadratic(lowest=-2.0)
    w = W[0]
    sharpness = sam_objective(q, w, RHO, inner="exact") - q(w)
    assert sharpness > 0
    whole = sam_objective(q, w, RHO, l2=L2, inner="exact")
    np.testing.assert_allclose(whole, sharpness + q(w) + L2 * np.sum(w**2), rtol=1e-14)


def test_eq_1_objective_is_the_maximum_over_the_ball_plus_l2():
    q = quadratic(n=2, lowest=-2.0)
    angle, radius = np.meshgrid(np.linspace(0, 2 * np.pi, 2001), np.linspace(0, RHO, 101))
    ball = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    for w in W[:, :2]:
        found = np.max(q(w + ball)) + L2 * np.sum(w**2)
        exact = sam_objective(q, w, RHO, l2=L2, inner="exact")
        # on the rim, the grid misses the maximum by at most half a spacing in angle, where the slope along it is 0
        slack = (np.linalg.norm(q.H @ w + q.b) * RHO + 2 * np.linalg.norm(q.H, 2) * RHO**2) * (np.pi / 2000) ** 2
        assert exact - slack <= found <= exact * (1 + 1e-14)


@pytest.mark.parametrize("p", [1.2, 1.5, 2, 3, 10])
def test_eq_2_epsilon_solves_the_dual_norm_problem(p):
    """ε̂ = ρ sign(g) |g|^(q−1) / (‖g‖_q^q)^(1/p) with 1/p + 1/q = 1."""
    g = f(W)[1]
    q = p / (p - 1)
    written_out = RHO * np.sign(g) * np.abs(g) ** (q - 1) / np.sum(np.abs(g) ** q, axis=-1, keepdims=True) ** (1 / p)
    np.testing.assert_allclose(epsilon(g, RHO, p), written_out, rtol=1e-12)
    # Hölder's inequality, with equality
    np.testing.assert_allclose(dot(g, epsilon(g, RHO, p))[..., 0], RHO * np.linalg.norm(g, q, axis=-1), rtol=1e-13)


def test_eq_2_is_the_maximum_of_the_first_order_expansion():
    """ε̂ maximises L(w) + ⟨ε, ∇L(w)⟩: as ρ → 0, no point of the ball is higher by more than O(ρ²)."""
    rng = np.random.default_rng(1)
    loss_here, g = f(W)
    for rho in (1e-2, 1e-3):
        rise = loss(W + epsilon(g, rho)) - loss_here
        np.testing.assert_allclose(rise, rho * np.linalg.norm(g, axis=-1), rtol=30 * rho)
        anywhere = rho * unit(rng.standard_normal((200, 1, 5)))
        assert np.all(loss(W + anywhere) - loss_here <= rise + 60 * rho**2)


def test_eq_3_step_uses_the_gradient_at_w_plus_epsilon():
    """∇L^SAM(w) ≈ ∇L(w)|_{w+ε̂}."""
    w = W[0]
    at_worst = f(w + epsilon(f(w)[1], RHO))[1]
    stepped, _, _ = SAM(SGD(0.1), RHO).step(w, SGD(0.1).init(w), f)
    np.testing.assert_allclose((w - stepped) / 0.1, at_worst, rtol=1e-12, atol=1e-14)


def test_eq_3_drops_the_second_order_term_and_nothing_else():
    """dL(w+ε̂(w))/dw = g_adv + (ρ/‖g‖) H (g_adv − ĝ⟨ĝ, g_adv⟩)   for p = 2; SAM keeps g_adv."""
    g = f(W)[1]
    g_adv, g_hat = f(W + epsilon(g, RHO))[1], unit(g)
    dropped = RHO / np.linalg.norm(g, axis=-1, keepdims=True) * hvp(loss)(W, g_adv - g_hat * dot(g_hat, g_adv))
    exact = slope(lambda w: sam_objective(loss, w, RHO), W)
    np.testing.assert_allclose(g_adv + dropped, exact, rtol=0, atol=1e-8)
    assert np.all(np.linalg.norm(dropped, axis=-1) > 1e-2 * np.linalg.norm(g_adv, axis=-1))


def test_eq_3_is_exact_where_the_gradient_is_an_eigenvector():
    q = quadratic(lowest=0.5)
    top = np.linalg.eigh(q.H)[1][:, -1]
    w = np.linalg.solve(q.H, 2.0 * top - q.b)
    g_adv = value_and_grad(q)(w + epsilon(value_and_grad(q)(w)[1], RHO))[1]
    np.testing.assert_allclose(slope(lambda w: sam_objective(q, w, RHO), w), g_adv, rtol=0, atol=1e-9)


def test_eq_3_is_the_gradient_of_the_loss_plus_rho_times_the_gradient_norm_on_a_quadratic():
    q = quadratic(lowest=-2.0)
    w = W[0]
    g_adv = value_and_grad(q)(w + epsilon(value_and_grad(q)(w)[1], RHO))[1]
    penalised = slope(lambda w: q(w) + RHO * np.linalg.norm(w @ q.H + q.b, axis=-1), w)
    np.testing.assert_allclose(g_adv, penalised, rtol=0, atol=1e-9)


def test_algorithm_1():
    """Until converged: g = ∇L_B(w);  ε̂ by eq. 2;  g ≈ ∇L_B(w)|_{w+ε̂} by eq. 3;  w ← w − η g."""
    rng = np.random.default_rng(2)
    batches = [rng.standard_normal((6, 5)) for _ in range(8)]
    lr, sam = 0.05, SAM(SGD(0.05), RHO, l2=L2)
    w, by_hand = W[1], W[1]
    state = sam.init(w)
    for x in batches:
        on_batch = value_and_grad(lambda w, x: anp.mean(anp.log(1 + anp.exp(x @ w))))
        w, state, _ = sam.step(w, state, lambda w, x=x, on_batch=on_batch: on_batch(w, x))

        def gradient(w, x=x):
            return x.T @ (1 / (1 + np.exp(-x @ w))) / len(x)

        g = gradient(by_hand)
        eps = RHO * g / math.sqrt(g @ g)
        by_hand = by_hand - lr * (gradient(by_hand + eps) + 2 * L2 * by_hand)
        np.testing.assert_allclose(w, by_hand, rtol=1e-12)


def test_surrogate_gap_of_a_quadratic_has_two_terms():
    """L(w+ε̂) − L(w) = ρ‖g‖ + ρ² ĝᵀHĝ/2."""
    q = quadratic(lowest=-2.0)
    g = W @ q.H + q.b
    gap = sam_objective(q, W, RHO) - q(W)
    along = dot(unit(g) @ q.H, unit(g))[..., 0]
    np.testing.assert_allclose(gap, RHO * np.linalg.norm(g, axis=-1) + RHO**2 * along / 2, rtol=1e-12)


@pytest.mark.parametrize("rho", [1e-3, 0.3, 10.0])
def test_on_a_convex_loss_the_two_gradients_agree_at_least_as_much_as_one_with_itself(rho):
    """⟨g_adv, g⟩ ≥ ‖g‖², because ⟨∇L(w+ε) − ∇L(w), ε⟩ ≥ 0."""
    convex = value_and_grad(lambda w: anp.sum(anp.log(anp.cosh(w)) + w**4, axis=-1) + anp.sum(w, axis=-1) ** 2)
    g = convex(W)[1]
    g_adv = convex(W + epsilon(g, rho))[1]
    assert np.all(dot(g_adv, g) >= dot(g, g) * (1 - 1e-14))


def test_on_a_concave_loss_the_two_gradients_agree_less():
    q = quadratic()
    hill = value_and_grad(Quadratic(-q.H - 0.1 * np.eye(5), q.b))
    g = hill(W)[1]
    assert np.all(dot(hill(W + epsilon(g, RHO))[1], g) < dot(g, g))


def test_section_3_uses_the_2_norm_and_a_radius_of_0_05():
    assert (SAM(SGD(0.1)).p, SAM(SGD(0.1)).rho) == (2, 0.05)
