"""Some of the weights move to w + ε, or some of the examples count there."""

import math

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

from minisam import SAM, SGD, BatchLoss, mlp, mse, train, value_and_grad
from minisam.draws import stream, uniform
from minisam.sam import ESAM, SSAM, MSharpnessSAM
from minisam.sam.subsets import largest

N = MODEL.size


def looked_at(optimizer, w, batch, state=None):
    """ε of one step, and the state after it."""
    watched = Watched(batch)
    _, state, _ = optimizer.step(w, state or optimizer.init(w), watched)
    return watched.points[-1] - w, state


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


def test_groups_need_a_batch():
    with pytest.raises(TypeError, match=r"needs loss_and_grad\.parts: hand it BatchLoss\(model\)\.on\(x, y\)"):
        run(MSharpnessSAM(SGD(0.1)), start(), [value_and_grad(lambda w: (w * w).sum(axis=-1))])


# --- sparse SAM ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("masks", ["fisher", "dynamic"])
def test_sparsity_0_is_sam_and_1_the_base_bit_for_bit(base, masks):
    settings = {"masks": masks, "every": 2, "steps": 4, "l2": 0.01}
    assert_same_bits(SSAM(BASES[base], 0.3, sparsity=0, **settings), SAM(BASES[base], 0.3, l2=0.01))
    assert_same_bits(SSAM(BASES[base], 0.3, sparsity=1, **settings), SAM(BASES[base], 0.0, l2=0.01))


@given(st.floats(0, 1), st.sampled_from(["fisher", "dynamic"]), st.floats(0, 1))
def test_the_mask_has_its_number_of_ones_at_every_step(sparsity, masks, drop):
    optimizer = SSAM(SGD(0.1), 0.3, sparsity=sparsity, masks=masks, every=1, drop=drop, steps=3)
    w, state = start(), optimizer.init(start())
    for batch in batches():
        w, state, _ = optimizer.step(w, state, batch)
        assert set(np.unique(state["mask"])) <= {0.0, 1.0}
        np.testing.assert_array_equal(state["mask"].sum(axis=-1), round((1 - sparsity) * N))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_swept_sparsity_leaves_as_many_weights_as_alone(dtype):
    """(1 − 0.1) · 115 lies halfway between two whole numbers: the last bit of 0.1 decides."""
    model, sparsity = mlp((3, 13, 3, 4, 1)), [0.1, 0.9]
    assert model.size == 115
    w, batch = model.init([0, 1], dtype), BatchLoss(model, mse).on(np.ones((8, 3), dtype), np.ones((8, 1), dtype))
    _, together = looked_at(SSAM(SGD(0.1), sparsity=np.array(sparsity)[:, None]), w, batch)
    for k in range(2):
        _, alone = looked_at(SSAM(SGD(0.1), sparsity=sparsity[k]), w[k], batch)
        np.testing.assert_array_equal(together["mask"][k], alone["mask"])


def test_a_masked_step_has_the_length_of_all_of_g():
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    optimizer = SSAM(SGD(0.1), 0.3, sparsity=0.5)
    eps, state = looked_at(optimizer, w, batch)
    expected = state["mask"] * 0.3 * unit(gradient(w, batch.x, batch.y))
    np.testing.assert_allclose(eps, expected, rtol=1e-12, atol=1e-15)
    assert np.linalg.norm(eps) < 0.3
    after, _, info = optimizer.step(w, optimizer.init(w), batch)
    np.testing.assert_allclose(after, w - 0.1 * gradient(w + expected, batch.x, batch.y), rtol=1e-13)
    np.testing.assert_allclose(info["eps_norm"], np.linalg.norm(expected), rtol=1e-12)


@pytest.mark.parametrize("groups", [8, 4, 2])
def test_the_fisher_mask_has_the_largest_mean_squared_gradients(groups):
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    _, slopes, _ = by_hand(w, batch.x, batch.y)
    fisher = np.mean(slopes.reshape(groups, -1, 16).mean(axis=1) ** 2, axis=0)
    _, state = looked_at(SSAM(SGD(0.1), 0.3, sparsity=0.75, groups=groups), w, batch)
    assert set(np.flatnonzero(state["mask"])) == set(np.argsort(fisher)[-4:])


def test_masks_are_kept_between_and_a_new_fisher_mask_costs_a_gradient():
    _, told, _ = run(SSAM(SGD(0.1), every=3), start(), batches(7))
    assert [info["evaluations"] for info in told] == [3, 2, 2, 3, 2, 2, 3]
    optimizer = SSAM(SGD(0.1), 0.3, every=2, masks="dynamic")
    w, state, masks = start(), optimizer.init(start()), []
    for batch in batches(4):
        w, state, info = optimizer.step(w, state, batch)
        masks.append(state["mask"])
        assert info["evaluations"] == 2
    np.testing.assert_array_equal(masks[0], masks[1])
    np.testing.assert_array_equal(masks[2], masks[3])
    assert not np.array_equal(masks[1], masks[2])


@pytest.mark.parametrize(("sparsity", "drop"), [(0.5, 0.5), (0.2, 1.0), (0.9, 0.3)])
def test_the_dynamic_mask_drops_the_smallest_and_lets_others_grow(sparsity, drop):
    ones, steps = round((1 - sparsity) * 16), 3
    optimizer = SSAM(SGD(0.1), 0.3, sparsity=sparsity, masks="dynamic", every=1, drop=drop, steps=steps)
    w, before = start(LINEAR)[0], None
    state = optimizer.init(w)
    for t, batch in enumerate(batches(6, model=LINEAR)):
        size = np.abs(gradient(w, batch.x, batch.y))
        w, state, _ = optimizer.step(w, state, batch)
        active = set(np.flatnonzero(state["mask"]))
        if before:
            share = drop * (1 + math.cos(math.pi * min(t / steps, 1))) / 2
            dropped = min(round(share * ones), 16 - ones)
            assert len(before - active) == dropped
            assert before - active == set(sorted(before, key=size.__getitem__)[:dropped])
        before = active


def test_where_weights_grow_is_chance_from_the_seed():
    def masks(seed):
        optimizer = SSAM(SGD(0.1), masks="dynamic", seed=seed)
        return optimizer.step(start(), optimizer.init(start()), batches()[0])[1]["mask"]

    np.testing.assert_array_equal(masks(3)[0], masks(3)[1])  # one seed, one mask for all replicas
    each_its_own = masks(np.array([[3], [4]]))
    np.testing.assert_array_equal(each_its_own[0], masks(3)[0])
    np.testing.assert_array_equal(each_its_own[1], masks(4)[0])
    assert not np.array_equal(*each_its_own)


def test_the_largest_are_as_many_as_asked_for_even_among_equals():
    scores = np.array([[1.0, 5, 5, 5, 0, 5], [0, 0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(largest(scores, 3).sum(axis=-1), 3)
    np.testing.assert_array_equal(largest(scores, np.array([[5], [2]])).sum(axis=-1), [5, 2])
    np.testing.assert_array_equal(largest(scores, 5)[0], [1, 1, 1, 1, 0, 1])


def test_a_uniform_number_is_never_rounded_up_to_one():
    """In single precision they are whole multiples of 2⁻²⁴ below 1; numbers in double, rounded, would be no such multiples."""
    u = uniform("a", 0, 5, np.zeros(10_000, "float32"))
    assert u.dtype == "float32"
    np.testing.assert_array_equal(u.astype("float64") * 2**24 % 1, 0)
    assert u.max() < 1
    assert 0.49 < u.mean() < 0.51


# --- efficient SAM ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["SGD", "momentum"])
def test_esam_with_all_weights_and_examples_is_sam(base):
    esam, told, _ = run(ESAM(BASES[base], 0.3, beta=1, gamma=1, l2=0.01), start(), batches())
    sam, _, _ = run(SAM(BASES[base], 0.3, l2=0.01), start(), batches())
    np.testing.assert_allclose(esam, sam, rtol=1e-12, atol=1e-14)  # a weighted mean is summed in another order
    assert [info["evaluations"] for info in told] == [2] * 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_with_beta_1_epsilon_is_sams_bit_for_bit(dtype):
    w, batch = start(dtype=dtype), batches(dtype=dtype)[0]
    _, _, info = ESAM(SGD(0.1), 0.3, beta=1).step(w, {"t": 0, "v": 0 * w}, batch)
    _, _, of_sam = SAM(SGD(0.1), 0.3).step(w, {"t": 0, "v": 0 * w}, batch)
    np.testing.assert_array_equal(info["eps_norm"], of_sam["eps_norm"])


@pytest.mark.parametrize(("gamma", "kept"), [(0.5, 4), (0.75, 6), (0.01, 1), (1, 8)])
def test_esam_keeps_the_examples_that_suffer_most(gamma, kept):
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    optimizer = ESAM(SGD(0.1), 0.3, beta=0.5, gamma=gamma, seed=2)
    mask = stream("weights to perturb", 2, 0, 0).random(16) < 0.5
    eps = 0.3 / 0.5 * mask * unit(gradient(w, batch.x, batch.y))
    before, after = by_hand(w, batch.x, batch.y), by_hand(w + eps, batch.x, batch.y)
    worst = np.argsort(after[0] - before[0])[-kept:]
    path, (info,), _ = run(optimizer, w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * after[1][worst].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(info["eps_norm"], np.linalg.norm(eps), rtol=1e-12)
    np.testing.assert_allclose(info["loss"], before[0].mean(), rtol=1e-13)
    assert info["evaluations"] == 1 + kept / 8


def test_on_average_esams_epsilon_is_sams_and_longer():
    """E ε = ρ g/‖g‖ and E‖ε‖² = ρ²/β, for 4,000 seeds at once, within four standard errors."""
    batch, beta, k = batches(model=LINEAR)[0], 0.3, 4000
    w = np.broadcast_to(start(LINEAR)[0], (k, 16))
    watched = Watched(batch)
    at = []
    watched.losses = lambda w: (at.append(w), batch.losses(w))[1]
    optimizer = ESAM(SGD(0.1), 0.3, beta=beta, seed=np.arange(k)[:, None])
    optimizer.step(w, optimizer.init(w), watched)
    eps = at[0] - w
    sams = 0.3 * unit(gradient(w[0], batch.x, batch.y))
    assert np.all(np.abs(eps.mean(axis=0) - sams) < 4 * eps.std(axis=0) / math.sqrt(k))
    squares = np.sum(eps**2, axis=-1)
    assert abs(squares.mean() - 0.3**2 / beta) < 4 * squares.std() / math.sqrt(k)


def test_esam_in_training_spends_its_share_of_gradients():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((40, 3)), rng.integers(0, 4, 40)
    history = train(MODEL, data, ESAM(SGD(0.1), gamma=0.25), 3, batch_size=8, progress=False).history
    np.testing.assert_array_equal(history["evaluations"], 1.25 * 5 * np.arange(1, 4))


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda rho, l2: MSharpnessSAM(SGD(0.1), rho, l2=l2), {"rho": [0.0, 0.3], "l2": [0.0, 0.1]}),
        (lambda rho, sparsity: SSAM(SGD(0.1), rho, sparsity=sparsity, every=2), {"rho": [0.1], "sparsity": [0.3, 0.9]}),
        (lambda sparsity: SSAM(SGD(0.1), 0.2, sparsity=sparsity, masks="dynamic", every=1), {"sparsity": [0.3, 0.9]}),
        (lambda beta: ESAM(SGD(0.1), 0.2, beta=beta), {"beta": [0.4, 1.0]}),
    ],
)
def test_they_sweep(make, values, device):
    assert_sweeps(device, make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: MSharpnessSAM(SGD(0.1), groups=0), "groups must be a whole number ≥ 1, got 0"),
        (lambda: SSAM(SGD(0.1), sparsity=1.5), r"sparsity must be in \[0, 1\], got 1.5"),
        (lambda: SSAM(SGD(0.1), drop=-0.5), r"drop must be in \[0, 1\], got -0.5"),
        (lambda: SSAM(SGD(0.1), masks="random"), "masks must be one of 'fisher', 'dynamic', got 'random'"),
        (lambda: SSAM(SGD(0.1), every=0), "every must be a whole number ≥ 1, got 0"),
        (lambda: SSAM(SGD(0.1), steps=0), "steps must be a whole number ≥ 1, got 0"),
        (lambda: SSAM(SGD(0.1), groups=1.5), "groups must be a whole number ≥ 1, got 1.5"),
        (lambda: SSAM(SGD(0.1), seed=-1), "seed must be a whole number ≥ 0"),
        (lambda: ESAM(SGD(0.1), beta=0), r"beta must be in \(0, 1\], got 0"),
        (lambda: ESAM(SGD(0.1), beta=np.array([[0.5], [1.5]])), r"beta must be in \(0, 1\], got"),
        (lambda: ESAM(SGD(0.1), gamma=0), r"gamma must be in \(0, 1\], got 0"),
        (
            lambda: ESAM(SGD(0.1), gamma=np.array([0.5])),
            r"gamma must be a number in \(0, 1\], not an array, got shape \(1,\)",
        ),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()
