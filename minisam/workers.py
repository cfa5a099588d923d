"""Two computations at once, each on a thread of its own.

NumPy releases the interpreter lock in BLAS calls and large loops, so both threads compute at once.

Truths: tests/test_threads.py, tests/test_parallel.py.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

from . import array_backend, blas, threads

A = TypeVar("A")
B = TypeVar("B")


def at_once(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """The results of both: the second is computed in another thread, where there may be one, and else after the first.

    There it finds the backend, the context variables and NumPy's treatment of errors as they are here. What either of them
    computes at once itself is computed in its thread alone. BLAS has one thread meanwhile. An error in either is raised, if both
    fail that of the first; neither computes any more when this function returns.
    """
    with blas.one_thread():
        if threads.allowed() == 1:
            return first(), second()
        there = contextvars.copy_context()  # NumPy's errstate is in it
        other = _worker().submit(there.run, _as_here, array_backend.current(), second)
        try:
            mine = _alone(first)
        finally:
            wait([other])
        return mine, other.result()


@cache
def _worker() -> ThreadPoolExecutor:
    """One thread, always the same."""
    return ThreadPoolExecutor(1, thread_name_prefix="minisam", initializer=blas.here)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_worker.cache_clear)  # its thread is not in the child


def _as_here(backend: array_backend.Backend, f: Callable[[], B]) -> B:
    array_backend.switch(backend)  # each thread has its own
    return _alone(f)


def _alone(f: Callable[[], B]) -> B:
    """The result of f, which uses this thread alone."""
    former, threads.own.chosen = threads.own.chosen, 1
    try:
        return f()
    finally:
        threads.own.chosen = former
