"""Choosing settings: the best of the grid; a rim is extended, and told where the choice stays there."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.study.tuning import EXTENSIONS, choose, next_value


def scores_of(f, log=None):
    """What each combination of a grid is worth."""

    def scores(grid):
        found = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
        if log is not None:
            log.extend(found)
        return [(settings, f(**settings)) for settings in found]

    return scores


def anything(settings):
    return True


@pytest.mark.parametrize(
    ("values", "chosen", "beyond"),
    [
        ([0.1, 0.2, 0.4], 0.4, 0.8),
        ([0.4, 0.1, 0.2], 0.1, 0.05),  # in any order
        ([0.1, 0.2, 0.4], 0.2, None),
        ([0.0, 0.1], 0.1, 0.2),
        ([0.0, 0.1], 0.0, None),  # nothing lies below 0
        ([-1.0, 1.0], -1.0, -3.0),
        ([0.03, 0.1], 0.1, 0.333333),
        ([2, 5], 5, 12),
        ([2, 5], 2, 1),
        ([0.1], 0.1, None),  # one value is no grid
        (["a", "b"], "b", None),
        ([True, False], True, None),
    ],
)
def test_the_value_beyond_the_rim(values, chosen, beyond):
    value = next_value(values, chosen)
    assert value == beyond
    assert type(value) is (type(values[0]) if beyond is not None else type(None))


def test_the_best_inside_is_chosen_and_nothing_else_is_tried():
    log = []
    choice = choose(scores_of(lambda lr: -abs(lr - 0.2), log), {"lr": [0.1, 0.2, 0.4]}, anything)
    assert (choice.settings, choice.score, choice.at_rim, len(log)) == ({"lr": 0.2}, 0, [], 3)


def test_the_first_of_equals_is_chosen():
    assert choose(scores_of(lambda a: 1.0), {"a": ["x", "y"]}, anything).settings == {"a": "x"}


def test_a_rim_is_extended_until_the_best_lies_inside():
    log = []
    choice = choose(scores_of(lambda lr: -abs(lr - 0.8), log), {"lr": [0.1, 0.2, 0.4]}, anything)
    assert (choice.settings, choice.grid, choice.at_rim) == ({"lr": 0.8}, {"lr": [0.1, 0.2, 0.4, 0.8, 1.6]}, [])
    assert len(log) == 5  # each once


def test_a_choice_that_stays_at_the_rim_is_told():
    choice = choose(scores_of(lambda lr, rho: lr - rho), {"lr": [0.1, 0.2], "rho": [0.1, 0.2]}, anything)
    assert (choice.settings, choice.at_rim) == ({"lr": 0.8, "rho": 0.025}, ["lr", "rho"])


def test_where_the_optimizer_takes_no_more_the_rim_is_no_sign():
    choice = choose(scores_of(lambda share: share), {"share": [0.5, 0.9]}, lambda settings: settings["share"] <= 1)
    assert (choice.settings, choice.at_rim) == ({"share": 0.9}, [])


@given(
    st.lists(st.floats(0.01, 100), min_size=2, max_size=5, unique=True),
    st.floats(-3, 3),
    st.integers(1, 3),
)
def test_no_combination_that_was_tried_is_better_and_none_is_tried_twice(values, best, others):
    log = []
    scores = scores_of(lambda lr, other: -((lr - 10**best) ** 2) - other, log)
    choice = choose(scores, {"lr": values, "other": ["abc".index(c) for c in "abc"[:others]]}, anything)
    worth = [
        scores_of(lambda lr, other: -((lr - 10**best) ** 2) - other)({k: [v] for k, v in s.items()})[0][1] for s in log
    ]
    assert choice.score == max(worth)
    assert len({str(each) for each in log}) == len(log)
    assert len(choice.grid["lr"]) <= len(values) + EXTENSIONS
    assert ("lr" in choice.at_rim) == (
        len(choice.grid["lr"]) == len(values) + EXTENSIONS
        and choice.settings["lr"] in (min(choice.grid["lr"]), max(choice.grid["lr"]))
    ) or next_value(choice.grid["lr"], choice.settings["lr"]) is None
