"""Work of another thread on a CUDA stream of its own, in order with the thread that asks for it.

Without it both threads would use one stream, and one would wait for the other; or, with CUPY_CUDA_PER_THREAD_DEFAULT_STREAM,
each its own, and neither would wait for what the other still computes.

Truths: tests/test_streams.py.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

A = TypeVar("A")


def beside(run: Callable[[], A]) -> tuple[Callable[[], A], Callable[[], None]]:
    """`run` for another thread, on a stream of its own; and what makes the stream of this thread wait for it.

    `run` finds done what this thread has asked for so far. Call the second function here once the first has returned: from then
    on work on this thread's stream finds its results.
    """
    import cupy

    here, ready, done = cupy.cuda.get_current_stream(), _event(cupy), _event(cupy)
    ready.record(here)

    def there() -> A:
        with _own_stream() as stream:
            stream.wait_event(ready)
            result = run()
            done.record(stream)
            return result

    return there, lambda: here.wait_event(done)


def _event(cupy: Any) -> Any:
    return cupy.cuda.Event(disable_timing=True)


@functools.cache
def _own_stream() -> Any:
    """One for all: there is one other thread."""
    import cupy

    return cupy.cuda.Stream(non_blocking=True)
