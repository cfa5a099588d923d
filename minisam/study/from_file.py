"""`minisam study FILE.py`: run the study that a file defines. Truths: tests/test_study_cli.py.

On several processes, each of them runs the file once; what the file defines is sent to them by its name there. So it may
define its problem and its methods in any way, by lambdas, too.
"""

from __future__ import annotations

import io
import multiprocessing
import pickle
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from .. import plot
from ..checks import pick
from .fairness import check_evidence, fair_methods
from .protocol import compare

Names: TypeAlias = dict[tuple[str, str], Any]  # what a file defines, and processes that have run it know
NEEDED, OPTIONAL = ("problem", "methods", "delta"), ("units", "tuning")


def run(path: Path, progress: bool, workers: int = 1) -> str:
    """Compare what the file defines; write the results and a picture beside it; return table, verdicts and the picture's path.

    With more than one worker, so many processes compute at the same time. Raises a ValueError if the file lacks a definition,
    and what `compare` raises.
    """
    defined = definitions(path)
    missing = [name for name in NEEDED if name not in defined]
    if missing:
        raise ValueError(
            f"{path} must define {', '.join(NEEDED)}, as minisam.study.compare takes them; it lacks {missing[0]}"
        )
    against, picture = defined.get("against"), path.with_suffix(".png")
    if against is not None:
        pick("against", against, defined["methods"])
    arguments = {name: defined[name] for name in (*NEEDED, *OPTIONAL) if name in defined}
    try:
        check_evidence(arguments["problem"], arguments.get("units", 2), arguments.get("tuning", 1), arguments["delta"])
        fair_methods(arguments["methods"])
    except TypeError as error:  # in one line, as all that is wrong with a file
        raise ValueError(str(error)) from error
    with processes(path, defined, workers) as executor:
        result = compare(**arguments, path=path.with_suffix(".json"), progress=progress, executor=executor)
    plot.save(result.plot(against), picture)
    return "\n".join([result.table(), "", *map(str, result.verdicts(against)), f"picture: {picture}"])


def definitions(path: Path) -> dict[str, Any]:
    """The global names of a Python file, which may import its neighbours."""
    if path.suffix != ".py" or not path.is_file():
        raise ValueError(f"file must be a Python file, *.py, that is there, got {path}")
    sys.path.insert(0, str(path.parent.absolute()))
    return runpy.run_path(str(path))


# --- on several processes ----------------------------------------------------------------------------------------------


@contextmanager
def processes(path: Path, defined: dict[str, Any], workers: int) -> Iterator[Executor | None]:
    """An executor of so many processes, none if one is enough. What ends the block early ends the processes."""
    if workers == 1:
        yield None
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, start) as pool:
        try:
            yield Known(pool, path.absolute(), by_name(defined))
        except BaseException:
            # first, or Python 3.11 stumbles over calls that are cancelled already
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def start() -> None:
    """Prepare a process to be ended by the first one at any time: Ctrl-C is not its own, and no semaphore of it is left over."""
    from tqdm import tqdm

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(threading.RLock())  # in place of its own, which processes share


class Known(Executor):
    """An executor of processes that have run a file: what the file defines is sent by its name, all else is pickled."""

    def __init__(self, pool: Executor, path: Path, names: Names) -> None:
        self.pool, self.path, self.names = pool, path, names

    def submit(self, f: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        names = {id(value): name for name, value in self.names.items()}
        file = io.BytesIO()
        pickler = pickle.Pickler(file)
        pickler.persistent_id = lambda value: names.get(id(value))  # type: ignore[method-assign]
        pickler.dump((f, arguments, named))
        return self.pool.submit(called, self.path, file.getvalue())


def called(path: Path, call: bytes) -> Any:
    """What the call returns that `Known` has sent."""
    unpickler = pickle.Unpickler(io.BytesIO(call))
    unpickler.persistent_load = names_in(path).__getitem__  # type: ignore[method-assign]
    f, arguments, named = unpickler.load()
    return f(*arguments, **named)


@lru_cache(maxsize=1)
def names_in(path: Path) -> Names:
    """What a process knows of a file that it has run."""
    return by_name(definitions(path))


def by_name(defined: dict[str, Any]) -> Names:
    """The problem and the functions of the methods, each with a name."""
    makes = {("methods", name): make for name, (make, _) in defined["methods"].items()}
    return {("problem", ""): defined["problem"], **makes}
