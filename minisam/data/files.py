"""MNIST, Fashion-MNIST and CIFAR from files in their standard formats: found in a folder, or downloaded into it.

A file is checked against its published MD5 before it is kept. Reading needs NumPy alone; downloading, the package pooch.

Truths: tests/test_data_files.py (on small files of the same formats).
"""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy

from ..checks import check_counts, check_one_seed
from ..draws import stream
from .sets import Data, split

Folder = str | os.PathLike[str]
FOLDER = Path("~/.cache/minisam")
MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
CIFAR = "https://www.cs.toronto.edu/~kriz/"
FILES = {  # name → where from, and the MD5 of each file
    "mnist": (
        MNIST,
        {
            "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "fashion-mnist": (
        FASHION,
        {
            "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
    "cifar-10": (CIFAR, {"cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a"}),
    "cifar-100": (CIFAR, {"cifar-100-python.tar.gz": "eb9058c3a382ffc7106e4002c42a8d85"}),
}


def mnist(folder: Folder = FOLDER, validation: int = 10_000, seed: int = 0) -> Data:
    """70,000 handwritten digits of 28×28: x float32 (m, 784) in [0, 1], y int64 in 0 … 9.

    Parameters
    ----------
    folder : path
        Where the four .gz files lie, in a folder "mnist" in it, or are downloaded to.
    validation : int
        Examples of the training part that are kept apart, drawn with `seed`.

    Raises
    ------
    FileNotFoundError
        If a file is missing and cannot be downloaded; it names the files and where to put them.
    ValueError
        If a file is damaged.

    Source: LeCun, Cortes & Burges 1998 (CC BY-SA 3.0).
    """
    return _idx("mnist", folder, validation, seed)


def fashion_mnist(folder: Folder = FOLDER, validation: int = 10_000, seed: int = 0) -> Data:
    """70,000 pictures of clothes, 28×28 and ten classes; everything as in `mnist`.

    Source: Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747 (MIT licence).
    """
    return _idx("fashion-mnist", folder, validation, seed)


def cifar10(folder: Folder = FOLDER, validation: int = 5_000, seed: int = 0) -> Data:
    """60,000 colour photographs of 32×32 in ten classes: x float32 (m, 3072) in [0, 1], shape (3, 32, 32).

    Arguments and errors as in `mnist`.  Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images"; its
    page names no licence.
    """
    return _cifar(
        "cifar-10", folder, validation, seed, [f"data_batch_{k}" for k in range(1, 6)], "test_batch", "labels"
    )


def cifar100(folder: Folder = FOLDER, validation: int = 5_000, seed: int = 0) -> Data:
    """The same size with a hundred classes; everything as in `cifar10`, that no licence is named as well."""
    return _cifar("cifar-100", folder, validation, seed, ["train"], "test", "fine_labels")


def _idx(name: str, folder: Folder, validation: int, seed: int) -> Data:
    images, labels, test_images, test_labels = (read_idx(path) for path in _files(name, folder))
    shape = (1, *images.shape[1:])
    return _in_three(name, (images, labels), (test_images, test_labels), shape, validation, seed)


def _cifar(name: str, folder: Folder, validation: int, seed: int, train: list[str], test: str, labels: str) -> Data:
    (path,) = _files(name, folder)
    parts = [read_cifar(path, part, labels) for part in [*train, test]]
    x, y = (numpy.concatenate(arrays) for arrays in zip(*parts[:-1], strict=True))
    return _in_three(name, (x, y), parts[-1], (3, 32, 32), validation, seed)


def _in_three(name: str, train: Any, test: Any, shape: tuple[int, ...], validation: int, seed: int) -> Data:
    """Pixels from bytes to [0, 1], and the validation part taken from the training part."""
    check_counts(validation=validation)
    check_one_seed(seed)
    (x, y), (x_test, y_test) = train, test
    if validation >= len(x):
        raise ValueError(f"validation must be below {len(x)}, got {validation}")
    order = stream(f"split of {name}", seed).permutation(len(x))
    x = numpy.concatenate([x[order], x_test]).reshape(len(x) + len(x_test), -1)
    y = numpy.concatenate([y[order], y_test]).astype("int64")
    return split(name, x.astype("float32") / 255, y, len(order) - validation, validation, shape)


# --- formats ---------------------------------------------------------------------------------------------------------


def read_idx(path: Folder) -> numpy.ndarray:
    """The array in a gzipped IDX file of bytes, or a ValueError if it is not a whole one."""
    try:
        with gzip.open(path) as file:
            zeros, kind, ndim = struct.unpack(">HBB", file.read(4))
            shape = struct.unpack(f">{ndim}I", file.read(4 * ndim))
            content = file.read()
        if zeros or kind != 8:
            raise ValueError("it does not begin as an IDX file of bytes does")
        return numpy.frombuffer(content, dtype="uint8").reshape(shape)
    except (OSError, EOFError, struct.error, ValueError) as error:
        raise ValueError(f"{os.fspath(path)} is not a whole IDX file ({error})") from error


def read_cifar(path: Folder, part: str, labels: str) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Images uint8 (m, 3072) and labels (m,) of one part of a CIFAR archive, or a ValueError if it is damaged."""
    try:
        with tarfile.open(path) as archive:
            member = next(m for m in archive.getmembers() if m.name.rsplit("/", 1)[-1] == part)
            file = archive.extractfile(member)
            content = file.read() if file else b""
        entries = OnlyArrays(io.BytesIO(content), encoding="latin1").load()
        x, y = numpy.asarray(entries["data"], dtype="uint8"), numpy.asarray(entries[labels], dtype="int64")
        if x.shape != (len(y), 3072):
            raise ValueError(f"{len(y)} labels for images of shape {x.shape}")
        return x, y
    except StopIteration:
        raise ValueError(f"{os.fspath(path)} is not a whole CIFAR archive (it has no {part})") from None
    except (OSError, EOFError, tarfile.TarError, pickle.UnpicklingError, KeyError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)} is not a whole CIFAR archive ({error})") from error


class OnlyArrays(pickle.Unpickler):
    """Reads pickled NumPy arrays and plain data, and calls nothing else that a file may name."""

    ALLOWED: Mapping[tuple[str, str], str] = {
        ("numpy.core.multiarray", "_reconstruct"): "numpy._core.multiarray",
        ("numpy._core.multiarray", "_reconstruct"): "numpy._core.multiarray",
        ("numpy", "ndarray"): "numpy",
        ("numpy", "dtype"): "numpy",
        ("_codecs", "encode"): "_codecs",
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no array")
        return super().find_class(self.ALLOWED[module, name], name)


# --- finding and downloading -----------------------------------------------------------------------------------------


def _files(name: str, folder: Folder) -> list[Path]:
    """The files of a set, downloaded if they are not there."""
    url, hashes = FILES[name]
    place = Path(folder).expanduser() / name
    missing = [file for file in hashes if not (place / file).is_file()]
    if missing:
        _download(name, url, {file: hashes[file] for file in missing}, place)
    return [place / file for file in hashes]


def _download(name: str, url: str, hashes: Mapping[str, str], place: Path) -> None:
    needed = f"{name} needs {', '.join(hashes)} from {url} in {place}"
    try:
        import pooch
    except ImportError as error:
        raise FileNotFoundError(f"{needed}; put them there, or pip install pooch to have them downloaded") from error
    try:
        for file, md5 in hashes.items():  # pooch downloads aside, and moves a file into place when its hash is right
            pooch.retrieve(url + file, known_hash=f"md5:{md5}", fname=file, path=place, progressbar=True)
    except Exception as error:
        raise FileNotFoundError(
            f"{needed}; put them there: the download failed ({type(error).__name__}: {error})"
        ) from error
