"""A batch is its examples: mixed, cut in parts or chosen from, its loss is the mean over them; and it forgets."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minisam import SAM, SGD, BatchLoss, cnn, cross_entropy, gpt, mlp, mse, train
from minisam import sam as family
from minisam.data import Data
from minisam.long_tails import Reweighted
from minisam.losses import generalised_cross_entropy
from minisam.noisy_labels import Mixup, OtherLoss, SmallLoss

MODEL = mlp((3, 5, 4), "tanh")
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((8, 3)), RNG.integers(0, 4, 8)
W = MODEL.init([0, 1], "float64")
ONE = BatchLoss(MODEL)


def example(i, w=W, x=X, y=Y):
    """Loss and gradient of example i alone."""
    return ONE.on(x[i : i + 1], y[i : i + 1])(w)


# --- a batch is its examples -----------------------------------------------------------------------------------------


@given(st.integers(1, 12))
@settings(max_examples=12)
def test_parts_are_nearly_equal_and_their_weighted_mean_is_the_batch(k):
    parts = ONE.on(X, Y).parts(k)
    sizes = [part.x.shape[-2] for part in parts]
    assert len(parts) == min(k, 8)
    assert sum(sizes) == 8
    assert max(sizes) - min(sizes) <= 1
    for i in (0, 1):
        mean = sum(n / 8 * part(W)[i] for n, part in zip(sizes, parts, strict=True))
        np.testing.assert_allclose(mean, ONE.on(X, Y)(W)[i], rtol=1e-10, atol=1e-14)


def test_each_replica_may_choose_examples_of_its_own():
    rows = np.array([[5, 0, 2], [1, 1, 7]])
    loss, g = ONE.on(X, Y).some(rows)(W)
    for k in range(2):
        np.testing.assert_allclose(loss[k], np.mean([example(i, W[k])[0] for i in rows[k]]), rtol=1e-12)
        np.testing.assert_allclose(g[k], np.mean([example(i, W[k])[1] for i in rows[k]], axis=0), rtol=1e-10)


def test_a_mixture_has_both_labels_for_each_replica_its_own():
    s, order = np.array([0.3, 0.8]), np.stack([np.roll(np.arange(8), 1), RNG.permutation(8)])
    loss, _ = ONE.on(X, Y).mixed(s, order)(W)
    for k in range(2):
        z = MODEL.apply(W[k], s[k] * X + (1 - s[k]) * X[order[k]])
        expected = s[k] * cross_entropy(z, Y) + (1 - s[k]) * cross_entropy(z, Y[order[k]])
        np.testing.assert_allclose(loss[k], expected, rtol=1e-13)
    with pytest.raises(TypeError, match="a batch that is mixed cannot be mixed"):
        ONE.on(X, Y).mixed(s, order).mixed(s, order)


def test_the_losses_of_a_mixture_are_its_terms():
    s, order = np.array([0.3, 0.8]), np.roll(np.arange(8), 1)
    batch = ONE.on(X, Y).mixed(s, order)
    losses = batch.losses(W)
    np.testing.assert_allclose(losses.mean(axis=-1), batch(W)[0], rtol=1e-13)
    for k in range(2):
        z = MODEL.apply(W[k], s[k] * X + (1 - s[k]) * X[order])
        terms = [
            s[k] * cross_entropy(z[i : i + 1], Y[i : i + 1])
            + (1 - s[k]) * cross_entropy(z[i : i + 1], Y[order][i : i + 1])
            for i in range(8)
        ]
        np.testing.assert_allclose(losses[k], terms, rtol=1e-12)


@given(st.integers(0, 100), st.booleans())
@settings(max_examples=10)
def test_a_weighted_batch_is_the_weighted_sum_of_its_examples_over_their_number(seed, shared):
    v = np.random.default_rng(seed).uniform(0, 2, (8,) if shared else (2, 8)) * (np.arange(8) != 3)
    batch = ONE.on(X, Y).weighted(v)
    v = np.broadcast_to(v, (2, 8))
    loss, g = batch(W)
    for k in range(2):
        terms = [v[k, i] * example(i, W[k])[0] for i in range(8)]
        np.testing.assert_allclose(loss[k], np.sum(terms) / 8, rtol=1e-12)
        np.testing.assert_allclose(batch.losses(W)[k], terms, rtol=1e-11, atol=1e-15)
        expected = sum(v[k, i] * example(i, W[k])[1] for i in range(8)) / 8
        np.testing.assert_allclose(g[k], expected, rtol=1e-9, atol=1e-13)


def test_weights_go_with_their_examples():
    """Into parts and choices, onto the weights that there are, into the arrays of which a batch is made again."""
    v, rows = np.arange(1.0, 9), np.array([[5, 0, 2], [1, 1, 7]])
    batch = ONE.on(X, Y).weighted(v)
    for part, its in zip(batch.parts(4), np.split(v, 4), strict=True):
        np.testing.assert_array_equal(part.weights, its)
    np.testing.assert_array_equal(batch.some(rows).weights, v[rows])
    np.testing.assert_array_equal(batch.weighted(v).weights, v * v)
    again = ONE.on(X, Y).made_of(batch.arrays())
    np.testing.assert_array_equal(again(W)[1], batch(W)[1])
    assert batch.is_shared("weights")
    assert not ONE.on(X, Y).weighted(np.ones((2, 8))).is_shared("weights")


def test_weights_of_one_change_nothing_but_the_order_of_the_sum():
    for one, other in zip(ONE.on(X, Y).weighted(np.ones(8))(W), ONE.on(X, Y)(W), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-15)


def test_the_distance_to_outputs_is_added_to_a_weighted_loss():
    batch = ONE.on(X, Y).weighted(np.arange(8.0))
    p = np.roll(np.eye(4)[Y], 1, axis=-1)
    apart = ONE.on(X, Y).near(W, p, 2.0, 0.7)[0] - ONE.on(X, Y)(W)[0]
    np.testing.assert_allclose(batch.near(W, p, 2.0, 0.7)[0], batch(W)[0] + apart, rtol=1e-12)


@pytest.mark.parametrize("kind", ["plain", "weighted", "mixed"])
def test_a_hessian_vector_product_is_the_slope_of_the_gradient(kind):
    batch = ONE.on(X, Y)
    batch = {
        "plain": batch,
        "weighted": batch.weighted(np.arange(8.0)),
        "mixed": batch.mixed(np.array([0.3, 0.8]), np.arange(8)[::-1].copy()),
    }[kind]
    assert batch.kind == kind
    v, h = np.random.default_rng(1).standard_normal(W.shape), 1e-5
    slope = (batch(W + h * v)[1] - batch(W - h * v)[1]) / (2 * h)
    np.testing.assert_allclose(batch.hvp(W, v), slope, rtol=0, atol=1e-8)
    assert np.abs(slope).max() > 0.1


def test_a_batch_of_mixtures_has_no_weights_and_no_classes():
    mixed = ONE.on(X, Y).mixed(np.array(0.4), np.arange(8))
    with pytest.raises(TypeError, match="a batch that is mixed cannot be weighted"):
        mixed.weighted(np.ones(8))
    with pytest.raises(TypeError, match="a batch that is weighted cannot be mixed"):
        ONE.on(X, Y).weighted(np.ones(8)).mixed(np.array(0.4), np.arange(8))
    with pytest.raises(TypeError, match="y must be one class for each example, got a mixture"):
        mixed.labels()
    with pytest.raises(TypeError, match=r"y must be one class for each example, got float64 \(8, 4\)"):
        BatchLoss(MODEL, mse).on(X, np.eye(4)[Y]).labels()
    with pytest.raises(ValueError, match=r"weights must have shape \(..., 8\), one for each row of x, got \(7,\)"):
        ONE.on(X, Y).weighted(np.ones(7))


def test_tokens_are_not_mixed():
    model, texts = gpt(5, context=4, width=8, depth=1, heads=2), RNG.integers(0, 5, (6, 4))
    with pytest.raises(TypeError, match="x must be floating point to be mixed, got tokens of dtype int64"):
        train(model, (texts, texts), Mixup(SGD(0.1)), 1, 6, progress=False)


def test_a_batch_is_made_again_of_its_arrays():
    batch = ONE.on(X, Y).mixed(np.array(0.4), np.arange(8)[::-1].copy())
    again = ONE.on(X, Y).made_of({name: a.copy() for name, a in batch.arrays().items()})
    for one, other in zip(batch(W), again(W), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_example_of_a_gpt_is_a_text():
    model, texts = gpt(5, context=4, width=8, depth=1, heads=2), RNG.integers(0, 5, (6, 4))
    batch, w = BatchLoss(model).on(texts, np.roll(texts, -1, axis=1)), model.init([0, 1], "float64")
    losses = batch.losses(w)
    assert losses.shape == (2, 6)
    for i in range(6):
        alone = BatchLoss(model).on(texts[i : i + 1], np.roll(texts, -1, axis=1)[i : i + 1])
        np.testing.assert_allclose(losses[:, i], alone(w)[0], rtol=1e-12)


# --- wrappers keep the batch -----------------------------------------------------------------------------------------

DATA = Data("toy", np.tile(X, (4, 1)), np.tile(Y, 4), X, Y, X, Y)
BASE = SGD(0.05, momentum=0.9)
INNER = {
    "SGD": lambda: BASE,
    "SAM": lambda: SAM(BASE),
    "SAF": lambda: family.SAF(BASE, 32, 4, visits=1, start=0),
    "SAMON": lambda: family.SAMON(BASE, mask=MODEL.mask("weights")),
    "ImbSAM": lambda: family.ImbSAM(BASE, tail=[1, 2]),
    **{
        name: lambda kind=kind: kind(BASE)
        for name, kind in vars(family).items()
        if isinstance(kind, type)
        and issubclass(kind, family.Rule)
        and name not in ("Rule", "Composed", "Variant", "Sometimes", "SAM", "SAF", "SAMON", "ImbSAM")
    },
    "BSAM": lambda: family.BSAM(0.1),
    "SWA": lambda: family.SWA(SAM(BASE)),
    "EMA": lambda: family.EMA(BASE),
    "Mixup": lambda: Mixup(SAM(BASE)),
    "SmallLoss": lambda: SmallLoss(SAM(BASE), 0.3, 2),
    "OtherLoss": lambda: OtherLoss(SAM(BASE), generalised_cross_entropy),
    "Reweighted": lambda: Reweighted(SAM(BASE), np.ones(4)),
}
OUTER = {
    "SWA": lambda inner: family.SWA(inner),
    "EMA": lambda inner: family.EMA(inner),
    "Mixup": lambda inner: Mixup(inner),
    "SmallLoss": lambda inner: SmallLoss(inner, 0.3, 2),
    "OtherLoss": lambda inner: OtherLoss(inner, generalised_cross_entropy),
    "Reweighted": lambda inner: Reweighted(inner, np.array([0.5, 1.0, 1.5, 1.0])),
}
REFUSED = {
    *itertools.product(["Mixup"], ["SAF", "ImbSAM", "Mixup", "Reweighted"]),
    ("Reweighted", "Mixup"),
    *itertools.product(("SWA", "EMA"), repeat=2),
}


@pytest.mark.parametrize(("outer", "inner"), list(itertools.product(OUTER, INNER)))
def test_every_wrapper_goes_around_every_optimizer_or_is_refused_when_it_is_made(outer, inner):
    if (outer, inner) in REFUSED:
        with pytest.raises(TypeError, match=f"{outer} cannot go around {inner}"):
            OUTER[outer](INNER[inner]())
        return
    run = train(MODEL, DATA, OUTER[outer](INNER[inner]()), 2, 8, [0, 1], progress=False)
    assert np.isfinite(run.w).all()
    assert run.history["train_loss"][-1].mean() < run.history["train_loss"][0].mean() + 0.1


@pytest.mark.parametrize(
    "inner", [SAM(BASE, 0.05), family.ESAM(BASE, 0.05), SmallLoss(SAM(BASE, 0.05), 0.25, 1), Mixup(BASE)]
)
def test_small_loss_hands_on_its_chosen_examples_and_no_others(inner):
    """Whatever the labels of the examples that are left out are, the step is the same."""
    w, batch = W, ONE.on(X, Y)
    kept = batch.losses(w).argsort(axis=-1)[..., :4]
    wrapped, state = SmallLoss(inner, noise=0.5, warmup=1), inner.init(w) | {"t": 3}
    stepped = wrapped.step(w, state, batch)[0]
    np.testing.assert_array_equal(stepped, inner.step(w, state, batch.some(kept))[0])
    assert np.abs(stepped - w).max() > 1e-4


def test_a_refusal_looks_inside_other_wrappers():
    with pytest.raises(TypeError, match="Mixup cannot go around SAF"):
        Mixup(family.SWA(family.SAF(BASE, 32, 4)))


# --- a batch forgets: batch norm's statistics are part of a gradient's result ----------------------------------------

CONV = cnn((3,), (1, 4, 4), 3, norm="batch")
IMAGES, CLASSES = RNG.standard_normal((24, 16)).astype("float32"), RNG.integers(0, 3, 24)


def moments(w, x=IMAGES[:8]):
    return BatchLoss(CONV).on(x, CLASSES[:8])(w).statistics


def test_the_statistics_are_those_of_the_weights_that_the_gradient_was_taken_at():
    batch, w = BatchLoss(CONV).on(IMAGES[:8], CLASSES[:8]), CONV.init([0, 1])
    with ThreadPoolExecutor(2) as threads:
        start = threading.Barrier(2)
        ask = lambda at: (start.wait(), batch(at).statistics)[1]  # noqa: E731
        for _ in range(20):
            one, other = threads.map(ask, (w, 2 * w))
            for name in one:
                np.testing.assert_array_equal(one[name], moments(w)[name])
                np.testing.assert_array_equal(other[name], moments(2 * w)[name])


@pytest.mark.parametrize("name", ["SAM", "AsyncSAM", "GSAM", "ESAM", "MSharpnessSAM", "AESAM"])
def test_a_step_reports_the_statistics_at_w(name):
    w, batch = CONV.init([0, 1]), BatchLoss(CONV).on(IMAGES[:8], CLASSES[:8])
    optimizer = INNER[name]()
    _, _, info = optimizer.step(w, optimizer.init(w), batch)
    parts = 4 if name == "MSharpnessSAM" else 1
    for key in moments(w):
        seen = [moments(w, part)[key] for part in np.split(IMAGES[:8], parts)] if parts == 1 else None
        expected = moments(w)[key] if seen else sum(p(w).statistics[key] for p in batch.parts(parts)) / parts
        np.testing.assert_allclose(info["statistics"][key], expected, rtol=1e-6)
