"""The generative transformer against a plain one; what it must not see; and the text it writes."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from test_vit import plain_block, plain_loss, plain_norm

from minisam import (
    SAM,
    SGD,
    Adam,
    BatchLoss,
    accuracy,
    array_backend,
    check_grad,
    cross_entropy,
    hvp,
    train,
    value_and_grad,
)
from minisam.data import Data, batches
from minisam.models import generate, gpt
from minisam.noisy_labels import SmallLoss
from minisam.sam import RWP, SSAM, MSharpnessSAM

SMALL = {"vocabulary": 5, "context": 4, "width": 6, "depth": 2, "heads": 3}
RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, 5, (2, 3, 4))


def weights(model):
    """Weights at which every parameter counts: the initial ones are small, and biases zero."""
    return model.init(0, "float64") + 0.3 * np.random.default_rng(1).standard_normal(model.size)


def plain_gpt(p, x, vocabulary, context, width, depth, heads, tied=True):
    z = p["tokens"][x] + p["positions"][: x.shape[1]]
    for k in range(depth):
        z = plain_block(p, f"block{k}", z, heads, causal=True)
    z = plain_norm(p, "norm", z)
    return anp.reshape(anp.dot(z, p["tokens"].T if tied else p["head.W"]), (-1, vocabulary))


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("t", [1, 3, 4])
def test_it_is_the_plain_one(tied, t):
    model = gpt(**SMALL, tied=tied)
    w, x, y = weights(model), X[:, :t], Y[:, :t]
    np.testing.assert_allclose(model.apply(w, x), plain_gpt(model.unflatten(w), x, **SMALL, tied=tied), rtol=1e-10)
    expected = grad(lambda w: plain_loss(plain_gpt(model.unflatten(w), x, **SMALL, tied=tied), y.ravel()))(w)
    np.testing.assert_allclose(value_and_grad(model)(w, x, y)[1], expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("tied", [True, False])
def test_gradient_and_hessian_against_differences(tied):
    model = gpt(3, 3, 4, 1, 2, tied)
    w, x, y = weights(model), np.array([[0, 2, 1], [1, 1, 0]]), np.array([[2, 1, 1], [1, 0, 2]])
    eager = value_and_grad(model, recorded=False)
    assert check_grad(lambda w: eager(w, x, y), w) < 1e-6
    product, v = hvp(model), np.random.default_rng(2).standard_normal(model.size)
    h = 1e-5
    quotient = (eager(w + h * v, x, y)[1] - eager(w - h * v, x, y)[1]) / (2 * h)
    np.testing.assert_allclose(product(w, v, x, y), quotient, rtol=1e-5, atol=1e-8 * np.abs(quotient).max())


@pytest.mark.parametrize("lead", [(), (2,)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recorded_equals_eager_bit_for_bit(lead, dtype):
    model = gpt(**SMALL)
    w = model.init(np.arange(np.prod(lead, dtype=int)).reshape(lead), dtype)
    recorded, eager = value_and_grad(model), value_and_grad(model, recorded=False)
    for x, y in ((X, Y), (Y, X), (X[:, :2], Y[:, :2])):
        for a, b in zip(recorded(w, x, y), eager(w, x, y), strict=True):
            assert a.dtype == dtype
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(hvp(model)(w, w, X, Y), hvp(model, recorded=False)(w, w, X, Y))


def test_a_replica_is_its_own_run():
    model = gpt(**SMALL)
    w = model.init([0, 1])
    x, y = RNG.integers(0, 5, (2, 2, 3, 4))  # each replica's own texts
    f = value_and_grad(model)
    losses, g = f(w, x, y)
    shared, _ = f(w, X, Y)
    for k in range(2):
        loss, alone = f(w[k], x[k], y[k])
        np.testing.assert_allclose(losses[k], loss, rtol=1e-6)
        np.testing.assert_allclose(g[k], alone, rtol=1e-6, atol=1e-6 * np.abs(alone).max())
        np.testing.assert_allclose(shared[k], f(w[k], X, Y)[0], rtol=1e-6)


def test_on_a_device_the_numbers_are_numpys(device):
    def computed():
        model = gpt(**SMALL)
        w, x, y = model.init([0, 1], "float64"), array_backend.asarray(X), array_backend.asarray(Y)
        loss, g = value_and_grad(model)(w, x, y)
        share, text = accuracy(model.apply(w, x), y), generate(model, w, np.array([1, 2]), 3)
        return [array_backend.asnumpy(a) for a in (loss, g, hvp(model)(w, g, x, y), share, text)]

    expected = computed()
    with device.in_use():
        for a, b in zip(computed(), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=device.rtol, atol=1e-14)


def test_it_does_not_see_what_comes_after():
    model = gpt(**SMALL)
    w = weights(model)
    logits = model.apply(w, X).reshape(3, 4, 5)
    for i in range(4):
        later = X.copy()
        later[:, i:] = (later[:, i:] + 1) % 5
        changed = model.apply(w, later).reshape(3, 4, 5)
        np.testing.assert_allclose(changed[:, :i], logits[:, :i], rtol=1e-12)
        assert (np.abs(changed[:, i:] - logits[:, i:]).max(axis=-1) > 1e-6).all()


def test_the_order_of_what_came_before_counts():
    model = gpt(**SMALL)
    w = weights(model)
    a, b = model.apply(w, np.array([[0, 1, 2, 3], [1, 0, 2, 3]])).reshape(2, 4, 5)[:, -1]
    assert np.abs(a - b).max() > 1e-3


def test_labels_are_tokens_or_rows():
    model = gpt(**SMALL)
    logits = model.apply(model.init(0, "float64"), X)
    assert cross_entropy(logits, Y) == cross_entropy(logits, Y.ravel())
    assert accuracy(logits, Y) == accuracy(logits, Y.ravel())
    assert cross_entropy(logits, Y) == pytest.approx(np.log(5), rel=0.05)  # nothing learnt yet


# --- one text ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, [0], [0, 3]])
def test_training_on_one_text_at_a_time_is_a_plain_loop(seed):
    model = gpt(**SMALL)
    data = Data("texts", X, Y, X[:1], Y[:1], X[1:], Y[1:])
    run = train(model, data, SGD(0.1), epochs=2, batch_size=1, seed=seed, dtype="float64", progress=False)
    f = value_and_grad(model)
    for k, own in enumerate(np.atleast_1d(seed)):
        w = model.init(own, "float64")
        for epoch in range(2):
            for i in np.ravel(batches(3, 1, own, epoch)):
                w = w - 0.1 * f(w, X[i : i + 1], Y[i])[1]  # labels (t,), one per row of the logits
        np.testing.assert_allclose(np.atleast_2d(run.w)[k], w, rtol=1e-9, atol=1e-12)
    right = np.argmax(model.apply(run.w, X[:1]), axis=-1) == Y[0]
    measured = run.evaluate(X[:1], Y[:1])
    assert measured["accuracy"].shape == measured["loss"].shape == np.shape(seed)
    np.testing.assert_array_equal(measured["accuracy"], right.mean(axis=-1))
    np.testing.assert_array_equal(run.history["validation_accuracy"][-1], right.mean(axis=-1))


@pytest.mark.parametrize("lead", [(), (1,), (2,), (4,)])  # 4 replicas: as many as a text has tokens
@pytest.mark.parametrize("own", [False, True])
def test_groups_of_one_text_are_sam_on_each_text_by_itself(lead, own):
    model = gpt(**SMALL)
    w = model.init(np.arange(np.prod(lead, dtype=int)).reshape(lead), "float64")
    x, y = (RNG.integers(0, 5, (*lead, 3, 4)) for _ in range(2)) if own else (X, Y)
    losses, rho, lr = BatchLoss(model), 0.1, 0.5
    together, _, _ = MSharpnessSAM(SGD(lr), rho, groups=3).step(w, SGD(lr).init(w), losses.on(x, y))
    for k in np.ndindex(*lead):
        texts, labels = (x[k], y[k]) if own else (x, y)
        alone = [
            SAM(SGD(lr), rho).step(w[k], SGD(lr).init(w[k]), losses.on(texts[i : i + 1], labels[i]))[0]
            for i in range(3)
        ]
        np.testing.assert_allclose(together[k], np.mean(alone, axis=0), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("rule", "batch_size"),
    [(SSAM(SGD(0.1), 0.05, groups=3), 3), (RWP(SGD(0.1), sigma=0.01, lam=0.5), 2), (SmallLoss(SGD(0.1), noise=0.2), 1)],
    ids=lambda rule: type(rule).__name__,
)
@pytest.mark.parametrize("seed", [0, [0, 1]])
def test_rules_that_look_at_single_texts_lower_the_loss(rule, batch_size, seed):
    run = train(gpt(**SMALL), (X, Y), rule, 10, batch_size, seed, progress=False)
    assert (run.history["train_loss"][-1] < run.history["train_loss"][0]).all()


def test_names_shapes_and_the_spec():
    model = gpt(11, 7, 8, 1, 2)
    assert list(model.shapes)[:3] == ["tokens", "positions", "block0.norm1.gain"]
    assert model.shapes["tokens"] == (11, 8)
    assert model.shapes["positions"] == (7, 8)
    assert gpt(11, 7, 8, 1, 2, tied=False).size == model.size + 8 * 11
    spec = dict(model.spec)
    assert spec.pop("model") == "gpt"
    np.testing.assert_array_equal(gpt(**spec).init(3), model.init(3))


def test_initial_weights():
    depth = 3
    model = gpt(50, 40, 32, depth, tied=False)
    for name, a in model.unflatten(model.init(0, "float64")).items():
        if name.endswith((".b", ".bias")):
            np.testing.assert_array_equal(a, 0)
        elif name.endswith(".gain"):
            np.testing.assert_array_equal(a, 1)
        else:
            adds_to_x = name.endswith(("project.W", "contract.W"))
            size = 0.01 if name == "positions" else 0.02 / np.sqrt(2 * depth) if adds_to_x else 0.02
            # the standard deviation of n draws is within 4 standard errors, √(1/2n) each
            assert abs(a.std() / size - 1) < 4 * np.sqrt(0.5 / a.size), name


# --- writing ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    """A small gpt that knows one sentence by heart, as letters."""
    sentence = "look uphill, then go down; "
    letters = sorted(set(sentence))
    text = np.array([letters.index(c) for c in 4 * sentence])
    model = gpt(len(letters), context=8, width=16, depth=1, heads=2)
    x = np.array([text[i : i + 8] for i in range(len(sentence))])
    y = np.array([text[i + 1 : i + 9] for i in range(len(sentence))])
    loss_and_grad, optimizer = value_and_grad(model), Adam(0.02)
    w = model.init([0, 1])
    state = optimizer.init(w)
    for _ in range(150):
        w, state, _ = optimizer.step(w, state, lambda w: loss_and_grad(w, x, y))
    return model, w, text, len(sentence)


def test_it_goes_on_with_a_sentence_it_knows(trained):
    model, w, text, n = trained
    for k in range(2):
        written = generate(model, w[k], text[:8], 2 * n, temperature=0)
        np.testing.assert_array_equal(written, text[: 8 + 2 * n])


def test_replicas_write_what_they_would_write_alone(trained):
    model, w, text, _ = trained
    both = generate(model, w, text[:3], 20, seed=5, temperature=2.0)
    assert both.shape == (2, 23)
    for k in range(2):
        np.testing.assert_array_equal(both[k], generate(model, w[k], text[:3], 20, seed=5, temperature=2.0))
    assert not np.array_equal(both[0], generate(model, w[0], text[:3], 20, seed=6, temperature=2.0))


def test_a_text_is_not_drawn_from_the_numbers_that_made_the_weights():
    model, n, seed = gpt(4, context=1, width=4, depth=1, heads=1), 1000, 3
    written = generate(model, 0 * model.init(seed), np.array([0]), n, seed)[1:]  # equal logits: the noise decides
    rng = np.random.default_rng(seed)  # the stream of model.init(seed)
    same = np.mean(written == [np.argmax(rng.gumbel(size=4)) for _ in range(n)])
    assert abs(same - 1 / 4) < 4 * np.sqrt(1 / 4 * 3 / 4 / n)  # as often as by chance, within 4 standard errors


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_from_the_softmax(temperature):
    model = gpt(4, context=1, width=16, depth=1, heads=1, tied=False)
    w = 3 * model.init(0, "float64")
    n = 3000
    written = generate(model, w, np.array([0]), n, seed=1, temperature=temperature)
    logits = model.apply(w, np.arange(4)[:, None]) / temperature  # with a context of 1, a Markov chain
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    for a in range(4):
        after = written[1:][written[:-1] == a]
        share = np.bincount(after, minlength=4) / len(after)
        assert (np.abs(share - p[a]) < 4.5 * np.sqrt(p[a] * (1 - p[a]) / len(after)) + 1e-9).all()


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda m, w: m.apply(w, np.zeros((2, 4))), TypeError, "x must be tokens, whole numbers, got dtype float64"),
        (lambda m, w: m.apply(w, np.zeros((2, 5), int)), ValueError, r"x must .* with t in 1 … 4, got \(2, 5\)"),
        (lambda m, w: m.apply(w, np.zeros(4, int)), ValueError, r"x must have shape \(\.\.\., m, t\)"),
        (lambda m, w: m.apply(w, np.full((2, 4), 5)), ValueError, "tokens must be in 0 … 4, got 5 … 5"),
        (lambda m, w: gpt(0), ValueError, "vocabulary must be a whole number ≥ 1, got 0"),
        (
            lambda m, w: gpt(5, width=6, heads=4),
            ValueError,
            "width must be a multiple of heads, got width 6 and 4 heads",
        ),
        (lambda m, w: generate(m, w, np.array([], int), 3), ValueError, "prompt must be a row of tokens"),
        (lambda m, w: generate(m, w, np.zeros((1, 2), int), 3), ValueError, r"prompt must .*got int64 \(1, 2\)"),
        (lambda m, w: generate(m, w, np.zeros(2), 3), ValueError, r"prompt must .*got float64 \(2,\)"),
        (
            lambda m, w: generate(m, w, np.zeros(2, int), 3, temperature=-1),
            ValueError,
            "temperature must be ≥ 0, got -1",
        ),
    ],
)
def test_what_is_refused_is_named(call, error, says):
    model = gpt(**SMALL)
    with pytest.raises(error, match=says):
        call(model, model.init(0))
