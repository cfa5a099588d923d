"""Large products and copies in two halves: the same numbers, the same bits on one thread and on two, and two threads at work."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam import array_backend, halves, resnet, threads, value_and_grad

RNG = np.random.default_rng(0)
THREADS = 1, 2


@pytest.fixture
def all_is_large(monkeypatch):
    monkeypatch.setattr(halves, "LARGE", 1)
    monkeypatch.setattr(halves, "MANY", 1)


@given(st.integers(0, 9), st.integers(0, 20))
def test_halves_are_all_of_it_and_differ_by_one_at_most(half, odd):
    n = 2 * half + odd
    (start, middle), (again, end) = halves.halves(n)
    assert (start, again, end) == (0, middle, n)
    assert abs((end - middle) - (middle - start)) <= 1


@given(
    st.sampled_from([((), ()), ((3,), (3,)), ((3,), ()), ((), (3,)), ((2, 1), (3,))]),
    *[st.integers(1, 5) for _ in range(3)],
)
def test_a_product_in_halves_is_the_product(leads, m, i, n):
    a, b = RNG.standard_normal((*leads[0], m, i)), RNG.standard_normal((*leads[1], i, n + 1))
    expected = a @ b
    np.testing.assert_allclose(halves.product(a, b), expected, rtol=1e-12, atol=1e-14)
    out = np.full_like(expected, np.nan)
    assert halves.product(a, b, out=out) is out
    np.testing.assert_array_equal(out, halves.product(a, b))


def test_a_product_of_float32_stays_float32():
    a = np.ones((2, 3), "float32")
    assert halves.product(a, a.T).dtype == np.float32


@pytest.mark.parametrize(
    ("a", "b", "large"),
    [
        ((400, 1000), (1000, 100), True),
        ((400, 1000), (1000, 99), False),
        ((9, 400, 1000), (1000, 99), False),  # as each of the replicas alone
        ((40_000, 1000), (1000, 1), False),  # has one column
    ],
)
def test_which_products_are_cut_depends_on_the_shapes_of_one_replica(a, b, large):
    f = halves.product_of(np.empty(a, "float32"), np.empty(b, "float32"))
    assert f is (halves.product if large else np.matmul)


def test_products_on_a_device_are_whole(device, all_is_large):
    with array_backend.use(device.name):
        a = array_backend.asarray(np.ones((3, 4)))
    assert halves.product_of(a, a.T) is np.matmul


def test_a_replica_of_a_large_product_has_the_bits_that_it_has_alone():
    a, b = RNG.standard_normal((3, 200, 500)).astype("float32"), RNG.standard_normal((500, 400)).astype("float32")
    assert halves.product_of(a, b) is halves.product
    for k in range(3):
        np.testing.assert_array_equal(halves.product(a, b)[k], halves.product(a[k], b))


# --- copies and sums ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", THREADS)
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_pairs_in_halves_are_the_pairs_in_order(n, channels, all_is_large):
    sources = RNG.standard_normal((4, 2, channels, 3))
    total = np.zeros((2, channels, 3))
    with threads.use(n):
        halves.pair_by_pair(lambda a, b: np.add(a, b, out=a), [(total, source) for source in sources], -2)
    expected = np.zeros_like(total)
    for source in sources:
        expected += source
    np.testing.assert_array_equal(total, expected)


@pytest.mark.parametrize(("many", "used"), [(24, 2), (25, 1)])
def test_two_threads_are_at_work_where_there_is_much_to_do(many, used, monkeypatch):
    monkeypatch.setattr(halves, "MANY", many)
    seen = set()
    with threads.use(2):
        pairs = [(np.zeros((4, 3)), np.ones((4, 3)))] * 2
        halves.pair_by_pair(lambda a, b: seen.add(threading.get_ident()), pairs, -2)
    assert len(seen) == used


# --- in a model whose examples meet --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_gradient_in_halves_is_the_gradient(dtype, monkeypatch):
    model = resnet((4, 8), (1, 6, 6), 3)
    w = model.init(0, dtype=dtype)
    x, y = RNG.standard_normal((10, 36)).astype(dtype), RNG.integers(0, 3, 10)
    whole = value_and_grad(model, recorded=False)(w, x, y)
    monkeypatch.setattr(halves, "LARGE", 1)
    monkeypatch.setattr(halves, "MANY", 1)
    found = []
    for n in THREADS:
        with threads.use(n):
            f = value_and_grad(model)
            found += [value_and_grad(model, recorded=False)(w, x, y), f(w, x, y), f(w, x, y)]
    for loss, g in found:
        np.testing.assert_array_equal(loss, found[0][0])
        np.testing.assert_array_equal(g, found[0][1])
    bound = 1e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(found[0][1], whole[1], rtol=0, atol=bound * np.abs(whole[1]).max())
