"""The truths of the step: one ascent, one descent, and the L2 term at w."""

import math
import re

import numpy as np
import pytest

from minisam.autodiff import value_and_grad
from minisam.models import mlp
from minisam.optim import SGD, Adam, AdamW
from minisam.sam import SAM, Quadratic, epsilon

EPS = np.finfo("float64").eps
BASES = {
    "SGD": SGD(0.1),
    "momentum": SGD(0.1, momentum=0.9),
    "Nesterov": SGD(0.1, momentum=0.9, nesterov=True),
    "Adam": Adam(0.01),
    "AdamW": AdamW(0.01, weight_decay=0.1),
}
MODEL = mlp([3, 4, 2], activation="tanh")
NET = value_and_grad(MODEL)


def on_batches(seed=0):
    """Three batches, and the loss on each as a function of the weights alone."""
    rng = np.random.default_rng(seed)
    pairs = [(rng.standard_normal((5, 3)), rng.integers(0, 2, 5)) for _ in range(3)]
    return [lambda w, x=x, y=y: NET(w, x, y) for x, y in pairs]


def run(optimizer, w, losses):
    """The weights after each step, and what each step told."""
    state, path, told = optimizer.init(w), [], []
    for loss_and_grad in losses:
        w, state, info = optimizer.step(w, state, loss_and_grad)
        path.append(w)
        told.append(info)
    return np.array(path), told


def bowl(n=4, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((n, n))
    return Quadratic(root @ root.T / n, rng.standard_normal(n))


# --- what it becomes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [1, 2, 3, math.inf])
def test_radius_zero_is_the_base_bit_for_bit(base, dtype, p):
    w = MODEL.init([0, 1], dtype)
    path, told = run(SAM(BASES[base], 0.0, p), w, on_batches())
    expected, told_by_base = run(BASES[base], w, on_batches())
    assert path.dtype == dtype
    np.testing.assert_array_equal(path, expected)
    for here, there in zip(told, told_by_base, strict=True):
        np.testing.assert_array_equal(here["loss"], there["loss"])
        np.testing.assert_array_equal(here["grad_norm"], there["grad_norm"])


@pytest.mark.parametrize("l2", [0.3, np.array([[0.0], [0.3]])])
@pytest.mark.parametrize("base", [SGD, lambda lr, l2: SGD(lr, momentum=0.9, l2=l2), Adam])
def test_radius_zero_with_l2_is_the_base_with_that_l2_bit_for_bit(base, l2):
    w = MODEL.init([0, 1], "float64")
    path, _ = run(SAM(base(0.05, l2=0.0), 0.0, l2=l2), w, on_batches())
    expected, _ = run(base(0.05, l2=l2), w, on_batches())
    np.testing.assert_array_equal(path, expected)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("p", [1, 2, math.inf])
def test_on_a_linear_loss_it_is_the_base(base, p):
    slope = np.array([0.5, -2.0, 0.0])
    linear = [lambda w: (w @ slope, np.broadcast_to(slope, w.shape))] * 4
    w = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(run(SAM(BASES[base], 0.7, p), w, linear)[0], run(BASES[base], w, linear)[0])


@pytest.mark.parametrize("base", BASES)
def test_at_a_zero_gradient_it_is_the_base(base):
    q = bowl()
    at_rest = [value_and_grad(Quadratic(q.H))] * 3
    w = np.zeros((2, 4))
    np.testing.assert_array_equal(run(SAM(BASES[base], 0.7), w, at_rest)[0], run(BASES[base], w, at_rest)[0])


# --- the step itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("p", [1, 1.5, 2, 3, math.inf])
def test_a_step_on_a_quadratic_is_its_closed_form(p, l2):
    q = bowl()
    w = np.random.default_rng(1).standard_normal(4)
    g = q.H @ w + q.b
    order = math.inf if p == 1 else 1 if p == math.inf else p / (p - 1)
    if p == 1:
        look = np.where(np.abs(g) == np.abs(g).max(), 0.2 * np.sign(g), 0)
    elif p == math.inf:
        look = 0.2 * np.sign(g)
    else:  # the article's eq. 2
        look = 0.2 * np.sign(g) * np.abs(g) ** (order - 1) / np.sum(np.abs(g) ** order) ** (1 / p)
    expected = w - 0.1 * (q.H @ (w + look) + q.b + 2 * l2 * w)
    path, _ = run(SAM(SGD(0.1), 0.2, p, l2), w, [value_and_grad(q)])
    np.testing.assert_allclose(path[0], expected, rtol=1e-13)


def test_the_gradient_is_taken_at_w_and_at_w_plus_epsilon_and_nowhere_else():
    q, asked = bowl(), []

    def loss_and_grad(w):
        asked.append(w.copy())
        return value_and_grad(q)(w)

    w = np.random.default_rng(2).standard_normal((2, 4))
    run(SAM(Adam(0.1), 0.2, l2=0.1), w, [loss_and_grad])
    first, second = asked
    np.testing.assert_array_equal(first, w)
    np.testing.assert_array_equal(second, w + epsilon(value_and_grad(q)(w)[1], 0.2))
    np.testing.assert_allclose(np.linalg.norm(second - first, axis=-1), 0.2, rtol=64 * EPS)


@pytest.mark.parametrize("p", [1, 2, math.inf])
def test_the_gradient_of_the_l2_term_is_taken_at_w(p):
    q, lr, l2 = bowl(), 0.1, 0.3
    w = np.random.default_rng(3).standard_normal((2, 4))
    with_l2, told = run(SAM(SGD(lr), 0.5, p, l2), w, [value_and_grad(q)])
    without, told_without = run(SAM(SGD(lr), 0.5, p), w, [value_and_grad(q)])
    np.testing.assert_allclose(without[0] - with_l2[0], lr * 2 * l2 * w, rtol=1e-12)
    # had it been at w + ε, it would be off by 2λε, which is not small
    assert lr * 2 * l2 * 0.5 / 4 > 1e-3
    # nor does it bend the ascent, or count in what is told
    for key in ("eps_norm", "loss", "grad_norm"):
        np.testing.assert_array_equal(told[0][key], told_without[0][key])


def test_sam_over_adam_is_an_independently_written_loop():
    q = bowl(n=3, seed=4)
    w = np.array([1.0, -2.0, 0.5])
    path, _ = run(SAM(Adam(0.05, betas=(0.8, 0.95), eps=1e-6), 0.3, l2=0.01), w, [value_and_grad(q)] * 6)

    def slope(v):
        return [sum(q.H[i][j] * v[j] for j in range(3)) + q.b[i] for i in range(3)]

    here, m, v = list(w), [0.0] * 3, [0.0] * 3
    for t in range(1, 7):
        up = slope(here)
        length = math.sqrt(sum(u * u for u in up))
        worst = slope([x + 0.3 * u / length for x, u in zip(here, up, strict=True)])
        for i in range(3):
            total = worst[i] + 0.02 * here[i]
            m[i] = 0.8 * m[i] + 0.2 * total
            v[i] = 0.95 * v[i] + 0.05 * total**2
            here[i] -= 0.05 * (m[i] / (1 - 0.8**t)) / (math.sqrt(v[i] / (1 - 0.95**t)) + 1e-6)
        np.testing.assert_allclose(path[t - 1], here, rtol=1e-11)


def test_sam_over_momentum_is_an_independently_written_loop():
    q = bowl(n=3, seed=5)
    w = np.array([1.0, -2.0, 0.5])
    path, _ = run(SAM(SGD(0.05, momentum=0.9), 0.3), w, [value_and_grad(q)] * 6)
    here, velocity = w, np.zeros(3)
    for t in range(6):
        g = q.H @ here + q.b
        velocity = 0.9 * velocity + q.H @ (here + 0.3 * g / math.sqrt(g @ g)) + q.b
        here = here - 0.05 * velocity
        np.testing.assert_allclose(path[t], here, rtol=1e-11)


def test_only_the_direction_of_the_first_gradient_matters():
    # a loss 100 times as large, with a step 100 times as small, takes the same step
    q = bowl()
    w = np.random.default_rng(5).standard_normal(4)
    path, _ = run(SAM(SGD(0.1), 0.2), w, [value_and_grad(q)] * 5)
    larger, _ = run(SAM(SGD(0.001), 0.2), w, [value_and_grad(Quadratic(100 * q.H, 100 * q.b))] * 5)
    np.testing.assert_allclose(larger, path, rtol=1e-11)


# --- replicas ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("p", [1, 2, 3, math.inf])
def test_replicas_equal_separate_runs(base, p):
    sam, w = SAM(BASES[base], 0.2, p, 0.01), MODEL.init([0, 1, 2], "float64")
    together, told = run(sam, w, on_batches())
    for i in range(3):
        alone, told_alone = run(sam, w[i], on_batches())
        np.testing.assert_allclose(together[:, i], alone, rtol=1e-9)
        for here, there in zip(told, told_alone, strict=True):
            for key in ("loss", "grad_norm", "eps_norm"):
                np.testing.assert_allclose(here[key][i], there[key], rtol=1e-9)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_radii_and_l2_sweep_over_the_replicas(base, dtype):
    rhos, l2s = [0.0, 0.05, 2.0], [0.1, 0.0, 0.02]
    w = np.array(MODEL.init([7, 7, 7], dtype))
    sweep = SAM(BASES[base], np.array(rhos)[:, None], l2=np.array(l2s)[:, None])
    together, told = run(sweep, w, on_batches())
    assert together.dtype == dtype
    for i, (rho, l2) in enumerate(zip(rhos, l2s, strict=True)):
        alone, _ = run(SAM(BASES[base], rho, l2=l2), w[i], on_batches())
        np.testing.assert_allclose(together[:, i], alone, rtol=0, atol=1e3 * np.finfo(dtype).eps)
        np.testing.assert_allclose([info["eps_norm"][i] for info in told], rho, rtol=64 * np.finfo(dtype).eps)
    assert np.abs(together[-1, 0] - together[-1, 2]).max() > 1e-3


# --- what it tells -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [1, 1.5, 2, math.inf])
@pytest.mark.parametrize("lead", [(), (3,), (2, 3)])
def test_info(p, lead):
    q = bowl()
    w = np.random.default_rng(6).standard_normal((*lead, 4))
    state = SAM(SGD(0.1)).init(w)
    _, _, info = SAM(SGD(0.1), 0.2, p, 0.5).step(w, state, value_and_grad(q))
    assert set(info) == {"loss", "grad_norm", "eps_norm", "evaluations"}
    assert info["evaluations"] == 2
    for key in ("loss", "grad_norm", "eps_norm"):
        assert np.shape(info[key]) == lead
    np.testing.assert_array_equal(info["loss"], q(w))  # of w, not of w + ε
    np.testing.assert_allclose(info["grad_norm"], np.linalg.norm(w @ q.H + q.b, axis=-1), rtol=1e-13)
    np.testing.assert_allclose(info["eps_norm"], 0.2, rtol=64 * EPS)


@pytest.mark.parametrize("base", BASES)
def test_the_state_is_the_base_s(base):
    w = np.random.default_rng(7).standard_normal((2, 4))
    sam = SAM(BASES[base], 0.2)
    _, state, _ = sam.step(w, sam.init(w), value_and_grad(bowl()))
    assert state["t"] == 1
    assert set(state) == set(BASES[base].init(w))


def test_inputs_are_not_changed():
    w = np.random.default_rng(8).standard_normal((2, 4))
    kept, sam = w.copy(), SAM(SGD(0.1, momentum=0.9), 0.2, l2=0.1)
    state = sam.init(w)
    sam.step(w, state, value_and_grad(bowl()))
    np.testing.assert_array_equal(w, kept)
    assert state["t"] == 0
    np.testing.assert_array_equal(state["v"], 0.0)


@pytest.mark.parametrize("hyperparameter", [0.1, np.float64(0.1), np.array([0.1]), np.array([[0.1], [0.2]])])
def test_float32_weights_stay_float32(hyperparameter):
    w = np.ones((2, 4), dtype="float32")
    sam = SAM(SGD(hyperparameter), hyperparameter, l2=hyperparameter)
    w, state, info = sam.step(w, sam.init(w), lambda w: (np.sum(w * w, axis=-1), 2 * w))
    assert w.dtype == state["v"].dtype == info["eps_norm"].dtype == info["loss"].dtype == np.float32


# --- errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rho": -0.1}, "rho must be ≥ 0, got -0.1"),
        ({"rho": np.array([[0.1], [-0.2]])}, "rho must be ≥ 0, got -0.2"),
        ({"rho": math.nan}, "rho must be ≥ 0, got nan"),
        ({"p": 0.99}, "p must be in [1, ∞], got 0.99"),
        ({"l2": -1e-4}, "l2 must be ≥ 0, got -0.0001"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        SAM(SGD(0.1), **arguments)


def test_the_base_must_be_an_optimizer():
    with pytest.raises(TypeError, match=r"^base must be a base optimizer such as SGD\(lr\), got 0.1$"):
        SAM(0.1)
