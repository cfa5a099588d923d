"""The statistics of a study: against SciPy, against published numbers, and by what they promise in simulated studies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from minisam.stats import mean_and_interval
from minisam.study.statistics import (
    MOST,
    POWER,
    holm,
    p_of_difference,
    p_of_equality,
    power_of_difference,
    power_of_equality,
    units_needed,
)

STUDIES = 10_000


def drawn(mean, spread, n, seed=0, studies=STUDIES):
    return np.random.default_rng(seed).normal(mean, spread, (studies, n))


def off(share):
    """Three standard errors of such a share of the studies."""
    return 3 * np.sqrt(share * (1 - share) / STUDIES)


# --- p ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 10, 100])
def test_p_is_that_of_the_paired_t_test(n):
    a, b = np.random.default_rng(n).normal(0.2, 1, (2, 5, n))
    np.testing.assert_allclose(p_of_difference(a - b), stats.ttest_rel(a, b, axis=1).pvalue, rtol=1e-10)


@pytest.mark.parametrize("n", [2, 3, 10, 100])
@pytest.mark.parametrize("delta", [0.1, 1.0])
def test_equality_is_both_one_sided_tests(n, delta):
    d = np.random.default_rng(n).normal(0.2, 1, (5, n))
    above = stats.ttest_1samp(d, -delta, axis=1, alternative="greater").pvalue
    below = stats.ttest_1samp(d, delta, axis=1, alternative="less").pvalue
    np.testing.assert_allclose(p_of_equality(d, delta), np.maximum(above, below), rtol=1e-10)


def test_student_s_own_example():
    """Ten patients' extra sleep (Student 1908; R's data set `sleep`): t = 4.0621 with 9 degrees, p = 0.002833."""
    more = np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
    assert p_of_difference(more) == pytest.approx(0.002833, abs=5e-7)


def test_equality_at_5_percent_is_a_90_percent_interval_within_delta():
    d = drawn(0.1, 1, 12, studies=200)
    se = d.std(axis=1, ddof=1) / np.sqrt(12)
    half = stats.t.ppf(0.95, 11) * se
    inside = (d.mean(axis=1) - half > -0.6) & (d.mean(axis=1) + half < 0.6)
    np.testing.assert_array_equal(p_of_equality(d, 0.6) < 0.05, inside)
    assert 0 < inside.sum() < 200


@pytest.mark.parametrize(("value", "p_equal"), [(0.0, 0.0), (0.1, 1.0), (-0.1, 1.0)])
def test_without_any_spread_nothing_is_decided_but_that_equals_are_equal(value, p_equal):
    d = np.full((3, 7), value)  # the mean of seven 0.1 is not 0.1, so NumPy's deviation is not 0
    np.testing.assert_array_equal(p_of_difference(d), 1)
    np.testing.assert_array_equal(p_of_equality(d, 0.2), p_equal)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8), st.floats(0.01, 100))
def test_p_does_not_depend_on_the_unit_of_the_score(d, scale):
    d = np.round(d, 3)
    np.testing.assert_allclose(p_of_difference(scale * d), p_of_difference(d), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(p_of_equality(scale * d, scale * 1.0), p_of_equality(d, 1.0), rtol=1e-6, atol=1e-9)
    assert p_of_difference(-d) == p_of_difference(d)


# --- many comparisons ------------------------------------------------------------------------------------------------


def test_holm_s_adjustment_by_hand():
    """Four tests: 4 · 0.005, 3 · 0.01, 2 · 0.03 = 0.06, and 0.04 is raised to what stands before it. R's p.adjust agrees."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02], rtol=1e-14)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_his_steps_reject(p):
    """From the smallest p on, as long as it is below α/(m − i)."""
    adjusted = holm(np.array(p))
    for level in (0.01, 0.05, 0.5):
        rejected = set()
        for i, k in enumerate(sorted(range(len(p)), key=p.__getitem__)):
            if not (len(p) - i) * p[k] < level:
                break
            rejected.add(k)
        assert {k for k, a in enumerate(adjusted) if a < level} == rejected
    assert (adjusted >= p).all()
    assert (adjusted <= 1).all()


# --- power -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 5, 10, 30])  # for 50, SciPy's is NaN
@pytest.mark.parametrize("effect", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_power_of_a_difference_is_that_of_the_noncentral_t_distribution(n, effect, level):
    t, nu = stats.t.ppf(1 - level / 2, n - 1), np.sqrt(n) * effect
    exact = stats.nct.sf(t, n - 1, nu) + stats.nct.cdf(-t, n - 1, nu)
    assert power_of_difference(n, 2 * effect, 2.0, level) == pytest.approx(exact, abs=2e-4)


def test_cohen_s_published_number_of_pairs():
    """A medium effect, d = 0.5, two-sided at 5%, with a power of 80%, takes 34 pairs (G*Power 3, and R's power.t.test: 33.4)."""
    assert units_needed(lambda n: power_of_difference(n, 0.5, 1.0)) == 34


@pytest.mark.parametrize(("n", "effect"), [(5, 1.5), (10, 0.7), (34, 0.5)])
def test_a_difference_is_found_as_often_as_told(n, effect):
    told = power_of_difference(n, effect, 1.0)
    assert abs(np.mean(p_of_difference(drawn(effect, 1, n)) < 0.05) - told) < off(told)


@pytest.mark.parametrize(("n", "delta"), [(5, 2.0), (10, 1.0), (36, 0.5)])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_equality_is_found_as_often_as_told(n, delta, level):
    told = power_of_equality(n, delta, 1.0, level)
    assert abs(np.mean(p_of_equality(drawn(0, 1, n), delta) < level) - told) < off(told)


@settings(max_examples=20)
@given(st.floats(0.1, 5))
def test_units_needed_are_the_fewest_that_reach_the_power(effect):
    for power in (power_of_difference, power_of_equality):
        n = units_needed(lambda n, power=power: power(n, effect, 1.0))
        assert power(n, effect, 1.0) >= POWER
        assert n == 2 or power(n - 1, effect, 1.0) < POWER


def test_what_no_study_can_tell_has_no_number():
    assert units_needed(lambda n: power_of_difference(n, 0.001, 1.0)) is None
    assert units_needed(lambda n: n >= MOST) == MOST
    assert units_needed(lambda n: n > MOST) is None


# --- what 10,000 simulated studies say -------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 5, 10, 30])
def test_95_in_100_paired_intervals_hold_the_true_difference(n):
    """Units differ by far more than methods do, and pairs take that out."""
    rng = np.random.default_rng(n)
    units = rng.normal(0.8, 0.1, (STUDIES, n))
    a, b = units + rng.normal(0.02, 0.01, (STUDIES, n)), units + rng.normal(0, 0.01, (STUDIES, n))
    mean, half = mean_and_interval(a - b)
    assert abs(np.mean(abs(mean - 0.02) <= half) - 0.95) < 0.01


@pytest.mark.parametrize("m", [1, 2, 5])
def test_one_in_twenty_studies_at_most_finds_a_difference_where_there_is_none(m):
    p = holm(p_of_difference(np.random.default_rng(m).normal(size=(STUDIES, m, 8))))
    share = np.mean((p < 0.05).any(axis=-1))
    assert share < 0.05 + off(0.05)
    assert share > 0.03  # and Holm's method does not pay more than it has to


@pytest.mark.parametrize("mean", [0.5, -0.5, 0.7])
def test_one_in_twenty_studies_at_most_finds_equality_where_there_is_none(mean):
    assert np.mean(p_of_equality(drawn(mean, 1, 20), 0.5) < 0.05) < 0.05 + off(0.05)
