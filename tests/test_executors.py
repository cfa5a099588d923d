"""Calls are computed once each, alike wherever that is, and what goes wrong elsewhere is told here, in one line."""

from concurrent.futures import BrokenExecutor, ThreadPoolExecutor, wait
from types import SimpleNamespace

import pytest
import strict
import workers
from threadpoolctl import threadpool_limits

from minisam import array_backend
from minisam.executors import Calls, executor, workers_of


def results(executor, f, arguments):
    with Calls(executor, "nothing is kept") as calls:
        for key, each in arguments.items():
            calls.add(key, f, **each)
        return dict(calls.all())


@pytest.fixture(scope="module")
def pool():
    with workers.spawned() as pool:
        yield pool


@pytest.mark.parametrize("kind", ["none", "here", "threads", "processes"])
def test_every_call_is_computed_and_known_by_its_key(kind, request):
    with ThreadPoolExecutor(2) as threads:
        made = {"none": lambda: None, "here": workers.Inline, "threads": lambda: threads}
        executor = request.getfixturevalue("pool") if kind == "processes" else made[kind]()
        calls = {k: {"real": k, "imag": -k} for k in range(7)}
        assert results(executor, complex, calls) == {k: k - 1j * k for k in range(7)}


def test_without_an_executor_calls_are_computed_when_they_are_waited_for_in_order():
    seen = []
    calls = Calls(None, "")
    for k in (2, 0, 1):
        calls.add(k, lambda value: seen.append(value), value=k)
    assert seen == []
    assert [key for key, _ in calls.finished()] == [2]
    assert seen == [2]
    assert [key for key, _ in calls.all()] == [0, 1]


def test_a_call_that_is_added_again_is_not_computed_again():
    executor = workers.Inline()
    with Calls(executor, "") as calls:
        for _ in range(3):
            calls.add("a", complex, real=1)
        assert list(calls.all()) == [("a", 1)]
        calls.add("a", complex, real=1)
        assert list(calls.all()) == []
    assert len(executor.futures) == 1


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_calls_run_on_one_thread_of_blas(kind, pool):
    """And afterwards, this process has as many again as before."""
    with ThreadPoolExecutor(2) as threads, threadpool_limits(2):
        found = results({"threads": threads, "processes": pool}[kind], workers.where, {0: {}, 1: {}})
        assert found == {0: ("numpy", {1}), 1: ("numpy", {1})}
        assert workers.where() == ("numpy", {2})


def test_calls_run_on_the_backend_of_the_caller(monkeypatch):
    monkeypatch.setitem(array_backend.BACKENDS, "strict", strict.backend)
    with ThreadPoolExecutor(1) as threads, array_backend.use("strict"):
        assert results(threads, workers.where, {0: {}})[0][0] == "strict"


# --- trouble ---------------------------------------------------------------------------------------------------------


def test_what_is_finished_comes_before_an_error():
    executor = workers.Waiting()
    calls = Calls(executor, "")
    for k in range(4):
        calls.add(k, workers.where)
    executor.futures[0].set_exception(ValueError("of a call"))
    executor.futures[2].set_result("two")
    executor.futures[3].set_result("three")
    finished = calls.finished()
    assert sorted([next(finished), next(finished)]) == [(2, "two"), (3, "three")]
    with pytest.raises(ValueError, match=r"^of a call$"):
        next(finished)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_whatever_ends_the_block_cancels_what_has_not_begun(error):
    executor = workers.Waiting()

    def ended():
        with Calls(executor, "") as calls:
            for k in range(3):
                calls.add(k, workers.where)
            executor.futures[1].set_running_or_notify_cancel()
            raise error

    with pytest.raises(error):
        ended()
    assert [future.cancelled() for future in executor.futures] == [True, False, True]


def test_a_worker_that_is_killed_is_told_with_what_is_kept(tmp_path):
    says = r"^executor lost a worker \(BrokenProcessPool\); nothing is kept\. If it happens at once: a script must .*__main__"
    with workers.spawned(1) as pool:
        for _ in range(2):  # the pool stays broken
            with pytest.raises(BrokenExecutor, match=says):
                results(pool, workers.strike, {0: {"mark": tmp_path / "mark"}})


def test_a_call_that_someone_else_cancels_is_a_lost_worker():
    executor = workers.Waiting()
    calls = Calls(executor, "nothing is kept")
    calls.add(0, workers.where)
    executor.futures[0].cancel()
    executor.futures[0].set_running_or_notify_cancel()
    with pytest.raises(BrokenExecutor, match=r"^executor lost a worker \(CancelledError\); nothing is kept\."):
        list(calls.all())


def test_an_argument_that_cannot_be_pickled_is_named(pool):
    says = r"^first must be made of functions at the top level of a module to go to another process, got one that cannot be pi"
    for value in (lambda: 1, [lambda: 1], pool):
        with pytest.raises(TypeError, match=says):
            results(pool, dict, {0: {"zeroth": 0, "first": value}})
    assert results(pool, dict, {0: {"a": 1}}) == {0: {"a": 1}}  # the pool is as good as before


@pytest.mark.parametrize("error", [TypeError("mine"), AttributeError("mine"), ZeroDivisionError("mine")])
def test_an_error_of_the_call_itself_is_raised_as_it_is(pool, error):
    with pytest.raises(type(error), match=r"^mine$"):
        results(pool, workers.fail, {0: {"error": error}})


# --- executors -------------------------------------------------------------------------------------------------------


def test_as_many_workers_as_the_executor_tells(pool):
    dask = SimpleNamespace(_client=SimpleNamespace(nthreads=lambda: {"one": 4, "other": 3}))
    without = SimpleNamespace(_client=SimpleNamespace(nthreads=lambda: {}))
    executors = [pool, workers.Inline(5), dask, without, workers.Inline()]
    assert [workers_of(each) for each in executors] == [2, 5, 7, None, None]


@pytest.mark.parametrize("wrong", [2, "dask", workers.Inline, wait])
def test_what_is_no_executor_is_refused(wrong):
    with pytest.raises(
        TypeError, match=r"^executor must be None or an executor such as concurrent\.futures\.ProcessPoolEx.*, got "
    ):
        executor("executor", wrong)
