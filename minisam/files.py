"""Files that are written whole or not at all.

Truths: tests/test_checkpoint.py.
"""

from __future__ import annotations

import itertools
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

COUNT = itertools.count()  # of the unfinished files of this process


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path to write to. It becomes `path` when the block ends well, and vanishes when the block does not.

    An OSError names the path and its folder.
    """
    with naming(path), unfinished(path) as beside:
        yield beside
        os.replace(beside, path)
        with suppress(OSError):  # some systems do not open folders
            folder = os.open(Path(path).parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # or a power cut could undo the move
            finally:
                os.close(folder)


@contextmanager
def only_writer(path: str | os.PathLike[str]) -> Iterator[None]:
    """For this block, no other run writes `path`; or a BlockingIOError says that one does.

    The lock is on a file beside it, which goes at the end; a run that was killed holds none. There is none where the system
    locks no files.
    """
    if fcntl is None:
        yield
        return
    lock = Path(f"{os.fspath(path)}.lock")
    file = _locked(lock)
    if file is None:
        raise BlockingIOError(f"another run is writing {os.fspath(path)}: wait until it ends, or name another file")
    with file:
        try:
            yield
        finally:
            _remove(lock)


def _locked(lock: Path) -> BufferedWriter | None:
    """The file, open and locked until it is closed; or None, if someone else holds the lock."""
    while True:
        file = open(lock, "wb")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return file
        except BlockingIOError:
            file.close()
            return None
        except FileNotFoundError:
            pass
        except OSError:  # this file system has no locks
            return file
        file.close()  # whoever held it has just removed it: once more


def check_writable(path: str | os.PathLike[str], size: int) -> None:
    """Raise the OSError that says why `size` bytes cannot be written to `path`: the folder is full, or read-only, or missing."""
    with naming(path), unfinished(path) as beside:
        beside.write_bytes(bytes(size))


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """An OSError of this block names the file that could not be written, and its folder."""
    check_folder(path)
    try:
        yield
    except OSError as error:
        says = f"cannot write {os.fspath(path)}: {error.strerror or error} (folder {Path(path).parent})"
        raise (OSError(error.errno, says) if error.errno else OSError(says)) from error


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise a FileNotFoundError if the folder of `path` is not there."""
    folder = Path(path).parent
    if not folder.is_dir():
        raise FileNotFoundError(f"cannot write {os.fspath(path)}: there is no folder {folder}")


@contextmanager
def unfinished(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path beside `path`, which nobody else uses and which is gone after the block.

    Files that killed processes of this machine have left there are removed first. One that cannot be removed stays.
    """
    start, end = f"{os.fspath(path)}.{platform.node()}.", ".part"
    for other in Path(path).parent.iterdir():
        process = re.fullmatch(re.escape(start) + r"(\d+)(-\d+)?" + re.escape(end), str(other))
        if process and not is_running(int(process[1])):
            _remove(other)
    beside = Path(f"{start}{os.getpid()}-{next(COUNT)}{end}")
    try:
        yield beside
    finally:
        _remove(beside)


def _remove(path: Path) -> None:
    """Remove a file that is there and that can be removed: what else happens must not depend on it."""
    with suppress(OSError):
        path.unlink()


def is_running(process: int) -> bool:
    """Whether a process of this number runs here; True where asking would end it, on Windows."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True
