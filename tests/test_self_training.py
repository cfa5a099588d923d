"""Self-training from domain to domain, and points turned in the plane."""

import re

import numpy as np
import pytest

from minisam import SAM, SGD, mlp, train, value_and_grad
from minisam.data import batches, digits, turned, two_moons
from minisam.self_training import self_train

MOONS, MODEL = two_moons(noise=0.1, train=60, validation=20, test=100), mlp([2, 8, 2])


def test_a_quarter_turn_takes_x_to_y_and_y_to_minus_x():
    quarter = turned(MOONS, 90)
    for part in ("x_train", "x_validation", "x_test"):
        x = getattr(MOONS, part)
        np.testing.assert_allclose(getattr(quarter, part), np.stack([-x[:, 1], x[:, 0]], axis=1), atol=1e-6)
        np.testing.assert_allclose(getattr(turned(turned(MOONS, 37), -37), part), x, atol=1e-6)
    assert quarter.x_train.dtype == np.float32
    assert (quarter.y_test == MOONS.y_test).all()
    assert quarter.name == "two moons, turned by 90"


def test_only_points_in_the_plane_are_turned():
    with pytest.raises(ValueError, match=re.escape("data must be points in the plane, (m, 2), got (900, 64)")):
        turned(digits(), 10)


def test_self_training_is_training_on_the_nets_own_labels():
    w, x = MODEL.init(3, "float64"), MOONS.x_train.astype("float64")
    got = self_train(MODEL, w, x, SAM(SGD(0.1, momentum=0.9), 0.1), epochs=2, batch_size=20, seed=5)
    labels, f, v = np.argmax(MODEL.apply(w, x), axis=-1), value_and_grad(MODEL), 0
    for epoch in range(2):
        for i in batches(60, 20, 5, epoch):
            g = f(w, x[i], labels[i])[1]
            v = 0.9 * v + f(w + 0.1 * g / np.linalg.norm(g), x[i], labels[i])[1]
            w = w - 0.1 * v
    np.testing.assert_allclose(got, w, rtol=1e-10)


def test_replicas_label_and_learn_each_for_itself():
    w, rho = MODEL.init([0, 1, 2], "float64"), np.array([[0.0], [0.1], [0.3]])
    together = self_train(MODEL, w, MOONS.x_train, SAM(SGD(0.1), rho), epochs=2, batch_size=20)
    for k in range(3):
        alone = self_train(MODEL, w[k], MOONS.x_train, SAM(SGD(0.1), float(rho[k, 0])), epochs=2, batch_size=20)
        np.testing.assert_allclose(together[k], alone, rtol=1e-9, atol=1e-12)


def test_it_follows_a_turn_that_it_could_not_take_at_once():
    model, options = mlp([2, 16, 2]), {"batch_size": 50}
    domains = [turned(two_moons(seed=k, noise=0.05, train=200), 8 * k) for k in range(6)]
    w = start = train(model, domains[0], SGD(0.1, momentum=0.9), epochs=40, progress=False, **options).w
    for domain in domains[1:]:
        w = self_train(model, w, domain.x_train, SGD(0.1, momentum=0.9), epochs=20, **options)

    def accuracy(w):
        return np.mean(np.argmax(model.apply(w, domains[-1].x_test), axis=-1) == domains[-1].y_test)

    at_once = self_train(model, start, domains[-1].x_train, SGD(0.1, momentum=0.9), epochs=100, **options)
    assert accuracy(w) > accuracy(start) + 0.05
    assert accuracy(w) > accuracy(at_once) + 0.05


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"epochs": 1.5}, {"epochs": 1, "batch_size": 0}])
def test_wrong_counts_are_named(wrong):
    name, value = list(wrong.items())[-1]
    with pytest.raises(ValueError, match=f"^{name} must be a whole number ≥ 1, got {value}$"):
        self_train(MODEL, MODEL.init(0), MOONS.x_train, SGD(0.1), **wrong)
