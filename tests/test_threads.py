"""How many threads there are and what they find; and everything works where none can start, as in a browser."""

import contextvars
import os
import runpy
import subprocess
import sys
import threading

import numpy as np
import pytest
from tqdm import tqdm

from minisam import SGD, array_backend, blas, mlp, threads, train, workers
from minisam.sam import AsyncSAM, SAMPa, parallel

X, Y = np.random.default_rng(0).standard_normal((60, 2)), np.arange(60) % 2


@pytest.fixture
def no_threads(monkeypatch):
    """As Python in a browser: a thread that is started raises an error."""

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "CAN_START", False)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    workers._worker.cache_clear()


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


# --- how many --------------------------------------------------------------------------------------------------------


def at_once():
    """The threads in which two computations ran."""
    return workers.at_once(threading.get_ident, threading.get_ident)


def test_one_thread_may_be_asked_for():
    here = threading.get_ident()
    with threads.use(2):
        assert threads.allowed() == 2
        with threads.use(1):
            assert threads.allowed() == 1
            assert at_once() == (here, here)
        one, other = at_once()
        assert one == here != other
        assert at_once() == (one, other)  # always the same


def test_a_choice_of_the_main_thread_is_that_of_all_which_made_none():
    seen = []

    def work():
        seen.append(threads.allowed())
        with threads.use(3):
            seen.append(threads.allowed())
        seen.append(threads.allowed())

    with threads.use(5):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert threads.allowed() == 5
    assert seen == [5, 3, 5]


@pytest.mark.parametrize(("n", "error"), [(0, ValueError), (-1, ValueError), (1.5, ValueError), ("2", TypeError)])
def test_a_wrong_number_is_named(n, error):
    before = threads.allowed()
    with pytest.raises((error, TypeError, ValueError), match="n must be a whole number ≥ 1"):
        threads.use(n)
    assert threads.allowed() == before


@pytest.mark.parametrize(("asked", "says"), [("1", "1"), ("7", "7"), ("none", "MINISAM_THREADS must be")])
def test_the_environment_chooses_from_the_start(asked, says):
    program = "from minisam import threads; print(threads.allowed())"
    environment = os.environ | {"MINISAM_THREADS": asked}
    child = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert says in (child.stdout or child.stderr)


# --- what a thread finds ---------------------------------------------------------------------------------------------

NAMES = contextvars.ContextVar("NAMES", default="none")


def test_both_threads_find_what_is_set_here():
    NAMES.set("here")
    with threads.use(2), np.errstate(divide="raise"), array_backend.use("numpy"):
        found = workers.at_once(*2 * [lambda: (NAMES.get(), np.geterr()["divide"], array_backend.name())])
    assert found == (("here", "raise", "numpy"),) * 2
    assert np.geterr()["divide"] != "raise"


def test_what_is_computed_at_once_within_is_computed_in_its_own_thread():
    with threads.use(2):
        within = workers.at_once(at_once, at_once)
        assert all(one == other for one, other in within)
        assert within[0] != within[1]
        assert threads.allowed() == 2


@pytest.mark.parametrize("wrong", [[0], [1], [0, 1]])
def test_an_error_in_either_thread_is_raised_and_the_next_two_run(wrong):
    def failing(k):
        raise FloatingPointError(f"from {k}")

    runs = [(lambda k=k: failing(k)) if k in wrong else at_once for k in range(2)]
    with threads.use(2):
        with pytest.raises(FloatingPointError, match=f"from {wrong[0]}"):
            workers.at_once(*runs)
        assert len(set(at_once())) == 2
        assert threads.allowed() == 2


def test_nothing_goes_on_once_ctrl_c_has_ended_it():
    begun, done = threading.Event(), []

    def interrupt():
        begun.wait(20)
        raise KeyboardInterrupt

    def long():
        begun.set()
        done.append(sum(range(10**6)))

    with threads.use(2), pytest.raises(KeyboardInterrupt):
        workers.at_once(interrupt, long)
    assert done


def test_no_thread_keeps_a_process_from_ending_and_none_is_added():
    program = """
import threading
from minisam import threads, workers
threads.use(2)
for _ in range(100):
    workers.at_once(int, int)
print(threading.active_count())
"""
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (child.stdout, child.returncode) == ("2\n", 0), child.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_threads_and_locks_of_its_own():
    program = """
import multiprocessing
from minisam import blas, threads, workers
threads.use(2)
def work(k):
    with blas.one_thread():
        return workers.at_once(lambda: k, lambda: -k)
work(0)
with blas.one_thread(), multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(work, [1, 2]))
"""
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False)
    assert child.stdout == "[(1, -1), (2, -2)]\n", child.stderr


# --- BLAS ------------------------------------------------------------------------------------------------------------


class Library:
    """What threadpoolctl knows of a BLAS library: here one that any thread may set, and one that belongs to the first."""

    def __init__(self, n, belongs):
        self.n, self.belongs, self.owner = n, belongs, None
        if belongs:
            self.clear_controlling_thread = self._clear

    def get_num_threads(self):
        return self.n

    def set_num_threads(self, n):
        self.owner = (self.owner or threading.get_ident()) if self.belongs else None
        if self.owner in (None, threading.get_ident()):
            self.n = n

    def _clear(self, force=False):
        if force or self.owner == threading.get_ident():
            self.owner = None


@pytest.fixture(params=[False, True])
def library(request, monkeypatch):
    made = Library(8, request.param)
    monkeypatch.setattr(blas, "libraries", lambda: [made])
    return made


def test_blas_has_one_thread_within_a_block_and_as_many_as_before_after_it(library):
    with blas.one_thread():
        assert library.n == 1
        with blas.one_thread():
            assert library.n == 1
        assert library.n == 1
    assert library.n == 8
    with pytest.raises(KeyError), blas.one_thread():
        raise KeyError
    assert (library.n, library.owner) == (8, None)


def test_blocks_of_two_threads_that_overlap(library):
    """The first one to begin is the first one to end, and the other one still has one thread."""
    first = blas.one_thread()
    first.__enter__()
    seen = []

    def second(begun, go_on):
        with blas.one_thread():
            begun.set()
            go_on.wait(20)
            seen.append(library.n)

    begun, go_on = threading.Event(), threading.Event()
    thread = threading.Thread(target=second, args=(begun, go_on))
    thread.start()
    begun.wait(20)
    first.__exit__(None, None, None)
    go_on.set()
    thread.join()
    assert seen == [1]
    assert library.n == 8


def test_two_threads_share_no_product(library):
    with threads.use(2):
        assert workers.at_once(library.get_num_threads, library.get_num_threads) == (1, 1)
    assert library.n == 8


def test_a_training_has_a_quiet_blas(library):
    seen, sgd = [], SGD(0.1)

    class Watching:
        init = sgd.init

        def step(self, w, state, loss_and_grad):
            seen.append(library.n)
            return sgd.step(w, state, loss_and_grad)

    train(mlp([2, 4, 2]), (X, Y), Watching(), 1, 16, progress=False)
    assert seen == [1] * 3
    assert library.n == 8


def test_the_blas_of_numpy_is_found():
    """As far as threadpoolctl knows it: not Apple's Accelerate, which chooses its threads itself."""
    if "openblas" not in np.show_config("dicts")["Build Dependencies"]["blas"]["name"]:
        pytest.skip("NumPy has another BLAS")
    assert blas.libraries()


def test_without_threads_no_blas_is_looked_for(no_threads, monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    blas._found.cache_clear()
    with blas.one_thread():
        assert blas.libraries() == []
