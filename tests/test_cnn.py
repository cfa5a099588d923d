"""The convolutional nets: their layers written out, batch norm's statistics, recorded and replicated as any model."""

import autograd.numpy as anp
import numpy as np
import pytest

from minisam import SAM, SGD, Run, array_backend, check_grad, cnn, hvp, resnet, train, value_and_grad
from minisam.data import Data, batches
from minisam.models import NormStatistics
from minisam.noisy_labels import SmallLoss
from minisam.sam import RWP, MSharpnessSAM

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 16)), RNG.integers(0, 3, 40)
DATA = Data("toy", X[:24], Y[:24], X[24:32], Y[24:32], X[32:], Y[32:])
SMALL = {"shape": (1, 4, 4), "classes": 3}
MODELS = {
    "cnn": cnn((2, 3), **SMALL),
    "cnn, batch norm": cnn((2, 3), **SMALL, norm="batch"),
    "cnn, group norm": cnn((4, 4), **SMALL, norm="group"),
    "cnn, stride": cnn((2, 3), **SMALL, stride=2, pool=1),
    "cnn, 1-D": cnn((2, 3), (1, 16), 3, kernel=5, stride=2, pool=1),
    "resnet": resnet((2, 3), **SMALL),
    "resnet, two blocks, group norm": resnet((4, 8), **SMALL, blocks=2, norm="group"),
    "resnet, 1-D, no norm": resnet((2, 3), (1, 16), 3, norm="none"),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def quiet(model, optimizer=SAM(SGD(0.1, 0.9), 0.05), epochs=2, seed=0, **options):  # noqa: B008
    return train(model, DATA, optimizer, epochs, 8, seed, progress=False, **options)


@each_model
def test_gradients_and_hessian_vector_products(model):
    w = model.init(0, "float64") + 0.1 * RNG.standard_normal(model.size)
    x, y = X[:5], Y[:5]
    loss_and_grad = value_and_grad(model)
    assert check_grad(lambda w: loss_and_grad(w, x, y), w) < 1e-5
    v, h = RNG.standard_normal(model.size), 1e-5
    quotient = (loss_and_grad(w + h * v, x, y)[1] - loss_and_grad(w - h * v, x, y)[1]) / (2 * h)
    np.testing.assert_allclose(hvp(model)(w, v, x, y), quotient, rtol=1e-4, atol=1e-5 * np.abs(quotient).max())


@each_model
def test_recorded_is_eager_bit_for_bit(model):
    w = model.init([0, 1])
    recorded, eager = value_and_grad(model), value_and_grad(model, recorded=False)
    x, y = X.astype("float32"), Y
    for scale in (1.0, -0.7):
        for a, b in zip(recorded(scale * w, x[:7], y[:7]), eager(scale * w, x[:7], y[:7]), strict=True):
            assert np.array_equal(a, b)


@each_model
def test_each_replica_is_its_own_run(model):
    """Up to rounding: BLAS multiplies a stack of matrices in another order than one."""
    together = quiet(model, seed=[0, 3], dtype="float64")
    for k, seed in enumerate([0, 3]):
        alone = quiet(model, seed=seed, dtype="float64")
        np.testing.assert_allclose(together.w[k], alone.w, rtol=1e-7, atol=1e-9)
        for name, a in alone.running.items():
            np.testing.assert_allclose(together.running[name][k], a, rtol=1e-7, atol=1e-9)


@each_model
def test_on_a_device_the_numbers_are_numpys(model, device):
    expected = quiet(model)
    with device.in_use():
        run = quiet(model)
        np.testing.assert_allclose(array_backend.asnumpy(run.w), expected.w, rtol=1e-5, atol=1e-6)


def convolved(a, W, b, stride=1):
    """a (c, h, w) in a frame of zeros that keeps its size, seen through W (o, c, k, k) place by place."""
    k, size = W.shape[-1], a.shape[-1]
    framed = np.pad(a, ((0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    seen = [[framed[:, i : i + k, j : j + k] for j in range(0, size, stride)] for i in range(0, size, stride)]
    y = [[np.sum(W * place, axis=(1, 2, 3)) + b for place in row] for row in seen]
    return np.moveaxis(np.array(y), -1, 0)


def random_weights(model):
    """Biases too, which begin at 0."""
    w = np.random.default_rng(1).standard_normal(model.size)
    p = model.unflatten(w)
    return w, lambda name: (p[f"{name}.W"], p[f"{name}.b"])


def test_a_cnn_is_its_layers_written_out():
    model = MODELS["cnn"]
    w, p = random_weights(model)
    for e in range(3):
        a = X[e].reshape(1, 4, 4)
        for k in range(2):
            a = np.maximum(convolved(a, *p(f"conv{k}")), 0)
            a = a.reshape(len(a), a.shape[1] // 2, 2, a.shape[2] // 2, 2).max(axis=(2, 4))
        W, b = p("head")
        np.testing.assert_allclose(model.apply(w, X[e : e + 1])[0], a.ravel() @ W + b, rtol=1e-10, atol=1e-12)


def test_a_residual_net_is_its_layers_written_out():
    model = resnet((2, 3), **SMALL, norm="none")
    w, p = random_weights(model)
    for e in range(3):
        x = convolved(X[e].reshape(1, 4, 4), *p("stem"))
        h = convolved(np.maximum(x, 0), *p("stage0.block0.conv1"))
        x = x + convolved(np.maximum(h, 0), *p("stage0.block0.conv2"))
        h = convolved(np.maximum(x, 0), *p("stage1.block0.conv1"), stride=2)
        x = convolved(x, *p("stage1.block0.skip"), stride=2) + convolved(np.maximum(h, 0), *p("stage1.block0.conv2"))
        W, b = p("head")
        logits = np.maximum(x, 0).mean(axis=(1, 2)) @ W + b
        np.testing.assert_allclose(model.apply(w, X[e : e + 1])[0], logits, rtol=1e-10, atol=1e-12)


def test_a_residual_block_with_zero_kernels_passes_x_on():
    deep, none = (resnet((2,), **SMALL, blocks=blocks, norm="none") for blocks in (3, 1))
    p = {name: 0 * a if "block" in name else a for name, a in deep.unflatten(deep.init(0, "float64")).items()}
    np.testing.assert_array_equal(deep.forward(p, X[:3]), none.forward(p, X[:3]))
    stem_alone = np.maximum(convolved(X[0].reshape(1, 4, 4), p["stem.W"], p["stem.b"]), 0).mean(axis=(1, 2))
    np.testing.assert_allclose(deep.forward(p, X[:1])[0], stem_alone @ p["head.W"] + p["head.b"], rtol=1e-10)


# --- the running statistics of batch norm ------------------------------------------------------------------------------


BATCH_NORM = MODELS["cnn, batch norm"]


@pytest.mark.parametrize("rho", [0.0, 0.05, 5.0])
def test_only_the_ascent_pass_updates_the_running_statistics(rho):
    """Written out: 0.9 old + 0.1 of the batch's, at w; what the descent pass sees at w + ε leaves no trace."""
    run = quiet(BATCH_NORM, SAM(SGD(0.0), rho), epochs=1, dtype="float64")
    w = BATCH_NORM.init(0, "float64")
    expected = BATCH_NORM.init_running(w)
    for i in batches(24, 8, 0, 0):
        seen = NormStatistics()
        BATCH_NORM.outputs(BATCH_NORM.unflatten(w), X[i], seen)
        expected = {name: 0.9 * a + 0.1 * seen.of_batch[name] for name, a in expected.items()}
    for name, a in expected.items():
        np.testing.assert_allclose(run.running[name], a, rtol=1e-12)


@pytest.mark.parametrize(
    "rule",
    [MSharpnessSAM(SGD(0.0), 0.05, groups=2), RWP(SGD(0.0), sigma=0.0, lam=0.5), SmallLoss(SGD(0.0), noise=0.0)],
    ids=lambda rule: type(rule).__name__,
)
def test_rules_that_look_at_parts_or_weigh_examples_keep_the_statistics_as_well(rule):
    """At w, of the whole batch, or of its halves: their mean."""
    run = quiet(BATCH_NORM, rule, epochs=1, dtype="float64")
    w = BATCH_NORM.init(0, "float64")
    expected = BATCH_NORM.init_running(w)
    for i in batches(24, 8, 0, 0):
        parts = [i] if isinstance(rule, SmallLoss) else [i[:4], i[4:]]
        seen = [NormStatistics() for _ in parts]
        for part, rows in zip(seen, parts, strict=True):
            BATCH_NORM.outputs(BATCH_NORM.unflatten(w), X[rows], part)
        for name, a in expected.items():
            expected[name] = 0.9 * a + 0.1 * np.mean([part.of_batch[name] for part in seen], axis=0)
    for name, a in expected.items():
        np.testing.assert_allclose(run.running[name], a, rtol=1e-12)


def test_the_statistics_of_a_batch_are_its_mean_and_unbiased_variance():
    seen = NormStatistics()
    x = RNG.standard_normal((4, 9))
    mean, variance = seen.moments("norm0", x)
    np.testing.assert_allclose(mean[:, 0], x.mean(axis=1))
    np.testing.assert_allclose(variance[:, 0], x.var(axis=1))
    np.testing.assert_allclose(seen.of_batch["norm0.variance"], x.var(axis=1, ddof=1))


def test_at_evaluation_an_examples_logits_do_not_depend_on_its_batch():
    run = quiet(BATCH_NORM, epochs=3)
    x = X.astype("float32")
    together = BATCH_NORM.apply(run.w, x, run.running)
    np.testing.assert_allclose(together[5:6], BATCH_NORM.apply(run.w, x[5:6], run.running), rtol=1e-4, atol=1e-5)
    assert not np.allclose(together[5:6], BATCH_NORM.apply(run.w, x[5:7])[:1], rtol=1e-2)
    np.testing.assert_allclose(run.evaluate(X, Y)["accuracy"], np.mean(together.argmax(axis=1) == Y), rtol=1e-6)


@pytest.mark.peer
def test_torch_trains_the_same_net_to_the_same_weights_and_statistics():
    """SGD for two epochs, then evaluation with the running statistics: kernels, gains and averages go the same way."""
    torch = pytest.importorskip("torch")
    run = quiet(BATCH_NORM, SGD(0.1), epochs=2, dtype="float64")
    layers = []
    for i, o in ((1, 2), (2, 3)):
        layers += [torch.nn.Conv2d(i, o, 3, padding=1), torch.nn.BatchNorm2d(o), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
    peer = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(3, 3)).double()
    start = BATCH_NORM.unflatten(BATCH_NORM.init(0, "float64"))
    with torch.no_grad():
        for mine, theirs in zip(start.values(), peer.parameters(), strict=True):
            theirs.copy_(torch.tensor(mine.T if mine.ndim == 2 else mine))
    optimizer = torch.optim.SGD(peer.parameters(), 0.1)
    for epoch in range(2):
        for i in batches(24, 8, 0, epoch):
            optimizer.zero_grad()
            out = peer(torch.tensor(X[i]).reshape(-1, 1, 4, 4))
            torch.nn.functional.cross_entropy(out, torch.tensor(Y[i])).backward()
            optimizer.step()
    for k, layer in enumerate((peer[1], peer[5])):
        np.testing.assert_allclose(run.running[f"norm{k}.mean"], layer.running_mean, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(run.running[f"norm{k}.variance"], layer.running_var, rtol=1e-9)
    with torch.no_grad():
        expected = peer.eval()(torch.tensor(X).reshape(-1, 1, 4, 4))
    np.testing.assert_allclose(BATCH_NORM.apply(run.w, X, run.running), expected, rtol=1e-8, atol=1e-10)


def test_running_statistics_are_saved_and_resumed(tmp_path):
    path, whole = tmp_path / "checkpoint.npz", quiet(BATCH_NORM, epochs=4)
    quiet(BATCH_NORM, epochs=2, checkpoint=path)
    resumed = quiet(BATCH_NORM, epochs=4, checkpoint=path)
    whole.save(tmp_path / "run.npz")
    for run in (resumed, Run.load(tmp_path / "run.npz")):
        assert np.array_equal(run.w, whole.w)
        for name, a in whole.running.items():
            assert np.array_equal(run.running[name], a)
        np.testing.assert_array_equal(run.evaluate(X, Y)["loss"], whole.evaluate(X, Y)["loss"])


# --- masks, the table, arguments ---------------------------------------------------------------------------------------


@each_model
def test_masks_by_kind_are_a_partition(model):
    masks = [model.mask(kind) for kind in ("weights", "biases", "norm")]
    np.testing.assert_array_equal(sum(masks), 1)
    p = model.unflatten(masks[0])
    assert all(anp.all(p[name] == 1) for name in p if name.endswith("W"))
    for name in model.shapes:
        assert model.mask(name).sum() == np.prod(model.shapes[name])
    with pytest.raises(ValueError, match="kind must be one of 'weights', 'biases', 'norm'"):
        model.mask("kernels")


def test_a_printed_model_is_a_table_of_its_parameters():
    lines = str(BATCH_NORM).splitlines()
    assert lines[0].split() == ["shape", "weights", "kind"]
    assert lines[1].split() == ["conv0.W", "(2,", "1,", "3,", "3)", "18", "weights"]
    assert lines[-1].split() == ["cnn", f"{BATCH_NORM.size:,}"]


BAD = {
    "no channels": (lambda: cnn(()), "channels must be a sequence of at least 1 whole numbers ≥ 1, got"),
    "a channel too few": (lambda: cnn((4, 0)), "channels must be a sequence of at least 1 whole numbers ≥ 1, got"),
    "groups": (lambda: cnn((6,), norm="group"), "channels must be multiples of 4 for group norm, got 6"),
    "norm": (lambda: cnn(norm="layer"), "norm must be one of 'none', 'batch', 'group', got 'layer'"),
    "shape": (lambda: cnn(shape=(8,)), "shape must be"),
    "kernel": (lambda: cnn(kernel=4), "kernel must be odd, got 4"),
    "nothing left": (lambda: cnn((4, 4, 4, 4)), "nothing is left of"),
    "classes": (lambda: resnet(classes=0), "classes must be a whole number ≥ 1, got 0"),
    "blocks": (lambda: resnet(blocks=0), "blocks must be a whole number ≥ 1, got 0"),
    "features": (
        lambda: cnn().apply(cnn().init(0), np.ones((2, 60))),
        r"x must have shape \(..., m, 64\), got \(2, 60\)",
    ),
}


@pytest.mark.parametrize(("make", "says"), BAD.values(), ids=BAD)
def test_bad_arguments_are_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()
