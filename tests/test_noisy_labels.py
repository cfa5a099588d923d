"""The baselines for noisy labels do what their papers say."""

from dataclasses import replace

import numpy as np
import pytest

from minisam import SAM, SGD, BatchLoss, array_backend, cross_entropy, mlp, train, value_and_grad
from minisam.data import Data
from minisam.draws import stream
from minisam.losses import generalised_cross_entropy
from minisam.noisy_labels import Mixup, OtherLoss, SmallLoss
from minisam.ops import softmax

MODEL = mlp((3, 5, 4), "tanh")
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((48, 3)), RNG.integers(0, 4, 48)
DATA = Data("toy", X[:32], Y[:32], X[32:40], Y[32:40], X[40:], Y[40:])
W = MODEL.init([0, 1], "float64")


def step(optimizer, x=X[:8], y=Y[:8], w=W, t=0):
    return optimizer.step(w, optimizer.init(w) | {"t": t}, BatchLoss(MODEL).on(x, y))[0]


def quiet(optimizer, epochs=3, data=DATA, **options):
    return train(MODEL, data, optimizer, epochs, 8, [0, 1], progress=False, dtype="float64", **options)


def test_mixup_is_a_step_on_mixed_examples_with_both_labels():
    draw = stream("mixup", 5, 0, 0)
    order, s = draw.permutation(8), draw.beta(0.4, 0.4)
    x, y = s * X[:8] + (1 - s) * X[:8][order], (Y[:8], Y[:8][order])

    def loss(w):
        z = MODEL.apply(w, x)
        return s * cross_entropy(z, y[0]) + (1 - s) * cross_entropy(z, y[1])

    plain = SGD(0.1).step(W, SGD(0.1).init(W), value_and_grad(loss))[0]
    np.testing.assert_allclose(step(Mixup(SGD(0.1), 0.4, seed=5)), plain, rtol=1e-12)


def test_mixtures_are_drawn_anew_for_each_step_and_are_the_same_in_both_passes():
    mixed = Mixup(SAM(SGD(0.1), 0.0), 0.4)
    np.testing.assert_allclose(step(mixed), step(Mixup(SGD(0.1), 0.4)), rtol=1e-14)
    assert not np.allclose(step(mixed, t=1), step(mixed))


def smoothed(z, y):
    return cross_entropy(z, y, 0.3)


def test_another_loss_is_that_of_all_passes_and_is_traced_once():
    for rule in (SGD(0.1), SAM(SGD(0.1), 0.5), SmallLoss(SGD(0.1), 0.5, warmup=1)):
        losses, other = BatchLoss(MODEL), OtherLoss(rule, smoothed)
        for _ in range(2):
            found, _, info = other.step(W, other.init(W) | {"t": 3}, losses.on(X[:8], Y[:8]))
        direct, _, of_it = rule.step(W, rule.init(W) | {"t": 3}, BatchLoss(MODEL, smoothed).on(X[:8], Y[:8]))
        np.testing.assert_array_equal(found, direct)
        np.testing.assert_array_equal(info["loss"], of_it["loss"])
        assert np.abs(found - step(rule, t=3)).max() > 1e-4
        assert losses.with_loss(smoothed) is losses.with_loss(smoothed)


def test_a_run_with_another_loss_is_evaluated_by_its_own():
    run, plain = quiet(OtherLoss(SGD(0.1), smoothed)), quiet(SGD(0.1), loss=smoothed)
    np.testing.assert_array_equal(run.w, plain.w)
    np.testing.assert_array_equal(run.history["train_loss"], plain.history["train_loss"])
    np.testing.assert_allclose(run.evaluate(X, Y)["loss"], cross_entropy(MODEL.apply(run.w, X), Y), rtol=1e-12)


def test_small_loss_leaves_out_the_examples_with_the_largest():
    losses = BatchLoss(MODEL).on(X[:8], Y[:8]).losses(W)
    stepped = step(SmallLoss(SGD(0.1), noise=0.5, warmup=1), t=9)
    for k in range(2):
        kept = np.argsort(losses[k])[:4]
        np.testing.assert_allclose(stepped[k], step(SGD(0.1), X[kept], Y[kept], W[k]), rtol=1e-12)


def test_small_loss_begins_with_all_and_without_noise_keeps_all():
    np.testing.assert_allclose(step(SmallLoss(SGD(0.1), 0.5)), step(SGD(0.1)), rtol=1e-12)
    np.testing.assert_allclose(step(SmallLoss(SGD(0.1), 0.0), t=999), step(SGD(0.1)), rtol=1e-12)


RULE = SAM(SGD(0.1, 0.9), 0.05)
WRAPPED = [Mixup(RULE), SmallLoss(RULE, 0.4, 5), OtherLoss(RULE, generalised_cross_entropy)]


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_wrappers_train_and_each_replica_is_its_own_run(wrapped, device):
    run = quiet(wrapped)
    for k in range(2):
        alone = train(MODEL, DATA, wrapped, 3, 8, k, progress=False, dtype="float64")
        np.testing.assert_allclose(run.w[k], alone.w, rtol=1e-10)
    assert run.history["evaluations"][-1] == 3 * 4 * 2
    with device.in_use():
        on_device = quiet(wrapped)
        np.testing.assert_allclose(array_backend.asnumpy(on_device.w), run.w, rtol=1e-10)


def test_generalised_cross_entropy_lies_between_cross_entropy_and_the_unhinged_loss():
    z = RNG.standard_normal((2, 6, 4))
    p = np.take_along_axis(softmax(z), Y[:6][None, :, None], -1)[..., 0]
    np.testing.assert_allclose(generalised_cross_entropy(z, Y[:6], 0.7), ((1 - p**0.7) / 0.7).mean(-1), rtol=1e-12)
    np.testing.assert_allclose(generalised_cross_entropy(z, Y[:6], 1.0), (1 - p).mean(-1), rtol=1e-12)
    np.testing.assert_allclose(generalised_cross_entropy(z, Y[:6], 1e-6), cross_entropy(z, Y[:6]), rtol=1e-5)


@pytest.mark.parametrize("recorded", [True, False])
def test_generalised_cross_entropy_keeps_single_precision(recorded):
    model = mlp((3, 4))
    x = RNG.standard_normal((6, 3)).astype("float32")
    loss, g = value_and_grad(model, generalised_cross_entropy, recorded=recorded)(model.init([0, 1]), x, Y[:6])
    assert loss.dtype == g.dtype == np.float32


@pytest.mark.parametrize("q", [0.3, 1.0])
def test_generalised_cross_entropy_is_differentiable_where_the_label_has_no_probability(q):
    model = mlp((1, 2))
    _, g = value_and_grad(model, lambda z, y: generalised_cross_entropy(z, y, q))(
        np.array([1e4, 0.0, 0.0, 0.0]), np.ones((1, 1)), np.array([1])
    )
    assert np.all(g == 0)


def test_a_loss_of_ones_own_trains_and_is_evaluated():
    run = quiet(SGD(0.1), loss=smoothed)
    measured = run.evaluate(X, Y)
    np.testing.assert_allclose(measured["loss"], smoothed(MODEL.apply(run.w, X), Y), rtol=1e-12)
    assert "accuracy" in measured


def test_best_keeps_each_replicas_best_epoch(tmp_path):
    noisy = replace(DATA, y_train=RNG.integers(0, 4, 32))
    history = quiet(SGD(0.5), 12, noisy).history["validation_accuracy"]
    best = quiet(SGD(0.5), 12, noisy, best=True)
    epochs = history.argmax(axis=0) + 1
    assert len(set(epochs)) > 1 or epochs[0] < 12
    for k in range(2):
        assert np.array_equal(best.w[k], quiet(SGD(0.5), int(epochs[k]), noisy).w[k])
    path = tmp_path / "checkpoint.npz"
    quiet(SGD(0.5), 5, noisy, best=True, checkpoint=path)
    assert np.array_equal(quiet(SGD(0.5), 12, noisy, best=True, checkpoint=path).w, best.w)


def test_best_of_targets_is_the_smallest_loss():
    targets = RNG.standard_normal((48, 4))
    data = Data("toy", X[:32], targets[:32], X[32:40], targets[32:40], X[40:], targets[40:])
    losses = quiet(SGD(0.3), 8, data, loss="mse").history["validation_loss"]
    best = quiet(SGD(0.3), 8, data, loss="mse", best=True)
    np.testing.assert_allclose(best.evaluate(X[32:40], targets[32:40])["loss"], losses.min(axis=0), rtol=1e-12)


BAD = {
    "alpha": (lambda: Mixup(SGD(0.1), 0.0), "alpha must be > 0, got 0.0"),
    "noise": (lambda: SmallLoss(SGD(0.1), 1.0), r"noise must be in \[0, 1\), got 1.0"),
    "warmup": (lambda: SmallLoss(SGD(0.1), 0.5, 0), "warmup must be a whole number ≥ 1, got 0"),
    "loss": (lambda: quiet(OtherLoss(SGD(0.1), lambda z, y: cross_entropy(z, y, 2.0))), "label_smoothing must be in"),
    "q": (lambda: generalised_cross_entropy(X, Y, 0.0), r"q must be in \(0, 1\], got 0.0"),
    "best": (lambda: quiet(SGD(0.1), data=(X, Y), best=True), "best needs data with a validation part"),
}


@pytest.mark.parametrize(("make", "says"), BAD.values(), ids=BAD)
def test_bad_arguments_are_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()
