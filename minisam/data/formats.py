"""The formats of MNIST, gzipped IDX, and of CIFAR, a gzipped tar archive of pickled parts: only whole files give arrays.

Each file is read to its end, so that gzip verifies its checksum, and nothing is unpacked that is longer than the format
allows. Truths: tests/test_data_files.py.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy

from .pickled import Call, unpickled

Folder: TypeAlias = str | os.PathLike[str]
Labelled: TypeAlias = tuple[numpy.ndarray, numpy.ndarray]  # images uint8 (m, ...), labels (m,)
MOST_IDX = 60_000 * 28 * 28  # bytes
MOST_CIFAR = 60_000 * 2 * 3_200  # bytes: Python 3 writes up to two for a pixel
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, tarfile.TarError, struct.error, ValueError)


def read_idx(path: Folder) -> numpy.ndarray:
    """Return the array uint8 in a gzipped IDX file of bytes, or raise a ValueError if it is not a whole one."""
    try:
        with gzip.open(path) as file:
            zeros, kind, ndim = struct.unpack(">HBB", file.read(4))
            shape = struct.unpack(f">{ndim}I", file.read(4 * ndim))
            if zeros or kind != 8 or math.prod(shape) > MOST_IDX:
                raise ValueError("it does not begin as an IDX file of bytes does")
            content = file.read(math.prod(shape) + 1)
        return numpy.frombuffer(content, dtype="uint8").reshape(shape)
    except DAMAGED as error:
        raise ValueError(f"{os.fspath(path)} is not a whole IDX file ({error})") from error


def idx_of(a: numpy.ndarray) -> bytes:
    """The content of the IDX file of an array uint8."""
    return struct.pack(f">HBB{a.ndim}I", 0, 8, a.ndim, *a.shape) + a.tobytes()


def read_mnist(images: Folder, labels: Folder) -> Labelled:
    """Return images uint8 (m, 28, 28) and labels (m,) in 0 … 9, or raise a ValueError if the files do not belong together."""
    x, y = read_idx(images), read_idx(labels)
    if x.shape[1:] != (28, 28) or y.shape != x.shape[:1] or len(y) == 0:
        raise ValueError(
            f"{os.fspath(images)} and {os.fspath(labels)} must hold images (m, 28, 28) and labels (m,) with m ≥ 1, "
            f"got {x.shape} and {y.shape}"
        )
    if y.max() > 9:
        raise ValueError(f"{os.fspath(labels)} must hold labels in 0 … 9, got {y.max()}")
    return x, y


def read_cifar(path: Folder, parts: Sequence[str], labels: str, classes: int) -> list[Labelled]:
    """Return images uint8 (m, 3072) and labels int64 (m,) of each of these parts of a CIFAR archive.

    The archive is read once. A ValueError says what is wrong with one that is not whole; no file can run code.
    """
    found: dict[str, Labelled] = {}
    try:
        with gzip.open(path) as file:
            for name, content in members(file, parts):
                if name in found:
                    raise ValueError(f"it has {name} twice")
                found[name] = examples(name, content, labels, classes)
        if missing := [name for name in parts if name not in found]:
            raise ValueError(f"it has no {missing[0]}")
    except DAMAGED as error:
        raise ValueError(f"{os.fspath(path)} is not a whole CIFAR archive ({error})") from error
    return [found[name] for name in parts]


def members(file: gzip.GzipFile, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the files with these names, in any folder of a tar archive, and read it to its end."""
    unpacked = 0
    while any(header := file.read(tarfile.BLOCKSIZE)):
        member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        unpacked += tarfile.BLOCKSIZE + member.size
        if member.size < 0 or unpacked > MOST_CIFAR:
            raise ValueError(f"it unpacks to more than {MOST_CIFAR:,} bytes")
        content, _ = file.read(member.size), file.read(-member.size % tarfile.BLOCKSIZE)
        if len(content) < member.size:
            raise ValueError("it ends early")
        if (name := member.name.rsplit("/", 1)[-1]) in names:
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
                raise ValueError(f"its {name} is not a file")
            yield name, content
    if file.read(1 << 20).strip(b"\0") or file.read(1):
        raise ValueError("it goes on after its end")


def examples(part: str, content: bytes, labels: str, classes: int) -> Labelled:
    """Images and labels of one pickled part."""
    entries = unpickled(content)
    data, y = entries.get("data"), entries.get(labels)
    if not isinstance(data, Call) or not isinstance(y, list):
        raise ValueError(f"its {part} has no data, or no {labels}")
    x = data.array()
    if x.shape != (len(y), 3072):
        raise ValueError(f"its {part} has {len(y)} labels for images of shape {x.shape}")
    if wrong := [label for label in y if type(label) is not int or not 0 <= label < classes]:
        got = wrong[0] if type(wrong[0]) is int else type(wrong[0]).__name__
        raise ValueError(f"its {part} must have labels in 0 … {classes - 1}, got {got}")
    return x, numpy.array(y, dtype="int64")
