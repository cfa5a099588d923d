"""No bad call is taken, and each is refused by a line that names the argument: see `bad_calls`, which runs all of them."""

import bad_calls
import numpy as np
import pytest
from bad_calls import CLEAR, RIGHT, UNCLEAR, WRONG, outcome, outcomes
from bad_values import BAD, FINE, SAME, count
from public_calls import Public, parameters, public_names
from public_table import TABLE

from minisam.arguments import checked
from minisam.arguments import count as a_count

DOWNLOADED = {"data.mnist", "data.fashion_mnist", "data.cifar10", "data.cifar100"}


def test_every_public_callable_is_in_the_table():
    names = public_names()
    assert len(names) > 160
    assert set(names) - set(TABLE) == set()


@pytest.mark.parametrize("name", public_names())
def test_every_argument_is_in_the_table(name):
    assert set(TABLE[name].arguments) == set(parameters(public_names()[name]))


@pytest.mark.parametrize("name", sorted(set(TABLE) - DOWNLOADED))
def test_a_good_call_is_taken(name):
    bad_calls.quietly(TABLE[name].call)


def test_no_bad_call_is_taken_and_each_is_refused_by_a_line_that_names_the_argument():
    found = list(outcomes(TABLE))
    assert len(found) > 10_000
    assert [str(one) for one in found if one.verdict in (UNCLEAR, WRONG)] == []


# --- the fuzzer itself -----------------------------------------------------------------------------------------------


def entry(f):
    return Public(f, {"n": (count(), 2)})


@checked(n=a_count())
def refused(n):
    return n + 0.5


def numpys_error(n):
    return np.zeros(3)[n]


def own_error(n):
    raise ValueError(f"n must be 2, got {n}")  # not raised by the library


@pytest.mark.parametrize(
    ("f", "value", "must", "verdict"),
    [
        (refused, -1, BAD, CLEAR),
        (refused, 3, BAD, WRONG),
        (refused, np.int64(2), SAME, RIGHT),
        (refused, np.int64(3), SAME, WRONG),
        (refused, 3, FINE, RIGHT),
        (numpys_error, "a", BAD, UNCLEAR),
        (own_error, -1, BAD, UNCLEAR),
        (lambda n: refused(-abs(n)), -1, BAD, CLEAR),
        (lambda n: checked(another=a_count())(lambda another: another)(n), -1, BAD, UNCLEAR),
    ],
)
def test_how_an_outcome_is_told(f, value, must, verdict):
    assert outcome(entry(f), "n", value, must, 2.5)[0] == verdict


def test_a_call_that_hangs_is_told(monkeypatch):
    monkeypatch.setattr(bad_calls, "SECONDS", 1)

    def hangs(n):
        while True:
            pass

    assert outcome(entry(hangs), "n", 3, BAD, None) == (UNCLEAR, "TimeoutError: hangs")


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (np.ones(2), np.ones(2, "float32"), True),
        (np.ones(2), np.ones(3), False),
        (np.ones(2), np.array([1, 1 + 1e-3]), False),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.ones(2), np.ones(2, dtype=int), False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        ((1, 2), (1,), False),
        ("a", "b", False),
        (TABLE["optim.constant"].call(), TABLE["optim.constant"].call({"lr": 0.25}), False),
    ],
)
def test_when_results_are_equal(a, b, equal):
    assert bad_calls.same(a, b) is equal
