"""Two trainings whose settings differ in anything that counts are told apart; the same settings are the same in any process."""

import enum
import json
import operator
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import autograd.numpy as anp
import numpy as np
import pytest

from minisam import SAM, SGD, cross_entropy
from minisam.optim import cosine
from minisam.training.settings import text

SCALE = 2.0


def scaled(z, y):
    return SCALE * cross_entropy(z, y)


def smoothed(z, y, amount=0.1):
    return cross_entropy(z, y, label_smoothing=amount)


def sharpened(z, y, amount=0.1):
    return cross_entropy(2 * z, y, label_smoothing=amount)


def closing_over(amount):
    return lambda z, y: cross_entropy(z, y, label_smoothing=amount)


def factorial(n):
    return n * factorial(n - 1) if n else 1


def in_a_set(z, y):
    return z if y in {"one", "two", "three", "four"} else y


class Smooth:
    def __init__(self, amount):
        self.amount = amount

    def __call__(self, z, y):
        return cross_entropy(z, y, label_smoothing=self.amount)

    def method(self, z, y):
        return self(z, y)


class Slotted:
    __slots__ = ("amount",)

    def __init__(self, amount):
        self.amount = amount


class Kind(enum.Enum):
    ONE, TWO = 1, 2


@dataclass(frozen=True)
class Mine(SGD):
    pass


def another(kind):
    """A class of the same name, in another module."""
    made = type(kind.__qualname__, (kind,), {"__module__": "elsewhere"})
    made.__qualname__ = kind.__qualname__
    return made


LARGE = np.linspace(0, 1, 5000)
DIFFERENT = {
    "partials with other keywords": [partial(cross_entropy, label_smoothing=a) for a in (0.1, 0.3)],
    "partials of other functions": [partial(f, amount=0.1) for f in (smoothed, sharpened)],
    "a partial and its function": [partial(smoothed), smoothed],
    "functions with other code": [smoothed, sharpened],
    "lambdas": [lambda z, y: cross_entropy(z, y), lambda z, y: cross_entropy(2 * z, y)],
    "lambdas with other constants": [lambda z, y: 1 * cross_entropy(z, y), lambda z, y: 2 * cross_entropy(z, y)],
    "lambdas with other attributes": [lambda z, y: anp.sum(z), lambda z, y: anp.max(z)],
    "lambdas with other defaults": [lambda z, y, a=1: z, lambda z, y, a=2: z],
    "lambdas with other keyword defaults": [lambda z, y, *, a=1: z, lambda z, y, *, a=2: z],
    "functions that close over other numbers": [closing_over(0.1), closing_over(0.3)],
    "functions that close over other functions": [closing_over(smoothed), closing_over(sharpened)],
    "inner functions": [lambda z, y: list(map(lambda a: a + 1, z)), lambda z, y: list(map(lambda a: a + 2, z))],
    "objects with other attributes": [Smooth(0.1), Smooth(0.3)],
    "objects with other slots": [Slotted(0.1), Slotted(0.3)],
    "methods of other objects": [Smooth(0.1).method, Smooth(0.3).method],
    "other methods": [Smooth(0.1).method, Smooth(0.1).__call__],
    "objects of classes with one name": [Smooth(0.1), another(Smooth)(0.1)],
    "optimizers of classes with one name": [Mine(0.1), another(Mine)(0.1)],
    "an optimizer of your own and ours": [SGD(0.1), another(SGD)(0.1)],
    "members of an enumeration": [Kind.ONE, Kind.TWO],
    "builtin functions": [operator.add, operator.sub],
    "large arrays": [LARGE, np.where(np.arange(5000) == 2500, 1e-9, 0) + LARGE],
    "shapes of large arrays": [LARGE, LARGE.reshape(50, 100)],
    "nested schedules": [SAM(SGD(cosine(0.1, 10))), SAM(SGD(cosine(0.1, 11)))],
    "things that print themselves": [1j, 2j],
    "bytes": [b"1", b"2"],
}


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_what_differs_is_told_apart(pair):
    first, second = (text("loss", setting) for setting in pair)
    assert first != second
    assert [text("loss", setting) for setting in pair] == [first, second]
    for made in (first, second):
        assert " at 0x" not in made
        assert json.loads(made) is not None


def test_a_global_name_that_a_function_reads_counts(monkeypatch):
    before = text("loss", scaled)
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    assert text("loss", scaled) != before


def test_a_function_that_calls_itself_and_data_that_hold_themselves_have_an_end():
    assert text("loss", factorial) == text("loss", factorial)
    loop = [1]
    loop.append(loop)
    assert text("loss", loop) == '[1, "itself"]'


def test_what_cannot_be_told_apart_is_refused_by_name():
    rng = np.random.default_rng(0)
    for setting in (rng, lambda z, y: rng.random() * z, (k for k in "ab"), object()):
        with pytest.raises(
            TypeError, match=r"^loss must be made of what a checkpoint can compare: .* has no attributes"
        ):
            text("loss", setting)


def test_settings_are_the_same_in_another_process():
    """Even sets of text, whose order changes from one process to the next."""
    names = "in_a_set, factorial, scaled, smoothed, Kind.ONE, closing_over(0.1), partial(smoothed, amount=1), Smooth(2), LARGE"
    program = (
        f"import test_settings\nfrom test_settings import *\nfor setting in ({names}): print(text('loss', setting))"
    )
    environment = {"PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parents[1]}"}
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env=environment | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
