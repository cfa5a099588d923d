"""Student's t interval: against SciPy, and by what it promises, that 95 in 100 intervals hold the true mean."""

import numpy as np
import pytest
from scipy import stats

from minisam.stats import mean_and_interval


@pytest.mark.parametrize("n", [2, 3, 10, 100])
@pytest.mark.parametrize("axis", [0, -1])
def test_it_is_student_s_interval(n, axis):
    samples = np.moveaxis(np.random.default_rng(n).normal(3, 2, (4, n)), -1, axis)
    mean, half = mean_and_interval(samples, axis)
    t = stats.ttest_1samp(samples, 0, axis=axis).confidence_interval(0.95)
    np.testing.assert_allclose(mean - half, t.low, rtol=1e-12)
    np.testing.assert_allclose(mean + half, t.high, rtol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_95_in_100_intervals_hold_the_true_mean(n):
    """Of 20,000 intervals the share that does is 0.95 ± 0.0015 (one σ of a binomial)."""
    samples = np.random.default_rng(0).normal(7.0, 0.3, (20_000, n))
    mean, half = mean_and_interval(samples)
    assert abs(np.mean(np.abs(mean - 7.0) <= half) - 0.95) < 3 * 0.00155


def test_the_interval_moves_and_stretches_with_the_sample():
    samples = np.random.default_rng(0).normal(size=8)
    mean, half = mean_and_interval(samples)
    moved, stretched = mean_and_interval(5 - 2 * samples)
    np.testing.assert_allclose([moved, stretched], [5 - 2 * mean, 2 * half], rtol=1e-14)


def test_float32_samples_are_averaged_in_float64():
    samples = np.full(1000, 0.1, "float32")
    mean, half = mean_and_interval(samples)
    assert abs(mean - np.float64(np.float32(0.1))) < 1e-15
    assert half < 1e-15


def test_one_sample_has_a_mean_and_no_interval():
    mean, half = mean_and_interval(np.array([[1.0], [2.0]]))
    assert mean.tolist() == [1.0, 2.0]
    assert np.isnan(half).all()


def test_no_sample_is_refused():
    with pytest.raises(ValueError, match=r"^samples must not be empty, got shape \(0,\)$"):
        mean_and_interval(np.array([]))
