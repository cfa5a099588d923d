"""The truths of sharpness in a ball: closed forms on quadratics, invariance, what more work may and may not change."""

import inspect
import itertools
import math
import re

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_losses import plain_net, rescaled, symmetric

from minisam import BatchLoss
from minisam.autodiff import check_grad, hvp, value_and_grad
from minisam.models import cnn, mlp, vit
from minisam.sam import Quadratic, sam_objective
from minisam.sharpness import (
    Search,
    average_case,
    gradient_norm,
    m_sharpness,
    matrices,
    second_order,
    single_step,
    single_step_accuracy,
    surrogate_gap,
    worst_case,
    worst_point,
)

EPS = np.finfo("float64").eps
H = symmetric([0.1, 1.0, 2.0, 7.0])
BOWL = Quadratic(H, np.array([1.0, -1.0, 0.5, 2.0]), 0.3)
OF_BOWL = value_and_grad(BOWL)
W = np.random.default_rng(1).standard_normal((5, 4))
NET = mlp([3, 4, 2])
X, Y = np.random.default_rng(2).standard_normal((12, 3)), np.random.default_rng(3).integers(0, 2, 12)
ON_NET, HVP_NET = BatchLoss(NET).on(X, Y), hvp(NET)
W_NET = 0.7 * np.random.default_rng(4).standard_normal((3, NET.size))
waves = value_and_grad(lambda w: anp.sum(anp.sin(9 * w) + w, axis=-1))


def gradient(w):
    return w @ H + BOWL.b


# --- worst case ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.01, 0.5, 3.0])
def test_the_worst_case_of_a_quadratic_is_its_trust_region_s(rho):
    exact = sam_objective(BOWL, W, rho, inner="exact") - BOWL(W)
    np.testing.assert_allclose(worst_case(OF_BOWL, W, rho, steps=1000), exact, rtol=1e-10)


@pytest.mark.parametrize("p", [1, math.inf])
def test_with_restarts_the_best_vertex_is_found(p):
    exact = sam_objective(BOWL, W, 0.5, p, inner="exact") - BOWL(W)
    np.testing.assert_allclose(worst_case(OF_BOWL, W, 0.5, p, restarts=30), exact, rtol=1e-12)
    eps = worst_point(OF_BOWL, W, 0.5, p, restarts=30)
    at_vertex = np.sort(np.abs(eps), axis=-1)[..., 3 if p == 1 else 0]
    np.testing.assert_allclose(at_vertex, 0.5, rtol=4 * EPS)


@pytest.mark.parametrize("adaptive", [True, np.array([True, False, True, False])])
def test_the_adaptive_worst_case_is_that_of_the_loss_in_units_of_the_weights(adaptive):
    for w in W:
        T = np.where(adaptive, np.abs(w), 1.0)
        stretched = Quadratic(T[:, None] * H * T, T * gradient(w))  # δ ↦ L(w + Tδ) − L(w)
        exact = sam_objective(stretched, np.zeros(4), 0.3, inner="exact")
        np.testing.assert_allclose(worst_case(OF_BOWL, w, 0.3, steps=1000, adaptive=adaptive), exact, rtol=1e-10)


@pytest.mark.parametrize("adaptive", [False, True])
@given(
    lead=st.sampled_from([(), (1,), (3,), (2, 2)]),
    n=st.integers(1, 6),
    p=st.sampled_from([1.0, 1.5, 2.0, 4.0, math.inf]),
    rho=st.just(0.0) | st.floats(1e-6, 10),
    seed=st.integers(0, 99),
)
def test_worst_points_lie_in_the_ball_and_no_lower_than_the_single_step(adaptive, lead, n, p, rho, seed):
    w = np.random.default_rng(seed).standard_normal((*lead, n))
    unit = np.abs(w) if adaptive else np.ones_like(w)
    one = single_step(waves, w, rho, p, adaptive)
    best = worst_point(waves, w, rho, p, steps=3, restarts=2, adaptive=adaptive, seed=seed)
    assert one.shape == best.shape == w.shape
    size = [np.linalg.norm(np.reshape(eps / unit, (-1, n)), p, axis=-1) for eps in (one, best)]
    np.testing.assert_allclose(size[0], rho, rtol=1e-13)
    assert np.all(size[1] <= rho * (1 + 1e-13))
    found = worst_case(waves, w, rho, p, 3, 2, adaptive, seed=seed)
    assert found.shape == lead
    np.testing.assert_array_equal(found, waves(w + best)[0] - waves(w)[0])
    assert np.all(found >= np.maximum(surrogate_gap(waves, w, rho, p, adaptive), 0))


@pytest.mark.parametrize("p", [1, 2, math.inf])
def test_restarts_never_lower_the_result_and_sometimes_raise_it(p):
    w = np.random.default_rng(5).standard_normal((20, 3))
    found = [worst_case(waves, w, 1.0, p, steps=4, restarts=r) for r in range(5)]
    for fewer, more in itertools.pairwise(found):
        assert np.all(more >= fewer)
    assert np.any(found[-1] > found[0])


def test_other_seeds_begin_elsewhere():
    w = np.random.default_rng(5).standard_normal((20, 3))
    a, b, c = (worst_case(waves, w, 1.0, steps=1, restarts=1, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert np.any(a != c)


# --- the single step -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.0, 0.1, 2.0])
def test_the_surrogate_gap_of_a_quadratic(rho):
    g = gradient(W)
    size = np.linalg.norm(g, axis=-1)
    unit = g / size[:, None]
    expected = rho * size + rho**2 * np.sum(unit @ H * unit, axis=-1) / 2
    np.testing.assert_allclose(surrogate_gap(OF_BOWL, W, rho), expected, rtol=1e-12, atol=16 * EPS)


def test_the_surrogate_gap_in_other_balls():
    g = gradient(W)
    sign, largest = np.sign(g), np.argmax(np.abs(g), axis=-1)
    corner = np.eye(4)[largest] * sign
    for p, eps in ((math.inf, 0.2 * sign), (1, 0.2 * corner)):
        expected = np.sum(g * eps, axis=-1) + np.sum(eps @ H * eps, axis=-1) / 2
        np.testing.assert_allclose(surrogate_gap(OF_BOWL, W, 0.2, p), expected, rtol=1e-12)


@pytest.mark.parametrize(("p", "q"), [(1, math.inf), (1.5, 3), (2, 2), (3, 1.5), (math.inf, 1)])
def test_the_gradient_norm_is_the_slope_of_the_worst_case(p, q):
    np.testing.assert_allclose(
        gradient_norm(OF_BOWL, W, q), np.linalg.norm(gradient(W), q, axis=-1).tolist(), rtol=1e-13
    )
    h = 1e-6
    bend = h * np.abs(H).sum() / 2  # ρ² max εᵀHε/2 over the p-ball, over ρ
    slope = worst_case(OF_BOWL, W, h, p, steps=3) / h
    rounding = 64 * EPS * (1 + np.abs(BOWL(W))) / h
    assert np.all(np.abs(slope - gradient_norm(OF_BOWL, W, q)) <= bend + rounding)


def test_the_single_step_is_right_where_the_loss_is_linear():
    slopes = np.random.default_rng(6).standard_normal((4, 3))
    f = value_and_grad(lambda w: anp.sum(slopes * w, axis=-1))
    for p in (1, 1.5, 2, math.inf):
        found = single_step_accuracy(f, np.zeros((4, 3)), 0.5, p, restarts=3)
        np.testing.assert_allclose(found.ratio, 1.0, rtol=8 * EPS)
        np.testing.assert_allclose(found.cosine, 1.0, rtol=1e-6)  # a restart may win by the last bit


@pytest.mark.parametrize("rho", [0.1, 1.0, 10.0])
def test_the_single_step_s_share_of_the_worst_case_of_a_quadratic(rho):
    exact = sam_objective(BOWL, W, rho, inner="exact") - BOWL(W)
    found = single_step_accuracy(OF_BOWL, W, rho, steps=1000)
    np.testing.assert_allclose(found.ratio, surrogate_gap(OF_BOWL, W, rho) / exact, rtol=1e-10)
    one, best = single_step(OF_BOWL, W, rho), worst_point(OF_BOWL, W, rho, steps=1000)
    np.testing.assert_allclose(found.cosine, np.sum(one * best, axis=-1) / rho**2, rtol=1e-12)
    assert np.all(found.ratio < 1)
    assert np.all(found.cosine < 1)


def test_at_a_minimum_the_single_step_finds_nothing_and_on_a_top_nothing_is_to_be_found():
    minimum = single_step_accuracy(value_and_grad(Quadratic(H)), np.zeros((2, 4)), 0.5)
    np.testing.assert_array_equal(minimum.ratio, 0.0)
    np.testing.assert_array_equal(minimum.cosine, 0.0)
    top = single_step_accuracy(value_and_grad(Quadratic(-H)), np.zeros((2, 4)), 0.5)
    assert np.isnan(top.ratio).all()
    np.testing.assert_array_equal(top.cosine, 0.0)


@given(rho=st.floats(1e-4, 5), p=st.sampled_from([1.0, 1.5, 2.0, 3.0, math.inf]), seed=st.integers(0, 99))
def test_the_single_step_is_never_better_than_the_ascent_that_begins_with_it(rho, p, seed):
    w = np.random.default_rng(seed).standard_normal((4, 3))
    found = single_step_accuracy(waves, w, rho, p, steps=3, restarts=1, seed=seed)
    assert np.all((found.ratio <= 1) | np.isnan(found.ratio))
    assert np.all(np.abs(found.cosine) <= 1 + 8 * EPS)


# --- what SAM drops --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.0, 0.05, 1.0])
def test_kept_and_dropped_are_the_gradient_of_the_loss_at_the_single_step(rho):
    """∇ of w ↦ L(w + ρ g/‖g‖): by autograd through the gradient of a plain net, and by central differences."""
    model = mlp([3, 4, 2], "tanh")
    f, h = value_and_grad(model), hvp(model)
    on_batch, product = (lambda w: f(w, X, Y)), (lambda w, v: h(w, v, X, Y))
    parts = second_order(on_batch, product, W_NET, rho)

    def at_the_single_step(w):
        g = autograd.grad(plain_net)(w, X, Y)
        return plain_net(w + rho * g / anp.sqrt(anp.sum(g * g)), X, Y)

    whole = np.array([autograd.grad(at_the_single_step)(w) for w in W_NET])
    np.testing.assert_allclose(parts.kept + parts.dropped, whole, rtol=1e-10, atol=1e-13)
    adversarial = np.array(
        [autograd.grad(plain_net)(w + e, X, Y) for w, e in zip(W_NET, single_step(on_batch, W_NET, rho), strict=True)]
    )
    np.testing.assert_allclose(parts.kept, adversarial, rtol=1e-11, atol=1e-14)

    def value(w):
        both = second_order(on_batch, product, w, rho)
        return on_batch(w + single_step(on_batch, w, rho))[0], both.kept + both.dropped

    assert check_grad(value, W_NET) < 1e-7


def test_share_and_cosine_of_what_is_dropped():
    product = hvp(BOWL)
    parts = second_order(OF_BOWL, product, W, 0.5)
    sizes = [np.linalg.norm(a, axis=-1) for a in (parts.dropped, parts.kept, parts.kept + parts.dropped)]
    np.testing.assert_allclose(parts.share, sizes[0] / sizes[1], rtol=1e-13)
    inner = np.sum(parts.kept * (parts.kept + parts.dropped), axis=-1)
    np.testing.assert_allclose(parts.cosine, inner / (sizes[1] * sizes[2]), rtol=1e-13)


def test_nothing_is_dropped_where_the_gradient_stays_on_its_line():
    """A round bowl: ∇L(w + ε) is along ∇L(w), so turning ε changes nothing. At ρ = 0 and at the bottom nothing either."""
    round_bowl = Quadratic(3 * np.eye(4))
    f, product = value_and_grad(round_bowl), hvp(round_bowl)
    dropped = second_order(f, product, W, 0.5)
    np.testing.assert_allclose(dropped.dropped, 0.0, atol=32 * EPS)
    np.testing.assert_allclose(dropped.cosine, 1.0, rtol=8 * EPS)
    np.testing.assert_array_equal(second_order(OF_BOWL, hvp(BOWL), W, 0.0).dropped, 0.0)
    bottom = second_order(f, product, np.zeros(4), 0.5)
    np.testing.assert_array_equal(bottom.dropped, 0.0)
    assert bottom.share == 0.0


# --- m-sharpness -----------------------------------------------------------------------------------------------------


def test_m_sharpness_is_the_mean_of_the_parts_worst_cases():
    parts = ON_NET.parts(4)
    found = m_sharpness(parts, W_NET, 0.2, steps=5, restarts=1, seed=3)
    each = np.array([worst_case(part, W_NET, 0.2, steps=5, restarts=1, seed=3) for part in parts])
    np.testing.assert_allclose(found.value, each.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(found.error, each.std(axis=0, ddof=1) / 2, rtol=1e-12)


@given(seed=st.integers(0, 999), p=st.sampled_from([1.0, 1.5, 2.0, math.inf]), rho=st.floats(0.01, 2))
def test_smaller_parts_are_sharper(seed, p, rho):
    """Exactly so where each part's worst case is known: of linear losses ⟨aᵢ, w⟩ it is ρ ‖mean a‖_q."""
    a = np.random.default_rng(seed).standard_normal((8, 3))
    found = []
    for k in (1, 2, 4, 8):
        slopes = a.reshape(k, 8 // k, 3).mean(axis=1)
        parts = [lambda w, s=s: (np.sum(s * w, axis=-1), s + 0 * w) for s in slopes]
        found.append(m_sharpness(parts, np.zeros(3), rho, p, steps=1).value)
        q = math.inf if p == 1 else 1.0 if p == math.inf else p / (p - 1)
        np.testing.assert_allclose(found[-1], rho * np.linalg.norm(slopes, q, axis=-1).mean(), rtol=1e-12)
    for larger, smaller in itertools.pairwise(found):
        assert smaller >= larger * (1 - 1e-13)


def test_smaller_parts_of_a_net_s_batch_are_sharper():
    found = [m_sharpness(ON_NET.parts(k), W_NET, 0.1, restarts=3).value for k in (1, 3, 12)]
    assert np.all(found[0] < found[1])
    assert np.all(found[1] < found[2])


# --- the average case ------------------------------------------------------------------------------------------------


def coverage(estimates, truth):
    """How often the truth lies within two standard errors: about 19 times in 20."""
    return np.mean([np.abs(e.value - truth) <= 2 * e.error for e in estimates])


def test_the_average_case_of_a_quadratic_is_half_sigma_squared_the_trace():
    sigma = 0.7
    truth = sigma**2 * np.trace(H) / 2
    # σ² zᵀHz/2 is skewed: of 100 samples only 93.8% of the intervals hold the truth, of 400 samples 95.0%
    found = [average_case(BOWL, W[0], sigma, samples=400, seed=seed) for seed in range(300)]
    share = coverage(found, truth)
    assert 0.91 < share < 0.985  # of 300 within 0.04 of 0.95, but for one time in a thousand
    deviation = sigma**2 * math.sqrt(2 * np.sum(H * H)) / 2  # of a sample
    np.testing.assert_allclose(np.mean([e.error for e in found]), deviation / 20, rtol=0.05)


def test_the_average_case_of_a_quadratic_grows_with_sigma_squared():
    one, small = (average_case(BOWL, np.zeros(len(W[0])), sigma, samples=50, seed=3) for sigma in (1.0, 0.01))
    np.testing.assert_allclose(small.value, 1e-4 * one.value, rtol=1e-10)
    np.testing.assert_allclose(small.error, 1e-4 * one.error, rtol=1e-10)


def test_the_average_case_of_a_loss_that_is_not_quadratic():
    w = np.array([0.5, -1.0, 2.0])
    truth = np.sum(6 * w**2 * 0.3**2 + 3 * 0.3**4)  # E (w + ε)⁴ − w⁴
    found = [average_case(lambda v: np.sum(v**4, axis=-1), w, 0.3, samples=100, seed=seed) for seed in range(300)]
    assert 0.91 < coverage(found, truth) < 0.985


def test_the_slope_cancels():
    slope = np.array([3.0, -4.0])
    found = average_case(lambda w: np.sum(slope * w, axis=-1), np.zeros(2), 1.0, samples=10)
    np.testing.assert_allclose(found.value, 0.0, atol=16 * EPS)
    np.testing.assert_allclose(found.error, 0.0, atol=16 * EPS)


def test_the_adaptive_average_case_weighs_curvature_by_the_weights():
    w = W[0]
    T = np.abs(w)
    found = average_case(BOWL, w, 0.1, adaptive=True, samples=400)
    assert abs(found.value - 0.1**2 * np.sum(T**2 * np.diag(H)) / 2) <= 4 * found.error


def test_a_loss_may_come_with_its_gradient():
    with_gradient, alone = (average_case(f, W, 0.1, samples=3) for f in (OF_BOWL, BOWL))
    np.testing.assert_allclose(with_gradient.value, alone.value, rtol=1e-12)


# --- invariance ------------------------------------------------------------------------------------------------------


def adaptive_ones(w, adaptive):
    return {
        "worst case": worst_case(ON_NET, w, 0.1, steps=5, restarts=2, adaptive=adaptive),
        "worst case, p = ∞": worst_case(ON_NET, w, 0.05, math.inf, steps=5, adaptive=adaptive),
        "m-sharpness": m_sharpness(ON_NET.parts(3), w, 0.1, steps=3, adaptive=adaptive).value,
        "average case": average_case(ON_NET, w, 0.1, adaptive, samples=5).value,
        "surrogate gap": surrogate_gap(ON_NET, w, 0.1, adaptive=adaptive),
        "accuracy": single_step_accuracy(ON_NET, w, 0.1, steps=5, adaptive=adaptive).ratio,
    }


@pytest.mark.parametrize("by", [0.25, 3.0])
def test_the_same_function_in_other_weights_has_another_sharpness_but_for_the_adaptive_ones(by):
    other = rescaled(W_NET, by)
    np.testing.assert_allclose(ON_NET(other)[0], ON_NET(W_NET)[0], rtol=1e-13)
    before, after = adaptive_ones(W_NET, True), adaptive_ones(other, True)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-9, err_msg=name)
    before, after = adaptive_ones(W_NET, False), adaptive_ones(other, False)
    for name in before:
        assert np.all(np.abs(after[name] / before[name] - 1) > 1e-5), name
    assert np.all(np.abs(gradient_norm(ON_NET, other) / gradient_norm(ON_NET, W_NET) - 1) > 1e-2)


def test_matrices_are_what_is_no_bias_and_no_norm():
    for model in (NET, cnn((4,), norm="batch"), vit(width=8, depth=1, heads=2)):
        named = model.unflatten(matrices(model))
        assert all(np.all(a == (a.ndim > 1)) for a in named.values())


# --- replicas, radii -------------------------------------------------------------------------------------------------

MEASURES = {
    "worst case": lambda w, rho: worst_case(ON_NET, w, rho, steps=4, restarts=2),
    "worst case, p = 1": lambda w, rho: worst_case(ON_NET, w, rho, 1, steps=4),
    "worst case, adaptive": lambda w, rho: worst_case(ON_NET, w, rho, steps=4, adaptive=matrices(NET)),
    "surrogate gap": lambda w, rho: surrogate_gap(ON_NET, w, rho),
    "m-sharpness": lambda w, rho: m_sharpness(ON_NET.parts(3), w, rho, steps=2).value,
    "m-sharpness, error": lambda w, rho: m_sharpness(ON_NET.parts(3), w, rho, steps=2).error,
    "average case": lambda w, rho: average_case(ON_NET, w, rho, samples=4).value,
    "average case, error": lambda w, rho: average_case(ON_NET, w, rho, samples=4).error,
    "accuracy": lambda w, rho: single_step_accuracy(ON_NET, w, rho, steps=4).ratio,
    "cosine": lambda w, rho: single_step_accuracy(ON_NET, w, rho, steps=4).cosine,
    "share of the second order": lambda w, rho: second_order(ON_NET, product_on_net, w, rho).share,
}


def product_on_net(w, v):
    return HVP_NET(w, v, X, Y)


@pytest.mark.parametrize("name", MEASURES)
def test_replicas_equal_separate_measurements_and_a_radius_of_more_axes_sweeps(name):
    measure, radii = MEASURES[name], np.array([0.02, 0.1, 0.5, 1.0])
    swept = measure(W_NET, radii[:, None, None])
    assert swept.shape == (4, 3)
    alone = [[measure(w, rho) for w in W_NET] for rho in radii]
    np.testing.assert_allclose(swept, alone, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(measure(W_NET[0], radii[:, None]), swept[:, 0], rtol=1e-9, atol=1e-14)


def test_the_dtype_stays_that_of_w_where_a_loss_stays_on_its_backend():
    w = W_NET.astype("float32")
    for a in (
        worst_case(ON_NET, w, np.float64(0.1), steps=2, restarts=1, adaptive=True),
        worst_point(ON_NET, w, 0.1, steps=2),
        gradient_norm(ON_NET, w),
        single_step_accuracy(ON_NET, w, 0.1, steps=2).ratio,
        second_order(ON_NET, product_on_net, w, 0.1).dropped,
    ):
        assert a.dtype == "float32"
    assert average_case(ON_NET, w, 0.1, samples=2).value.dtype == "float64"


@pytest.mark.parametrize(
    ("measure", "cost"),
    [
        (lambda f: worst_point(f, W, 0.1, steps=5, restarts=2), (2 + 1) * (5 + 2)),
        (lambda f: single_step(f, W, 0.1), 1),
        (lambda f: gradient_norm(f, W), 1),
        (lambda f: average_case(f, W, 0.1, samples=7), 1 + 2 * 7),
        (lambda f: second_order(f, hvp(BOWL), W, 0.1), 2),
    ],
)
def test_what_a_measure_costs(measure, cost):
    calls = []

    def watched(w):
        calls.append(w)
        return OF_BOWL(w)

    measure(watched)
    assert len(calls) == cost


# --- arguments -------------------------------------------------------------------------------------------------------

HOW = {"p": 1.5, "steps": 2, "restarts": 1, "adaptive": True, "inner": "ascent", "seed": 3, "progress": False}


@pytest.mark.parametrize(
    ("measure", "losses", "name"),
    [
        (worst_case, OF_BOWL, "loss_and_grad"),
        (worst_point, OF_BOWL, "loss_and_grad"),
        (single_step_accuracy, OF_BOWL, "loss_and_grad"),
        (m_sharpness, [OF_BOWL, waves], "parts"),
    ],
)
def test_a_measure_takes_the_fields_of_a_search_as_its_arguments(measure, losses, name):
    """By name, by place, and in the signature that an editor and `help` show."""
    parameters, fields = inspect.signature(measure).parameters, inspect.signature(Search).parameters
    assert list(parameters) == [name, "w", *fields]
    assert all(parameters[field] == fields[field] for field in fields)
    by_name = measure(**{name: losses, "w": W, "rho": 0.4}, **HOW)
    by_place = measure(losses, W, 0.4, *HOW.values())
    np.testing.assert_equal(np.asarray(vars_of(by_place)), np.asarray(vars_of(by_name)))
    with pytest.raises(TypeError, match="unexpected keyword argument 'restart'"):
        measure(losses, W, 0.4, restart=1)
    with pytest.raises(TypeError, match="missing a required argument: 'rho'"):
        measure(losses, W)


def vars_of(found):
    return found if isinstance(found, np.ndarray) else list(vars(found).values())


def test_the_point_of_a_single_step_is_that_of_sam():
    np.testing.assert_array_equal(
        worst_point(OF_BOWL, W, 0.3, 1.5, adaptive=True, inner="single-step"), single_step(OF_BOWL, W, 0.3, 1.5, True)
    )


# --- progress, errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "unit"),
    [
        (lambda progress: worst_case(OF_BOWL, W, 0.1, steps=1, restarts=3, progress=progress), "restart"),
        (lambda progress: single_step_accuracy(OF_BOWL, W, 0.1, steps=1, restarts=3, progress=progress), "restart"),
        (lambda progress: m_sharpness([OF_BOWL] * 3, W, 0.1, steps=1, progress=progress), "part"),
        (lambda progress: average_case(BOWL, W, 0.1, samples=3, progress=progress), "sample"),
    ],
)
def test_progress_is_shown_where_it_is_asked_for(measure, unit, capsys):
    measure(False)
    assert capsys.readouterr().err == ""
    measure(True)
    shown = capsys.readouterr().err
    assert "/3 [" in shown
    assert f"{unit}/s" in shown


@pytest.mark.parametrize(
    ("measure", "says"),
    [
        (lambda: worst_case(OF_BOWL, W, -0.1), "rho must be ≥ 0, got -0.1"),
        (lambda: worst_case(OF_BOWL, W, 0.1, p=0.5), "p must be in [1, ∞], got 0.5"),
        (lambda: worst_case(OF_BOWL, W, 0.1, steps=0), "steps must be a whole number ≥ 1, got 0"),
        (lambda: worst_case(OF_BOWL, W, 0.1, steps=2.5), "steps must be a whole number ≥ 1, got 2.5"),
        (lambda: worst_case(OF_BOWL, W, math.nan), "rho must be ≥ 0, got nan"),
        (lambda: worst_case(OF_BOWL, W, 0.1, restarts=-1), "restarts must be a whole number ≥ 0, got -1"),
        (lambda: worst_case(OF_BOWL, W, 0.1, restarts=0.5), "restarts must be a whole number ≥ 0, got 0.5"),
        (lambda: m_sharpness([OF_BOWL], W, 0.1, seed=-1), "seed must be a whole number ≥ 0, got -1"),
        (lambda: average_case(BOWL, W, 0.1, seed=1.5), "seed must be a whole number ≥ 0, got 1.5"),
        (
            lambda: worst_case(OF_BOWL, W, 0.1, inner="exact"),
            "inner must be one of 'ascent', 'single-step', got 'exact'",
        ),
        (lambda: gradient_norm(OF_BOWL, W, 0.0), "p must be in [1, ∞], got 0.0"),
        (lambda: m_sharpness([], W, 0.1), "parts must be a list of at least 1, got []"),
        (lambda: average_case(BOWL, W, -1.0), "sigma must be ≥ 0, got -1.0"),
        (lambda: average_case(BOWL, W, 0.1, samples=0), "samples must be a whole number ≥ 1, got 0"),
        (lambda: second_order(OF_BOWL, hvp(BOWL), W, -1), "rho must be ≥ 0, got -1"),
    ],
)
def test_what_is_refused_is_named(measure, says):
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        measure()
