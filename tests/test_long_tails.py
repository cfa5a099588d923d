"""Reweighting: what it minimises, and weights of classes by the effective number of their examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from variants import LINEAR, MODEL, assert_same_bits, batches, by_hand, run, start

from minisam import SAM, SGD, Adam, BatchLoss, data, mlp, train
from minisam.long_tails import Reweighted, class_weights
from minisam.noisy_labels import Mixup, SmallLoss
from minisam.sam import ESAM, SAF, AsyncSAM, MSharpnessSAM, SAMPa

V = np.array([0.5, 2.0, 0.0, 1.5])


# --- weights of classes ----------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(any), st.floats(0, 1))
def test_a_weight_is_one_over_the_effective_number_and_their_mean_over_the_examples_is_1(n, beta):
    """The effective number 1 + β + β² + … + β^(n−1) of n examples, added up term by term."""
    labels = np.repeat(np.arange(len(n)), n)
    v = class_weights(labels, beta)
    effective = np.array([sum(beta**k for k in range(each)) for each in n[: len(v)]], dtype=float)
    there = effective > 0
    np.testing.assert_allclose(v[labels].mean(), 1, rtol=1e-12)
    np.testing.assert_allclose((v * effective)[there] / (v * effective)[there][0], 1, rtol=1e-8)
    np.testing.assert_array_equal(v[~there], 0)


def test_beta_0_weighs_examples_alike_and_beta_1_classes():
    labels = np.repeat([0, 1, 2], [60, 30, 6])
    np.testing.assert_allclose(class_weights(labels, 0.0), 1, rtol=1e-14)
    np.testing.assert_allclose(class_weights(labels) * [60, 30, 6], 32, rtol=1e-14)
    np.testing.assert_allclose(class_weights(labels, 1 - 1e-9), class_weights(labels), rtol=1e-7)


@pytest.mark.parametrize(
    ("labels", "beta", "says"),
    [
        ([0, 1], 1.5, r"beta must be in \[0, 1\], got 1.5"),
        ([0, -1], 1.0, r"labels must be classes \(m,\), whole numbers ≥ 0, got \(2,\) from -1"),
        ([[0, 1]], 1.0, r"labels must be classes \(m,\), whole numbers ≥ 0, got \(1, 2\) from 0"),
        ([], 1.0, "labels must"),
        ([0.5], 1.0, "labels must be an array of integers, got"),
    ],
)
def test_what_are_no_classes_is_named(labels, beta, says):
    with pytest.raises((ValueError, TypeError), match=says):
        class_weights(labels, beta)


# --- training with them ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [SGD(0.1, momentum=0.9), Adam(0.01)])
def test_weights_of_one_are_the_optimizer(base):
    for optimizer in (base, SAM(base, 0.3, l2=0.01)):
        path, told, _ = run(Reweighted(optimizer, np.ones(4)), start(), batches())
        expected, its, _ = run(optimizer, start(), batches())
        np.testing.assert_allclose(path, expected, rtol=1e-9, atol=1e-12)
        assert [info["evaluations"] for info in told] == [info["evaluations"] for info in its]


def test_a_step_is_that_of_the_weighted_sum_of_the_examples_by_hand():
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    losses, slopes, _ = by_hand(w, batch.x, batch.y)
    v = V[batch.y]
    path, (info,), _ = run(Reweighted(SGD(0.1), V), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (v @ slopes) / 8, rtol=1e-12)
    np.testing.assert_allclose(info["loss"], v @ losses / 8, rtol=1e-13)
    eps = 0.3 * (v @ slopes) / np.linalg.norm(v @ slopes)
    path, (info,), _ = run(Reweighted(SAM(SGD(0.1), 0.3), V), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (v @ by_hand(w + eps, batch.x, batch.y)[1]) / 8, rtol=1e-12)
    assert info["evaluations"] == 2


def test_weights_by_class_make_the_loss_the_mean_over_the_classes_of_their_mean_losses():
    rng, w = np.random.default_rng(0), start(LINEAR)
    x, y = rng.standard_normal((20, 3)), np.repeat([0, 1, 2, 3], [11, 6, 2, 1])
    loss, g = BatchLoss(LINEAR).on(x, y).weighted(class_weights(y)[y])(w)
    alone = [BatchLoss(LINEAR).on(x[y == c], y[y == c])(w) for c in range(4)]
    np.testing.assert_allclose(loss, np.mean([each[0] for each in alone], axis=0), rtol=1e-12)
    np.testing.assert_allclose(g, np.mean([each[1] for each in alone], axis=0), rtol=1e-10, atol=1e-14)


def test_an_example_of_a_class_that_weighs_nothing_is_not_seen():
    here = batches()
    there = [BatchLoss(MODEL).on(np.where(b.y[:, None] == 2, 7.0, b.x), b.y) for b in here]
    assert any((b.y == 2).any() for b in here)
    for wrapped in (SGD(0.1), SAM(SGD(0.1), 0.3), SmallLoss(SGD(0.1), 0.0)):
        optimizer = Reweighted(wrapped, V)
        np.testing.assert_allclose(
            run(optimizer, start(), there)[0], run(optimizer, start(), here)[0], rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize(
    "inner",
    [AsyncSAM(SGD(0.1)), SAMPa(SGD(0.1)), MSharpnessSAM(SGD(0.1), groups=4), ESAM(SGD(0.1)), SAF(SGD(0.1), 24, 4)],
    ids=lambda inner: type(inner).__name__,
)
def test_a_replica_is_reweighted_as_alone(inner):
    rng = np.random.default_rng(0)
    examples = rng.standard_normal((24, 3)), rng.integers(0, 4, 24)
    settings = {"epochs": 2, "batch_size": 8, "progress": False}
    together = train(MODEL, examples, Reweighted(inner, V), seed=[3, 4], **settings)
    for k in (3, 4):
        alone = train(MODEL, examples, Reweighted(inner, V), seed=k, **settings)
        np.testing.assert_array_equal(together.select(seed=k).w, alone.w)


def test_on_a_device_it_has_the_same_numbers(device):
    expected, _, _ = run(Reweighted(SAM(SGD(0.1), 0.3), V), start(), batches())
    with device.in_use():
        from minisam import array_backend

        losses = [BatchLoss(MODEL).on(array_backend.asarray(b.x), array_backend.asarray(b.y)) for b in batches()]
        state = SGD(0.1).init(w := MODEL.init([0, 1], "float64"))
        for k, loss in enumerate(losses):
            w, state, _ = Reweighted(SAM(SGD(0.1), 0.3), V).step(w, state, loss)
            device.assert_close(w, expected[k], rtol=1e-9, atol=1e-12)


def test_its_bits_are_those_of_a_weighted_batch():
    weighted = [b.weighted(V[b.y]) for b in batches()]
    direct = [run(SGD(0.1), start(), weighted)[0], run(Reweighted(SGD(0.1), V), start(), batches())[0]]
    np.testing.assert_array_equal(*direct)
    assert_same_bits(Reweighted(Reweighted(SGD(0.1), V), V), Reweighted(SGD(0.1), V * V))


def test_a_checkpoint_of_other_weights_is_of_another_training(tmp_path):
    rng = np.random.default_rng(0)
    examples = rng.standard_normal((24, 3)), rng.integers(0, 4, 24)
    settings = {"epochs": 1, "batch_size": 8, "progress": False, "checkpoint": tmp_path / "run.npz"}
    train(MODEL, examples, Reweighted(SGD(0.1), V), **settings)
    with pytest.raises(ValueError, match="belongs to another training"):
        train(MODEL, examples, Reweighted(SGD(0.1), 2 * V), **settings)


def test_on_a_long_tail_it_finds_the_rare_classes():
    digits = data.long_tailed(data.digits(train=1000), 80, 4)
    plain, reweighted = (
        train(mlp((64, 10)), digits, optimizer, 10, 32, range(4), progress=False)
        for optimizer in (SGD(0.3), Reweighted(SGD(0.3), class_weights(digits.y_train)))
    )
    reached = [run.evaluate(digits.x_test, digits.y_test)["balanced_accuracy"] for run in (plain, reweighted)]
    assert (reached[1] > reached[0] + 0.1).all()


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: Reweighted(SGD(0.1), -V), ValueError, r"weights must be an array \(c,\) of numbers ≥ 0, got"),
        (lambda: Reweighted(SGD(0.1), V[:, None]), ValueError, r"weights must be an array \(c,\) of numbers ≥ 0, got"),
        (lambda: Reweighted(SGD(0.1), V / 0), ValueError, "weights must be finite"),
        (lambda: Reweighted(SGD, V), TypeError, "optimizer must be an optimizer such as SGD"),
        (lambda: Reweighted(Mixup(SGD(0.1)), V), TypeError, "Reweighted cannot go around Mixup: a mixture has two"),
        (lambda: run(Reweighted(SGD(0.1), V[:3]), start(), batches()), ValueError, "y must be in 0 … 2, got 0 … 3"),
        (lambda: run(Reweighted(SGD(0.1), V), start(), [lambda w: (w, w)]), TypeError, "Reweighted needs BatchLoss"),
    ],
)
@np.errstate(all="ignore")
def test_what_is_refused_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()
