"""The switch between NumPy and CuPy: the only global state of the library.

    from minisam import array_backend
    array_backend.use("cupy")            # from here on, weights and data live on the GPU
    with array_backend.use("numpy"):     # ... except in here
        ...

`MINISAM_BACKEND=cupy` in the environment does the same from the start. Library code asks for its namespace with `xp()`
where it makes arrays; existing arrays dispatch by themselves. A switch in the main thread holds for all threads that have not
switched themselves; a switch in another thread holds for that thread alone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy

from ..types import Array

OLDEST_CUPY = 14  # the first with NumPy 2's rules for dtypes: a float32 array times a float64 number is float32
WITH_LIBRARIES = "pip install 'cupy-cuda13x[ctk]', or 'cupy-cuda12x[ctk]' for a CUDA 12 driver, brings CUDA's libraries"


class BackendError(RuntimeError):
    """The backend asked for cannot be used on this machine; the message says what is missing."""


def copy_each(targets: Sequence[Array], sources: Sequence[Array]) -> None:
    """Copy each source into its target."""
    for target, source in zip(targets, sources, strict=True):
        target[...] = source


@dataclass(frozen=True)
class Backend:
    """A namespace with NumPy's functions, and what else differs.

    `asnumpy` is the way back to NumPy, and `synchronize` waits until what was asked for is done. `capture` makes a function cheap
    to repeat, `fuse` makes fewer calls of many, and `copy` copies several arrays at once. `beside` prepares a function for
    another thread; its second result is called here when the thread is done.
    """

    name: str
    xp: Any
    asnumpy: Callable[[Array], numpy.ndarray]
    synchronize: Callable[[], None]
    capture: Callable[[Callable[[], Any]], Callable[[], Any]] = lambda run: run
    fuse: Callable[[list[Callable[[], Any]]], list[Callable[[], Any]]] = list
    copy: Callable[[Sequence[Array], Sequence[Array]], None] = copy_each
    beside: Callable[[Callable[[], Any]], tuple[Callable[[], Any], Callable[[], None]]] = lambda run: (
        run,
        lambda: None,
    )


def _numpy() -> Backend:
    return Backend("numpy", numpy, numpy.asarray, lambda: None)


def _cupy() -> Backend:
    try:
        import cupy
    except ImportError as error:
        raise BackendError(
            "backend 'cupy' is not usable: the package cupy is missing; "
            "pip install 'minisam[cuda13]', or 'minisam[cuda12]' for a CUDA 12 driver"
            if error.name == "cupy"
            else f"backend 'cupy' is not usable: the package cupy is there and cannot be loaded ({error}); "
            "install the one for your CUDA: pip install 'minisam[cuda13]', or 'minisam[cuda12]'"
        ) from error
    _probe(cupy)
    from .autograd_on_device import register
    from .cuda_graph import captured, cuda_graph
    from .fusion import fused
    from .kernels import copies
    from .streams import beside

    register(cupy.ndarray, cupy)
    return Backend(
        "cupy",
        cupy,
        cupy.asnumpy,
        lambda: cupy.cuda.get_current_stream().synchronize(),
        lambda run: captured(run, cuda_graph),
        fused,
        copies,
        beside,
    )


def _probe(cupy: Any) -> None:
    """Raise what is missing: the package's version, the driver, the device, or one of CUDA's libraries."""
    if int(cupy.__version__.split(".")[0]) < OLDEST_CUPY:
        raise BackendError(
            f"backend 'cupy' is not usable: CuPy must be {OLDEST_CUPY} or newer, got {cupy.__version__}; "
            "pip install --upgrade 'minisam[cuda13]', or 'minisam[cuda12]' for a CUDA 12 driver"
        )
    probes: dict[str, Callable[[], Any]] = {
        "": lambda: cupy.zeros((2, 2)),
        "NVRTC, which compiles kernels,": lambda: cupy.zeros((2, 2)) + 1,
        "cuBLAS, which multiplies matrices,": lambda: cupy.matmul(cupy.zeros((2, 2)), cupy.zeros((2, 2))),
        "Thrust, which sorts,": lambda: cupy.sort(cupy.zeros(2)),
    }
    for part, use_it in probes.items():
        try:
            use_it()
        except Exception as error:
            says = f"{part} is missing or broken; {WITH_LIBRARIES}" if part else _missing(str(error))
            line = " ".join(str(error).split())
            raise BackendError(f"backend 'cupy' is not usable: {says} (cupy {cupy.__version__}: {line})") from error


def _missing(error: str) -> str:
    """The missing part that a CUDA error names, and what to do about it."""
    if "InsufficientDriver" in error:
        return "the NVIDIA driver is missing or too old; install a current one, and see that nvidia-smi lists your GPU"
    if "NoDevice" in error:
        return "there is no NVIDIA device, or CUDA_VISIBLE_DEVICES hides it; see that nvidia-smi lists your GPU"
    return "the NVIDIA device does not work; see what nvidia-smi says"


BACKENDS: dict[str, Callable[[], Backend]] = {"numpy": _numpy, "cupy": _cupy}
in_use: Backend | None = None  # of every thread that has no other; None until somebody asks, `current` then chooses it


class _Own(threading.local):
    backend: Backend | None = None


own = _Own()  # what a thread other than the main one switched to


def switch(backend: Backend | None) -> None:
    """Use this backend in this thread, and if it is the main one, in all that have none of their own."""
    global in_use
    if threading.current_thread() is threading.main_thread():
        in_use = backend
    else:
        own.backend = backend


class use:
    """Switch to a backend, at once; as a context manager, only until the block ends.

    Other threads than the main one switch for themselves alone.

    Parameters
    ----------
    name : str
        "numpy" or "cupy".

    Raises
    ------
    ValueError
        If the name is unknown.
    BackendError
        If the backend cannot be used here: which of package, driver or device is missing.
    """

    def __init__(self, name: str) -> None:
        self._former = in_use if threading.current_thread() is threading.main_thread() else own.backend
        switch(_load(name))

    def __enter__(self) -> use:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        switch(self._former)


def _load(name: str) -> Backend:
    if not isinstance(name, str) or name not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(map(repr, BACKENDS))}, got {' '.join(repr(name).split())}")
    return BACKENDS[name]()


def current() -> Backend:
    """The backend in use; on first need, the one named by MINISAM_BACKEND, else NumPy."""
    global in_use
    if in_use is None:
        in_use = _load(os.environ.get("MINISAM_BACKEND") or "numpy")
    return own.backend or in_use


def xp() -> Any:
    """The namespace in use: the module numpy or cupy."""
    return (own.backend or in_use or current()).xp


def name() -> str:
    """The name of the backend in use."""
    return current().name


def asarray(a: Any, dtype: Any = None) -> Array:
    """`a` as an array of the backend in use, copied over from NumPy if need be."""
    return xp().asarray(a, dtype=dtype)


def asnumpy(a: Any) -> numpy.ndarray:
    """`a` as a NumPy array: the one way back to the host, for figures, printing and files."""
    if isinstance(a, (numpy.ndarray, numpy.generic, int, float, list, tuple)):
        return numpy.asarray(a)
    return current().asnumpy(a)


def synchronize() -> None:
    """Wait until the device has finished all its work (NumPy: nothing to wait for)."""
    current().synchronize()
