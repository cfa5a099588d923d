"""A recorded list of calls as one CUDA graph: captured once, then launched as a whole.

On small nets a GPU waits for Python to launch its kernels. A graph launches all kernels at once. It needs fixed addresses, and a
record has fixed buffers (`autodiff.records.Fixed`). This file is loaded only for the CuPy backend.

Truths: tests/test_cuda_graph.py; on a GPU, tests/test_gpu.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..types import Array
from . import kept, products

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


@dataclass
class Graph:
    """A captured function. It reads and writes at addresses, so it holds all that lies there: nothing of it may be freed."""

    graph: Any
    run: Run  # holds the buffers and the arrays among the arguments of its calls
    constants: dict[Any, Array]
    pool: Any  # of the scratch memory

    def __call__(self) -> None:
        self.graph.launch(_current_stream())


def cuda_graph(run: Run) -> Graph:
    """Capture the kernels that `run` launches on the device.

    The scratch memory of the calls comes from a pool that belongs to the graph, so that no other array is given the
    addresses to which the graph writes. Products are launches of our own kernel, since cuBLAS cannot be captured.
    """
    import cupy

    pool = cupy.cuda.MemoryPool()
    stream = cupy.cuda.Stream(non_blocking=True)
    _current_stream().synchronize()  # the buffers have been filled on it
    with cupy.cuda.using_allocator(pool.malloc), stream, products.without_cublas(), kept.kept() as own:
        run()  # kernels compiled, constants made, the pool filled: none of that can be captured
        stream.synchronize()
        stream.begin_capture()
        try:
            run()
        except BaseException:
            _abandon(stream)
            raise
        return Graph(stream.end_capture(), run, own, pool)


def _current_stream() -> Any:
    import cupy

    return cupy.cuda.get_current_stream()


def _abandon(stream: Any) -> None:
    """End a capture that failed, so that the stream can be used again; the first error is reported, not this one."""
    try:
        stream.end_capture()
    except Exception:
        return
