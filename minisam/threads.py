"""Whether threads can start; how many BLAS uses; progress bars that need none: in a browser no thread can start.

Truths: tests/test_threads.py.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

CAN_START = sys.platform != "emscripten"  # Python compiled for a browser

if not CAN_START:
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # no bar, a notebook's own included, starts a thread to monitor it


def bar(items: Iterable[Any], **options: Any) -> Any:
    """The items, with a progress bar that disappears at the end. The options are those of tqdm."""
    from tqdm.auto import tqdm

    return tqdm(items, leave=False, **options)


@contextmanager
def one_of_blas() -> Iterator[None]:
    """In this block, products use one thread of BLAS: their bits then do not depend on how many processors there are.

    Outside the main thread the limit stays, since other threads may rely on it: most libraries have one for the whole process.
    """
    from threadpoolctl import threadpool_limits

    limit = threadpool_limits(1, "blas")
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with limit:
        yield
