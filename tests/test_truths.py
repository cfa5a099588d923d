"""The tests of the tests: a wrong derivative is caught at any scale, and the tests that docstrings name are there."""

import re
from pathlib import Path

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.extend import defvjp, primitive
from truths import second_vjp_error, vjp_error

X = np.array([0.3, 1.2, -0.7])


@pytest.mark.parametrize("size", [1.0, 1e-7, 1e7])
@pytest.mark.parametrize("wrong", [0.0, 0.999, 1.001, -1.0])
def test_a_wrong_derivative_is_caught_at_any_scale(size, wrong):
    @primitive
    def op(x):
        return size * np.sin(x)

    defvjp(op, lambda y, x: lambda g: wrong * size * g * anp.cos(x))
    assert vjp_error(op, X, np.random.default_rng(0)) > 1e-4


@pytest.mark.parametrize("size", [1.0, 1e-7, 1e7])
def test_a_right_derivative_passes_at_any_scale(size):
    def op(x):
        return size * anp.sin(x)

    assert vjp_error(op, X, np.random.default_rng(0)) < 1e-8
    assert second_vjp_error(op, X, np.random.default_rng(0)) < 1e-8


def test_a_wrong_second_derivative_is_caught():
    @primitive
    def slope(x):
        return np.cos(x)

    @primitive
    def op(x):
        return np.sin(x)

    defvjp(op, lambda y, x: lambda g: g * slope(x))
    defvjp(slope, lambda y, x: lambda g: g * anp.sin(x))  # the sign is wrong
    assert vjp_error(op, X, np.random.default_rng(0)) < 1e-8
    assert second_vjp_error(op, X, np.random.default_rng(0)) > 0.1


def test_a_derivative_of_the_wrong_shape_is_caught():
    @primitive
    def op(b):
        return b + np.zeros((4, 3))

    defvjp(op, lambda y, b: lambda g: g)  # the sum over the four rows is missing
    with pytest.raises(AssertionError):
        vjp_error(op, X, np.random.default_rng(0))


ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("minisam/**/*.py")), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_the_tests_that_a_docstring_names_exist(path):
    named = re.findall(r"\btests/[\w/]*\w(?:\.py)?", path.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).is_file()] == []
