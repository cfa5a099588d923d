"""Files that are either written completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path, `path`.part, to write to. It is renamed to `path` at the end of the block, and deleted on an error."""
    check_folder(path)
    unfinished = Path(f"{os.fspath(path)}.part")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise a FileNotFoundError if the folder of `path` does not exist."""
    folder = Path(path).parent
    if not folder.is_dir():
        raise FileNotFoundError(f"cannot write {os.fspath(path)}: there is no folder {folder}")
