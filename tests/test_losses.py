"""Losses: values against slow loops, gradients in closed form, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from minisam import accuracy, array_backend, balanced_accuracy, cross_entropy, gpt, l2_penalty, mse, value_and_grad
from minisam.batch import of_weighted
from minisam.losses import each, generalised_cross_entropy, recalls


@settings(max_examples=25)
@given(st.integers(0, 1000), st.sampled_from([(), (2,), (2, 3)]), st.booleans(), st.sampled_from([0.0, 0.2]))
def test_cross_entropy_is_the_mean_of_minus_log_p(seed, lead, shared, smoothing):
    rng = np.random.default_rng(seed)
    m, c = 4, 3
    z = 5 * rng.standard_normal((*lead, m, c))
    labels = rng.integers(0, c, (m,) if shared else (*lead, m))
    loss = cross_entropy(z, labels, label_smoothing=smoothing)
    assert loss.shape == lead
    for replica in np.ndindex(*lead):
        total = 0.0
        for i in range(m):
            label = labels[i] if shared else labels[(*replica, i)]
            for j in range(c):
                target = (1 - smoothing) * (j == label) + smoothing / c
                total -= target * (z[(*replica, i, j)] - logsumexp(z[(*replica, i)]))
        np.testing.assert_allclose(loss[replica], total / m, rtol=1e-12)


def test_cross_entropy_of_equal_logits_is_log_c():
    assert cross_entropy(np.zeros((5, 7)), np.zeros(5, int)) == pytest.approx(np.log(7), rel=1e-15)


def test_mse_is_the_mean_over_batch_and_outputs():
    rng = np.random.default_rng(0)
    prediction, target = rng.standard_normal((2, 4, 3)), rng.standard_normal((4, 3))
    expected = [sum((p - t) ** 2 for p, t in zip(r.ravel(), target.ravel(), strict=True)) / 12 for r in prediction]
    np.testing.assert_allclose(mse(prediction, target), expected, rtol=1e-14)


@pytest.mark.parametrize("l2", [0.0, 0.3, np.array([[0.1], [0.2]])])
def test_the_l2_penalty_has_the_gradient_2_lambda_w(l2):
    w = np.random.default_rng(0).standard_normal((2, 5))
    per_replica = l2 if np.ndim(l2) == 0 else l2[:, 0]
    value, g = value_and_grad(lambda w: l2_penalty(w, per_replica))(w)
    np.testing.assert_allclose(value, per_replica * np.sum(w * w, axis=-1), rtol=1e-14)
    np.testing.assert_allclose(g, 2 * l2 * w, rtol=1e-14)


def test_accuracy_is_the_share_of_largest_logits_at_the_label():
    logits = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    np.testing.assert_array_equal(accuracy(logits, np.array([0, 1])), [1.0, 0.5])


@given(st.integers(0, 1000), st.sampled_from([(), (2,), (2, 3)]), st.booleans(), st.integers(1, 12))
def test_recalls_are_the_accuracies_of_the_classes_alone_and_the_balanced_accuracy_their_mean(seed, lead, shared, m):
    """Each on the rows of one class; a class that no label of the replica names has none, and is not in the mean."""
    rng, c = np.random.default_rng(seed), 4
    z, labels = rng.standard_normal((*lead, m, c)), rng.integers(0, c, (m,) if shared else (*lead, m))
    found, balanced = recalls(z, labels), balanced_accuracy(z, labels)
    assert found.shape == (*lead, c)
    assert balanced.shape == lead
    for replica in np.ndindex(*lead):
        y = labels if shared else labels[replica]
        each_class = [accuracy(z[replica][y == k], y[y == k]) if (y == k).any() else np.nan for k in range(c)]
        np.testing.assert_allclose(found[replica], each_class, rtol=1e-14)
        np.testing.assert_allclose(balanced[replica], np.nanmean(each_class), rtol=1e-14)


@given(st.integers(0, 1000), st.integers(1, 4))
def test_with_classes_of_equal_size_both_accuracies_are_one(seed, each_has):
    z, labels = np.random.default_rng(seed).standard_normal((3, 4 * each_has, 4)), np.arange(4 * each_has) % 4
    np.testing.assert_allclose(balanced_accuracy(z, labels), accuracy(z, labels), rtol=1e-14)


def test_recalls_on_a_device_are_those_here(device):
    z, labels = np.random.default_rng(0).standard_normal((2, 9, 4)), np.arange(9) % 3
    with device.in_use():
        there = [array_backend.asarray(a) for a in (z, labels)]
        device.assert_close(recalls(*there), recalls_here(z, labels), rtol=1e-14)
        device.assert_close(balanced_accuracy(*there), np.nanmean(recalls_here(z, labels), axis=-1), rtol=1e-14)


def recalls_here(z, labels):
    with array_backend.use("numpy"):
        return recalls(z, labels)


def test_whoever_says_the_same_of_all_has_one_class_right():
    labels = np.array([0] * 97 + [1, 2, 2])
    assert accuracy(np.eye(3)[np.zeros(100, int)], labels) == 0.97
    assert balanced_accuracy(np.eye(3)[np.zeros(100, int)], labels) == pytest.approx(1 / 3, rel=1e-15)


def test_balanced_accuracy_is_scikit_learns():
    from sklearn.metrics import balanced_accuracy_score, recall_score

    rng = np.random.default_rng(1)
    z, labels = rng.standard_normal((50, 5)), rng.choice(5, 50, p=[0.6, 0.2, 0.1, 0.05, 0.05])
    assert balanced_accuracy(z, labels) == pytest.approx(balanced_accuracy_score(labels, z.argmax(axis=1)), rel=1e-14)
    np.testing.assert_allclose(recalls(z, labels), recall_score(labels, z.argmax(axis=1), average=None), rtol=1e-14)


@settings(max_examples=100)
@given(
    st.integers(0, 1000),
    st.sampled_from([(), (1,), (2,), (1, 1), (1, 3), (2, 1), (2, 3)]),
    st.integers(1, 3),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
)
def test_labels_of_texts_mean_what_a_loop_over_replicas_texts_and_tokens_says(seed, lead, n, t, shared, flat):
    """Also for one text, texts of one token, one replica, and as many replicas as tokens."""
    rng, c, q = np.random.default_rng(seed), 4, 0.7
    z = 3 * rng.standard_normal((*lead, n * t, c))
    texts = rng.integers(0, c, (n, t) if shared else (*lead, n, t))
    labels = texts.reshape(*texts.shape[:-2], n * t) if flat else texts
    of_each, hits = np.empty((*lead, n * t)), np.empty((*lead, n * t))
    for replica in np.ndindex(*lead):
        for i in range(n):
            for j in range(t):
                row, label = z[(*replica, i * t + j)], texts[i, j] if shared else texts[(*replica, i, j)]
                of_each[(*replica, i * t + j)] = logsumexp(row) - row[label]
                hits[(*replica, i * t + j)] = np.argmax(row) == label
    robust = (1 - np.exp(-q * of_each)) / q
    for measured, expected in (
        (cross_entropy(z, labels), of_each.mean(axis=-1)),
        (accuracy(z, labels), hits.mean(axis=-1)),
        (generalised_cross_entropy(z, labels, q), robust.mean(axis=-1)),
        (each(cross_entropy, z, labels), of_each),
    ):
        assert measured.shape == expected.shape
        np.testing.assert_allclose(measured, expected, rtol=1e-9, atol=1e-14)


Z = np.zeros((4, 3))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: cross_entropy(Z, np.array([0, 1, 2, 3])), ValueError, r"labels must be in 0 … 2, got 0 … 3"),
        (lambda: cross_entropy(Z, np.array([0, -1, 2, 0])), ValueError, r"labels must be in 0 … 2, got -1 … 2"),
        (lambda: cross_entropy(Z, np.zeros(4)), TypeError, r"labels must be integers, got dtype float64"),
        (lambda: cross_entropy(Z, np.zeros(5, int)), ValueError, r"labels must have shape \(4,\).*got \(5,\)"),
        (lambda: cross_entropy(Z, np.zeros((2, 4), int)), ValueError, r"labels must have shape \(4,\).*got \(2, 4\)"),
        (lambda: cross_entropy(Z, np.zeros((2, 3), int)), ValueError, r"labels must have shape \(4,\).*got \(2, 3\)"),
        (lambda: cross_entropy(Z, np.zeros((1, 1, 4), int)), ValueError, r"labels must .*\(4,\).*got \(1, 1, 4\)"),
        (lambda: cross_entropy(Z, np.array(0)), ValueError, r"labels must have shape \(4,\).*got \(\)"),
        (lambda: accuracy(Z, np.zeros((4, 1, 1), int)), ValueError, r"labels must have .*\(4,\).*got \(4, 1, 1\)"),
        (lambda: balanced_accuracy(Z, np.array([0, 1, 2, 3])), ValueError, r"labels must be in 0 … 2, got 0 … 3"),
        (lambda: recalls(Z, np.zeros(5, int)), ValueError, r"labels must have shape \(4,\).*got \(5,\)"),
        (lambda: each(cross_entropy, Z, np.zeros(5, int)), ValueError, r"labels must have .*\(4,\).*got \(5,\)"),
        (lambda: cross_entropy(np.zeros(3), np.zeros(1, int)), ValueError, r"m ≥ 1, got \(3,\)"),
        (lambda: cross_entropy(np.zeros((0, 3)), np.zeros(0, int)), ValueError, r"m ≥ 1, got \(0, 3\)"),
        (lambda: cross_entropy(Z, np.zeros(4, int), 1.5), ValueError, r"label_smoothing must be in \[0, 1\], got 1.5"),
        (lambda: mse(Z, np.zeros((4, 2))), ValueError, r"target must have the shape .*\(4, 3\), got \(4, 2\)"),
        (lambda: mse(np.zeros((0, 3)), np.zeros((0, 3))), ValueError, r"m ≥ 1, got \(0, 3\)"),
    ],
)
def test_what_is_refused_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_a_row_with_a_logit_that_is_no_number_is_a_mistake():
    z = np.array([[np.nan, np.nan, np.nan], [np.nan, 1, 2], [0, 1, np.nan], [np.inf, 1, 2], [0, 3, -np.inf]])
    assert accuracy(z, np.array([0, 0, 2, 0, 1])) == 2 / 5
    np.testing.assert_array_equal(recalls(z, np.array([0, 0, 2, 0, 1])), [1 / 3, 1, 0])


LOSSES = {
    "cross_entropy": (cross_entropy, "classes"),
    "generalised_cross_entropy": (generalised_cross_entropy, "classes"),
    "mse": (mse, "targets"),
    "the losses of a batch, weighted": (lambda z, y: of_weighted(cross_entropy)(z, y, z[..., 0] ** 2), "classes"),
    "the losses of each": (lambda z, y: each(cross_entropy, z, y), "classes"),
    "l2_penalty": (lambda z, y: l2_penalty(z.reshape(*z.shape[:-2], -1), 0.1), "classes"),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_replica_has_the_bits_that_it_has_alone(name, dtype):
    """Products of matrices with another number of rows add up in another order."""
    (loss, kind), rng = LOSSES[name], np.random.default_rng(0)
    for m in (1, 3, 8, 33, 100):
        z = rng.standard_normal((5, m, 4)).astype(dtype)
        y = rng.integers(0, 4, (5, m)) if kind == "classes" else rng.standard_normal((5, m, 4)).astype(dtype)
        of_all = loss(z, y)
        for part in (slice(0, 1), slice(1, 3), slice(2, 5)):
            assert np.array_equal(loss(z[part], y[part]), of_all[part])
        assert np.array_equal(loss(z[4], y[4]), of_all[4])


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "uint32"])
def test_labels_of_a_small_type_are_the_same_labels(kind):
    """300 labels, as bytes: the place of the 300th in memory is no byte."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 300)
    z = rng.standard_normal((2, 300, 10))
    for loss in (cross_entropy, generalised_cross_entropy, accuracy, lambda z, y: each(cross_entropy, z, y)):
        assert np.array_equal(loss(z, labels.astype(kind)), loss(z, labels))
    model, tokens = gpt(10, 30, 8, 1, 2), labels.reshape(10, 30)
    w = model.init(0, "float64")
    f = value_and_grad(model)
    (loss, g), (expected, right) = f(w, tokens.astype(kind), tokens.astype(kind)), f(w, tokens, tokens)
    assert loss == expected
    assert np.array_equal(g, right)
