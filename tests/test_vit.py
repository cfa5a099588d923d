"""The vision transformer against plain ones, and what it must and must not see."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from truths import vjp_error

from minisam import Adam, array_backend, check_grad, data, hvp, train, value_and_grad
from minisam.models import vit
from minisam.models.vit import cut

SMALL = {"shape": (2, 4, 6), "patch": 2, "width": 6, "depth": 2, "heads": 3, "classes": 4}  # 6 patches
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((3, 48)), RNG.integers(0, 4, 3)


def weights(model, seed=0):
    """Weights at which every parameter counts: the initial ones are small, and biases zero."""
    return model.init(seed, "float64") + 0.3 * np.random.default_rng(1).standard_normal(model.size)


# --- plain oracles ---------------------------------------------------------------------------------------------------


def plain_norm(p, name, x):
    gap = x - anp.mean(x, axis=-1, keepdims=True)
    return gap / anp.sqrt(anp.mean(gap**2, axis=-1, keepdims=True) + 1e-5) * p[f"{name}.gain"] + p[f"{name}.bias"]


def plain_block(p, name, x, heads, causal):
    """A block in autograd.numpy, on (m, t, d), with the heads by einsum."""
    m, t, d = x.shape

    def affine(part, x):
        return anp.dot(x, p[f"{name}.{part}.W"]) + p[f"{name}.{part}.b"]

    def split(x):
        return anp.reshape(x, (m, t, heads, d // heads))

    h = plain_norm(p, f"{name}.norm1", x)
    q, k, v = (split(affine(part, h)) for part in ("query", "key", "value"))
    fit = anp.exp(anp.einsum("mihe,mjhe->mhij", q, k) / np.sqrt(d // heads))
    if causal:
        fit = fit * np.tri(t)
    mixed = anp.einsum("mhij,mjhe->mihe", fit / anp.sum(fit, axis=-1, keepdims=True), v)
    x = x + affine("project", anp.reshape(mixed, (m, t, d)))
    h = affine("expand", plain_norm(p, f"{name}.norm2", x))
    h = h * (1 + anp.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3))) / 2
    return x + affine("contract", h)


def plain_vit(p, x, shape, patch, width, depth, heads, classes):
    c, h, w = shape
    images = x.reshape(-1, c, h, w)
    patches = [
        images[:, :, i : i + patch, j : j + patch].reshape(len(x), -1)
        for i in range(0, h, patch)
        for j in range(0, w, patch)
    ]
    z = anp.dot(np.stack(patches, axis=1), p["patches.W"]) + p["patches.b"]
    z = anp.concatenate([anp.tile(p["class_token"], (len(x), 1, 1)), z], axis=1) + p["positions"]
    for k in range(depth):
        z = plain_block(p, f"block{k}", z, heads, causal=False)
    return anp.dot(plain_norm(p, "norm", z[:, 0]), p["head.W"]) + p["head.b"]


def plain_loss(logits, labels):
    log_p = logits - anp.log(anp.sum(anp.exp(logits), axis=-1, keepdims=True))
    return -anp.mean(log_p[np.arange(len(labels)), labels])


def test_it_is_the_plain_one():
    model = vit(**SMALL)
    w = weights(model)
    np.testing.assert_allclose(model.apply(w, X), plain_vit(model.unflatten(w), X, **SMALL), rtol=1e-11)
    expected = grad(lambda w: plain_loss(plain_vit(model.unflatten(w), X, **SMALL), Y))(w)
    np.testing.assert_allclose(value_and_grad(model)(w, X, Y)[1], expected, rtol=1e-8, atol=1e-12)


@pytest.mark.peer
def test_torch_agrees():
    torch = pytest.importorskip("torch")
    model = vit(**SMALL)
    w = weights(model)
    parameters = {name: torch.tensor(a) for name, a in model.unflatten(w).items()}
    layers = torch.nn.functional

    def affine(name, x):
        return layers.linear(x, parameters[f"{name}.W"].T, parameters[f"{name}.b"])

    def norm(name, x):
        return layers.layer_norm(x, (6,), parameters[f"{name}.gain"], parameters[f"{name}.bias"])

    def heads(x):
        return x.reshape(3, 7, 3, 2).transpose(1, 2)

    kernel = parameters["patches.W"].T.reshape(6, 2, 2, 2)  # patches are a convolution with its stride as its width
    z = layers.conv2d(torch.tensor(X).reshape(3, 2, 4, 6), kernel, parameters["patches.b"], stride=2)
    z = (
        torch.cat([parameters["class_token"].expand(3, 1, 6), z.flatten(2).transpose(1, 2)], 1)
        + parameters["positions"]
    )
    for k in range(2):
        h = norm(f"block{k}.norm1", z)
        q, k_, v = (heads(affine(f"block{k}.{part}", h)) for part in ("query", "key", "value"))
        mixed = layers.scaled_dot_product_attention(q, k_, v).transpose(1, 2).reshape(3, 7, 6)
        z = z + affine(f"block{k}.project", mixed)
        h = affine(f"block{k}.expand", norm(f"block{k}.norm2", z))
        z = z + affine(f"block{k}.contract", layers.gelu(h, approximate="tanh"))
    peer = affine("head", norm("norm", z[:, 0]))
    np.testing.assert_allclose(model.apply(w, X), peer.numpy(), rtol=1e-11)


# --- derivatives and replay ------------------------------------------------------------------------------------------


def test_gradient_and_hessian_against_differences():
    model = vit((1, 4, 4), 2, 4, 1, 2, 3)
    w, x, y = weights(model), RNG.standard_normal((3, 16)), np.array([0, 2, 1])
    eager = value_and_grad(model, recorded=False)
    assert check_grad(lambda w: eager(w, x, y), w) < 1e-6
    product, v = hvp(model), np.random.default_rng(2).standard_normal(model.size)
    h = 1e-5
    quotient = (eager(w + h * v, x, y)[1] - eager(w - h * v, x, y)[1]) / (2 * h)
    np.testing.assert_allclose(product(w, v, x, y), quotient, rtol=1e-5, atol=1e-8 * np.abs(quotient).max())


@pytest.mark.parametrize("lead", [(), (2,)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recorded_equals_eager_bit_for_bit(lead, dtype):
    model = vit(**SMALL)
    w = model.init(np.arange(np.prod(lead, dtype=int)).reshape(lead), dtype)
    x = X.astype(dtype)
    recorded, eager = value_and_grad(model), value_and_grad(model, recorded=False)
    for scale in (1, 3):
        for a, b in zip(recorded(scale * w, x, Y), eager(scale * w, x, Y), strict=True):
            assert a.dtype == dtype
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(hvp(model)(w, w, x, Y), hvp(model, recorded=False)(w, w, x, Y))


def test_a_replica_is_its_own_run():
    model = vit(**SMALL)
    w, x = model.init([0, 1]), RNG.standard_normal((2, 3, 48)).astype("float32")
    y = RNG.integers(0, 4, (2, 3))
    f = value_and_grad(model)
    losses, g = f(w, x, y)
    for k in range(2):
        loss, alone = f(w[k], x[k], y[k])
        np.testing.assert_allclose(losses[k], loss, rtol=1e-6)
        np.testing.assert_allclose(g[k], alone, rtol=1e-6, atol=1e-6 * np.abs(alone).max())


def test_on_a_device_the_numbers_are_numpys(device):
    def computed():
        model = vit(**SMALL)
        w, x, y = model.init([0, 1], "float64"), array_backend.asarray(X), array_backend.asarray(Y)
        loss, g = value_and_grad(model)(w, x, y)
        return [array_backend.asnumpy(a) for a in (loss, g, hvp(model)(w, g, x, y))]

    expected = computed()
    with device.in_use():
        for a, b in zip(computed(), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=device.rtol, atol=1e-14)


# --- patches, positions, names ---------------------------------------------------------------------------------------


def test_patches_are_cut_in_the_order_of_reading():
    image = np.arange(2 * 4 * 6).reshape(2, 4, 6)
    patches = cut(image.reshape(1, 48), (2, 4, 6), 2)
    assert patches.shape == (6, 8)
    np.testing.assert_array_equal(patches[0], image[:, :2, :2].ravel())
    np.testing.assert_array_equal(patches[1], image[:, :2, 2:4].ravel())
    np.testing.assert_array_equal(patches[5], image[:, 2:, 4:].ravel())
    assert vjp_error(lambda x: anp.sin(cut(x, (2, 4, 6), 2)), X, RNG) < 1e-8


def test_without_positions_the_order_of_patches_does_not_matter():
    model = vit(**SMALL)
    w = weights(model)
    swapped = X.reshape(3, 2, 4, 6)[:, :, [2, 3, 0, 1]].reshape(3, 48)  # upper and lower row of patches
    assert np.abs(model.apply(w, X) - model.apply(w, swapped)).max() > 1e-3
    model.unflatten(w)["positions"][...] = 0
    np.testing.assert_allclose(model.apply(w, swapped), model.apply(w, X), rtol=1e-10)


def test_examples_do_not_see_each_other():
    model = vit(**SMALL)
    w = weights(model)
    np.testing.assert_allclose(model.apply(w, X)[1:2], model.apply(w, X[1:2]), rtol=1e-12)


def test_names_shapes_and_the_spec():
    model = vit()
    assert model.shapes["patches.W"] == (4, 64)
    assert model.shapes["class_token"] == (1, 64)
    assert model.shapes["positions"] == (17, 64)
    assert model.shapes["block1.expand.W"] == (64, 256)
    assert "block2.query.W" not in model.shapes
    block = 4 * (64 * 64 + 64) + (64 * 256 + 256) + (256 * 64 + 64) + 4 * 64
    assert model.size == (4 * 64 + 64) + 64 + 17 * 64 + 2 * block + 2 * 64 + (64 * 10 + 10)
    spec = dict(model.spec)
    assert spec.pop("model") == "vit"
    again = vit(**spec)
    assert again.shapes == model.shapes
    np.testing.assert_array_equal(again.init(3), model.init(3))


def test_initial_weights():
    model = vit()
    drawn = model.unflatten(model.init(0, "float64"))
    for name, a in drawn.items():
        if name.endswith((".b", ".bias")):
            np.testing.assert_array_equal(a, 0)
        elif name.endswith(".gain"):
            np.testing.assert_array_equal(a, 1)
        else:  # the standard deviation of n draws is within 4 standard errors, √(1/2n) each
            assert abs(a.std() / 0.02 - 1) < 4 * np.sqrt(0.5 / a.size), name


def test_it_learns_digits():
    model = vit(width=16, depth=1)
    run = train(model, data.digits(), Adam(0.01), epochs=12, batch_size=32, seed=0, progress=False)
    assert run.history["validation_accuracy"][-1] > 0.3  # guessing: 0.1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: vit(patch=3), "patch must divide height and width of the images, got 3 for 8×8"),
        (lambda: vit(heads=3), "width must be a multiple of heads, got width 64 and 3 heads"),
        (lambda: vit(depth=0), "depth must be a whole number ≥ 1, got 0"),
        (lambda: vit(classes=0), "classes must be a whole number ≥ 1, got 0"),
        (lambda: vit(shape=(8, 8)), r"shape must be \(channels, height, width\), got \(8, 8\)"),
        (
            lambda: vit(**SMALL).apply(np.zeros(vit(**SMALL).size), X[:, :5]),
            r"x must have shape \(\.\.\., m, 48\), got",
        ),
    ],
)
def test_what_is_refused_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
