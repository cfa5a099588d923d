"""A recorded list of calls as one CUDA graph: captured once, then launched as a whole.

On small nets a GPU waits for Python to launch its kernels. A graph launches all kernels at once. It needs fixed addresses, and a
record has fixed buffers (`autodiff.replay.Fixed`). This file is loaded only for the CuPy backend, and imports nothing of minisam.

Truths: tests/test_cuda_graph.py; on a GPU, tests/test_gpu.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

Run = Callable[[], Any]


def captured(run: Run, graph_of: Callable[[Run], Run]) -> Run:
    """The function that launches the graph of `run`; `run` itself, after a warning, if it cannot be captured."""
    try:
        return graph_of(run)
    except Exception as error:
        warnings.warn(
            f"a record cannot be captured as a graph and runs call by call, slower: {type(error).__name__}: {error}",
            stacklevel=2,
        )
        return run


def cuda_graph(run: Run) -> Run:
    """Capture the kernels that `run` launches on the device.

    The scratch memory of the calls comes from a pool that belongs to the graph, so that no other array is given the
    addresses to which the graph writes.
    """
    import cupy

    pool = cupy.cuda.MemoryPool()
    stream = cupy.cuda.Stream(non_blocking=True)
    cupy.cuda.get_current_stream().synchronize()  # the buffers have been filled on it
    with cupy.cuda.using_allocator(pool.malloc), stream:
        run()  # kernels compiled, handles made, the pool filled: none of that can be captured
        stream.synchronize()
        stream.begin_capture()
        try:
            run()
        except BaseException:
            _abandon(stream)
            raise
        graph = stream.end_capture()

    def launch(pool: Any = pool) -> None:  # the pool has to live as long as the graph
        graph.launch(cupy.cuda.get_current_stream())

    return launch


def _abandon(stream: Any) -> None:
    """End a capture that failed, so that the stream can be used again; the first error is reported, not this one."""
    try:
        stream.end_capture()
    except Exception:
        return
