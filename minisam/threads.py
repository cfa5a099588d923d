"""How many threads minisam may use, whether any can start, and progress bars that need none: in a browser no thread can.

    from minisam import threads
    threads.use(1)              # from here on, one thread
    with threads.use(1):        # ... or only in here
        ...

`MINISAM_THREADS=1` in the environment does the same from the start. Without either there are as many as the process may use
cores. The number changes how long a computation takes, and not one bit of its result.

Truths: tests/test_threads.py.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any

CAN_START = sys.platform != "emscripten"  # Python compiled for a browser

if not CAN_START:
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # no bar, a notebook's own included, starts a thread to monitor it


def bar(items: Iterable[Any], **options: Any) -> Any:
    """The items, with a progress bar that disappears at the end. The options are those of tqdm."""
    from tqdm.auto import tqdm

    return tqdm(items, leave=False, **options)


# --- how many --------------------------------------------------------------------------------------------------------

chosen: int | None = None  # for every thread that has no other number


class _Own(threading.local):
    chosen: int | None = None


own = _Own()  # what a thread other than the main one chose


def choose(n: int | None) -> None:
    """This number for this thread and, if it is the main one, for all that have none of their own."""
    global chosen
    if threading.current_thread() is threading.main_thread():
        chosen = n
    else:
        own.chosen = n


class use:
    """Use at most n threads, at once; as a context manager, only until the block ends.

    Gradients of large networks and large products of matrices are computed in two parts, on two threads if n ≥ 2; so are the two
    gradients of `SAMPa` and `AsyncSAM`. Other threads than the main one choose for themselves alone.

    Parameters
    ----------
    n : int
        ≥ 1.
    """

    def __init__(self, n: int) -> None:
        from .arguments import count

        self._former = chosen if threading.current_thread() is threading.main_thread() else own.chosen
        choose(count()("n", n))

    def __enter__(self) -> use:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        choose(self._former)


def allowed() -> int:
    """The number of threads that may compute for this one, itself included."""
    return (own.chosen or chosen or _from_the_start()) if CAN_START else 1


@functools.cache
def _from_the_start() -> int:
    """MINISAM_THREADS, or the number of cores that this process may use."""
    from .arguments import count

    asked = os.environ.get("MINISAM_THREADS")
    if asked:
        return count()("MINISAM_THREADS", int(asked) if asked.isdecimal() else asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
