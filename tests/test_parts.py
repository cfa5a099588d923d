"""Gradients in two parts: which are cut, and that nothing but the time they take tells it."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import strict
from hypothesis import given
from hypothesis import strategies as st

from minisam import (
    SAM,
    SGD,
    array_backend,
    cnn,
    cross_entropy,
    gpt,
    hvp,
    mlp,
    mse,
    resnet,
    threads,
    train,
    value_and_grad,
    vit,
)
from minisam.autodiff import layout
from minisam.autodiff.layout import multiplications, plan_of
from minisam.autodiff.memory import Cache
from minisam.autodiff.parts import Examples, Parts, Plan, Quiet, Replicas
from minisam.batch import BatchLoss
from minisam.losses import generalised_cross_entropy
from minisam.sam import SAMPa

SHAPE = (1, 4, 4)
MODELS = {
    "mlp": mlp((16, 8, 3)),
    "cnn": cnn((4,), SHAPE, 3),
    "cnn, group norm": cnn((4,), SHAPE, 3, norm="group"),
    "resnet": resnet((4, 8), SHAPE, 3, norm="none"),
    "vit": vit(SHAPE, patch=2, width=8, depth=1, heads=2, classes=3),
    "gpt": gpt(5, context=6, width=8, depth=1, heads=2),
}
BATCH_NORM = {
    "cnn": cnn((4,), SHAPE, 3, norm="batch"),
    "resnet": resnet((4,), SHAPE, 3),
}
SMOOTHED = partial(cross_entropy, label_smoothing=0.1)
LOSSES = {"cross_entropy": cross_entropy, "smoothed": SMOOTHED, "generalised": generalised_cross_entropy, "mse": mse}


@pytest.fixture
def all_large(monkeypatch):
    """Every net is as large as one that is cut."""
    for name in ("LARGE", "MANY", "THREADED"):
        monkeypatch.setattr(layout, name, 0)


def batch_of(model, m, lead=(), targets=False, seed=0):
    rng = np.random.default_rng(seed)
    if model.tokens:
        return rng.integers(0, 5, (*lead, m, 6)), rng.integers(0, 5, (*lead, m, 6))
    y = rng.standard_normal((*lead, m, 3)) if targets else rng.integers(0, 3, (*lead, m))
    return rng.standard_normal((*lead, m, 16)), y


def weights(model, seeds=0):
    return model.init(seeds, "float64") + 0.1


def whole(f):
    """The same function, never cut."""
    return replace(f, plan=lambda point, batch: None, recorded=False, cache=Cache())


def assert_equal_up_to_rounding(got, right):
    for a, b in zip(got, right, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def assert_same(got, right):
    for a, b in zip(got, right, strict=True):
        np.testing.assert_array_equal(a, b)


# --- halves of a batch -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1, 2, 3, 7])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", MODELS)
def test_the_mean_over_the_parts_is_the_gradient_of_the_whole_batch(name, loss, m, all_large):
    model = MODELS[name]
    if model.tokens and loss == "mse":
        return  # tokens are classes
    f, (x, y), w = value_and_grad(model, LOSSES[loss]), batch_of(model, m, targets=loss == "mse"), weights(model)
    assert isinstance(f.plan((w,), (x, y)), Examples if m > 1 else Plan)
    for _ in range(2):  # traced, and replayed
        assert_equal_up_to_rounding(f(w, x, y), whole(f)(w, x, y))


@pytest.mark.parametrize("name", MODELS)
def test_a_product_with_the_hessian_is_the_mean_over_the_parts(name, all_large):
    f, model = hvp(MODELS[name]), MODELS[name]
    (x, y), w = batch_of(model, 5), weights(model, [0, 1])
    v = np.random.default_rng(1).standard_normal(w.shape)
    for _ in range(2):
        np.testing.assert_allclose(f(w, v, x, y), whole(f)(w, v, x, y), rtol=1e-11, atol=1e-12)


@given(m=st.integers(1, 9), lead=st.sampled_from([(), (1,), (3,), (2, 2)]), own=st.booleans(), seed=st.integers(0, 99))
def test_replicas_are_cut_with_their_batches(m, lead, own, seed):
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in ("MANY", "THREADED"):
            monkeypatch.setattr(layout, name, 0)
        model = MODELS["mlp"]
        f, (x, y) = value_and_grad(model), batch_of(model, m, lead if own else (), seed=seed)
        w = np.random.default_rng(seed).standard_normal((*lead, model.size))
        assert_equal_up_to_rounding(f(w, x, y), whole(f)(w, x, y))


@pytest.mark.parametrize("name", MODELS)
def test_a_recorded_gradient_in_parts_is_the_traced_one_bit_for_bit(name, all_large):
    model = MODELS[name]
    recorded, eager = (value_and_grad(model, recorded=recorded) for recorded in (True, False))
    for seeds in (0, [0, 1, 2]):
        w, (x, y) = model.init(seeds), batch_of(model, 5)
        for scale in (1, 2, 3):
            assert_same(recorded(scale * w, x, y), eager(scale * w, x, y))
    assert all(isinstance(record, Parts) for record in recorded.cache.records.values())


@pytest.mark.parametrize("name", MODELS)
def test_a_replica_in_parts_has_the_bits_that_it_has_alone(name, all_large):
    model = MODELS[name]
    f, w, (x, y) = value_and_grad(model), model.init([0, 1, 2]), batch_of(model, 5, (3,))
    for _ in range(2):
        losses, g = f(w, x, y)
        for k in range(3):
            assert_same((losses[k], g[k]), f(w[k], x[k], y[k]))


@pytest.mark.parametrize("name", MODELS)
def test_mixed_weighted_and_anchored_batches_are_means_over_the_parts_too(name, all_large):
    model = MODELS[name]
    (x, y), w = batch_of(model, 6, (2,)), weights(model, [0, 1])
    losses, p = BatchLoss(model), np.full((2, 36 if model.tokens else 6, 5 if model.tokens else 3), 0.25)
    batch = losses.on(x, y)
    mixed = batch if model.tokens else batch.mixed(np.array([0.3, 0.8]), np.arange(6)[::-1])
    weighted, v = batch.weighted(np.arange(12.0).reshape(2, 6) / 12), w / np.linalg.norm(w)

    def gradients(batch, mixed, weighted):
        near = [
            batch.near(w, p, 2.0, 0.5),
            mixed.near(w, p, 2.0, np.array([[0.5], [0.1]])),
            weighted.near(w, p, 2.0, 0.5),
        ]
        return [mixed(w), weighted(w), *near, (weighted.hvp(w, v),), (mixed.hvp(w, v),)]

    got = gradients(batch, mixed, weighted)
    for key, f in losses._made.items():
        losses._made[key] = whole(f)
    right = gradients(*map(replace, (batch, mixed, weighted)))  # bound anew
    for one, other in zip(got, right, strict=True):
        assert_equal_up_to_rounding(one, other)


# --- halves of the replicas ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lead", [(2,), (3,), (2, 3), (1, 3), (3, 1)])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("name", BATCH_NORM)
def test_replicas_in_parts_have_the_same_bits(name, own, lead, all_large):
    model = BATCH_NORM[name]
    f, (x, y) = value_and_grad(model), batch_of(model, 5, lead if own else ())
    w = np.random.default_rng(0).standard_normal((*lead, model.size))
    assert isinstance(f.plan((w,), (x, y)), Replicas)
    for _ in range(2):
        got, right = f(w, x, y), whole(f)(w, x, y)
        assert_same(got, right)
        assert got.statistics.keys() == right.statistics.keys()
        assert_same(got.statistics.values(), right.statistics.values())


def test_small_nets_are_cut_along_replicas_if_these_are_many(monkeypatch):
    model = MODELS["mlp"]
    f, w, (x, y) = value_and_grad(model), model.init(range(6)), batch_of(model, 5)
    uncut = f(w, x, y)
    work = sum(multiplications(model, x))
    monkeypatch.setattr(layout, "THREADED", 0)
    for large, many, kind in ((work, 0, Examples), (work + 1, 6 * work, Replicas), (work + 1, 6 * work + 1, Plan)):
        monkeypatch.setattr(layout, "LARGE", large)
        monkeypatch.setattr(layout, "MANY", many)
        assert type(f.plan((w,), (x, y))) is kind
    monkeypatch.setattr(layout, "MANY", 6 * work)
    assert_same(value_and_grad(model)(w, x, y), uncut)


# --- what is cut -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1, 4])
def test_the_multiplications_of_a_forward_pass_are_counted(m):
    count = lambda model, x: sum(multiplications(model, x))  # noqa: E731
    images, rows = np.zeros((m, 16)), 4 * m  # of a convolution of 4 × 4 images, and 4 patches
    assert count(mlp((16, 8, 3)), images) == m * (16 * 8 + 8 * 3)
    assert count(cnn((4,), SHAPE, 3), images) == m * (16 * 4 * 9 + 4 * 4 * 3)
    tokens = 5 * m  # with the class token
    block = tokens * (4 * 8 * 8 + 2 * 8 * 32) + 2 * m * 5 * 5 * 8
    assert count(MODELS["vit"], images) == rows * 4 * 8 + block + m * 8 * 3
    tokens = 6 * m
    block = tokens * (4 * 8 * 8 + 2 * 8 * 32) + 2 * m * 6 * 6 * 8
    assert count(MODELS["gpt"], np.zeros((m, 6), int)) == block + tokens * 8 * 5


def test_whether_a_net_is_cut_depends_on_one_replica_alone():
    """Else a replica of a sweep would not have the bits that it has alone."""
    model = mlp((784, 512, 512, 10))
    x, y = np.zeros((128, 784), "float32"), np.zeros(128, int)
    plan = plan_of(model, cross_entropy)
    for lead in ((), (1,), (3,), (2, 5)):
        w = np.zeros((*lead, model.size), "float32")
        assert isinstance(plan((w,), (x, y)), Examples)
        assert not isinstance(plan((w,), (x[:4], y[:4])), Examples)


def test_a_toy_net_has_no_plan_and_digits_only_a_quiet_blas():
    for sizes, m, record in (((2, 32, 32, 2), 64, None), ((64, 256, 256, 10), 128, Quiet)):
        model = mlp(sizes)
        f, x, y = value_and_grad(model), np.zeros((m, sizes[0]), "float32"), np.zeros(m, int)
        f(model.init(0), x, y)
        (made,) = f.cache.records.values()
        assert isinstance(made, Quiet) == (record is Quiet)
        assert not isinstance(made, Parts)


def largest_loss(z, y):
    return z.max(axis=(-2, -1))


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        (MODELS["mlp"], largest_loss),  # whose examples meet
        (MODELS["mlp"], partial(mse, np.zeros((4, 3)))),
        (replace(MODELS["mlp"], forward=lambda p, x: x[:, :3] - x[:, :3].mean(axis=0)), cross_entropy),
        (BATCH_NORM["cnn"], cross_entropy),
    ],
)
def test_what_is_not_known_to_be_a_mean_over_examples_is_not_cut(model, loss, all_large):
    w, (x, y) = weights(model), batch_of(model, 4)
    assert type(plan_of(model, loss)((w,), (x, y))) is Plan


def test_a_loss_whose_examples_meet_has_the_gradient_of_the_whole_batch(all_large):
    model = MODELS["mlp"]
    f, w, (x, y) = value_and_grad(model, largest_loss), weights(model, [0, 1]), batch_of(MODELS["mlp"], 4)
    for _ in range(2):
        assert_same(f(w, x, y), whole(f)(w, x, y))


def test_labels_that_do_not_fit_are_refused_as_ever(all_large):
    f, w, (x, y) = value_and_grad(MODELS["mlp"]), weights(MODELS["mlp"]), batch_of(MODELS["mlp"], 6)
    for wrong, says in ((y[:5], r"got \(5,\)"), (np.where(np.arange(6) == 5, 3, y), "labels must be in 0 … 2")):
        with pytest.raises(ValueError, match=says):
            f(w, x, wrong)
        with pytest.raises(ValueError, match="w must have shape"):
            f(w[1:], x, y)
        assert_equal_up_to_rounding(f(w, x, y), whole(f)(w, x, y))
    with pytest.raises(ValueError, match="labels must be in 0 … 2"):  # in the half that another thread computes
        f(w, x, np.where(np.arange(6) == 5, 3, y))


def test_on_a_device_nothing_is_cut(all_large, monkeypatch):
    monkeypatch.setitem(array_backend.BACKENDS, "strict", strict.backend)
    model = MODELS["mlp"]
    x, y = batch_of(model, 4)
    with array_backend.use("strict"):
        there = [array_backend.asarray(a) for a in (weights(model), x, y)]
        assert plan_of(model, cross_entropy)(there[:1], there[1:]) is None


def test_a_gradient_within_a_traced_loss_is_not_cut(all_large):
    """There the weights are boxes, and another thread would wait for this trace."""
    model = MODELS["mlp"]
    inner, (x, y) = value_and_grad(model), batch_of(model, 4)
    inner(weights(model), x, y)
    outer = value_and_grad(lambda w: inner(w, x, y)[0], check=False)
    assert_equal_up_to_rounding(outer(weights(model)), inner(weights(model), x, y))


# --- the same bits ---------------------------------------------------------------------------------------------------


def trained(model, epochs=3, **options):
    x, y = batch_of(model, 20)
    x = x if model.tokens else x.astype("float32")
    return train(model, (x, y), SAM(SGD(0.05, momentum=0.9)), epochs, 7, progress=False, **options).w


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("name", MODELS)
def test_a_training_has_the_same_bits_on_any_number_of_threads(name, n, all_large):
    with threads.use(2):
        right = trained(MODELS[name], seed=[0, 1])
    with threads.use(n):
        np.testing.assert_array_equal(trained(MODELS[name], seed=[0, 1]), right)


@pytest.mark.parametrize("name", MODELS)
def test_a_training_that_goes_on_from_a_checkpoint_has_the_same_bits(name, all_large, tmp_path):
    path, right = tmp_path / "run.npz", trained(MODELS[name])
    with threads.use(2):
        trained(MODELS[name], epochs=1, checkpoint=path)
    with threads.use(1):  # on another machine
        np.testing.assert_array_equal(trained(MODELS[name], checkpoint=path), right)


def test_gradients_in_parts_within_two_parallel_ones(all_large):
    model = MODELS["mlp"]
    runs = []
    for n in (1, 2):
        with threads.use(n):
            runs.append(train(model, batch_of(model, 20), SAMPa(SGD(0.05)), 2, 8, progress=False).w)
    assert_same(*[[w] for w in runs])
