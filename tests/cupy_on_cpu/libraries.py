"""The libraries of CUDA to which CuPy's modules are linked: stubs that say what is missing, but for what src/ has."""

import ctypes
import functools
import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

from . import build

NOT_SUPPORTED = {"libcublas": 15, "libcusolver": 9, "libcusparse": 10, "libcufft": 16}
LIBRARY = re.compile(r"\(NEEDED\).*\[(lib(?:cu(?!tensor)|nvrtc)\w+\.so\.\d+)\]")
FUNCTION = re.compile(r" U ((?:cu[a-z]+[A-Z]|nvrtc|nvJitLink)\w*)")


def load():
    """Load the stubs, under the names of CUDA's libraries, and let CuPy's search for these find them."""
    import cuda.pathfinder

    for path in stubs().values():
        ctypes.CDLL(str(path))
    load_others = cuda.pathfinder.load_nvidia_dynamic_lib
    cuda.pathfinder.load_nvidia_dynamic_lib = lambda name: _found(name) or load_others(name)
    find_others = cuda.pathfinder.find_nvidia_header_directory
    ours = str(build.HERE / "include")
    cuda.pathfinder.find_nvidia_header_directory = lambda name: ours if name == "cudart" else find_others(name)


def _found(name):
    if name == "nvrtc":  # tells its version, and compiles nothing
        return SimpleNamespace(
            _handle_uint=build.device()._handle, abs_path=build.device()._name, found_via="cupy_on_cpu"
        )
    path = stubs().get(f"lib{name}")
    return path and SimpleNamespace(
        _handle_uint=ctypes.CDLL(str(path))._handle, abs_path=str(path), found_via="cupy_on_cpu"
    )


@functools.cache
def stubs():
    """Their paths, by name without version."""
    listing = build.made(
        build.of_device() / "stubs.txt", lambda path: path.write_text("\n".join(map(str, _made_stubs())))
    )
    return {Path(line).name.split(".")[0]: Path(line) for line in listing.read_text().split()}


def _made_stubs():
    site = Path(importlib.util.find_spec("cupy_backends").origin).parent.parent
    wanted = {}
    for module in [*site.glob("cupy_backends/cuda/libs/*.so"), *site.glob("cupy/cuda/*.so")]:
        names = FUNCTION.findall(build.run("nm", "-D", "--undefined-only", module))
        for library in LIBRARY.findall(build.run("readelf", "-d", module)):
            wanted.setdefault(library, set()).update(names)
    return [_stub(library, sorted(names)) for library, names in wanted.items()]


def _stub(library, names):
    status = NOT_SUPPORTED.get(library.split(".")[0], 1)
    text = "\n".join(["#include <cstdio>", 'extern "C" {', *[_refusal(name, status) for name in names], "}"])
    versions = build.made(
        build.of_device() / f"{library}.map", lambda path: path.write_text(f"{library} {{ global: *; }};")
    )
    return build.library(library, f"-Wl,--version-script,{versions}", "-x", "c++", "-", text=text)


def _refusal(name, status):
    if name.endswith(("ErrorString", "ErrorName")):
        return f'const char* {name}(int) {{ return "not there on the CPU"; }}'
    return f'int {name}() {{ std::fprintf(stderr, "cupy_on_cpu: {name} is not there\\n"); return {status}; }}'
