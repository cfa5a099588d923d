"""A system in a process of its own. It works only when asked, so of many workers one at a time is busy."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

THREADS = 2


class Unavailable(Exception):
    """A system that cannot run here; the text says why."""


def limit_threads(threads: int = THREADS) -> None:
    """The same number of threads for every system: set before any of them is imported, inherited by the workers."""
    for name in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{name}_NUM_THREADS"] = str(threads)
    os.environ["NPROC"] = str(threads)  # JAX's thread pool
    os.environ["JAX_PLATFORMS"] = "cpu"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


class Worker:
    """The driver's end of the pipe: `worker.ask("time", job, steps)` runs `_Served.time(job, steps)` over there.

    The process imports minisam from `checkout`, if it is given, and else from where the driver does.
    """

    def __init__(self, name: str, blas_threads: int = THREADS, checkout: Path | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, name), daemon=True)
        with _environment(OPENBLAS_NUM_THREADS=str(blas_threads)), _first_on_path(checkout):  # inherited
            self.process.start()
        theirs.close()
        self.packages = self.ask("packages")

    def ask(self, question: str, *arguments: Any) -> Any:
        try:
            self.pipe.send((question, arguments))
            ok, answer = self.pipe.recv()
        except (EOFError, BrokenPipeError):
            raise Unavailable("its process died") from None
        if not ok:
            raise Unavailable(answer)
        return answer

    def close(self) -> None:
        self.pipe.close()
        self.process.join(timeout=10)
        if self.process.is_alive():
            self.process.kill()


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name, "") for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.update(before)


@contextmanager
def _first_on_path(folder: Path | None) -> Iterator[None]:
    before = list(sys.path)
    if folder is not None:
        sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = before


def _serve(pipe: Any, name: str) -> None:
    if os.environ.get("JAX_PLATFORMS") == "cpu":  # on a GPU, what libraries say there may be why something fails
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # compilers' chatter; errors go through the pipe
    served: _Served | None = None
    while True:
        try:
            question, arguments = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            served = served or _Served(name)
            pipe.send((True, getattr(served, question)(*arguments)))
        except KeyboardInterrupt:
            return
        except Exception as error:
            lines = str(error).strip().splitlines() or [""]
            pipe.send((False, f"{type(error).__name__}: {lines[0]}"[:160]))


class _Served:
    def __init__(self, name: str) -> None:
        from systems import PACKAGES, load

        self.name, self.system = name, load(name)
        self.versions = {package: version(package) for package in PACKAGES.get(name, ())}
        self.jobs: dict[Any, Any] = {}

    def packages(self) -> dict[str, str]:
        return self.versions

    def prepare(self, job: Any) -> Any:
        """The losses of the first five steps."""
        system = self.jobs[job] = self.system(job)
        system.reset()
        return [system.run(1) for _ in range(5)]

    def forget(self) -> None:
        self.jobs.clear()

    def time(self, job: Any, steps: int) -> float:
        """Seconds a step takes, from the initial weights on: the mean."""
        system = self._warm(job, steps)
        start = time.perf_counter()
        system.run(steps)
        return (time.perf_counter() - start) / steps

    def median(self, job: Any, steps: int) -> float:
        """Seconds a step takes, from the initial weights on: the median."""
        system, times = self._warm(job, steps), []
        for _ in range(steps):
            start = time.perf_counter()
            system.run(1)
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    def _warm(self, job: Any, steps: int) -> Any:
        """The system of this job after its first step, once a few steps have woken caches and threads."""
        system = self.jobs[job]
        system.run(1 + steps // 10)
        system.reset()
        system.run(1)
        return system

    def peak(self, warm: Any, job: Any, steps: int = 20) -> float:
        """MiB by which the process's peak grows when it has run a small job and then runs this one."""
        import resource

        unit = 2**20 if sys.platform == "darwin" else 2**10  # of ru_maxrss, in MiB⁻¹
        self.prepare(warm)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.prepare(job)
        self.jobs[job].run(steps)
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / unit

    def allocation(self, job: Any, steps: int = 1000) -> dict[str, float]:
        """KiB that Python and NumPy hold more after so many steps than before, and at most in between."""
        self.prepare(job)
        system = self.jobs[job]
        tracemalloc.start()
        system.run(100)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        system.run(steps)
        after, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return {"growth": (after - before) / 2**10, "peak": (peak - before) / 2**10}
