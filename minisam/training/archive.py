"""The format of our files, checkpoints and runs: what is read is what was written, to the bit, or the file is refused.

A file is one .npz archive, a zip file of .npy members that are not compressed. "w" holds the weights; "group/name" holds an
array of a group, such as "history/epoch" or "state/v"; and "meta" holds everything else as a JSON text, with the kind and
format of the file, the version of the library that wrote it, and the SHA-256 of all this.

A hostile file can run no code, because nothing is unpickled, and takes no more memory than a few times its size, because
members are read only as long as they are in it.

Truths: tests/test_archive.py, tests/test_checkpoint.py.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy

from ..array_backend import asnumpy
from ..checks import one_line
from ..files import whole
from ..types import Array
from ..version import __version__

Path: TypeAlias = str | os.PathLike[str]
Meta: TypeAlias = dict[str, Any]  # what JSON can hold
Entries: TypeAlias = dict[str, numpy.ndarray]  # of a file, by name
Groups: TypeAlias = defaultdict[str, dict[str, numpy.ndarray]]
FORMAT = 3  # of files. Those of format 1 do not name theirs, and only those of format 3 have a SHA-256; all are read


def entries(kind: str, w: Array, groups: Mapping[str, Mapping[str, Array]], meta: Meta) -> Entries:
    """The arrays of a file by name; or a TypeError that names one which is no array of numbers."""
    grouped = {f"{group}/{name}": a for group, arrays in groups.items() for name, a in arrays.items()}
    made = {name: asnumpy(a) for name, a in {"w": w, **grouped}.items()}
    for name, a in made.items():
        if a.dtype.kind not in "biufc":
            raise TypeError(f"{name} must be a number or an array of numbers to be kept in a file, got {a!r}")
    meta = {"minisam": kind, "format": FORMAT, "version": __version__, **meta}
    return made | {"meta": numpy.array(json.dumps(meta | {"sha256": digest(made, meta)}))}


def write(path: Path, entries: Entries) -> None:
    """Write one .npz file, and move it into place when it is whole."""
    with whole(path) as unfinished, open(unfinished, "wb") as file:
        numpy.savez(file, **entries)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())


def read(path: Path, kind: str) -> tuple[numpy.ndarray, Groups, Meta]:
    """The weights, the groups and the rest that `write` wrote; or a ValueError if the file is not a whole one of this kind."""
    with refusing(path, kind):
        arrays = arrays_of(path)
        meta = json.loads(str(arrays.pop("meta")))
        if meta["minisam"] != kind:
            raise ValueError(f"it is a {meta['minisam']}")
        written = meta.get("format", 1)
        if written > FORMAT:
            raise NewerError(
                f"{os.fspath(path)} has format {written} of minisam {meta['version']}; this is minisam {__version__}, "
                f"which reads formats up to {FORMAT}: install a newer one"
            )
        if written >= 3 and meta.pop("sha256") != digest(arrays, meta):
            raise ValueError("its content is not what was written")
        w, groups = arrays.pop("w"), Groups(dict)
        for key, a in arrays.items():
            group, _, name = key.partition("/")
            groups[group][name] = a
    return w, groups, meta


class NewerError(ValueError):
    """A file that a later version wrote."""


@contextmanager
def refusing(path: Path, kind: str) -> Iterator[None]:
    """Whatever fails in this block, which reads a file, becomes one ValueError that names the file and the reason."""
    try:
        yield
    except (FileNotFoundError, NewerError):
        raise
    except Exception as error:
        reason = one_line(f"{type(error).__name__}: {error}")
        raise ValueError(f"{os.fspath(path)} is not a whole {kind} of minisam ({reason})") from error


def digest(arrays: Mapping[str, Array], meta: Meta) -> str:
    """The SHA-256 of arrays, with their names, shapes and dtypes, and of what JSON can hold."""
    sha256 = hashlib.sha256(json.dumps(meta).encode())
    for name in sorted(arrays):
        a = asnumpy(arrays[name])
        sha256.update(f"{name} {a.dtype.str} {a.shape} ".encode())
        sha256.update(a.tobytes())
    return sha256.hexdigest()


def arrays_of(path: Path) -> Entries:
    """The arrays of an .npz file that is not compressed, by name. Each member is read to its end, so its checksum is verified."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len({member.filename for member in members}) < len(members):
            raise ValueError("it has a member twice")
        if min((member.header_offset for member in members), default=0):
            raise ValueError("it stands behind something else")  # zip files are read from their end
        packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
        if packed or sum(member.file_size for member in members) > os.path.getsize(path):
            raise ValueError("it is compressed")
        return {member.filename.removesuffix(".npy"): array_of(archive.read(member)) for member in members}


def array_of(content: bytes) -> numpy.ndarray:
    """The array of numbers or text whose .npy file this is."""
    file = io.BytesIO(content)
    if numpy.lib.format.read_magic(file) != (1, 0):
        raise ValueError("it has an array of another version of .npy")
    shape, is_fortran, dtype = numpy.lib.format.read_array_header_1_0(file)
    rest = content[file.tell() :]
    if dtype.kind not in "biufcU" or min(shape, default=1) < 0 or dtype.itemsize * math.prod(shape) != len(rest):
        raise ValueError(f"it has an array {shape} of {dtype} in {len(rest)} bytes")
    return numpy.ndarray(shape, dtype, rest, order="F" if is_fortran else "C").copy(order="K")
