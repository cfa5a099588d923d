"""Everything works where no thread can start, as in a browser."""

import runpy
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits
from tqdm import tqdm

from minisam import SGD, mlp, threads, train
from minisam.sam import AsyncSAM, SAMPa, parallel

X, Y = np.random.default_rng(0).standard_normal((60, 2)), np.arange(60) % 2


@pytest.fixture
def no_threads(monkeypatch):
    """As Python in a browser: a thread that is started raises an error."""

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "CAN_START", False)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    parallel._worker.cache_clear()


def test_threads_start_here():
    assert threads.CAN_START


def test_together_works_without_threads(no_threads):
    assert parallel.together(threading.get_ident, lambda: 2) == (threading.get_ident(), 2)


@pytest.mark.parametrize("variant", [SAMPa, AsyncSAM])
def test_a_training_without_threads_has_the_same_bits(variant, request):
    def weights():
        return train(mlp([2, 4, 2]), (X, Y), variant(SGD(0.1), 0.1), 2, 16, progress=False).w

    with_threads = weights()
    request.getfixturevalue("no_threads")
    assert np.array_equal(weights(), with_threads)


def test_in_a_browser_a_bar_counts_without_a_warning(no_threads, monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(tqdm, "monitor", None)
    monkeypatch.setattr(tqdm, "monitor_interval", tqdm.monitor_interval)
    module = runpy.run_path(threads.__file__)
    assert not module["CAN_START"]
    assert list(module["bar"](range(3), unit="epoch")) == [0, 1, 2]
    assert "epoch" in capsys.readouterr().err


@pytest.mark.parametrize("outside", [1, 2])
def test_in_a_block_blas_has_one_thread_and_afterwards_as_many_as_before(outside):
    def count():
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    with threadpool_limits(outside):
        with threads.one_of_blas():
            assert count() == {1}
            with threads.one_of_blas():
                assert count() == {1}
            assert count() == {1}
        assert count() == {outside}
