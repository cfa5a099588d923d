"""What g++ makes, kept on disk in folders that are named after our sources and the compiler.

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
def folder(*patterns):
    """A place in the cache for what is made of these sources by this compiler: another one if any of them changes."""
    digest = hashlib.sha256(run(COMPILER, "--version").encode())
    for source in sorted(path for pattern in patterns for path in HERE.glob(pattern)):
        digest.update(source.read_bytes())
    place = CACHE / digest.hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    return place


def of_device():
    return folder("src/*")


def of_kernels():
    return folder("include/*", "compiler.py")


def made(path, make):
    """This file in the cache; if it is missing, `make(path)` writes it elsewhere first, so no process sees half of it."""
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=path.parent) as place:
            make(Path(place) / path.name)
            (Path(place) / path.name).replace(path)
    return path


def library(name, *arguments, text=None):
    """A shared library that the loader knows by this name."""
    command = [COMPILER, "-std=gnu++17", "-O3", "-shared", "-fPIC", f"-Wl,-soname,{name}", *arguments]
    return made(of_device() / name, lambda path: run(*command, "-o", path, text=text))


@functools.cache
def device():
    """The device. It passes for CUDA's driver, which CuPy looks for by name, and comes before what is loaded later."""
    path = library("libcuda.so.1", *sorted(HERE.glob("src/*.cpp")), "-ldl")
    return ctypes.PyDLL(str(path), mode=ctypes.RTLD_GLOBAL)
