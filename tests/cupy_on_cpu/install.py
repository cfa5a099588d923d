"""Put the device in place of a GPU, in this process."""

import atexit
import importlib.metadata
import os
import platform
import shutil
import sys

from . import build, compiler, libraries, runtime, sorting

_kept = []


class Unusable(ImportError):
    """This machine cannot have the device; the message says what is missing."""


def is_installed():
    return bool(_kept)


def install():
    """Let `import cupy` find a device that is the CPU.

    Raises
    ------
    Unusable
        If the machine is no Linux on x86-64, or has no g++, or no cupy-cuda12x.
    ImportError
        If CuPy was imported before, or is of a version whose tables differ from 14.2's.
    """
    if is_installed():
        return
    _check()
    os.environ["CUPY_ACCELERATORS"] = ""  # CUB is compiled for GPUs; without it, CuPy writes its sums as kernels
    os.environ.setdefault("CUPY_CACHE_DIR", str(build.of_kernels() / "kernels"))
    build.device()
    runtime.replace()
    libraries.load()
    import cupy  # noqa: F401

    compiler.replace()
    sorting.replace()
    if os.environ.get("CUPY_ON_CPU_LIBRARIES_IN_CAPTURES", "0") != "0":
        build.device().cupy_on_cpu_hide_captures(1)
    _kept.append(_poison_freed_memory())


def _check():
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Unusable(f"it runs on Linux on x86-64, and this is {platform.system()} on {platform.machine()}")
    missing = [tool for tool in (build.COMPILER, "nm", "readelf") if shutil.which(tool) is None]
    if missing:
        raise Unusable(f"it needs {', '.join(missing)}, which this machine lacks: apt-get install g++")
    try:
        importlib.metadata.version("cupy-cuda12x")
    except importlib.metadata.PackageNotFoundError:
        raise Unusable("it needs CuPy, which is not installed: pip install 'minisam[cupy-test]'") from None
    if "cupy" in sys.modules or "cupy_backends" in sys.modules:
        raise ImportError("cupy_on_cpu.install() must be called before CuPy is imported")


def _poison_freed_memory():
    """Fill what goes back to CuPy's pool with NaN, so that a graph that still reads it gives wrong numbers.

    CuPy keeps hooks per thread: memory that another thread frees stays as it is.
    """
    from cupy.cuda import memory_hook

    class Poison(memory_hook.MemoryHook):
        name = "cupy_on_cpu.Poison"

        def free_postprocess(self, **freed):
            build.device().cupy_on_cpu_poison(
                build.ctypes.c_size_t(freed["mem_ptr"]), build.ctypes.c_size_t(freed["mem_size"])
            )

    hook = Poison()
    hook.__enter__()
    atexit.register(hook.__exit__)  # arrays that are freed later would call it when nothing of it is left
    return hook
