"""Kernels: from the CUDA C++ that CuPy writes at run time to "object code", a shared library that g++ makes.

The library goes through CuPy's hands, and into its cache, as the bytes that NVRTC would have made; src/driver.cpp loads it.
At the end of the source stands one constant for each kernel: a function that calls it with arguments from `void**`, and
their sizes.
"""

import functools
import re
import struct
import tempfile
from pathlib import Path

from . import build

KERNEL = re.compile(
    r"(?P<template>template\s*<[^;{}]*>\s*)?(?:extern\s*\"C\"\s*)?(?:static\s+|inline\s+)*__global__\s+"
    r"(?:void\s+)?(?:__launch_bounds__\s*\([^)]*\)\s*)?(?:void\s+)?(?P<name>\w+)\s*\("
)
DYNAMIC_SHARED = re.compile(
    r"extern\s+__shared__\s+(?:(?:__align__|alignas)\s*\([^)]*\)\s*)?(?P<type>[\w:<>\s]+?)\s+(?P<name>\w+)\s*\[\s*\]\s*;"
)
THREADS = re.compile(r"\b(threadIdx|blockIdx|blockDim|gridDim|return)\b")
FLAGS = ["-std=gnu++17", "-O1", "-fPIC", "-w", "-fno-strict-aliasing", "-fwrapv", "-fno-math-errno"]
FLAGS += ["-fno-gnu-unique"]  # kernels of one name are many: none may take another's constants
FLAGS += [f"-I{build.HERE / 'include'}"]
HEADERS = [f"#include <cupy/{name}>" for name in ("complex.cuh", "carray.cuh", "atomics.cuh", "math_constants.h")]
compiled = []  # the names of the programs that were compiled in this process, and not found in CuPy's cache


class Program:
    """In place of `cupy.cuda.compiler._NVRTCProgram`."""

    def __init__(self, src, name="default_program", headers=(), include_names=(), name_expressions=None, method="ptx"):
        self.source = src.decode() if isinstance(src, bytes) else src
        self.name, self.expressions = name, name_expressions or ()

    def compile(self, options=(), log_stream=None):
        """The image, and the names in it of the expressions."""
        if not self.source:  # CuPy asks who compiles, to keep images of different compilers apart
            return f"// cupy_on_cpu {build.of_kernels().name}".encode(), None
        compiled.append(self.name)
        mapping = {expression: f"instance_{i}" for i, expression in enumerate(self.expressions)}
        library, said = self._library(host_source(self.source, mapping), options)
        if log_stream is not None:
            log_stream.write(said)
        meets = b"cupy_on_cpu_meet_" in library
        loops = not meets and is_loop_over_elements(self.source)
        return struct.pack("<8sQII", b"ON_A_CPU", len(library), meets, loops) + library, mapping or None

    def _library(self, source, options):
        """Its bytes, and what the compiler said."""
        from cupy.cuda.compiler import CompileException

        options = [option for option in options if option.startswith(("-I", "-D", "-U"))]
        header = prelude() if source.startswith(HEADERS[0]) else build.HERE / "include" / "cuda_on_host.h"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "kernel.so"
            command = [build.COMPILER, *FLAGS, *options, "-include", header, "-shared", "-s", "-Wl,-Bsymbolic"]
            try:
                said = build.run(*command, "-x", "c++", "-", "-o", path, text=source)
            except RuntimeError as error:
                raise CompileException(str(error), source, self.name, options, "nvrtc") from None
            return path.read_bytes(), said


def host_source(source, instances):
    """The source for g++; `instances` are expressions such as `f<float>`, with the names under which they are wanted."""
    plain = [found["name"] for found in KERNEL.finditer(source) if not found["template"]]
    kernels = {name: name for name in plain} | {name: expression for expression, name in instances.items()}
    described = [
        f'extern "C" constexpr cupy_on_cpu::Kernel cupy_on_cpu_kernel_{name} = cupy_on_cpu::Described<&{expression}>::value;'
        for name, expression in kernels.items()
    ]
    shared = r"static \g<type>* const \g<name> = reinterpret_cast<\g<type>*>(cupy_on_cpu_dynamic_shared);"
    return "\n".join([DYNAMIC_SHARED.sub(shared, source), *described])


def is_loop_over_elements(source):
    """Whether one thread can do the work of all: the kernel is CuPy's loop, and its code names no thread.

    A `return` in the loop ends its thread, whose share must then be small (`searchsorted` has one).
    """
    return "CUPY_FOR(" in source and not THREADS.search(source)


@functools.cache
def prelude():
    """A header with all that CuPy's own kernels include, compiled beforehand: they then compile three times as fast."""
    from cupy._core import core

    includes = [option for option in core.assemble_cupy_compiler_options(()) if option.startswith("-I")]
    text = "\n".join(['#include "cuda_on_host.h"', *HEADERS])
    header = build.made(build.of_kernels() / "prelude.h", lambda path: path.write_text(text))
    command = [build.COMPILER, *FLAGS, *includes, "-x", "c++-header", header]
    build.made(header.with_suffix(".h.gch"), lambda path: build.run(*command, "-o", path))
    return header


def replace():
    """Let CuPy compile with g++."""
    from cupy.cuda import compiler

    compiler._NVRTCProgram = Program
    compiler._nvrtc_version = 12, 9
    compiler.compile_using_nvcc = lambda source, options=(), *_, **__: Program(source).compile(options)[0]
