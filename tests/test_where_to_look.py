"""SAM's nearest relatives: another length of the step, more steps, smaller groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from variants import (
    BASES,
    LINEAR,
    MODEL,
    Watched,
    assert_same_bits,
    assert_sweeps,
    batches,
    by_hand,
    gradient,
    run,
    start,
    unit,
)

from minisam import SAM, SGD, BatchLoss, Quadratic, sam_objective, value_and_grad
from minisam.sam import USAM, MSharpnessSAM, MultiStepSAM

H = np.diag([5.0, 3.0, 1.0, 0.2])
BOWL = value_and_grad(Quadratic(H))
W4 = np.random.default_rng(1).standard_normal((3, 4))


def looked_at(optimizer, w, loss_and_grad):
    """The ε of each gradient that one step takes."""
    watched = Watched(loss_and_grad)
    optimizer.step(w, optimizer.init(w), watched)
    return [point - w for point in watched.points]


@pytest.mark.parametrize("base", BASES)
def test_radius_0_is_the_base_bit_for_bit(base):
    for variant in (USAM, MultiStepSAM):
        assert_same_bits(variant(BASES[base], 0.0), BASES[base])


# --- unnormalised SAM ------------------------------------------------------------------------------------------------


def test_a_step_of_usam_is_its_formula():
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    g = gradient(w, batch.x, batch.y)
    path, (info,), _ = run(USAM(SGD(0.1), 0.3, l2=0.05), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (gradient(w + 0.3 * g, batch.x, batch.y) + 0.1 * w), rtol=1e-13)
    np.testing.assert_allclose(info["eps_norm"], 0.3 * np.linalg.norm(g), rtol=1e-13)
    np.testing.assert_allclose(info["grad_norm"], np.linalg.norm(g), rtol=1e-13)
    np.testing.assert_allclose(info["loss"], by_hand(w, batch.x, batch.y)[0].mean(), rtol=1e-13)
    assert info["evaluations"] == 2


def test_on_a_quadratic_usam_descends_the_loss_plus_a_squared_gradient():
    """(I + ρH) g = ∇(L + ρ/2 ‖g‖²)."""
    penalised = Quadratic(H + 0.3 * H @ H)
    path, _, _ = run(USAM(SGD(0.1), 0.3), W4, [BOWL] * 4)
    expected, _, _ = run(SGD(0.1), W4, [value_and_grad(penalised)] * 4)
    np.testing.assert_allclose(path, expected, rtol=1e-12, atol=1e-15)


def test_usam_looks_farther_where_the_loss_is_steeper():
    steeper = value_and_grad(Quadratic(7 * H))
    np.testing.assert_allclose(looked_at(USAM(SGD(0.1), 0.3), W4, steeper)[1], 7 * 0.3 * W4 @ H, rtol=1e-13, atol=1e-15)
    alike = (looked_at(SAM(SGD(0.1), 0.3), W4, loss)[1] for loss in (BOWL, steeper))
    np.testing.assert_allclose(*alike, rtol=1e-12, atol=1e-15)


# --- several ascent steps --------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.sampled_from(["float32", "float64"]), st.sampled_from([0.03, 0.1, 7.0]))
def test_one_step_of_ascent_is_sam_bit_for_bit(seed, dtype, rho):
    w = MODEL.init([seed, seed + 1], dtype)
    assert_same_bits(MultiStepSAM(SGD(0.1), rho, steps=1), SAM(SGD(0.1), rho), w, batches(1, seed=seed, dtype=dtype))


@pytest.mark.parametrize("base", BASES)
def test_ascent_steps_of_length_0_are_the_base_bit_for_bit(base):
    assert_same_bits(MultiStepSAM(BASES[base], 0.3, steps=3, alpha=0.0), BASES[base])


@pytest.mark.parametrize(
    "alpha", [0.05, 0.15, 0.4, None]
)  # never at the rim; at the last step; at once, with both defaults
def test_several_ascent_steps_are_the_formula(alpha):
    rho, length = 0.3, 0.3 if alpha is None else alpha
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    eps, points = np.zeros(16), []
    for _ in range(3):
        points.append(eps)
        eps = eps + length * unit(gradient(w + eps, batch.x, batch.y))
        eps = eps * min(1, rho / np.linalg.norm(eps))
    path, (info,), _ = run(MultiStepSAM(SGD(0.1), rho, steps=3, alpha=alpha, l2=0.05), w, [batch])
    expected = w - 0.1 * (gradient(w + eps, batch.x, batch.y) + 0.1 * w)
    np.testing.assert_allclose(path[0], expected, rtol=1e-12)
    np.testing.assert_allclose(info["eps_norm"], np.linalg.norm(eps), rtol=1e-12)
    assert info["evaluations"] == 4
    seen = looked_at(MultiStepSAM(SGD(0.1), rho, steps=3, alpha=alpha), w, batch)
    np.testing.assert_allclose(seen, [*points, eps], atol=1e-14)


@given(st.integers(1, 6), st.floats(0, 3), st.floats(0, 2))
def test_no_step_of_ascent_leaves_the_ball(steps, alpha, rho):
    looks = looked_at(MultiStepSAM(SGD(0.1), rho, steps=steps, alpha=alpha), W4, BOWL)
    assert len(looks) == steps + 1
    for eps in looks:
        assert np.all(np.linalg.norm(eps, axis=-1) <= rho * (1 + 1e-13) + 1e-15)


def test_many_ascent_steps_come_to_the_worst_point_of_the_ball():
    eps = looked_at(MultiStepSAM(SGD(0.1), 0.5, steps=200, alpha=0.05), W4, BOWL)[-1]
    loss = Quadratic(H)
    np.testing.assert_allclose(loss(W4 + eps), sam_objective(loss, W4, 0.5, inner="exact"), rtol=1e-9)
    assert np.all(loss(W4 + eps) > sam_objective(loss, W4, 0.5))  # the single step's


# --- m-sharpness -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_one_group_is_sam_bit_for_bit(base):
    assert_same_bits(MSharpnessSAM(BASES[base], 0.3, groups=1, l2=0.01), SAM(BASES[base], 0.3, l2=0.01))


@pytest.mark.parametrize("groups", [2, 4, 8])
def test_each_group_looks_where_its_own_loss_rises(groups):
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    d = np.zeros(16)
    for x, y in zip(np.split(batch.x, groups), np.split(batch.y, groups), strict=True):
        d += gradient(w + 0.3 * unit(gradient(w, x, y)), x, y) / groups
    path, (info,), _ = run(MSharpnessSAM(SGD(0.1), 0.3, groups=groups, l2=0.05), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (d + 0.1 * w), rtol=1e-12)
    np.testing.assert_allclose(info["loss"], by_hand(w, batch.x, batch.y)[0].mean(), rtol=1e-13)
    np.testing.assert_allclose(info["grad_norm"], np.linalg.norm(gradient(w, batch.x, batch.y)), rtol=1e-12)
    np.testing.assert_allclose(info["eps_norm"], 0.3, rtol=1e-13)
    assert info["evaluations"] == 2


@pytest.mark.parametrize("groups", [2, 8])
def test_with_radius_0_groups_make_no_difference(groups):
    path, _, _ = run(MSharpnessSAM(SGD(0.1), 0.0, groups=groups), start(), batches())
    np.testing.assert_allclose(path, run(SGD(0.1), start(), batches())[0], rtol=1e-12, atol=1e-15)  # summed in parts


@pytest.mark.parametrize("groups", [2, 4, 8])
def test_if_all_examples_are_alike_so_are_all_groups(groups):
    x, y = np.tile([[0.3, -1.0, 0.5]], (8, 1)), np.full(8, 2)
    alike = [BatchLoss(MODEL).on(x, y)] * 3
    path, _, _ = run(MSharpnessSAM(SGD(0.1), 0.3, groups=groups), start(), alike)
    np.testing.assert_allclose(path, run(SAM(SGD(0.1), 0.3), start(), alike)[0], rtol=1e-11)


# --- what they take --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda rho: USAM(SGD(0.1), rho), {"rho": [0.0, 0.3]}),
        (lambda rho, alpha: MultiStepSAM(SGD(0.1), rho, alpha=alpha), {"rho": [0.1, 0.3], "alpha": [0.05, 0.2]}),
        (lambda rho, l2: MSharpnessSAM(SGD(0.1), rho, l2=l2), {"rho": [0.0, 0.3], "l2": [0.0, 0.1]}),
    ],
)
def test_they_sweep(make, values):
    assert_sweeps(make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: USAM(SGD(0.1), -1.0), "rho must be ≥ 0, got -1.0"),
        (lambda: USAM(SGD(0.1), l2=-1.0), "l2 must be ≥ 0, got -1.0"),
        (lambda: MultiStepSAM(SGD(0.1), steps=0), "steps must be a whole number ≥ 1, got 0"),
        (lambda: MultiStepSAM(SGD(0.1), alpha=-0.1), "alpha must be ≥ 0, got -0.1"),
        (lambda: MSharpnessSAM(SGD(0.1), groups=0), "groups must be a whole number ≥ 1, got 0"),
        (
            lambda: run(MSharpnessSAM(SGD(0.1), groups=3), start(), batches()),
            "parts must divide the 8 examples of the batch, got 3",
        ),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=f"^{says}$"):
        make()


def test_groups_need_a_batch():
    with pytest.raises(TypeError, match=r"needs loss_and_grad\.parts: hand it BatchLoss\(model\)\.on\(x, y\)"):
        run(MSharpnessSAM(SGD(0.1)), W4, [BOWL])
