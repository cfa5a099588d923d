"""Base optimizers against loops written out from the papers; schedules in closed form."""

import math

import numpy as np
import pytest
from restated import descend

from minisam import SGD, Adam, AdamW
from minisam.optim import constant, cosine, step_decay, warmup

H = np.diag([5.0, 2.0, 0.3])
W0 = np.array([1.0, -2.0, 3.0])
STEPS = 20


def bowl(w):
    g = w @ H.astype(w.dtype)
    return 0.5 * np.sum(w * g, axis=-1), g


def path(optimizer, w=W0, steps=STEPS):
    state, way = optimizer.init(w), []
    for _ in range(steps):
        w, state, info = optimizer.step(w, state, bowl)
        way.append(w)
    return np.array(way), info


def by_hand(**base):
    """The path of a base with these settings, restated in plain NumPy."""
    w, kept, way = W0.copy(), {}, []
    for _ in range(STEPS):
        w = descend(base, base["lr"], w, H @ w, kept)
        way.append(w)
    return np.array(way)


def sgd_by_hand(lr, momentum=0.0, nesterov=False, l2=0.0):
    return by_hand(name="SGD", lr=lr, momentum=momentum, nesterov=nesterov, l2=l2)


def adam_by_hand(lr, b1, b2, eps, l2=0.0, decay=0.0):
    return by_hand(name="Adam", lr=lr, betas=(b1, b2), eps=eps, l2=l2, weight_decay=decay)


@pytest.mark.parametrize("l2", [0.0, 0.05])
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd(momentum, nesterov, l2):
    way, _ = path(SGD(0.1, momentum, nesterov, l2))
    np.testing.assert_allclose(way, sgd_by_hand(0.1, momentum, nesterov, l2), rtol=1e-12)


def test_momentum_in_the_papers_own_form():
    """Sutskever et al. 2013: v ← μ v − η g, w ← w + v; the same path while η is constant."""
    w, v, way = W0.copy(), np.zeros(3), []
    for _ in range(STEPS):
        v = 0.9 * v - 0.1 * (H @ w)
        w = w + v
        way.append(w)
    np.testing.assert_allclose(path(SGD(0.1, 0.9))[0], way, rtol=1e-11)


@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_adam(l2):
    way, _ = path(Adam(0.1, (0.8, 0.95), 1e-6, l2=l2))
    np.testing.assert_allclose(way, adam_by_hand(0.1, 0.8, 0.95, 1e-6, l2=l2), rtol=1e-12)


def test_the_first_step_of_adam_is_lr_along_the_signs():
    way, _ = path(Adam(0.1), steps=1)
    np.testing.assert_allclose(way[0], W0 - 0.1 * np.sign(H @ W0), rtol=1e-6)


def test_adamw_decays_the_weights_and_not_the_moments():
    way, _ = path(AdamW(0.1, (0.8, 0.95), 1e-6, weight_decay=0.3))
    np.testing.assert_allclose(way, adam_by_hand(0.1, 0.8, 0.95, 1e-6, decay=0.3), rtol=1e-12)
    np.testing.assert_array_equal(path(AdamW(0.1, weight_decay=0.0))[0], path(Adam(0.1))[0])


def test_info_tells_the_loss_and_the_gradient_at_w():
    _, info = path(SGD(0.1), steps=1)
    assert info["loss"] == bowl(W0)[0]
    np.testing.assert_allclose(info["grad_norm"], np.linalg.norm(H @ W0), rtol=1e-14)
    assert info["evaluations"] == 1


@pytest.mark.parametrize("make", [lambda lr: SGD(lr, 0.9), Adam, AdamW])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_size_of_shape_3_1_gives_each_replica_its_own(make, dtype):
    lrs = np.array([[0.01], [0.05], [0.1]])
    way, _ = path(make(lrs), np.tile(W0, (3, 1)).astype(dtype))
    assert way.dtype == dtype
    for k, lr in enumerate([0.01, 0.05, 0.1]):
        alone, _ = path(make(lr), W0.astype(dtype))
        np.testing.assert_allclose(way[:, k], alone, rtol=50 * np.finfo(dtype).eps, atol=50 * np.finfo(dtype).eps)


def test_other_hyperparameters_sweep_too():
    way, _ = path(SGD(0.1, np.array([[0.0], [0.9]]), l2=np.array([[0.0], [0.1]])), np.tile(W0, (2, 1)))
    np.testing.assert_allclose(way[:, 0], sgd_by_hand(0.1), rtol=1e-12)
    np.testing.assert_allclose(way[:, 1], sgd_by_hand(0.1, 0.9, l2=0.1), rtol=1e-12)


@pytest.mark.parametrize(
    "optimizer", [SGD(np.float64(0.1), np.float64(0.9)), Adam(np.float64(0.1), eps=np.float64(1e-8))]
)
def test_a_number_of_numpys_does_not_widen_the_weights(optimizer):
    assert path(optimizer, W0.astype("float32"))[0].dtype == np.float32


# --- schedules -------------------------------------------------------------------------------------------------------


def test_constant_and_step_decay():
    assert [constant(0.3)(t) for t in (0, 7)] == [0.3, 0.3]
    assert [step_decay(1.0, 10)(t) for t in (0, 9, 10, 25)] == pytest.approx([1, 1, 0.1, 0.01])


def test_cosine_goes_from_lr_to_final_and_stays():
    schedule = cosine(0.4, 100, final=0.1)
    assert [schedule(t) for t in (0, 50, 100, 150)] == pytest.approx([0.4, 0.25, 0.1, 0.1])
    assert schedule(25) == pytest.approx(0.25 + 0.15 * math.cos(math.pi / 4))


def test_warmup_is_a_linear_start():
    schedule = warmup(4, constant(0.8))
    assert [schedule(t) for t in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8])
    both = warmup(10, cosine(1.0, 100))
    assert both(4) == pytest.approx(0.5 * cosine(1.0, 100)(4))


def test_a_schedule_sets_the_step_of_its_time():
    way, _ = path(SGD(lambda t: 0.1 / (t + 1)), steps=3)
    w = W0
    for t in range(3):
        w = w - 0.1 / (t + 1) * (H @ w)
        np.testing.assert_allclose(way[t], w, rtol=1e-14)
    for adam in (Adam, AdamW):  # 0.1 at t = 0, and 0 from then on
        way, _ = path(adam(step_decay(0.1, 1, 0.0)), steps=3)
        np.testing.assert_array_equal(way, np.tile(path(adam(0.1), steps=1)[0], (3, 1)))


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: SGD(-0.1), "lr must be ≥ 0, got -0.1"),
        (lambda: SGD(float("nan")), "lr must be ≥ 0, got nan"),
        (lambda: SGD(lambda t: -1.0), "lr must be ≥ 0, got -1.0"),
        (lambda: SGD(0.1, -0.9), "momentum must be ≥ 0, got -0.9"),
        (lambda: SGD(0.1, l2=-1e-3), "l2 must be ≥ 0, got -0.001"),
        (lambda: SGD(0.1, nesterov=True), "nesterov needs a momentum above 0, got momentum=0"),
        (lambda: Adam(betas=(0.9, 1.0)), r"betas must be two numbers in \[0, 1\), got \(0.9, 1.0\)"),
        (lambda: Adam(eps=-1.0), "eps must be ≥ 0, got -1.0"),
        (lambda: AdamW(weight_decay=-0.1), "weight_decay must be ≥ 0, got -0.1"),
        (lambda: cosine(0.1, 0), "steps must be a whole number ≥ 1, got 0"),
        (lambda: warmup(0, constant(0.1)), "steps must be a whole number ≥ 1, got 0"),
        (lambda: step_decay(0.1, 0), "every must be a whole number ≥ 1, got 0"),
    ],
)
def test_what_is_refused_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
