"""The log, and what it is for: launches are counted, hidden waits are seen and can be forbidden."""

import cupy
import numpy as np
import pytest

from cupy_on_cpu import counting, counts, forbidden, logged

CUDAError = cupy.cuda.runtime.CUDARuntimeError


def test_hidden_waits_are_seen():
    x = cupy.arange(3.0)
    with logged() as events:
        float(x.sum())
    assert counts(events) == {"kernel": 1, "d2h": 1, "sync": 1}
    assert [event.nbytes for event in events if event.kind == "d2h"] == [8]


def test_products_sorts_and_random_numbers_are_told_apart():
    x = cupy.ones((3, 3))
    cupy.random.standard_normal(1)  # makes the generator
    with logged() as events:
        x @ x
        cupy.sort(x)
        cupy.random.standard_normal(4)
    told = counts(events)
    assert (told["blas"], told["sort"], told["random"]) == (1, 1, 1)


def test_what_is_outside_of_the_block_is_not_in_the_log():
    x = cupy.ones(3)
    with logged() as outer:
        x += 1
        with logged() as inner:
            x += 1
        x += 1
    x += 1
    assert (len(inner), len(outer)) == (1, 3)


def test_one_kind_can_be_counted_while_the_block_runs():
    x = cupy.ones(3)
    with counting("d2h") as reads:
        x + 1
        assert reads() == 0
        x.get()
        assert reads() == 1


def test_what_is_forbidden_is_an_error_where_it_happens():
    x = cupy.arange(3.0)
    x.sum(), x + 1
    with forbidden("sync"), pytest.raises(CUDAError, match="NotPermitted"):
        float(x.sum())
    with forbidden("sync", "d2h", "h2d", "malloc"):
        x += 1
    with forbidden("kernel"), pytest.raises(cupy.cuda.driver.CUDADriverError, match="NOT_PERMITTED"):
        x += 1
    assert float(x.sum()) == 6


def test_what_two_blocks_forbid_stays_forbidden_when_one_ends():
    x = cupy.arange(3.0)
    with forbidden("d2h"):
        with forbidden("d2h"):
            pass
        with pytest.raises(CUDAError, match="NotPermitted"):
            x.get()
    x.get()


def test_memory_is_not_zero_before_it_is_written():
    assert np.isnan(cupy.empty(1000).get()).all()


def test_memory_goes_back_to_cupys_pool_and_is_poisoned():
    pool = cupy.get_default_memory_pool()
    a = cupy.zeros(1 << 16)
    used, pointer = pool.used_bytes(), a.data.ptr
    del a
    assert pool.used_bytes() == used - (1 << 19)
    again = cupy.empty(1 << 16)
    assert again.data.ptr == pointer
    assert np.isnan(again.get()).all()


def test_memory_ends():
    with pytest.raises(cupy.cuda.memory.OutOfMemoryError):
        cupy.empty(1 << 36, "u1")
