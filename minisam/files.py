"""Files that are written whole or not at all.

Truths: tests/test_checkpoint.py.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path to write to. It becomes `path` when the block ends well, and vanishes when the block does not."""
    with unfinished(path) as beside:
        yield beside
        os.replace(beside, path)
        with suppress(OSError):  # some systems do not open folders
            folder = os.open(Path(path).parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # or a power cut could undo the move
            finally:
                os.close(folder)


def check_writable(path: str | os.PathLike[str], size: int) -> None:
    """Raise the OSError that says why `size` bytes cannot be written to `path`: the folder is full, or read-only, or missing."""
    check_folder(path)
    try:
        with unfinished(path) as beside:
            beside.write_bytes(bytes(size))
    except OSError as error:
        says = f"cannot write {os.fspath(path)}: {error.strerror} (folder {Path(path).parent})"
        raise OSError(error.errno, says) from error


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise a FileNotFoundError if the folder of `path` is not there."""
    folder = Path(path).parent
    if not folder.is_dir():
        raise FileNotFoundError(f"cannot write {os.fspath(path)}: there is no folder {folder}")


@contextmanager
def unfinished(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path beside `path`, which no other process uses and which is gone after the block.

    Files that killed processes of this machine have left there are removed first.
    """
    check_folder(path)
    start, end = f"{os.fspath(path)}.{platform.node()}.", ".part"
    for other in Path(path).parent.iterdir():
        process = str(other).removeprefix(start).removesuffix(end)
        if str(other) == f"{start}{process}{end}" and process.isdecimal() and not is_running(int(process)):
            other.unlink(missing_ok=True)
    beside = Path(f"{start}{os.getpid()}{end}")
    try:
        yield beside
    finally:
        beside.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Whether a process of this number runs here; True where asking would end it, on Windows."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True
