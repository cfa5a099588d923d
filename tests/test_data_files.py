"""Files in the standard formats are read, damaged ones refused, missing ones named; on small files made here."""

import gzip
import io
import os
import pickle
import re
import struct
import sys
import tarfile

import numpy as np
import pytest

from minisam import data
from minisam.data import files
from minisam.draws import stream

RNG = np.random.default_rng(0)


def write_idx(path, array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


@pytest.fixture
def mnist(tmp_path):
    place = tmp_path / "mnist"
    place.mkdir()
    arrays = [
        RNG.integers(0, 256, (30, 28, 28), dtype="uint8"),
        RNG.integers(0, 10, 30, dtype="uint8"),
        RNG.integers(0, 256, (10, 28, 28), dtype="uint8"),
        RNG.integers(0, 10, 10, dtype="uint8"),
    ]
    for name, array in zip(files.FILES["mnist"][1], arrays, strict=True):
        write_idx(place / name, array)
    return tmp_path, arrays


def write_cifar(folder, name, parts):
    (folder / name).mkdir()
    with tarfile.open(folder / name / f"{name}-python.tar.gz", "w:gz") as archive:
        for part, entries in parts.items():
            content = entries if isinstance(entries, bytes) else pickle.dumps(entries, protocol=2)
            member = tarfile.TarInfo(f"{name}-batches-py/{part}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def cifar_part(m, labels="labels"):
    return {"data": RNG.integers(0, 256, (m, 3072), dtype="uint8"), labels: list(RNG.integers(0, 10, m).tolist())}


def test_mnist_from_its_files(mnist):
    folder, (images, labels, test_images, test_labels) = mnist
    d = data.mnist(folder, validation=5, seed=1)
    assert d.shape == (1, 28, 28)
    assert (d.x_train.shape, d.x_validation.shape, d.x_test.shape) == ((25, 784), (5, 784), (10, 784))
    np.testing.assert_allclose(d.x_test, test_images.reshape(10, 784) / 255, rtol=1e-6)
    np.testing.assert_array_equal(d.y_test, test_labels)
    order = stream("split of mnist", 1).permutation(30)
    x = np.concatenate([d.x_train, d.x_validation])
    np.testing.assert_allclose(x, images[order].reshape(30, 784) / 255, rtol=1e-6)
    np.testing.assert_array_equal(np.concatenate([d.y_train, d.y_validation]), labels[order])


def test_cifar_from_its_archive(tmp_path):
    parts = {f"data_batch_{k}": cifar_part(4) for k in range(1, 6)} | {"test_batch": cifar_part(3)}
    write_cifar(tmp_path, "cifar-10", parts)
    d = data.cifar10(tmp_path, validation=4)
    assert d.shape == (3, 32, 32)
    assert (d.x_train.shape, d.x_validation.shape) == ((16, 3072), (4, 3072))
    np.testing.assert_allclose(d.x_test, parts["test_batch"]["data"] / 255, rtol=1e-6)
    write_cifar(tmp_path, "cifar-100", {"train": cifar_part(6, "fine_labels"), "test": cifar_part(2, "fine_labels")})
    assert data.cifar100(tmp_path, validation=2).x_train.shape == (4, 3072)


@pytest.mark.parametrize("keep", [0, 3, 10, 200, 2000])
def test_an_idx_file_cut_short_is_refused(mnist, keep):
    folder, _ = mnist
    path = folder / "mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz is not a whole IDX file"):
        data.mnist(folder, validation=5)


def test_a_cifar_archive_that_is_damaged_is_refused(tmp_path):
    write_cifar(tmp_path, "cifar-10", {"data_batch_1": cifar_part(4)})
    with pytest.raises(ValueError, match=r"is not a whole CIFAR archive .it has no data_batch_2"):
        data.cifar10(tmp_path)
    path = tmp_path / "cifar-10" / "cifar-10-python.tar.gz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="is not a whole CIFAR archive"):
        data.cifar10(tmp_path)


class Bad:
    def __reduce__(self):
        return os.getcwd, ()


def test_an_archive_that_would_run_something_is_refused(tmp_path):
    write_cifar(tmp_path, "cifar-10", {"data_batch_1": pickle.dumps(Bad())})
    with pytest.raises(ValueError, match=r"it names .*getcwd, which is no array"):
        data.cifar10(tmp_path)


def test_missing_files_are_named_with_their_place(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(FileNotFoundError) as error:
        data.fashion_mnist(tmp_path)
    for part in ("t10k-labels-idx1-ubyte.gz", str(tmp_path / "fashion-mnist"), "http://", "pip install pooch"):
        assert part in str(error.value)


def test_a_download_that_fails_leaves_nothing_and_is_named(tmp_path, monkeypatch):
    pooch = pytest.importorskip("pooch")

    def retrieve(url, known_hash, fname, path, progressbar):
        raise ValueError("the hash differs")

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(
        FileNotFoundError, match=r"put them there: the download failed \(ValueError: the hash differs\)"
    ):
        data.mnist(tmp_path)
    assert not list(tmp_path.rglob("*.gz"))


def test_files_are_fetched_with_their_hashes(mnist, monkeypatch, tmp_path):
    pooch = pytest.importorskip("pooch")
    folder, _ = mnist
    new, asked = tmp_path / "new", {}

    def retrieve(url, known_hash, fname, path, progressbar):
        asked[url] = known_hash
        path.mkdir(parents=True, exist_ok=True)
        (path / fname).write_bytes((folder / "mnist" / fname).read_bytes())

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    assert np.array_equal(data.mnist(new, 5).x_train, data.mnist(folder, 5).x_train)
    assert asked == {files.MNIST + name: f"md5:{md5}" for name, md5 in files.FILES["mnist"][1].items()}


def test_validation_must_leave_something(mnist):
    with pytest.raises(ValueError, match="validation must be below 30, got 30"):
        data.mnist(mnist[0], validation=30)


@pytest.mark.parametrize(
    "made",
    [data.digits, data.text, data.mnist, data.fashion_mnist, data.cifar10, data.cifar100],
    ids=lambda f: f.__name__,
)
def test_a_set_that_others_made_says_under_which_licence(made):
    assert re.search("CC BY|licence", made.__doc__)
