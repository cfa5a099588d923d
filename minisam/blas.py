"""BLAS, which multiplies matrices for NumPy, on one thread.

It would use all cores by itself. For products as small as ours, waking its threads and waiting for them takes as long as the
product, and far longer where another process needs a core. So the library uses the cores otherwise (see `workers`), and BLAS has
the number of threads that it had before as soon as the library is done.

Truths: tests/test_threads.py.
"""

from __future__ import annotations

import functools
import os
import threading
from types import TracebackType
from typing import Any

from . import threads

lock = threading.RLock()
if hasattr(os, "register_at_fork"):  # a process must not begin with a lock that a thread of its parent holds
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)

inside = 0  # blocks that have begun and not ended, in all threads
before: list[
    tuple[Any, int]
] = []  # each library that had more than one thread when the first of them began, and how many


class one_thread:
    """BLAS has one thread, in the whole process, until the block ends, or the last of several blocks at once."""

    def __enter__(self) -> None:
        global inside, before
        with lock:
            if not inside:
                before = [(library, n) for library in libraries() if (n := library.get_num_threads() or 1) > 1]
                set_threads([(library, 1) for library, _ in before])
            inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global inside
        with lock:
            inside -= 1
            if not inside:
                set_threads(before)


def set_threads(numbers: list[tuple[Any, int]]) -> None:
    for library, n in numbers:
        library.set_num_threads(n)
        getattr(library, "clear_controlling_thread", int)()  # newer versions obey one thread alone, until it lets go


def here() -> None:
    """One thread for this new thread, too: some builds of BLAS have a number for each."""
    set_threads([(library, 1) for library in libraries()])


def libraries() -> list[Any]:
    """threadpoolctl's controllers of the BLAS libraries in use; none in a browser, where no thread can start."""
    return _found() if threads.CAN_START else []


@functools.cache
def _found() -> list[Any]:
    from threadpoolctl import ThreadpoolController

    return list(ThreadpoolController().select(user_api="blas").lib_controllers)
