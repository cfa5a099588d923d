"""Wrong labels: as many as asked, known, and only in the training part."""

import numpy as np
import pytest

from minisam import SGD, data, mlp, train
from minisam.data import asymmetric_noise, instance_dependent_noise, symmetric_noise

DIGITS = data.digits()
KINDS = {"symmetric": symmetric_noise, "asymmetric": asymmetric_noise, "instance": instance_dependent_noise}
each_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


@each_kind
@pytest.mark.parametrize("rate", [0.2, 0.4])
def test_the_wrong_labels_are_known_and_as_many_as_asked(make, rate):
    noisy = make(DIGITS, rate, seed=1)
    np.testing.assert_array_equal(noisy.flipped, noisy.y_train != DIGITS.y_train)
    spread = 0 if make is not instance_dependent_noise else 5 * np.sqrt(rate / 900)  # five deviations of a share
    assert abs(noisy.flipped.mean() - rate) <= spread + 0.5 / 900
    assert set(noisy.y_train) <= set(range(10))
    for part in ("x_train", "x_validation", "y_validation", "x_test", "y_test"):
        assert getattr(noisy, part) is getattr(DIGITS, part)


@each_kind
def test_the_seed_tells_which(make):
    assert np.array_equal(make(DIGITS, 0.3, 5).y_train, make(DIGITS, 0.3, 5).y_train)
    assert not np.array_equal(make(DIGITS, 0.3, 5).y_train, make(DIGITS, 0.3, 6).y_train)


def test_no_noise_is_no_noise():
    for make in (symmetric_noise, asymmetric_noise):
        assert np.array_equal(make(DIGITS, 0.0).y_train, DIGITS.y_train)


def test_symmetric_noise_takes_each_other_class_as_often():
    noisy = symmetric_noise(DIGITS, 1.0)
    away = (noisy.y_train - DIGITS.y_train) % 10
    counts = np.bincount(away, minlength=10)
    assert counts[0] == 0
    assert np.abs(counts[1:] - 100).max() < 5 * np.sqrt(100)


def test_asymmetric_noise_goes_where_it_is_sent():
    noisy = asymmetric_noise(DIGITS, 0.5, to={1: 7, 3: 8})
    assert set(DIGITS.y_train[noisy.flipped]) == {1, 3}
    assert (noisy.y_train[noisy.flipped & (DIGITS.y_train == 1)] == 7).all()
    can = np.isin(DIGITS.y_train, [1, 3])
    assert noisy.flipped.sum() == round(0.5 * can.sum())
    following = asymmetric_noise(DIGITS, 0.5)
    assert ((following.y_train - DIGITS.y_train) % 10 == following.flipped).all()


def test_instance_dependent_noise_depends_on_the_instance():
    """An example twice in the data is mistaken for the same class more often than two of its class are."""
    twice = data.Data(
        "twice", np.repeat(DIGITS.x_train, 2, 0), np.repeat(DIGITS.y_train, 2), *[DIGITS.x_test, DIGITS.y_test] * 2
    )
    flipped = instance_dependent_noise(twice, 0.9)
    pairs = flipped.y_train.reshape(-1, 2)
    both = flipped.flipped.reshape(-1, 2).all(axis=1)
    alike = (pairs[both, 0] == pairs[both, 1]).mean()
    y, wrong = DIGITS.y_train[both], pairs[both]
    others = np.mean([np.mean(wrong[y == k, 0][:, None] == wrong[y == k, 1][None]) for k in range(10)])
    assert alike > others + 0.02


def test_noise_on_noise_keeps_count_of_both():
    once = symmetric_noise(DIGITS, 0.2, 0)
    again = symmetric_noise(once, 0.2, 1)
    changed = again.y_train != once.y_train
    np.testing.assert_array_equal(again.flipped, once.flipped ^ changed)


def test_a_sweep_over_noise_trains_each_replica_on_its_own_labels():
    run = train(
        mlp((64, 10)),
        lambda noise, seed: symmetric_noise(DIGITS, noise, seed),
        SGD(0.1),
        1,
        seed=[0, 1],
        sweep={"noise": [0.0, 0.4]},
        progress=False,
    )
    alone = train(mlp((64, 10)), symmetric_noise(DIGITS, 0.4, 1), SGD(0.1), 1, seed=1, progress=False)
    assert np.array_equal(run.select(noise=0.4, seed=1).w, alone.w)


@each_kind
def test_bad_arguments_are_named(make):
    with pytest.raises(ValueError, match=r"rate must be in \[0, 1\], got 1.5"):
        make(DIGITS, 1.5)
    with pytest.raises(ValueError, match=r"data must have classes \(m,\) as labels"):
        make(data.linear_teacher(), 0.2)
    with pytest.raises(ValueError, match="to must map classes in 0 … 9, got 3 → 10"):
        asymmetric_noise(DIGITS, 0.2, to={3: 10})
