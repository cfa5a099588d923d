"""What g++ makes, kept on disk: shared libraries, under a folder named after our sources and the compiler.

`CUPY_ON_CPU_CACHE` names another place than ~/.cache/cupy_on_cpu, `CUPY_ON_CPU_CXX` another compiler than g++.
"""

import ctypes
import functools
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("CUPY_ON_CPU_CACHE") or Path.home() / ".cache" / "cupy_on_cpu")
COMPILER = os.environ.get("CUPY_ON_CPU_CXX") or "g++"


def run(*command, text=None):
    """What a command prints; if it fails, a RuntimeError that ends in it."""
    command = [str(part) for part in command]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout + done.stderr


@functools.cache
def fingerprint():
    """Changes with our sources and with the compiler."""
    sources = [*HERE.glob("src/*"), *HERE.glob("include/*"), HERE / "compiler.py"]
    digest = hashlib.sha256(run(COMPILER, "--version").encode())
    for source in sorted(sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def folder():
    place = CACHE / fingerprint()
    place.mkdir(parents=True, exist_ok=True)
    return place


def made(name, make):
    """The file of that name in the cache; if it is missing, `make(path)` writes it elsewhere first, so no process sees half."""
    path = folder() / name
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=path.parent) as place:
            make(Path(place) / name)
            (Path(place) / name).replace(path)
    return path


def library(name, *arguments, text=None):
    """A shared library that the loader knows by this name."""
    command = [COMPILER, "-std=gnu++17", "-O3", "-shared", "-fPIC", f"-Wl,-soname,{name}", *arguments]
    return made(name, lambda path: run(*command, "-o", path, text=text))


@functools.cache
def device():
    """The device. It passes for CUDA's driver, which CuPy looks for by name, and comes before what is loaded later."""
    path = library("libcuda.so.1", *sorted(HERE.glob("src/*.cpp")), "-ldl")
    return ctypes.PyDLL(str(path), mode=ctypes.RTLD_GLOBAL)
