"""Checkpoints: where a training stands, in a file from which it goes on.

Truths: tests/test_checkpoint.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy

from ..array_backend import asarray
from ..checks import one_line
from ..files import check_writable, only_writer
from ..types import Array, State, Statistics
from .archive import FORMAT, Entries, Groups, Meta, Path, entries, read, refusing, write
from .settings import completed, text

Row: TypeAlias = dict[str, Array]  # one epoch's entries of the history
Settings: TypeAlias = dict[str, object]  # of a training, by name
Texts: TypeAlias = dict[str, str]  # the settings as JSON


@dataclass(frozen=True)
class Stand:
    """Where a training stands after a whole epoch. It is replaced in one go, so that Ctrl-C never leaves half of one."""

    w: Array
    state: State
    running: Statistics
    kept: dict[str, Array]  # w and the running statistics of each replica's best epoch, if `train` keeps the best
    rows: list[Row]

    @property
    def history(self) -> dict[str, numpy.ndarray]:
        """The rows as columns: name → (epochs, ...)."""
        return {key: numpy.array([row[key] for row in self.rows]) for key in (self.rows[0] if self.rows else {})}


@contextmanager
def going_on(
    path: Path | None, start: Stand, settings: Settings, epochs: int
) -> Iterator[tuple[Stand, Callable[..., None]]]:
    """Where the training of a checkpoint stands, at its `start` if there is no such file yet; and a function that writes it.

    What would make a write fail is raised here, before the first epoch: a folder that is full or read-only, another run that
    writes the same file, a state or a setting that no file can hold.
    """
    if path is None:
        yield start, lambda stand: None
        return
    texts = {name: text(name, value) for name, value in settings.items()}

    def there() -> Stand:
        return resume(path, start, settings, texts, epochs) if os.path.exists(path) else start

    def save(stand: Stand) -> None:
        write(path, _entries(stand, texts))

    stand = there()
    if len(stand.rows) >= epochs:
        yield stand, save
        return
    check_writable(path, sum(a.nbytes for a in _entries(stand, texts).values()))
    with only_writer(path):
        yield there(), save  # once more: until now, another run may have written it


def _entries(stand: Stand, texts: Texts) -> Entries:
    groups = {"state": stand.state, "running": stand.running, "kept": stand.kept, "history": stand.history}
    return entries("checkpoint", stand.w, groups, {"settings": texts})


def resume(path: Path, start: Stand, settings: Settings, texts: Texts, epochs: int) -> Stand:
    """Where the training stood that wrote this checkpoint; or a ValueError if its settings were others."""
    w, groups, meta = read(path, "checkpoint")
    with refusing(path, "checkpoint"):
        other = _others(settings, texts, meta)
    if other:
        raise ValueError(
            f"checkpoint {os.fspath(path)} belongs to another training: delete it, or name another file ({'; '.join(other)})"
        )
    with refusing(path, "checkpoint"):
        stand = _stand_of(w, groups, start)
    done = len(stand.rows)
    if done > epochs:
        raise ValueError(f"epochs must be ≥ {done}, which checkpoint {os.fspath(path)} has done already, got {epochs}")
    return stand


def _others(settings: Settings, texts: Texts, meta: Meta) -> list[str]:
    """Each setting that was another one, with both its values."""
    written = meta.get("format", 1)
    since = {"shapes": texts["shapes"]} if written < FORMAT else {}  # earlier formats do not have them
    there = {name: (since | meta["settings"]).get(name, "null") for name in texts}
    other = [name for name in texts if completed(json.loads(there[name]), settings[name]) != json.loads(texts[name])]
    says = [f"{name} was {one_line(there[name])}, is {one_line(texts[name])}" for name in other]
    kinds = ('"function"', '"partial"', '"array"')
    if written < FORMAT and any(kind in texts[name] for name in other for kind in kinds):
        says.append(
            f"format {written} of this file does not tell your functions and long arrays apart, as {FORMAT} does"
        )
    return says


def _stand_of(w: numpy.ndarray, groups: Groups, start: Stand) -> Stand:
    """Where a training stood; or a ValueError if these arrays are not such as its `start` has."""
    state = {key: a.item() if a.ndim == 0 else asarray(a) for key, a in groups["state"].items()}
    running, kept = ({key: asarray(a) for key, a in groups[name].items()} for name in ("running", "kept"))
    history = groups["history"]
    rows = [{key: a[i] for key, a in history.items()} for i in range(len(history["epoch"]))]
    stand = Stand(asarray(w), state, running, kept, rows)
    if _shapes(stand) != _shapes(start) or not start.state.keys() <= state.keys() or not rows:
        raise ValueError(f"it has {_shapes(stand)} and {len(rows)} epochs, and not {_shapes(start)}")
    return stand


def _shapes(stand: Stand) -> dict[str, object]:
    arrays = {"w": stand.w} | stand.running | {f"kept {name}": a for name, a in stand.kept.items()}
    return {name: (str(a.dtype), a.shape) for name, a in arrays.items()}
