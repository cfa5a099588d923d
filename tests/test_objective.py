"""The truths of max over the ball of L(w + ε), plus λ‖w‖²: three ways to find the maximum, and how they are ordered."""

import itertools
import math
import re

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from minisam.autodiff import value_and_grad
from minisam.sam import Quadratic, ascend, epsilon, project, sam_objective
from minisam.sam.objective import worst_of_quadratic

EPS = np.finfo("float64").eps


def quadratic(eigenvalues, seed, b=True):
    """½ wᵀHw + bᵀw + c with these eigenvalues, in a random basis."""
    rng = np.random.default_rng(seed)
    n = len(eigenvalues)
    basis, _ = np.linalg.qr(rng.standard_normal((n, n)))
    H = (basis * np.array(eigenvalues)) @ basis.T
    return Quadratic((H + H.T) / 2, rng.standard_normal(n) if b else None, 0.7)


def gradient(q, w):
    return w @ q.H + (0 if q.b is None else q.b)


def scale(q, w, rho):
    """How large the terms of the objective are: rounding is relative to it."""
    g = np.linalg.norm(gradient(q, w), axis=-1)
    return np.max(np.abs(q(w)) + rho * g + rho**2 * np.linalg.norm(q.H, 2)) + np.linalg.norm(q.H, 2) * np.max(w**2)


def dense_search(q, w, rho, p, points):
    """The largest L(w + ε) over a grid on the ball, and how far from it the maximum may be at most.

    Grid points outside are scaled back to the rim, which lengthens no distance for p = 2, and at most doubles distances
    in the p-norm for p = 1 and ∞. So every point of the ball has a grid point within `spacing`.
    """
    n = len(w)
    t = np.linspace(-rho, rho, points)
    eps = np.stack(np.meshgrid(*[t] * n), axis=-1).reshape(-1, n)
    size = np.linalg.norm(eps, p, axis=-1, keepdims=True)
    eps = eps * np.minimum(1, rho / np.maximum(size, 1e-300))
    spacing = rho / (points - 1) * (math.sqrt(n) if p == 2 else 2 * n)
    reach = rho if p in (1, 2) else rho * math.sqrt(n)
    steepest = np.linalg.norm(gradient(q, w)) + np.linalg.norm(q.H, 2) * reach
    return np.max(q(w + eps)), steepest * spacing


SPECTRA = {
    "definite": [0.5, 1.0, 4.0],
    "semi-definite": [0.0, 0.0, 2.0],
    "indefinite": [-3.0, 0.5, 2.0],
    "negative definite": [-5.0, -4.0, -3.0],
    "equal": [2.0, 2.0, 2.0],
    "linear": [0.0, 0.0, 0.0],
}


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("rho", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("start", ["anywhere", "at the stationary point"])
def test_exact_is_the_maximum_of_a_dense_search(n, rho, spectrum, start):
    q = quadratic(SPECTRA[spectrum][-n:], seed=n)
    w = np.random.default_rng(1).standard_normal(n)
    if start == "at the stationary point":
        w = -np.linalg.lstsq(q.H, q.b)[0]
    found, gap = dense_search(q, w, rho, 2, {2: 401, 3: 61}[n])
    exact = sam_objective(q, w, rho, inner="exact")
    assert found <= exact + 8 * EPS * scale(q, w, rho)
    assert exact <= found + gap


def assert_maximal(q, w, rho, eps):
    """ε is the maximum if and only if, for some μ ≥ 0,  (μI − H) ε = g,  μI − H ⪰ 0,  and μ = 0 or ‖ε‖ = ρ."""
    g, size = gradient(q, w), np.linalg.norm(eps)
    unit = np.linalg.norm(q.H, 2) + np.linalg.norm(g) / rho  # of μ
    tolerance = 1e-8 * unit  # the rim is reached to 1e-9
    mu = (g + q.H @ eps) @ eps / size**2 if size > rho * (1 - 1e-8) else 0.0
    assert size <= rho * (1 + 8 * EPS)
    assert mu >= -tolerance
    assert np.linalg.eigvalsh(mu * np.eye(len(w)) - q.H)[0] >= -tolerance
    np.testing.assert_allclose(mu * eps - q.H @ eps, g, rtol=0, atol=tolerance * rho)


@given(
    eigenvalues=st.lists(st.sampled_from([-1e3, -2.0, -1.0, 0.0, 1e-3, 1.0, 1.5, 1e3]), min_size=1, max_size=6),
    rho=st.sampled_from([1e-3, 0.5, 20.0]),
    along_top=st.sampled_from([0.0, 1e-17, 1e-10, 1e-4, 1.0]),
    seed=st.integers(0, 50),
)
def test_exact_meets_the_conditions_of_optimality(eigenvalues, rho, along_top, seed):
    q = quadratic(eigenvalues, seed, b=False)
    top = np.linalg.eigh(q.H)[1][:, -1]
    g = np.random.default_rng(seed).standard_normal(len(top))
    q = Quadratic(q.H, g + (along_top - g @ top) * top)  # at w = 0 the gradient is b
    w = np.zeros(len(top))
    assert_maximal(q, w, rho, worst_of_quadratic(q, w, rho))


@pytest.mark.parametrize("spectrum", [[0.1, 0.5, 1.0, 2.0], [-3.0, -1.0, 0.5, 2.0], [-4.0, -3.0, -2.0, -1.0]])
@pytest.mark.parametrize("rho", [0.3, 3.0])
def test_exact_is_the_maximum_that_scipy_finds(spectrum, rho):
    q = quadratic(spectrum, seed=5)
    w = np.random.default_rng(2).standard_normal(4)
    g = gradient(q, w)
    answers = [
        scipy.optimize.minimize(
            lambda e: -(g @ e + 0.5 * e @ q.H @ e),
            start,
            jac=lambda e: -(g + q.H @ e),
            method="SLSQP",
            constraints={"type": "ineq", "fun": lambda e: rho**2 - e @ e, "jac": lambda e: -2 * e},
            options={"ftol": 1e-14, "maxiter": 500},
        )
        for start in 0.3 * rho * np.random.default_rng(3).standard_normal((10, 4))
    ]
    rise = sam_objective(q, w, rho, inner="exact") - q(w)
    np.testing.assert_allclose(rise, -min(a.fun for a in answers), rtol=1e-7)


def test_exact_at_a_minimum_goes_along_the_top_eigenvector():
    q = quadratic([0.5, 1.0, 4.0], seed=0)
    w = -np.linalg.solve(q.H, q.b)
    np.testing.assert_allclose(sam_objective(q, w, 0.3, inner="exact") - q(w), 0.3**2 * 4.0 / 2, rtol=1e-12)


def test_exact_where_the_gradient_is_exactly_zero():
    q = Quadratic(np.diag([1.0, 3.0, 2.0]))
    assert sam_objective(q, np.zeros(3), 0.5, inner="exact") == 0.5**2 * 3.0 / 2


def test_exact_finds_a_maximum_inside_the_ball():
    q = quadratic([-5.0, -4.0, -3.0], seed=0)
    w = np.random.default_rng(0).standard_normal(3)
    g = gradient(q, w)
    inside = -np.linalg.solve(q.H, g)
    np.testing.assert_allclose(worst_of_quadratic(q, w, 10.0), inside, rtol=1e-12)
    value = sam_objective(q, w, 10.0, inner="exact")
    np.testing.assert_allclose(value, q(w) - g @ np.linalg.solve(q.H, g) / 2, rtol=1e-12)


def test_exact_in_the_hard_case():
    # g = (1, 0) has no part along the top eigenvector (0, 1): μ = 2, ε = (1/(2 − 1), ±√(ρ² − 1))
    q = Quadratic(np.diag([1.0, 2.0]), np.array([1.0, 0.0]))
    eps = worst_of_quadratic(q, np.zeros(2), 2.0)
    np.testing.assert_allclose(np.abs(eps), [1.0, math.sqrt(3)], rtol=1e-12)
    np.testing.assert_allclose(sam_objective(q, np.zeros(2), 2.0, inner="exact"), 1 + 0.5 + 3, rtol=1e-12)
    # the same with a third axis, in the order in which they come: ε = (½/(2 − 1), ±√(1 − ¼ − 0.04), 0.4/(2 − 0))
    q = Quadratic(np.diag([1.0, 2.0, 0.0]), np.array([0.5, 0.0, 0.4]))
    eps = worst_of_quadratic(q, np.zeros(3), 1.0)
    np.testing.assert_allclose(np.abs(eps), [0.5, math.sqrt(0.71), 0.2], rtol=1e-12)


@pytest.mark.parametrize("part", [1e-300, -1e-300, -1e-20, 1e-16, -1e-9, 1e-4])
@pytest.mark.parametrize("size", [1.0, 1e6])
def test_exact_stays_in_the_ball_next_to_the_hard_case(part, size):
    q = Quadratic(size * np.diag([1.0, 2.0]), size * np.array([1.0, part]))
    eps = worst_of_quadratic(q, np.zeros(2), 2.0)
    np.testing.assert_allclose(np.linalg.norm(eps), 2.0, rtol=1e-9)
    assert np.linalg.norm(eps) <= 2.0 * (1 + 4 * EPS)
    # between the hard case itself and what the small part of g can add to it
    hard = size * 4.5
    rise = q(eps)
    assert hard * (1 - 1e-9) <= rise <= hard + size * abs(part) * 2.0 + 8 * EPS * hard
    assert eps[1] * part > 0


def test_exact_keeps_a_small_part_along_the_top_eigenvector():
    # as good as ε = ρ g/‖g‖ for the rest: μ = 1 + 1/ρ = 11
    q = Quadratic(np.diag([1.0, 2.0]), np.array([1.0, 1e-9]))
    np.testing.assert_allclose(worst_of_quadratic(q, np.zeros(2), 0.1), [0.1, 1e-9 / (11 - 2)], rtol=1e-14)


def test_exact_for_a_multiple_of_the_identity():
    q = Quadratic(2.0 * np.eye(4), np.array([3.0, 0.0, -4.0, 0.0]))
    np.testing.assert_allclose(worst_of_quadratic(q, np.zeros(4), 0.5), [0.3, 0.0, -0.4, 0.0], rtol=1e-14)


@pytest.mark.parametrize("inner", ["single-step", "ascent", "exact"])
def test_radius_zero_is_the_loss(inner):
    q = quadratic([-3.0, 0.5, 2.0], seed=1)
    w = np.random.default_rng(3).standard_normal((2, 3))
    np.testing.assert_array_equal(sam_objective(q, w, 0.0, inner=inner), q(w))


@pytest.mark.parametrize("p", [1, math.inf])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_exact_at_the_vertices_is_brute_force(p, n):
    q = quadratic([0.0, 0.5, 1.0, 2.0, 4.0][-n:], seed=n)
    w = np.random.default_rng(4).standard_normal(n)
    corners = itertools.product([-1, 0, 1], repeat=n)
    corners = [0.7 * np.array(c) for c in corners if (sum(map(abs, c)) == 1 if p == 1 else all(c))]
    best = max(q(w + c) for c in corners)
    np.testing.assert_allclose(sam_objective(q, w, 0.7, p, inner="exact"), best, rtol=1e-14)


def test_exact_at_the_vertices_weighs_slope_against_curvature():
    # p = 1: 3.5 along the first axis, 1 + 4/2 along the second
    bowl = Quadratic(np.diag([0.0, 4.0]), np.array([3.5, 1.0]))
    np.testing.assert_array_equal(worst_of_quadratic(bowl, np.zeros(2), 1.0, 1), [1.0, 0.0])
    np.testing.assert_array_equal(worst_of_quadratic(bowl, np.zeros(2), 2.0, 1), [0.0, 2.0])  # 7 against 2 + 8
    # p = ∞: 3 + 2 at (1, 1), where the valley has no curvature; 3 − 2 + 6/2 at (1, −1)
    valley = Quadratic(1.5 * np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([3.0, 2.0]))
    np.testing.assert_array_equal(worst_of_quadratic(valley, np.zeros(2), 1.0, math.inf), [1.0, 1.0])
    np.testing.assert_array_equal(worst_of_quadratic(valley, np.zeros(2), 2.0, math.inf), [2.0, -2.0])  # 10, 2 + 12


@pytest.mark.parametrize("p", [1, math.inf])
@pytest.mark.parametrize("n", [2, 3])
def test_no_point_of_the_ball_is_above_the_best_vertex(p, n):
    q = quadratic([0.0, 1.0, 4.0][-n:], seed=7)
    w = np.random.default_rng(5).standard_normal(n)
    found, gap = dense_search(q, w, 0.7, p, {2: 401, 3: 61}[n])
    exact = sam_objective(q, w, 0.7, p, inner="exact")
    assert found <= exact + 8 * EPS * scale(q, w, 0.7)
    assert exact <= found + gap


@pytest.mark.parametrize("inner", ["single-step", "ascent", "exact"])
@pytest.mark.parametrize("p", [1, 2, math.inf])
def test_replicas_equal_separate_evaluations(inner, p):
    q = quadratic([0.5, 1.0, 4.0], seed=2)
    w = np.random.default_rng(6).standard_normal((2, 3, 3))
    w[0, 0] = -np.linalg.solve(q.H, q.b)
    rho = np.array([[0.0], [0.1], [2.0]])
    together = sam_objective(q, w, rho, p, 0.1, inner)
    assert together.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        alone = sam_objective(q, w[i, j], float(rho[j, 0]), p, 0.1, inner)
        # at [0, 0] ρ = 0, so that the direction of a gradient that is all rounding does not matter
        np.testing.assert_allclose(together[i, j], alone, rtol=1e-13)


@pytest.mark.parametrize("inner", ["single-step", "ascent", "exact"])
@pytest.mark.parametrize("p", [1, 2, math.inf])
def test_radii_sweep_at_one_point(inner, p):
    q = quadratic([0.5, 1.0, 4.0], seed=2)
    w = np.ones(3)
    swept = sam_objective(q, w, np.array([[0.1], [0.5], [2.0]]), p, inner=inner)
    np.testing.assert_allclose(swept, [sam_objective(q, w, r, p, inner=inner) for r in (0.1, 0.5, 2.0)], rtol=1e-13)


@pytest.mark.parametrize("p", [1, 2, math.inf])
@given(
    eigenvalues=st.lists(st.floats(-5, 5, allow_subnormal=False), min_size=1, max_size=5),
    rho=st.just(0.0) | st.floats(1e-9, 10),
    seed=st.integers(0, 99),
)
def test_single_step_is_at_most_ascent_is_at_most_exact(p, eigenvalues, rho, seed):
    q = quadratic(eigenvalues if p == 2 else np.abs(eigenvalues), seed)
    w = np.random.default_rng(seed).standard_normal((3, len(eigenvalues)))
    single, ascent, exact = (sam_objective(q, w, rho, p, inner=i) for i in ("single-step", "ascent", "exact"))
    assert np.all(single <= ascent)
    assert np.all(q(w) <= ascent)
    assert np.all(ascent <= exact + 32 * EPS * scale(q, w, rho * len(eigenvalues)))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("n", [1, 2, 5, 10])
def test_ascent_converges_to_exact_on_convex_quadratics(n, seed):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((n, n))
    q = Quadratic(root @ root.T / n, rng.standard_normal(n))
    w = rng.standard_normal(n)
    exact = sam_objective(q, w, 0.5, inner="exact")
    left = [exact - sam_objective(q, w, 0.5, inner="ascent", steps=s) for s in (20, 400)]
    assert left[0] <= 1e-3 * (exact - q(w))
    assert left[1] <= 64 * EPS * scale(q, w, 0.5)


def test_ascent_leaves_a_minimum():
    q = Quadratic(np.diag([1.0, 3.0, 2.0]))
    value = sam_objective(q, np.zeros(3), 0.5, inner="ascent", steps=400)
    np.testing.assert_allclose(value, 0.5**2 * 3.0 / 2, rtol=64 * EPS)


@pytest.mark.parametrize("w", [[0.0, 0.0], [0.1, 0.0]])
def test_ascent_is_not_below_the_centre(w):
    hill = Quadratic(-np.eye(2))  # at the top, or within ρ of it, every rim point is lower
    assert sam_objective(hill, np.array(w), 1.0, inner="ascent") >= hill(np.array(w))
    assert sam_objective(hill, np.array(w), 1.0, inner="single-step") <= hill(np.array(w))


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, math.inf])
def test_ascent_stays_in_the_ball(p):
    f = value_and_grad(lambda w: anp.sum(anp.sin(3 * w) + w**2, axis=-1))
    w = np.random.default_rng(8).standard_normal((5, 4))
    size = np.linalg.norm(ascend(f, w, 0.4, p, steps=7), p, axis=-1)
    assert np.all(size <= 0.4 * (1 + 16 * EPS))


@pytest.mark.parametrize("steps", [1, 5])
def test_ascent_costs_one_gradient_more_than_its_steps(steps):
    calls = []

    def bowl(w):
        calls.append(w)
        return np.sum(w * w, axis=-1), 2 * w

    eps = ascend(bowl, np.ones(3), 0.1, steps=steps)
    assert len(calls) == steps + 1
    if steps == 1:
        np.testing.assert_array_equal(eps, epsilon(2 * np.ones(3), 0.1))


@pytest.mark.parametrize("p", [1, 1.5, 2, math.inf])
def test_ascent_is_the_best_point_that_it_looked_at(p):
    """On waves shorter than its steps that is not always the last."""
    waves = value_and_grad(lambda w: anp.sum(anp.sin(9 * w), axis=-1))
    seen = []

    def watched(w):
        seen.append(w)
        return waves(w)

    w = np.random.default_rng(11).standard_normal((20, 3))
    eps = ascend(watched, w, 1.0, p, steps=6)
    losses = np.array([waves(at)[0] for at in seen])
    np.testing.assert_array_equal(waves(w + eps)[0], losses.max(axis=0))
    assert np.any(losses.argmax(axis=0) < len(seen) - 1)


def test_ascent_crosses_a_wave_that_the_single_step_ends_on():
    # sin has its top at π/2; the single step of length 2 runs past it, to sin(1 + 2)
    f = value_and_grad(lambda w: anp.sum(anp.sin(w), axis=-1))
    w = np.array([1.0])
    np.testing.assert_allclose(sam_objective(f, w, 2.0), math.sin(3.0), rtol=1e-14)
    np.testing.assert_allclose(sam_objective(f, w, 2.0, inner="ascent", steps=200), 1.0, rtol=1e-3)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, math.inf])
def test_single_step_is_the_loss_at_epsilon(p):
    q = quadratic([0.5, 1.0, 4.0], seed=3)
    w = np.random.default_rng(9).standard_normal((2, 3))
    expected = q(w + epsilon(gradient(q, w), 0.3, p))
    np.testing.assert_allclose(sam_objective(q, w, 0.3, p), expected, rtol=1e-14)


@pytest.mark.parametrize("inner", ["single-step", "ascent"])
def test_a_loss_may_come_with_its_gradient(inner):
    def alone(w):
        return anp.sum(w**4 - w, axis=-1)

    w = np.array([[0.3, -1.2], [2.0, 0.5]])
    expected = sam_objective(alone, w, 0.2, inner=inner)
    np.testing.assert_allclose(sam_objective(value_and_grad(alone), w, 0.2, inner=inner), expected, rtol=1e-14)
    np.testing.assert_allclose(
        sam_objective(lambda w: (alone(w), 4 * w**3 - 1), w, 0.2, inner=inner), expected, rtol=1e-14
    )


@pytest.mark.parametrize("inner", ["single-step", "ascent", "exact"])
@pytest.mark.parametrize("l2", [0.25, np.float64(0.25), np.float32(0.25), np.array([0.25]), np.array([[0.25], [2.0]])])
def test_the_l2_term_is_taken_at_w_and_outside_the_maximum(inner, l2):
    q = quadratic([0.5, 1.0, 4.0], seed=4)
    w = np.array([[1.0, -2.0, 0.5], [0.0, 0.1, 3.0]])
    added = sam_objective(q, w, 0.3, l2=l2, inner=inner) - sam_objective(q, w, 0.3, inner=inner)
    np.testing.assert_allclose(added, np.broadcast_to(l2, (2, 1))[:, 0] * np.sum(w**2, axis=-1), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("inner", ["single-step", "ascent", "exact"])
def test_the_dtype_is_that_of_w(dtype, inner):
    q = Quadratic(np.diag([1.0, 3.0]).astype(dtype), np.ones(2, dtype))
    value = sam_objective(q, np.ones((3, 2), dtype), np.array([0.1]), l2=np.array([0.1]), inner=inner)
    assert value.dtype == dtype
    exactly = sam_objective(Quadratic(np.diag([1.0, 3.0]), np.ones(2)), np.ones(2), 0.1, l2=0.1, inner=inner)
    np.testing.assert_allclose(value, exactly, rtol=1e-6)


def test_the_quadratic_is_its_formula():
    q = quadratic([-3.0, 0.5, 2.0], seed=6)
    w = np.random.default_rng(10).standard_normal((2, 4, 3))
    expected = [[0.5 * v @ q.H @ v + q.b @ v + 0.7 for v in row] for row in w]
    np.testing.assert_allclose(q(w), expected, rtol=0, atol=8 * EPS * scale(q, w, 0.0))
    np.testing.assert_allclose(value_and_grad(q)(w)[1], w @ q.H + q.b, rtol=1e-13)


# --- project -----------------------------------------------------------------------------------------------------

PROJECT_P = [1, 1.5, 2, 3, math.inf]


@pytest.mark.parametrize("p", PROJECT_P)
def test_project_leaves_the_ball_alone(p):
    eps = np.random.default_rng(0).standard_normal((50, 4))
    eps = 0.3 * eps / np.linalg.norm(eps, p, axis=-1, keepdims=True) * np.linspace(0, 0.999, 50)[:, None]
    np.testing.assert_array_equal(project(eps, 0.3, p), eps)


@pytest.mark.parametrize("p", PROJECT_P)
def test_project_ends_on_the_rim(p):
    eps = np.random.default_rng(1).standard_normal((50, 4))
    eps = 0.3 * eps / np.linalg.norm(eps, p, axis=-1, keepdims=True) * np.linspace(1.001, 90, 50)[:, None]
    inside = project(eps, 0.3, p)
    np.testing.assert_allclose(np.linalg.norm(inside, p, axis=-1), 0.3, rtol=16 * EPS)
    np.testing.assert_allclose(project(inside, 0.3, p), inside, rtol=16 * EPS)  # a second time changes nothing
    if p != math.inf:  # along the ray to the centre
        cosine = np.sum(inside * eps, -1) / np.linalg.norm(inside, axis=-1) / np.linalg.norm(eps, axis=-1)
        np.testing.assert_allclose(cosine, 1.0, rtol=16 * EPS)


@pytest.mark.parametrize("p", [2, math.inf])
def test_project_finds_the_nearest_point(p):
    rng = np.random.default_rng(2)
    eps = rng.standard_normal(4)
    nearest = project(eps, 0.3, p)
    others = rng.standard_normal((5000, 4))
    others *= 0.3 * rng.uniform(0, 1, (5000, 1)) ** 0.1 / np.linalg.norm(others, p, axis=-1, keepdims=True)
    # no point v of the ball lies in front of the plane through the nearest one: ⟨ε − nearest, v − nearest⟩ ≤ 0
    assert np.max((others - nearest) @ (eps - nearest)) <= 16 * EPS


def test_project_by_hand():
    np.testing.assert_allclose(project(np.array([3.0, -4.0]), 1.0), [0.6, -0.8], rtol=1e-15)
    np.testing.assert_array_equal(project(np.array([3.0, -0.4]), 1.0, math.inf), [1.0, -0.4])
    np.testing.assert_array_equal(project(np.array([3.0, -1.0]), 1.0, 1), [0.75, -0.25])
    np.testing.assert_array_equal(project(np.array([[3.0, 4.0], [0.0, 0.0]]), 0.0), 0.0)


@pytest.mark.parametrize("p", PROJECT_P)
def test_project_takes_a_radius_for_each_replica_and_keeps_the_dtype(p):
    eps = np.full((3, 2), 4.0, dtype="float32")
    inside = project(eps, np.array([[0.0], [1.0], [100.0]]), p)
    assert inside.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(inside[:2], p, axis=-1), [0.0, 1.0], rtol=1e-6)
    np.testing.assert_array_equal(inside[2], eps[2])


# --- errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rho": -0.1}, "rho must be ≥ 0, got -0.1"),
        ({"p": 0.5}, "p must be in [1, ∞], got 0.5"),
        ({"l2": -1.0}, "l2 must be ≥ 0, got -1.0"),
        ({"inner": "best"}, "inner must be one of 'single-step', 'ascent', 'exact', got 'best'"),
        ({"inner": "ascent", "steps": 0}, "steps must be a whole number ≥ 1, got 0"),
        ({"inner": "exact", "p": 3}, "inner='exact' knows p = 1, 2 and ∞, got 3.0"),
    ],
)
def test_errors(arguments, message):
    q = Quadratic(np.eye(2))
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        sam_objective(q, np.ones(2), **({"rho": 0.1} | arguments))


def test_exact_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match=r"^inner='exact' needs a minisam.Quadratic as loss, got function$"):
        sam_objective(lambda w: anp.sum(w**2, axis=-1), np.ones(2), 0.1, inner="exact")
    with pytest.raises(ValueError, match=r"^inner='exact' with p = inf needs a positive semi-definite H$"):
        sam_objective(Quadratic(np.diag([1.0, -1.0])), np.ones(2), 0.1, math.inf, inner="exact")
    with pytest.raises(ValueError, match=r"^inner='exact' with p = ∞ tries all 2ⁿ .* n ≤ 16 weights, got 17$"):
        sam_objective(Quadratic(np.eye(17)), np.ones(17), 0.1, math.inf, inner="exact")


@pytest.mark.parametrize(
    ("H", "b", "message"),
    [
        (np.ones((2, 3)), None, "H must be a symmetric matrix (n, n), got shape (2, 3)"),
        (np.ones(3), None, "H must be a symmetric matrix (n, n), got shape (3,)"),
        (np.triu(np.ones((2, 2))), None, "H must be a symmetric matrix (n, n), got shape (2, 2)"),
        (np.eye(2), np.ones(3), "b must have shape (2,), got (3,)"),
    ],
)
def test_a_quadratic_is_checked(H, b, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Quadratic(H, b)


@pytest.mark.parametrize(("rho", "p"), [(-1.0, 2), (1.0, 0.5)])
def test_project_checks_its_ball(rho, p):
    with pytest.raises(ValueError, match=r"must be"):
        project(np.ones(2), rho, p)
