"""Checkpoints: where a training stands, in a file from which it goes on; and the format of all our files.

A file is one .npz archive. "w" holds the weights; "group/name" holds an array of a group, such as "history/epoch" or
"state/v"; and "meta" holds everything else as a JSON text, with the
format and the version of the library that wrote the file.

Truths: tests/test_checkpoint.py.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy

from ..array_backend import asarray, asnumpy
from ..files import check_writable, whole
from ..types import Array, State, Statistics
from ..version import __version__

Row: TypeAlias = dict[str, Array]  # one epoch's entries of the history
Path: TypeAlias = str | os.PathLike[str]
Settings: TypeAlias = dict[str, object]  # of a training, by name
Meta: TypeAlias = dict[str, Any]  # what JSON can hold
Entries: TypeAlias = dict[str, numpy.ndarray]  # of a file, by name
Groups: TypeAlias = dict[str, dict[str, numpy.ndarray]]
FORMAT = 2  # of files; those of format 1 do not name theirs, and are read too


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


def begin(path: Path, stand: Stand, settings: Settings, epochs: int) -> Stand:
    """Where the training of a checkpoint stands: at `stand`, if there is no such file yet.

    What would make `save` fail is raised here, before the first epoch.
    """
    if os.path.exists(path):
        stand = resume(path, settings, epochs)
    if len(stand.rows) < epochs:
        check_writable(path, sum(a.nbytes for a in _entries(stand, settings).values()))
    return stand


def save(path: Path, stand: Stand, settings: Settings) -> None:
    """Write a checkpoint, whole or not at all. A training goes on from it only with the same settings."""
    write(path, _entries(stand, settings))


def _entries(stand: Stand, settings: Settings) -> Entries:
    groups = {"state": stand.state, "running": stand.running, "kept": stand.kept, "history": stand.history}
    texts = {name: _text(value) for name, value in settings.items()}
    return entries("checkpoint", stand.w, groups, {"settings": texts})


def resume(path: Path, settings: Settings, epochs: int) -> Stand:
    """Where the training stood that wrote this checkpoint; or a ValueError if its settings were others."""
    w, groups, meta = read(path, "checkpoint")
    there = {name: meta["settings"].get(name, "null") for name in settings}
    other = [
        f"{name} was {_short(there[name])}, is {_short(_text(here))}"
        for name, here in settings.items()
        if _completed(json.loads(there[name]), here) != json.loads(_text(here))
    ]
    if other:
        raise ValueError(
            f"checkpoint {os.fspath(path)} belongs to another training: delete it, or name another file ({'; '.join(other)})"
        )
    history = groups["history"]
    done = len(history["epoch"])
    if done > epochs:
        raise ValueError(f"epochs must be ≥ {done}, which checkpoint {os.fspath(path)} has done already, got {epochs}")
    state = {key: a.item() if a.ndim == 0 else asarray(a) for key, a in groups["state"].items()}
    running, kept = ({key: asarray(a) for key, a in groups[name].items()} for name in ("running", "kept"))
    return Stand(asarray(w), state, running, kept, [{key: a[i] for key, a in history.items()} for i in range(done)])


# --- settings --------------------------------------------------------------------------------------------------------


def _text(setting: object) -> str:
    """A setting as a JSON text that is the same in every process, with no addresses and nothing abbreviated."""
    return json.dumps(_plain(setting), default=str)


def _plain(value: Any) -> object:
    """A setting as plain data: arrays become lists; functions, their names; objects, {their type: their settings}."""
    if hasattr(value, "dtype"):
        return asnumpy(value).tolist()
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(entry) for entry in value]
    if isinstance(value, partial):
        return {"partial": _plain([value.func, value.args, value.keywords])}
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if is_dataclass(value):
        return {type(value).__qualname__: {f.name: _plain(getattr(value, f.name)) for f in fields(value) if _counts(f)}}
    return {type(value).__qualname__: _plain(vars(value))} if hasattr(value, "__dict__") else value


def _counts(f: Field[Any]) -> bool:
    """Whether a field of a dataclass is a setting: one that the object is made from, and that it shows."""
    return f.init and f.repr


def _completed(there: object, here: object) -> object:
    """The plain data of a file for the setting `here`; a field that the file lacks, since it is newer, has its default."""
    name = type(here).__qualname__
    if not is_dataclass(here) or not isinstance(there, dict) or list(there) != [name]:
        return there
    known, settings = there[name], {}
    for f in fields(here):
        value = known.pop(f.name, MISSING)
        if _counts(f):
            default = f.default if f.default_factory is MISSING else f.default_factory()
            settings[f.name] = _plain(default) if value is MISSING else _completed(value, getattr(here, f.name))
    return {name: settings | {key: value for key, value in known.items() if not key.startswith("_")}}


def fingerprint(arrays: list[Array]) -> str:
    """A short text that differs when the data differ."""
    digest = hashlib.sha256()
    for a in arrays:
        digest.update(asnumpy(a).tobytes())
    return digest.hexdigest()[:16]


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"


# --- the format ------------------------------------------------------------------------------------------------------


def entries(kind: str, w: Array, groups: Mapping[str, Mapping[str, Array]], meta: Meta) -> Entries:
    """The arrays of a file by name; or a TypeError that names one which is no array of numbers."""
    grouped = {f"{group}/{name}": a for group, arrays in groups.items() for name, a in arrays.items()}
    made = {name: asnumpy(a) for name, a in {"w": w, **grouped}.items()}
    for name, a in made.items():
        if a.dtype.kind not in "biufc":
            raise TypeError(f"{name} must be a number or an array of numbers to be kept in a file, got {a!r}")
    text = json.dumps({"minisam": kind, "format": FORMAT, "version": __version__, **meta})
    return made | {"meta": numpy.array(text)}


def write(path: Path, entries: Entries) -> None:
    """Write one .npz file, and move it into place when it is whole."""
    with whole(path) as unfinished, open(unfinished, "wb") as file:
        numpy.savez(file, **entries)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())


def read(path: Path, kind: str) -> tuple[numpy.ndarray, Groups, Meta]:
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
    if meta.get("format", 1) > FORMAT:
        raise ValueError(
            f"{os.fspath(path)} has format {meta['format']} of minisam {meta['version']}; this is minisam {__version__}, "
            f"which reads formats up to {FORMAT}: install a newer one"
        )
    for key, a in arrays.items():
        group, _, name = key.partition("/")
        groups[group][name] = a
    return w, groups, meta
