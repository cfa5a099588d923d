"""Calls on an executor: this process, or any that has the protocol of `concurrent.futures`.

Whoever computes a call, it is computed on one thread of BLAS and on the backend of the caller, so that its bits are the same. Its
function must stand at the top level of a module, and its arguments are pickled, unless the executor is of threads.

Truths: tests/test_executors.py.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from functools import partial
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from . import array_backend, blas, threads
from .arguments import Kind, methods, optional


class Executor(Protocol):
    """`concurrent.futures.ProcessPoolExecutor`, a dask client's `get_executor()`, `mpi4py.futures.MPIPoolExecutor`, …"""

    def submit(self, f: Callable[..., Any], /, *arguments: Any) -> Future[Any]: ...


executor: Kind = optional(methods("submit", "None or an executor such as concurrent.futures.ProcessPoolExecutor()"))


Key = TypeVar("Key", bound=Hashable)


class Calls(Generic[Key]):
    """Calls that are computed at the same time, each known by a key; without an executor, one after the other, here.

    As a context manager: whatever ends the block cancels the calls that have not begun. In the block, this process has one
    thread of BLAS, as the executor's threads may be its own.

    Parameters
    ----------
    executor : Executor or None
    kept : str
        What the error says that tells of a lost worker: what is finished, and how to go on.
    """

    def __init__(self, executor: Executor | None, kept: str) -> None:
        self.executor, self.kept = executor, kept
        self.keys: set[Key] = set()
        self.here: dict[Key, Callable[[], Any]] = {}  # not begun
        self.there: dict[Future[Any], Key] = {}  # begun, or waiting for a worker
        self.given: dict[Key, dict[str, Any]] = {}

    def add(self, key: Key, f: Callable[..., Any], **arguments: Any) -> None:
        """Begin f(**arguments), unless there is such a key already."""
        if key in self.keys:
            return
        self.keys.add(key)
        call = partial(alike, f, array_backend.name())
        if self.executor is None:
            self.here[key] = partial(call, arguments)
            return
        self.given[key] = arguments
        try:
            self.there[self.executor.submit(call, arguments)] = key
        except Exception as error:
            raise self.explained(error, key) from error

    def finished(self) -> Iterator[tuple[Key, Any]]:
        """Wait for a call, and give it and those that have ended meanwhile, with their results; errors come last."""
        if self.executor is None:
            key = next(iter(self.here))
            yield key, self.here.pop(key)()
            return
        done = wait(self.there, return_when=FIRST_COMPLETED).done
        for future in sorted(done, key=failed):
            key = self.there.pop(future)
            try:
                found = future.result()
            except (Exception, CancelledError) as error:
                raise self.explained(error, key) from error
            yield key, found

    def all(self) -> Iterator[tuple[Key, Any]]:
        """All calls with their results, in the order in which they end."""
        while self.here or self.there:
            yield from self.finished()

    def explained(self, error: BaseException, key: Key) -> BaseException:
        """The error to raise: one that says what to do, where a worker was lost or an argument cannot be pickled."""
        if isinstance(error, (BrokenExecutor, CancelledError)):
            return BrokenExecutor(
                f"executor lost a worker ({type(error).__name__}); {self.kept}. If it happens at once: a script must start its "
                'work under `if __name__ == "__main__":`, and functions must stand in a module, not in a notebook'
            )
        if isinstance(error, (pickle.PicklingError, AttributeError, TypeError)):
            for name, value in self.given[key].items():
                if why := unpicklable(value):
                    return TypeError(
                        f"{name} must be made of functions at the top level of a module to go to another process, got one that "
                        f"cannot be pickled ({why}); the executor of a dask client takes any function"
                    )
        return error

    def __enter__(self) -> Calls[Key]:
        self.limit = blas.one_thread()
        self.limit.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for future in self.there:
            future.cancel()
        self.limit.__exit__(None, None, None)


def alike(f: Callable[..., Any], backend: str, arguments: dict[str, Any]) -> Any:
    """f(**arguments), with the same bits wherever this is called."""
    with array_backend.use(backend), blas.one_thread(), threads.use(1):
        return f(**arguments)


def failed(future: Future[Any]) -> bool:
    return future.cancelled() or future.exception() is not None


def unpicklable(value: Any) -> str:
    """Why the value cannot be pickled; nothing if it can."""
    try:
        pickle.dumps(value)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def workers_of(executor: Executor) -> int | None:
    """How many calls it computes at once; None if it does not tell, or knows none yet."""
    client = getattr(executor, "_client", None)  # of dask
    return (sum(client.nthreads().values()) if client else getattr(executor, "_max_workers", None)) or None
