"""Checkpoints: where a training stands, in a file from which it goes on; and the format of all our files.

A file is one .npz archive. "w" holds the weights; "group/name" holds an array of a group, such as "history/epoch" or
"state/v"; and "meta" holds everything else as JSON text.

Truths: tests/test_checkpoint.py.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy

from ..array_backend import asarray, asnumpy
from ..files import whole
from ..types import Array, State, Statistics

Row: TypeAlias = dict[str, Any]  # one epoch's entries of the history
Path: TypeAlias = str | os.PathLike[str]
Groups: TypeAlias = dict[str, dict[str, numpy.ndarray]]


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


def save(path: Path, stand: Stand, settings: dict[str, str]) -> None:
    """Write a checkpoint, whole or not at all."""
    groups = {"state": stand.state, "running": stand.running, "kept": stand.kept, "history": stand.history}
    write(path, "checkpoint", stand.w, groups, {"settings": settings})


def resume(path: Path, settings: dict[str, str], epochs: int) -> Stand:
    """Where the training stood that wrote this checkpoint; or a ValueError if its settings were others."""
    w, groups, meta = read(path, "checkpoint")
    there = meta["settings"]
    other = [
        f"{name} was {_short(there.get(name))}, is {_short(here)}"
        for name, here in settings.items()
        if there.get(name) != here
    ]
    if other:
        raise ValueError(
            f"checkpoint {os.fspath(path)} belongs to another training: "
            f"delete it, or name another file ({'; '.join(other)})"
        )
    history = groups["history"]
    done = len(history["epoch"])
    if done > epochs:
        raise ValueError(f"epochs must be ≥ {done}, which checkpoint {os.fspath(path)} has done already, got {epochs}")
    state = {key: a.item() if a.ndim == 0 else asarray(a) for key, a in groups["state"].items()}
    running, kept = ({key: asarray(a) for key, a in groups[name].items()} for name in ("running", "kept"))
    return Stand(asarray(w), state, running, kept, [{key: a[i] for key, a in history.items()} for i in range(done)])


# --- settings --------------------------------------------------------------------------------------------------------


def as_texts(settings: dict[str, Any]) -> dict[str, str]:
    """Each setting as a JSON text: these must be the same for a training to go on from a checkpoint."""
    return {name: json.dumps(_plain(value), default=str) for name, value in settings.items()}


def _plain(value: Any) -> Any:
    """A setting as plain data that is the same in every process, with no addresses and nothing abbreviated."""
    if hasattr(value, "dtype"):
        return asnumpy(value).tolist()
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(entry) for entry in value]
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return (
        {type(value).__qualname__: _plain({k: v for k, v in vars(value).items() if k != "met"})}
        if hasattr(value, "__dict__")
        else value
    )


def fingerprint(arrays: list[Array]) -> str:
    """A short text that differs when the data differ."""
    digest = hashlib.sha256()
    for a in arrays:
        digest.update(asnumpy(a).tobytes())
    return digest.hexdigest()[:16]


def _short(text: Any) -> str:
    return str(text) if len(str(text)) <= 200 else f"{str(text)[:200]}…"


# --- the format ------------------------------------------------------------------------------------------------------


def write(path: Path, kind: str, w: Array, groups: Mapping[str, Mapping[str, Any]], meta: dict[str, Any]) -> None:
    """Write one .npz file, and move it into place when it is whole."""
    entries: dict[str, Any] = {"w": asnumpy(w)}
    for group, arrays in groups.items():
        entries |= {f"{group}/{name}": asnumpy(a) for name, a in arrays.items()}
    entries["meta"] = numpy.array(json.dumps({"minisam": kind, **meta}))
    with whole(path) as unfinished, open(unfinished, "wb") as file:
        numpy.savez(file, **entries)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path, kind: str) -> tuple[numpy.ndarray, Groups, dict[str, Any]]:
    """The weights, the groups and the rest that `write` wrote; or a ValueError if the file is not one of this kind."""
    groups: Groups = defaultdict(dict)
    try:
        with open(path, "rb") as file, numpy.load(file, allow_pickle=False) as entries:
            arrays = dict(entries)
        w, meta = arrays.pop("w"), json.loads(str(arrays.pop("meta")))
        if meta["minisam"] != kind:
            raise ValueError(f"it is a {meta['minisam']}")
    except FileNotFoundError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{os.fspath(path)} is not a whole {kind} of minisam ({reason})") from error
    for key, a in arrays.items():
        group, _, name = key.partition("/")
        groups[group][name] = a
    return w, groups, meta
