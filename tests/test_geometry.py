"""Balls of another shape: in units of the weights, in the Fisher metric, along some weights only.

ASAM's invariances: papers/test_kwon_2021.py.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from variants import BASES, LINEAR, MODEL, Watched, assert_same_bits, assert_sweeps, batches, gradient, run, start, unit

from minisam import SAM, SGD, Quadratic, cnn, value_and_grad
from minisam.sam import ASAM, SAMON, FisherSAM

ALL, NONE = np.ones(MODEL.size), np.zeros(MODEL.size)


def epsilon_of(optimizer, w, loss_and_grad):
    watched = Watched(loss_and_grad)
    optimizer.step(w, optimizer.init(w), watched)
    first, second = watched.points
    np.testing.assert_array_equal(first, w)
    return second - w


# --- adaptive SAM ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("p", [1, 1.5, 2, math.inf])
def test_where_nothing_is_adaptive_it_is_sam_bit_for_bit(base, p):
    assert_same_bits(ASAM(BASES[base], 0.3, mask=NONE, p=p, l2=0.01), SAM(BASES[base], 0.3, p, l2=0.01))


@pytest.mark.parametrize("base", BASES)
def test_radius_0_is_the_base_bit_for_bit(base):
    assert_same_bits(ASAM(BASES[base], 0.0), BASES[base])
    assert_same_bits(FisherSAM(BASES[base], 0.0), BASES[base])


def test_a_mask_of_ones_is_none():
    assert_same_bits(ASAM(SGD(0.1), mask=ALL), ASAM(SGD(0.1)))


@pytest.mark.parametrize("chosen", ["all", "weights"])
def test_a_step_is_the_formula_of_algorithm_1(chosen):
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0] + 0.1
    mask = None if chosen == "all" else LINEAR.mask("weights", "float64")
    T, g = np.abs(w) + 0.02, gradient(w, batch.x, batch.y)
    if chosen == "weights":
        T[12:] = 1  # the biases
    eps = 0.3 * T**2 * g / np.linalg.norm(T * g)
    path, (info,), _ = run(ASAM(SGD(0.1), 0.3, eta=0.02, mask=mask, l2=0.05), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (gradient(w + eps, batch.x, batch.y) + 0.1 * w), rtol=1e-13)
    np.testing.assert_allclose(info["eps_norm"], np.linalg.norm(eps), rtol=1e-13)
    assert info["evaluations"] == 2


def test_on_a_cube_epsilon_is_the_weights_own_size_and_the_gradients_sign():
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    eps = epsilon_of(ASAM(SGD(0.1), 0.3, p=math.inf, eta=0), w, batch)
    np.testing.assert_allclose(eps, 0.3 * np.abs(w) * np.sign(gradient(w, batch.x, batch.y)), rtol=1e-9, atol=1e-16)


@given(
    st.integers(0, 1000), st.sampled_from([1, 1.2, 1.5, 2, 3, 10, math.inf]), st.floats(0.01, 10), st.floats(0.001, 1)
)
def test_epsilon_lies_on_the_rim_and_nothing_in_the_ball_rises_more(seed, p, rho, eta):
    rng = np.random.default_rng(seed)
    w, g = rng.standard_normal((2, 3, 6))
    T, q = np.abs(w) + eta, {1: math.inf, math.inf: 1}.get(p) or p / (p - 1)
    linear = lambda v: (np.sum(g * v, axis=-1), g)  # noqa: E731
    eps = epsilon_of(ASAM(SGD(0.1), rho, p=p, eta=eta), w, linear)
    np.testing.assert_allclose(np.linalg.norm(eps / T, p, axis=-1), rho, rtol=1e-9)  # w + ε − w has rounded ε
    rise = np.sum(g * eps, axis=-1)
    np.testing.assert_allclose(rise, rho * np.linalg.norm(T * g, q, axis=-1), rtol=1e-9)
    other = rng.standard_normal((200, 3, 6))
    other *= rho / np.linalg.norm(other, p, axis=-1, keepdims=True)
    assert np.all(np.sum(g * T * other, axis=-1) <= rise * (1 + 1e-9))


def test_without_eta_a_weight_of_0_is_not_perturbed():
    w = np.array([1.0, 0.0, -2.0])
    linear = lambda v: (v.sum(axis=-1), np.ones_like(v))  # noqa: E731
    assert np.all((epsilon_of(ASAM(SGD(0.1), eta=0), w, linear) == 0) == (w == 0))
    assert np.all(epsilon_of(ASAM(SGD(0.1)), w, linear) > 0)
    assert np.all(epsilon_of(ASAM(SGD(0.1), eta=0), 0 * w, linear) == 0)  # all are 0, and nothing is divided by 0


def test_a_filter_is_what_one_output_unit_sees():
    w = start()
    W0, b0, W1, b1 = (MODEL.unflatten(w)[name] for name in ("W0", "b0", "W1", "b1"))
    norms = MODEL.unflatten(MODEL.filter_norms(w))
    for k in range(2):
        for o in range(5):
            np.testing.assert_allclose(norms["W0"][k, :, o], math.sqrt(sum(W0[k, :, o] ** 2)), rtol=1e-14)
        for o in range(4):
            np.testing.assert_allclose(norms["W1"][k, :, o], math.sqrt(sum(W1[k, :, o] ** 2)), rtol=1e-14)
    np.testing.assert_array_equal(norms["b0"], np.abs(b0))
    np.testing.assert_array_equal(norms["b1"], np.abs(b1))


def test_the_filters_of_a_convolution_are_its_kernels():
    model = cnn((3, 2), (1, 8, 8), classes=2)
    w = model.init([0, 1], "float64")
    norms, parameters = model.unflatten(model.filter_norms(w)), model.unflatten(w)
    kernels = [name for name, shape in model.shapes.items() if len(shape) == 4]
    assert kernels
    for name in kernels:
        for k in range(2):
            for o in range(model.shapes[name][0]):
                size = np.linalg.norm(parameters[name][k, o].ravel())
                np.testing.assert_allclose(norms[name][k, o], size, rtol=1e-14)


@pytest.mark.parametrize("p", [2, math.inf])
def test_filter_by_filter_t_is_the_filters_norm(p):
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0] + 0.1
    W, b = w[:12].reshape(3, 4), w[12:]
    T = np.concatenate([np.tile(np.linalg.norm(W, axis=0), 3), np.abs(b)]) + 0.02
    g = gradient(w, batch.x, batch.y)
    expected = 0.3 * T**2 * g / np.linalg.norm(T * g) if p == 2 else 0.3 * T * np.sign(g)
    eps = epsilon_of(ASAM(SGD(0.1), 0.3, p=p, eta=0.02, model=LINEAR), w, batch)
    np.testing.assert_allclose(eps, expected, rtol=1e-9, atol=1e-15)


# --- Fisher SAM ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_with_eta_0_the_fisher_ball_is_sams_bit_for_bit(base):
    assert_same_bits(FisherSAM(BASES[base], 0.3, eta=0, l2=0.01), SAM(BASES[base], 0.3, l2=0.01))


def test_a_step_of_fisher_sam_is_its_formula():
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    g = gradient(w, batch.x, batch.y)
    u = g / (1 + 3 * g**2)
    eps = 0.3 * u / math.sqrt(g @ u)
    path, (info,), _ = run(FisherSAM(SGD(0.1), 0.3, eta=3.0, l2=0.05), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (gradient(w + eps, batch.x, batch.y) + 0.1 * w), rtol=1e-13)
    np.testing.assert_allclose(info["eps_norm"], np.linalg.norm(eps), rtol=1e-13)
    assert info["evaluations"] == 2


@given(st.integers(0, 1000), st.floats(0.01, 10), st.floats(0.0, 100))
def test_epsilon_lies_on_the_ellipsoid_inside_the_ball(seed, rho, eta):
    w, g = np.random.default_rng(seed).standard_normal((2, 3, 6))
    eps = epsilon_of(FisherSAM(SGD(0.1), rho, eta=eta), w, lambda v: (np.sum(g * v, axis=-1), g))
    np.testing.assert_allclose(np.sum(eps * (1 + eta * g**2) * eps, axis=-1), rho**2, rtol=1e-8)
    assert np.all(np.linalg.norm(eps, axis=-1) <= rho * (1 + 1e-9))


def test_the_fisher_ball_knows_the_scale_of_the_loss():
    H, w = np.diag([5.0, 1.0, 0.2]), np.array([1.0, -2.0, 0.5])
    here, larger = (
        epsilon_of(FisherSAM(SGD(0.1), 0.3), w, value_and_grad(Quadratic(scale * H))) for scale in (1.0, 10.0)
    )
    assert np.linalg.norm(unit(larger) - unit(here)) > 0.1
    tiny = epsilon_of(FisherSAM(SGD(0.1), 0.3), 0 * w, lambda v: (v.sum(), np.full_like(v, 1e-200)))
    np.testing.assert_allclose(np.linalg.norm(tiny), 0.3, rtol=1e-14)  # F = 1, and g² may vanish


# --- SAM-ON ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("p", [1, 1.5, 2, math.inf])
def test_sam_on_all_weights_is_sam_and_on_none_the_base_bit_for_bit(base, p):
    assert_same_bits(SAMON(BASES[base], 0.3, mask=ALL, p=p, l2=0.01), SAM(BASES[base], 0.3, p, l2=0.01))
    assert_same_bits(SAMON(BASES[base], 0.3, mask=NONE, p=p), BASES[base])


@pytest.mark.parametrize(("p", "size"), [(1, 1), (2, 2), (math.inf, math.inf)])
def test_sam_on_fills_the_ball_of_the_chosen_weights_and_moves_all(p, size):
    mask, w = MODEL.mask("biases"), start()
    optimizer = SAMON(SGD(0.1), 0.3, mask=mask, p=p)
    eps = epsilon_of(optimizer, w, batches()[0])
    np.testing.assert_allclose(np.linalg.norm(eps, size, axis=-1), 0.3, rtol=1e-13)
    assert np.all(eps[:, mask == 0] == 0)
    after, _, _ = optimizer.step(w, optimizer.init(w), batches()[0])
    assert np.all(after != w)


def test_a_step_of_sam_on_is_its_formula():
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    mask = LINEAR.mask("b0", "float64")
    eps = 0.3 * unit(mask * gradient(w, batch.x, batch.y))
    expected = w - 0.1 * gradient(w + eps, batch.x, batch.y)
    np.testing.assert_allclose(run(SAMON(SGD(0.1), 0.3, mask=mask), w, [batch])[0][0], expected, rtol=1e-13)


def test_sam_on_asks_for_a_mask():
    with pytest.raises(ValueError, match=r"mask must say which weights are perturbed, as model\.mask\(\"norm\"\) does"):
        SAMON(SGD(0.1))
    with pytest.raises(ValueError, match=r"p must be in \[1, ∞\], got 0.5"):
        SAMON(SGD(0.1), mask=ALL, p=0.5)


# --- what they take --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda rho, eta: ASAM(SGD(0.1), rho, eta=eta), {"rho": [0.0, 0.3], "eta": [0.0, 0.01]}),
        (lambda rho, eta: FisherSAM(SGD(0.1), rho, eta=eta), {"rho": [0.0, 0.3], "eta": [0.0, 1.0]}),
        (lambda rho: SAMON(SGD(0.1), rho, mask=MODEL.mask("weights")), {"rho": [0.0, 0.1]}),
    ],
)
def test_they_sweep(make, values, device):
    assert_sweeps(device, make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ASAM(SGD(0.1), -1.0), "rho must be ≥ 0, got -1.0"),
        (lambda: ASAM(SGD(0.1), p=0.5), r"p must be in \[1, ∞\], got 0.5"),
        (lambda: ASAM(SGD(0.1), eta=-0.1), "eta must be ≥ 0, got -0.1"),
        (lambda: FisherSAM(SGD(0.1), eta=-0.1), "eta must be ≥ 0, got -0.1"),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=f"^{says}$"):
        make()
