"""Calls that share a kernel give what they give one by one, whatever memory they share."""

import functools
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minisam import array_backend

pytestmark = pytest.mark.gpu
UNARY = [np.negative, np.absolute, np.tanh, np.sqrt, np.exp]
BINARY = [np.add, np.subtract, np.multiply, np.divide, np.maximum]
COMPARISONS = [np.greater, np.less, np.equal]


def on_the_device(test):
    """A fixture would be made anew for each example of hypothesis."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        with array_backend.use("cupy"):
            test(*args, **kwargs)

    return run


def views(memory):
    """Arrays of one shape in one memory, some of which overlap; and some that broadcast to it."""
    cube = memory[:32].reshape(4, 8)
    full = [cube, memory[32:64].reshape(4, 8), memory[40:72].reshape(4, 8), memory[:32].reshape(8, 4).T, cube[::-1]]
    return full, [*full, memory[:8], memory[4:8, None], memory[70:71], 2.5, -1]


@st.composite
def lists_of_calls(draw):
    """Functions, with indices of their arguments and of where they write."""
    made = []
    for _ in range(draw(st.integers(1, 8))):
        f = draw(st.sampled_from(UNARY + BINARY + COMPARISONS))
        args = [draw(st.integers(0, 9)) for _ in range(f.nin)]
        if min(args) > 7:  # at least one of them is an array
            args[0] = draw(st.integers(0, 7))
        made.append((f, args, draw(st.integers(0, 4))))
    return made


def calls_on(memory, truths, made):
    full, all_of_them = views(memory)
    return [
        partial(f, *[all_of_them[i] for i in args], out=truths[place % 2] if f in COMPARISONS else full[place])
        for f, args, place in made
    ]


@on_the_device
@settings(max_examples=150, deadline=None)
@given(lists_of_calls(), st.sampled_from(["float32", "float64"]))
def test_fused_calls_give_what_they_give_one_by_one(made, dtype):
    from minisam.array_backend.fusion import fused

    ends = []
    for fuse in (list, fused):
        memory = array_backend.xp().linspace(0.5, 3, 72, dtype=dtype)
        truths = array_backend.xp().zeros((2, 4, 8), dtype=bool)
        for call in fuse(calls_on(memory, truths, made)):
            call()
        ends.append([array_backend.asnumpy(a) for a in (memory, truths)])
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5 if dtype == "float32" else 1e-13, atol=0)


@on_the_device
def test_neighbours_become_one_and_others_stay():
    from minisam.array_backend.fusion import fused

    xp = array_backend.xp()
    a, b, column, other = xp.ones((4, 8)), xp.ones((4, 8)), xp.ones((4, 1)), xp.ones(3)
    added = partial(np.add, a, column, out=b)
    assert (
        len(fused([added, partial(np.maximum, b, 0, out=b), partial(np.greater, b, 0, out=xp.empty((4, 8), bool))]))
        == 1
    )
    assert len(fused([added, partial(np.add, other, other, out=other)])) == 2  # of another shape
    assert (
        len(fused([added, partial(np.add, b.T.reshape(4, 8), 1, out=a)])) == 1
    )  # a copy, not the memory that is written
    assert (
        len(fused([added, partial(np.add, b[::-1], 1, out=a)])) == 2
    )  # reads at another place what the first one writes
    product = partial(np.matmul, a, xp.ones((8, 8)), out=b)
    assert fused([product, added])[0] is product
    assert fused([added, product]) == [added, product]
    half = xp.ones((4, 8), "float32")
    for call in (partial(np.add, half, 1, out=a), partial(np.multiply, half, np.float64(2), out=a)):  # two precisions
        assert fused([added, call])[1] is call


@on_the_device
def test_truth_values_count_as_numbers():
    """As in the derivative of relu: g · (x > 0)."""
    from minisam.array_backend.fusion import fused

    xp = array_backend.xp()
    x, g, positive, out = xp.linspace(-1, 1, 9), xp.arange(9.0), xp.empty(9, bool), xp.empty(9)
    (call,) = fused([partial(np.greater, x, 0, out=positive), partial(np.multiply, g, positive, out=out)])
    call()
    assert array_backend.asnumpy(out).tolist() == [0, 0, 0, 0, 0, 5, 6, 7, 8]


@on_the_device
def test_comparisons_of_what_has_not_one_precision_stay():
    from minisam.array_backend.fusion import fused

    xp = array_backend.xp()
    for a, b in ((xp.arange(4), 2), (xp.arange(4) > 1, True), (xp.arange(4.0), xp.arange(4, dtype="float32"))):
        ends = xp.zeros((2, 4), dtype=bool)
        calls = [partial(np.equal, a, b, out=ends[0]), partial(np.less, a, b, out=ends[1])]
        made = fused(calls)
        assert made == calls
        for call in made:
            call()
        there = array_backend.asnumpy(a), array_backend.asnumpy(b)
        assert array_backend.asnumpy(ends).tolist() == [np.equal(*there).tolist(), np.less(*there).tolist()]


@on_the_device
def test_the_larger_of_a_number_and_none_is_none():
    from minisam.array_backend.fusion import fused

    xp = array_backend.xp()
    a, b = xp.asarray([np.nan, 1.0, np.nan]), xp.asarray([1.0, np.nan, np.nan])
    out = xp.empty(3)
    for call in fused([partial(np.add, a, 0, out=a), partial(np.maximum, a, b, out=out)]):
        call()
    assert np.isnan(array_backend.asnumpy(out)).all()
