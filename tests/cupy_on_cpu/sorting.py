"""Sorting: CuPy's is Thrust's, compiled into a module for the GPU. Here NumPy sorts."""

import ctypes

import numpy as np

from . import build


def replace():
    from cupy.cuda import thrust

    thrust.sort, thrust.argsort, thrust.lexsort = sort, argsort, lexsort


def sort(dtype, data, keys, shape):
    _begin("sort", dtype, NotImplementedError)
    _memory(data, shape, dtype).sort(axis=-1)


def argsort(dtype, index, data, keys, shape):
    _begin("argsort", dtype, NotImplementedError)
    _memory(index, shape, np.intp)[...] = _memory(data, shape, dtype).argsort(axis=-1, kind="stable")


def lexsort(dtype, index, keys, k, n):
    _begin("lexsort", dtype, TypeError)
    _memory(index, (n,), np.intp)[...] = np.lexsort(_memory(keys, (k, n), dtype))


def _begin(name, dtype, error):
    """Refuse what Thrust cannot sort, and wait for the stream, as Thrust does; so a capture refuses it."""
    import cupy
    from cupy.cuda import runtime

    if np.dtype(dtype).kind not in "biufc":
        raise error(f"Sorting arrays with dtype '{dtype}' is not supported")
    stream = cupy.cuda.get_current_stream().ptr
    runtime.streamSynchronize(stream)
    build.device().cupy_on_cpu_submit_nothing(b"sort", name.encode(), ctypes.c_size_t(stream))


def _memory(pointer, shape, dtype):
    """The array that lies there."""
    a = np.empty(shape, dtype)
    if not a.size:
        return a
    return np.frombuffer((ctypes.c_char * a.nbytes).from_address(pointer), dtype).reshape(a.shape)
