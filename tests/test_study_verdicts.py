"""Verdicts, table and picture of a study whose numbers are given."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import stats

from minisam import plot
from minisam.study import Comparison, Outcome, Result
from minisam.study.result import digits_of
from minisam.study.statistics import holm, p_of_difference, power_of_difference, power_of_equality
from minisam.study.verdicts import judge, word_of

BUDGETS = ("equal epochs", "equal gradients")


def compared(*differences, budgets=BUDGETS):
    return [Comparison("SAM", "SGD", budgets, tuple(map(float, each))) for each in differences]


def around(mean, spread, n):
    """n differences of exactly this mean and deviation."""
    d = np.random.default_rng(0).normal(size=n)
    return mean + spread * (d - d.mean()) / d.std(ddof=1)


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "spread", "delta", "word"),
    [
        (0.02, 0.01, None, "better"),
        (-0.02, 0.01, None, "worse"),
        (0.0, 0.01, None, "undecided"),  # that an interval holds 0 is no proof of equality
        (0.0, 0.01, 0.02, "equal"),
        (0.0, 0.05, 0.02, "undecided"),
        (0.02, 0.01, 0.02, "better"),
        (-0.02, 0.01, 0.02, "worse"),
        (0.01, 0.001, 0.02, "equal"),  # told from 0, and shown not to matter
    ],
)
def test_the_four_words(mean, spread, delta, word):
    (verdict,) = judge(compared(around(mean, spread, 10)), delta)
    assert verdict.word == word
    half = stats.t.ppf(0.975, 9) * spread / np.sqrt(10)
    assert (verdict.effect, verdict.half_width) == (pytest.approx(mean, abs=1e-12), pytest.approx(half, rel=1e-9))
    assert str(verdict).startswith(f"SAM against SGD at equal epochs and equal gradients: {word}")


@pytest.mark.parametrize(
    ("p", "p_equal", "word"),
    [(0.049, 0.051, "better"), (0.051, 0.051, "undecided"), (0.051, 0.049, "equal"), (0.05, 0.05, "undecided")],
)
def test_5_percent_decide(p, p_equal, word):
    assert word_of(1.0, p, p_equal) == word


def test_p_is_holm_s_over_all_comparisons():
    d = [around(mean, 0.01, 8) for mean in (0.02, 0.01, 0.0)]
    verdicts = judge(compared(*d), 0.01)
    np.testing.assert_allclose([v.p for v in verdicts], holm(p_of_difference(np.array(d))), rtol=1e-12)
    (alone,) = judge(compared(d[1]), 0.01)
    assert verdicts[1].p == pytest.approx(2 * alone.p)
    assert verdicts[2].p_equal == pytest.approx(3 * judge(compared(d[2]), 0.01)[0].p_equal)


def test_of_10_000_studies_without_a_difference_5_percent_at_most_say_better_or_worse():
    """Of three comparisons each; and 5% at most say equal where the difference is δ."""
    rng = np.random.default_rng(0)
    words = {0.0: [], 0.5: []}
    for mean, said in words.items():
        for study in rng.normal(mean, 1, (2000, 3, 8)):
            said.append({verdict.word for verdict in judge(compared(*study), 0.5 if mean else None)})
    assert np.mean([bool(said & {"better", "worse"}) for said in words[0.0]]) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
    assert np.mean(["equal" in said for said in words[0.5]]) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


# --- how many units would decide -------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(st.floats(0.3, 3), st.integers(1, 4))
def test_the_units_needed_decide_in_80_percent_whichever_is_true(delta, m):
    spread = 1.0
    verdicts = judge(compared(*[around(0.5 * delta, spread, 3)] * m), delta)
    for verdict in verdicts:
        if verdict.word == "undecided":
            n = verdict.units_needed
            powers = [power(n, delta, spread, 0.05 / m) for power in (power_of_difference, power_of_equality)]
            fewer = [power(n - 1, delta, spread, 0.05 / m) for power in (power_of_difference, power_of_equality)]
            assert min(powers) >= 0.8 > min(fewer)


def test_without_delta_the_effect_seen_is_what_there_may_be():
    (verdict,) = judge(compared(around(0.5, 1.0, 10)), None)
    assert verdict.units_needed == 34  # Cohen's number
    assert str(verdict).endswith(
        "; about 34 units would decide, with a chance of 80%, if it is as large as the one seen"
    )


@pytest.mark.parametrize(
    ("differences", "delta", "says"),
    [
        (around(0, 1, 5), 0.001, "more than 10,000 units would decide, with a chance of 80%, be it 0 or 0.001"),
        ([0.1] * 7, 0.2, "no spread between the units, so it cannot be told how many would decide"),
    ],
)
def test_what_no_number_of_units_would_decide(differences, delta, says):
    (verdict,) = judge(compared(differences), delta)
    assert (verdict.word, verdict.units_needed) == ("undecided", None)
    assert str(verdict).endswith(says)


def test_a_verdict_is_one_line():
    (verdict,) = judge(compared(around(0.02, 0.01, 10), budgets=BUDGETS[:1]), 0.005)
    assert str(verdict) == (
        "SAM against SGD at equal epochs: better, +0.02 [+0.01285, +0.02715] over 10 units (p = 0.00014, of no equality 1)"
    )
    (verdict,) = judge(compared(around(0, 0.01, 10)), 0.02)
    assert "equal within ±0.02, " in str(verdict)


# --- results ---------------------------------------------------------------------------------------------------------


def outcome(scores, epochs=20, gradients=280.0, **changed):
    settings = {"settings": {"lr": 0.1}, "tried": {"lr": [0.1, 0.2]}, "at_rim": [], "validation": 0.9}
    return Outcome(**settings | {"epochs": epochs, "gradients": gradients, "scores": list(scores), "seeds": 2,
                                 "diverged": [0] * len(scores)} | changed)  # fmt: skip


SGD, LONG, SAM = (
    outcome(0.9 + around(m, 0.01, 6), *spent) for m, spent in ((0, ()), (0.01, (40, 560.0)), (0.02, (20, 560.0)))
)
RESULT = Result({BUDGETS[0]: {"SGD": SGD, "SAM": SAM}, BUDGETS[1]: {"SGD": LONG, "SAM": SAM}}, 0.01)


def test_comparisons_are_paired_under_each_budget():
    epochs, gradients = RESULT.comparisons()
    assert (epochs.budgets, gradients.budgets) == ((BUDGETS[0],), (BUDGETS[1],))
    np.testing.assert_allclose(epochs.differences, np.subtract(SAM.scores, SGD.scores))
    np.testing.assert_allclose(gradients.differences, np.subtract(SAM.scores, LONG.scores))
    mirrored = [each.differences for each in RESULT.comparisons("SAM")]
    np.testing.assert_allclose(mirrored, np.negative([epochs.differences, gradients.differences]))


def test_a_comparison_of_the_same_trainings_is_one_comparison():
    """Else Holm's method would pay for it twice."""
    same = Result(dict.fromkeys(BUDGETS, RESULT.budgets[BUDGETS[0]]), None)
    (comparison,) = same.comparisons()
    assert comparison.budgets == BUDGETS


def test_against_what_is_not_there():
    with pytest.raises(ValueError, match=r"^against must be one of 'SGD', 'SAM', got 'Adam'$"):
        RESULT.verdicts(against="Adam")


def test_the_table():
    assert RESULT.table().splitlines() == [
        "                 settings  of  epochs  gradients          score  diverged",
        "equal epochs",
        "  SGD            lr = 0.1   2      20        280  0.900 ± 0.010",
        "  SAM            lr = 0.1   2      20        560  0.920 ± 0.010",
        "equal gradients",
        "  SGD            lr = 0.1   2      40        560  0.910 ± 0.010",
        "  SAM            lr = 0.1   2      20        560  0.920 ± 0.010",
    ]


def test_the_table_warns_of_rims_and_divergence():
    bad = replace(SAM, settings={"lr": 0.1, "rho": 0.2}, at_rim=["lr"], diverged=[0, 2, 1, 0, 0, 0], gradients=None)
    table = Result({BUDGETS[0]: {"SGD": SGD, "SAM": bad}}, None).table()
    assert (
        table.splitlines()[3]
        == "  SAM         lr = 0.1 (rim), rho = 0.2   2      20          ?  0.920 ± 0.010   3 of 12"
    )
    assert table.splitlines()[4:] == [
        "warning: SAM at equal epochs: lr = 0.1 lies at the rim of its grid, even extended: a better value may lie beyond",
        "warning: SAM at equal epochs: 3 trainings diverged, in 2 of 6 units; they count with the score of their initial weights",
    ]


@pytest.mark.parametrize(
    ("half_width", "digits"), [(120.0, 0), (12.0, 0), (1.2, 1), (0.0099, 4), (0.000012, 6), (1e-17, 6), (0.0, 4)]
)
def test_two_digits_of_a_half_width_are_shown_but_six_decimals_at_most(half_width, digits):
    assert digits_of(half_width) == digits


# --- picture ---------------------------------------------------------------------------------------------------------


def test_the_picture_shows_each_unit_mean_interval_and_delta(tmp_path):
    figure = RESULT.plot()
    (ax,) = figure.axes
    for row, verdict in enumerate(RESULT.verdicts()):
        dots, bar = ax.lines[1 + 4 * row], ax.containers[row]  # after the line at 0: dots, mean and two caps
        assert dots.get_xdata() == pytest.approx(verdict.comparison.differences)
        ((low, high),) = [segment[:, 0] for segment in bar.lines[2][0].get_segments()]
        assert (low, high) == pytest.approx((verdict.effect - verdict.half_width, verdict.effect + verdict.half_width))
        assert bar.lines[0].get_xdata() == pytest.approx([verdict.effect])
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        f"SAM\n{budget}: {verdict.word}" for budget, verdict in zip(BUDGETS, RESULT.verdicts(), strict=True)
    ]
    (band,) = ax.patches
    assert (band.get_x(), band.get_width()) == pytest.approx((-0.01, 0.02))
    plot.save(figure, tmp_path / "study.png")
    with Image.open(tmp_path / "study.png") as image:
        assert np.asarray(image.convert("L")).std() > 10


def test_without_delta_there_is_no_band():
    (ax,) = replace(RESULT, delta=None).plot().axes
    assert (len(ax.patches), ax.get_legend()) == (0, None)
