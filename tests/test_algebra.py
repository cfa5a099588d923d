"""The pieces that variants are made of; and that a variant with SAM's direction is SAM."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam import SAM, SGD, Adam, cross_entropy, mlp, mse, sam, value_and_grad
from minisam.batch import BatchLoss, divergence
from minisam.checks import check_random_seed
from minisam.draws import normal
from minisam.losses import each
from minisam.ops import norm, softmax
from minisam.sam import GNP, Variant, across, along, epsilon, mix
from minisam.sam.algebra import Look, Rule

MODEL = mlp((3, 5, 4), "tanh")
RNG = np.random.default_rng(0)
X, Y, TARGETS = RNG.standard_normal((6, 3)), RNG.integers(0, 4, 6), RNG.standard_normal((6, 4))
BATCH = BatchLoss(MODEL).on(X, Y)
W = MODEL.init([0, 1], "float64")


@dataclass(frozen=True)
class PlainSAM(Variant):
    def direction(self, look, state):
        return look(epsilon(look(), self.rho))


@dataclass(frozen=True)
class Remembers(Variant):
    def memory(self, w):
        return {"before": 0 * w}

    def direction(self, look, state):
        g = look()
        d, state["before"] = g - state["before"], g
        return d


@pytest.mark.parametrize("base", [SGD(0.1, momentum=0.9), Adam(0.01)])
@pytest.mark.parametrize("l2", [0.0, 1e-3])
def test_a_variant_with_sams_direction_is_sam_bit_for_bit(base, l2):
    variant, sam = PlainSAM(base, 0.1, l2=l2), SAM(base, 0.1, l2=l2)
    (a, state_a), (b, state_b) = ((W, optimizer.init(W)) for optimizer in (variant, sam))
    for _ in range(3):
        a, state_a, told_a = variant.step(a, state_a, BATCH)
        b, state_b, told_b = sam.step(b, state_b, BATCH)
    assert np.array_equal(a, b)
    assert told_a.keys() == told_b.keys()
    for key, value in told_b.items():
        np.testing.assert_allclose(told_a[key], value, rtol=1e-14)


def test_the_variant_in_contributing_is_one():
    text = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    names = {"__name__": __name__}  # of a module, which dataclasses look up
    exec(text.split("```python\n")[1].split("```")[0], names)
    partly, gnp = names["Partly"](SGD(0.1), rho=0.3), GNP(SGD(0.1), 0.3, alpha=0.5)
    (w, _, info), (expected, _, _) = (variant.step(W, variant.init(W), BATCH) for variant in (partly, gnp))
    np.testing.assert_allclose(w, expected, rtol=1e-12, atol=1e-15)
    assert info["evaluations"] == 2


def test_memory_is_kept_beside_the_bases_and_nothing_is_changed_in_place():
    variant = Remembers(SGD(0.1, momentum=0.9))
    state = variant.init(W)
    before = {key: np.copy(a) for key, a in state.items()}
    _, after, info = variant.step(W, state, BATCH)
    assert {key: np.copy(a).tobytes() for key, a in state.items()} == {k: a.tobytes() for k, a in before.items()}
    assert np.array_equal(after["before"], BATCH(W)[1])
    assert after["t"] == 1
    assert info["evaluations"] == 1
    assert np.all(info["eps_norm"] == 0)


@given(st.integers(0, 1000))
def test_along_and_across_are_orthogonal_and_add_up(seed):
    a, b = np.random.default_rng(seed).standard_normal((2, 3, 7))
    np.testing.assert_allclose(along(a, b) + across(a, b), a, atol=1e-14)
    np.testing.assert_allclose(np.sum(across(a, b) * b, axis=-1), 0, atol=1e-13)
    np.testing.assert_allclose(along(b, 3 * b), b, atol=1e-14)
    assert np.array_equal(across(a, 0 * b), a)


def test_a_mixture_is_either_part_exactly_at_its_ends():
    a, b = RNG.standard_normal((2, 50)).astype("float32")
    assert np.array_equal(mix(a, b, 0), a)
    assert np.array_equal(mix(a, b, 1), b)
    np.testing.assert_allclose(mix(a, b, 0.25), 0.75 * a + 0.25 * b, rtol=1e-6)


def test_looks_are_counted_and_the_first_is_told():
    look = Look(W, BATCH)
    g, eps = look(), 0.1 * W
    look(eps)
    look.some(np.array([0, 1, 5]))
    info = look.info()
    assert info["evaluations"] == 2.5
    np.testing.assert_allclose(info["loss"], BATCH(W)[0], rtol=1e-14)
    np.testing.assert_allclose(info["grad_norm"], norm(g)[..., 0], rtol=1e-14)
    np.testing.assert_allclose(info["eps_norm"], norm(eps)[..., 0], rtol=1e-14)


def test_labels_weights_and_curvature_are_there_for_a_variant_and_are_counted():
    look, v, eps = Look(W, BATCH), np.arange(6.0), 0.1 * W
    np.testing.assert_array_equal(look.labels(), Y)
    np.testing.assert_array_equal(look.weighted(v, eps), BATCH.weighted(v)(W + eps)[1])
    assert look.evaluations == 1
    np.testing.assert_array_equal(look.hvp(W, eps), BATCH.hvp(W + eps, W))
    np.testing.assert_array_equal(look.hvp(W), BATCH.hvp(W, W))
    assert look.evaluations == 5
    np.testing.assert_array_equal(look.info()["eps_norm"], norm(eps)[..., 0])


def test_parts_of_a_batch_average_to_the_batch_and_cost_one_gradient():
    look = Look(W, BATCH)
    parts = look.parts(3)
    g = look.gather(parts, [part() for part in parts])
    np.testing.assert_allclose(g, BATCH(W)[1], rtol=1e-12)
    np.testing.assert_allclose(look.first[0], BATCH(W)[0], rtol=1e-12)
    assert look.evaluations == 1


def test_what_a_plain_function_cannot_give_is_named():
    with pytest.raises(TypeError, match=r"needs loss_and_grad\.losses: hand it BatchLoss\(model\)\.on\(x, y\)"):
        Look(W, value_and_grad(lambda w: (w * w).sum(axis=-1))).losses()


@pytest.mark.parametrize(("loss", "y"), [(cross_entropy, Y), (mse, TARGETS)])
def test_losses_of_examples_average_to_the_loss(loss, y):
    batch = BatchLoss(MODEL, loss).on(X, y)
    losses = batch.losses(W)
    assert losses.shape == (2, 6)
    np.testing.assert_allclose(losses.mean(axis=-1), batch(W)[0], rtol=1e-12)
    for i in range(6):
        np.testing.assert_allclose(losses[:, i], loss(MODEL.apply(W, X[i : i + 1]), y[i : i + 1]), rtol=1e-12)


def test_the_distance_to_outputs_is_zero_at_them_and_has_its_textbook_gradient():
    p = softmax(BATCH.outputs(W) / 2.0)
    loss, g = BATCH(W)
    for lam, target in ((0.7, p), (0.7, 0 * p), (0.0, p[::-1])):
        near, g_near = BATCH.near(W, target, 2.0, lam)
        np.testing.assert_allclose(near, loss, rtol=1e-14)
        np.testing.assert_allclose(g_near, g, atol=1e-15)
    np.testing.assert_allclose(
        BATCH.near(W, p[::-1], 2.0, 0.7)[0], loss + 0.7 * 4 * divergence(p[::-1], BATCH.outputs(W) / 2), rtol=1e-14
    )
    z, q = RNG.standard_normal((5, 4)), softmax(RNG.standard_normal((5, 4)))
    _, slope = value_and_grad(lambda z: divergence(q, z.reshape(5, 4)))(z.ravel())
    np.testing.assert_allclose(slope.reshape(5, 4), (softmax(z) - q) / 5, rtol=1e-10, atol=1e-14)


def test_the_distance_to_outputs_stays_in_single_precision_and_is_recorded():
    w, x = W.astype("float32"), X.astype("float32")
    batch = BatchLoss(MODEL).on(x, Y)
    p = softmax(batch.outputs(w))
    for at in (w, 2 * w):  # the second time replayed: a warning, if it could not be
        distance, g = batch.near(at, p, 2.0, 0.7)
        assert distance.dtype == g.dtype == "float32"
        there = BATCH.near(at.astype("float64"), p.astype("float64"), 2.0, 0.7)
        np.testing.assert_allclose(g, there[1], rtol=0, atol=1e-6)


def test_replicas_with_batches_of_their_own_have_parts_of_their_own():
    x, y = RNG.standard_normal((2, 6, 3)), RNG.integers(0, 4, (2, 6))
    parts = BatchLoss(MODEL).on(x, y).parts(2)
    for k in range(2):
        alone = BatchLoss(MODEL).on(x[k], y[k]).parts(2)
        for part, one in zip(parts, alone, strict=True):
            np.testing.assert_allclose(part(W)[1][k], one(W[k])[1], rtol=1e-12)
    np.testing.assert_allclose(
        each(cross_entropy, MODEL.apply(W, x), y), BatchLoss(MODEL).on(x, y).losses(W), rtol=1e-12
    )


def test_a_loss_of_ones_own_may_have_any_attributes():
    def loss_and_grad(w):
        return np.sum(w * w, axis=-1) / 2, w

    loss_and_grad.gradient = None
    w, _, _ = SAM(SGD(1.0), 0.5).step(W, SAM(SGD(1.0)).init(W), loss_and_grad)
    np.testing.assert_allclose(w, -0.5 * W / np.linalg.norm(W, axis=-1, keepdims=True), rtol=1e-12)  # w − (w + ε)


def test_the_sizes_of_the_parts_differ_by_one_example_at_most():
    for k, sizes in ((4, [1, 2, 1, 2]), (5, [1, 1, 1, 1, 2]), (8, [1] * 6)):
        assert [len(part.y) for part in BATCH.parts(k)] == sizes
        assert np.array_equal(np.concatenate([part.x for part in BATCH.parts(k)]), BATCH.x)
    with pytest.raises(ValueError, match="k must be a whole number ≥ 1, got 0"):
        BATCH.parts(0)


def test_one_seed_draws_the_same_for_all_and_an_array_each_its_own():
    together, each_its_own = normal("a", 3, 7, W), normal("a", np.array([[3], [4]]), 7, W)
    assert together.shape == (MODEL.size,)
    assert np.array_equal(each_its_own[0], together)
    assert not np.array_equal(each_its_own[1], together)
    assert not np.array_equal(normal("a", 3, 8, W), together)
    for bad in (-1, 0.5, np.array([1, 2])):
        with pytest.raises(ValueError, match="seed must be a whole number ≥ 0"):
            check_random_seed("seed", bad)


def test_a_base_is_an_optimizer_and_the_radius_a_radius():
    with pytest.raises(TypeError, match="base must be a base optimizer"):
        PlainSAM(SGD)
    with pytest.raises(ValueError, match="rho must be ≥ 0"):
        PlainSAM(SGD(0.1), -1)


# --- the L2 term -----------------------------------------------------------------------------------------------------

SETTINGS = {
    "SAMON": {"mask": MODEL.mask("weights", "float64")},
    "SAF": {"examples": 6, "classes": 4},
    "SSAM": {"groups": 3},
    "MSharpnessSAM": {"groups": 3},
    "ImbSAM": {"tail": [1]},
}
WITH_L2 = {
    name: kind
    for name, kind in vars(sam).items()
    if isinstance(kind, type) and issubclass(kind, Rule) and kind not in (Rule, sam.Sometimes, sam.Composed)
}


@pytest.mark.parametrize("above", [Rule, sam.Composed, Variant, sam.Sometimes, SAM, GNP])
def test_a_rule_with_a_step_of_its_own_is_refused(above):
    with pytest.raises(TypeError, match=r"^Forgetful must not have a step of its own, which could forget the L2 term"):
        type("Forgetful", (above,), {"step": lambda self, w, state, loss_and_grad: (w, state, {})})


def test_a_rule_with_the_step_of_another_class_is_refused():
    mixin = type("Mixin", (), {"step": lambda self, w, state, loss_and_grad: (w, state, {})})
    with pytest.raises(TypeError, match="step of its own"):
        type("Forgetful", (mixin, Variant), {})


def test_every_rule_has_an_l2_term():
    assert len(WITH_L2) > 30
    assert all("l2" in {f.name for f in fields(kind)} for kind in WITH_L2.values())


@pytest.mark.parametrize("lam", [0.1, np.array([[0.3], [0.1]])], ids=["a number", "an array"])
@pytest.mark.parametrize("name", ["SGD", *WITH_L2])
def test_l2_adds_2_lambda_w_to_the_direction_and_nothing_else(name, lam):
    """A step of plain SGD from the same weights differs by −η 2λw. (MSAM needs momentum, which is 0 at the first step.)"""

    def stepped(l2):
        if name == "SGD":
            optimizer = SGD(0.2, l2=l2)
        else:
            base = SGD(0.2, momentum=0.9 if name == "MSAM" else 0.0)
            optimizer = WITH_L2[name](base, l2=l2, **SETTINGS.get(name, {}))
        return optimizer.step(W, optimizer.init(W), BatchLoss(MODEL).on(X, Y, np.arange(6)))

    (w, _, told), (w_l2, _, told_l2) = stepped(0.0), stepped(lam)
    np.testing.assert_allclose(w_l2 - w, -0.2 * 2 * lam * W, rtol=1e-12, atol=1e-15)
    for key in told:
        np.testing.assert_array_equal(told_l2[key], told[key])
