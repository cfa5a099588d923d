"""MNIST, Fashion-MNIST and CIFAR from the files that their authors publish: found in a folder, or downloaded into it.

A file is used only if its SHA-256 is the published one, whether it was just downloaded or has long been there. Reading needs
NumPy alone; downloading needs the package pooch.

Truths: tests/test_data_files.py (on small files of the same formats).
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Mapping
from pathlib import Path

import numpy

from .. import arguments
from ..checks import check_counts, check_one_seed
from ..draws import stream
from ..types import Shape
from .formats import Folder, Labelled, idx_of, read_cifar, read_mnist
from .sets import Data, split

FOLDER = Path("~/.cache/minisam")
INSTALLED = Path("/usr/share/datasets")  # where packages of Debian and Ubuntu put data: dataset-fashion-mnist
MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
FASHION = "https://fashion-mnist.s3.eu-central-1.amazonaws.com/"
CIFAR = "https://www.cs.toronto.edu/~kriz/"
CIFAR10_PARTS = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
FILES = {  # name → address, and the SHA-256 of each file there
    "mnist": (
        MNIST,
        {
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "fashion-mnist": (
        FASHION,
        {
            "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ),
    "cifar-10": (CIFAR, {"cifar-10-python.tar.gz": "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"}),
    "cifar-100": (
        CIFAR,
        {"cifar-100-python.tar.gz": "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"},
    ),
}
UNPACKED = {  # the SHA-256 of what each IDX file unpacks to: a copy that was compressed anew, as Debian's, is as good
    "mnist": {
        "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}


def mnist(folder: Folder = FOLDER, validation: int = 10_000, seed: int = 0) -> Data:
    """70,000 handwritten digits of 28×28: x float32 (m, 784) in [0, 1], y int64 (m,) in 0 … 9.

    Parameters
    ----------
    folder : path
        The folder that holds the four .gz files, or the folder above it, if it is called "mnist". If the files are in
        neither, they are downloaded.
    validation : int
        The number of training examples that become the validation part, ≥ 1; they are drawn with `seed`.
    seed : int
        Seed of the split, ≥ 0.

    Raises
    ------
    FileNotFoundError
        If a file is missing and cannot be downloaded. The error names the missing files and the folder for them.
    ValueError
        If a file is damaged, if it is whole but not the published one, or if an argument is out of its range.

    Source: LeCun, Cortes & Burges 1998 (CC BY-SA 3.0).
    """
    return _mnist("mnist", folder, validation, seed)


def fashion_mnist(folder: Folder = FOLDER, validation: int = 10_000, seed: int = 0) -> Data:
    """70,000 pictures of clothes, 28×28, in ten classes.

    Arguments, shapes and errors are those of `mnist`; the folder's name is "fashion-mnist". Before a download, the files of
    the package dataset-fashion-mnist of Debian and Ubuntu are used, if it is installed.

    Source: Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747 (MIT licence).
    """
    return _mnist("fashion-mnist", folder, validation, seed)


def cifar10(folder: Folder = FOLDER, validation: int = 5_000, seed: int = 0) -> Data:
    """60,000 colour photographs of 32×32 in ten classes: x float32 (m, 3072) in [0, 1], shape (3, 32, 32); y int64 (m,).

    Arguments and errors are those of `mnist`; the file is cifar-10-python.tar.gz, and the folder's name "cifar-10".

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images". Its page names no licence.
    """
    return _cifar("cifar-10", folder, validation, seed, CIFAR10_PARTS, "labels", 10)


def cifar100(folder: Folder = FOLDER, validation: int = 5_000, seed: int = 0) -> Data:
    """60,000 photographs as in `cifar10`, in a hundred classes; "cifar-100" in all names. No licence is named either."""
    return _cifar("cifar-100", folder, validation, seed, ["train", "test"], "fine_labels", 100)


def _mnist(name: str, folder: Folder, validation: int, seed: int) -> Data:
    _check(folder, validation, seed)
    images, labels, test_images, test_labels = paths = _files(name, folder)
    parts = [read_mnist(images, labels), read_mnist(test_images, test_labels)]
    for path, a in zip(paths, itertools.chain(*parts), strict=True):
        _refuse_others(name, path, hashlib.sha256(idx_of(a)).hexdigest(), UNPACKED)
    return _in_three(name, parts, (1, 28, 28), validation, seed)


def _cifar(name: str, folder: Folder, validation: int, seed: int, parts: list[str], labels: str, classes: int) -> Data:
    _check(folder, validation, seed)
    (path,) = _files(name, folder)
    found = read_cifar(path, parts, labels, classes)
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    _refuse_others(name, path, sha256, {name: hashes for name, (_, hashes) in FILES.items()})
    return _in_three(name, found, (3, 32, 32), validation, seed)


def _refuse_others(name: str, path: Path, found: str, published: Mapping[str, Mapping[str, str]]) -> None:
    """Raise a ValueError, if this whole file is not the published one; it says which it is, if it is one of another set."""
    known = {sha256: f"{file} of {other}" for other, hashes in published.items() for file, sha256 in hashes.items()}
    if found != published[name][path.name]:
        what = known.get(found, f"other data (SHA-256 {found})")
        raise ValueError(
            f"{path} must be the published {path.name} of {name}, got {what}; delete it to have it downloaded"
        )


def _check(folder: Folder, validation: int, seed: int) -> None:
    """The arguments are checked before any file is looked for."""
    arguments.path("folder", folder)
    check_counts(validation=validation)
    check_one_seed(seed)


def _in_three(name: str, parts: list[Labelled], shape: Shape, validation: int, seed: int) -> Data:
    """Test on the last part, draw the validation part from the others, and turn bytes into numbers in [0, 1]."""
    y = numpy.concatenate([labels for _, labels in parts]).astype("int64")
    ends = numpy.cumsum([len(labels) for _, labels in parts])
    m = int(ends[-2])
    if validation >= m:
        raise ValueError(f"validation must be below {m}, got {validation}")
    order = numpy.concatenate([stream(f"split of {name}", seed).permutation(m), numpy.arange(m, len(y))])
    places = numpy.split(numpy.argsort(order), ends[:-1])  # the row of x that each example goes to
    x = numpy.empty((len(y), math.prod(shape)), dtype="float32")
    for (pixels, _), rows in zip(parts, places, strict=True):  # no pixel is more than once in memory as a float32
        x[rows] = pixels.reshape(len(pixels), -1)
    x /= 255
    return split(name, x, y[order], m - validation, validation, shape)


# --- finding and downloading -----------------------------------------------------------------------------------------


def _files(name: str, folder: Folder) -> list[Path]:
    """The files of a set. Those that are in none of the places where they may be are downloaded."""
    url, hashes = FILES[name]
    folder = Path(folder).expanduser()
    for place in (folder / name, folder, INSTALLED / name):
        files = [place / file for file in hashes]
        if all(file.is_file() for file in files):
            return files
    place = folder if folder.name == name else folder / name
    _download(name, url, {file: sha256 for file, sha256 in hashes.items() if not (place / file).is_file()}, place)
    return [place / file for file in hashes]


def _download(name: str, url: str, hashes: Mapping[str, str], place: Path) -> None:
    try:
        import pooch

        for file, sha256 in hashes.items():  # pooch downloads aside, and moves a file into place when its hash is right
            pooch.retrieve(url + file, known_hash=f"sha256:{sha256}", fname=file, path=place, progressbar=True)
    except Exception as error:
        why = f": the download failed ({type(error).__name__}: {error})"
        if isinstance(error, ImportError):
            why = ", or pip install pooch to have them downloaded"
        raise FileNotFoundError(
            f"{name} needs {', '.join(hashes)} from {url} in {place}; put them there{why}"
        ) from error
