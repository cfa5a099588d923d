"""Files in the standard formats are read, damaged ones refused, missing ones named; on small files made here."""

import copy
import gzip
import hashlib
import pickle
import random
import re
import struct
import sys
import tarfile
import tracemalloc

import numpy as np
import pytest
from cifar_files import archive, by_python_2

from minisam import data
from minisam.data import files, formats
from minisam.draws import stream

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path, monkeypatch):
    """No test finds what a package has put on this machine; and each may publish files of its own."""
    monkeypatch.setattr(files, "INSTALLED", tmp_path / "installed")
    for table in ("FILES", "UNPACKED"):
        monkeypatch.setattr(files, table, copy.deepcopy(getattr(files, table)))


def write_idx(path, array, name=None):
    """The IDX file of an array; published as one of this set, if a name is given."""
    content = formats.idx_of(array)
    path.write_bytes(gzip.compress(content))
    if name:
        files.UNPACKED[name][path.name] = hashlib.sha256(content).hexdigest()


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
        write_idx(place / name, array, "mnist")
    return tmp_path, arrays


def write_cifar(folder, name, content):
    place = folder / name
    place.mkdir(exist_ok=True)
    (place / f"{name}-python.tar.gz").write_bytes(content)
    files.FILES[name][1][f"{name}-python.tar.gz"] = hashlib.sha256(content).hexdigest()
    return place / f"{name}-python.tar.gz"


def part(m, classes=10):
    return RNG.integers(0, 256, (m, 3072), dtype="uint8"), RNG.integers(0, classes, m).tolist()


def cifar10_parts(m=4):
    return {name: part(m - (name == "test_batch")) for name in files.CIFAR10_PARTS}


def pickled(parts, key="labels"):
    return {name: by_python_2(x, y, key) for name, (x, y) in parts.items()}


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
    parts = cifar10_parts()
    write_cifar(tmp_path, "cifar-10", archive(pickled(parts)))
    d = data.cifar10(tmp_path, validation=4, seed=1)
    assert d.shape == (3, 32, 32)
    assert (d.x_train.shape, d.x_validation.shape) == ((16, 3072), (4, 3072))
    assert d.x_train.dtype == np.float32
    x, y = (np.concatenate([parts[name][k] for name in files.CIFAR10_PARTS[:-1]]) for k in (0, 1))
    order = stream("split of cifar-10", 1).permutation(20)
    np.testing.assert_allclose(np.concatenate([d.x_train, d.x_validation]), x[order] / 255, rtol=1e-6)
    np.testing.assert_array_equal(np.concatenate([d.y_train, d.y_validation]), y[order])
    np.testing.assert_allclose(d.x_test, parts["test_batch"][0] / 255, rtol=1e-6)
    np.testing.assert_array_equal(d.y_test, parts["test_batch"][1])


def test_cifar100_has_fine_labels(tmp_path):
    parts = {"train": part(6, 100), "test": part(2, 100)}
    write_cifar(tmp_path, "cifar-100", archive(pickled(parts, "fine_labels"), "cifar-100-python"))
    d = data.cifar100(tmp_path, validation=2)
    assert sorted([*d.y_train, *d.y_validation]) == sorted(parts["train"][1])


@pytest.mark.parametrize("keep", [0, 3, 10, 200, 2000])
def test_an_idx_file_cut_short_is_refused(mnist, keep):
    folder, _ = mnist
    path = folder / "mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz is not a whole IDX file"):
        data.mnist(folder, validation=5)


def test_an_idx_set_whose_files_do_not_belong_together_is_refused(mnist):
    folder, (images, labels, _, _) = mnist
    path = folder / "mnist" / "train-labels-idx1-ubyte.gz"
    for wrong, says in (
        (
            labels[:20],
            r"train-images-idx3-ubyte\.gz and .*train-labels-idx1-ubyte\.gz must hold .*, got \(30, 28, 28\) and \(20,\)",
        ),
        (images, r"got \(30, 28, 28\) and \(30, 28, 28\)"),
        (
            np.where(labels == labels[0], 250, labels).astype("uint8"),
            r"train-labels-idx1-ubyte\.gz must hold labels in 0 … 9, got 250",
        ),
    ):
        write_idx(path, wrong)
        with pytest.raises(ValueError, match=says):
            data.mnist(folder, validation=5)


def test_an_idx_file_with_any_bit_flipped_is_refused_or_read_rightly(mnist):
    folder, (_, labels, _, _) = mnist
    path = folder / "mnist" / "train-labels-idx1-ubyte.gz"
    assert_refused_or_right(path, formats.read_idx, lambda y: np.array_equal(y, labels))


def test_no_idx_file_unpacks_to_more_than_the_format_allows(mnist):
    folder, _ = mnist
    path = folder / "mnist" / "train-labels-idx1-ubyte.gz"
    for shape in ([2**32 - 1] * 3, [300]):
        path.write_bytes(gzip.compress(struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + bytes(10**7)))
        assert peak_of(lambda: formats.read_idx(path)) < 10**6


# --- damaged and hostile archives ------------------------------------------------------------------------------------


def assert_refused_or_right(path, read, right):
    """With each bit of the file flipped, and cut at each place, `read` gives what was there or a ValueError naming the file."""
    content = path.read_bytes()
    cuts = [content[:k] for k in range(0, len(content), max(1, len(content) // 200))]
    rng = random.Random(0)
    bits = range(8 * len(content)) if len(content) < 100 else rng.sample(range(8 * len(content)), 600)
    refused = 0
    for damaged in [*cuts, *(flipped(content, bit) for bit in bits)]:
        path.write_bytes(damaged)
        if (error := error_of(read, path, right)) is not None:
            assert str(error).startswith(f"{path} is not a whole")
            refused += 1
    assert refused >= len(cuts)


def error_of(read, path, right):
    """The ValueError that `read` raises, or None if it gives the right answer."""
    try:
        answer = read(path)
    except ValueError as error:
        return error
    assert right(answer)
    return None


def flipped(content, bit):
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def peak_of(read):
    """The most memory that `read` takes before it refuses [bytes]."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="is not a whole"):
            read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def read_train(path):
    return formats.read_cifar(path, ["train", "test"], "fine_labels", 100)


def cifar100_parts():
    return pickled({"train": part(2, 100), "test": part(1, 100)}, "fine_labels")


def test_a_cifar_archive_with_any_bit_flipped_is_refused_or_read_rightly(tmp_path):
    path = write_cifar(tmp_path, "cifar-100", archive(cifar100_parts()))
    whole = read_train(path)
    assert_refused_or_right(path, read_train, lambda parts: all(map(np.array_equal, sum(parts, ()), sum(whole, ()))))


def link(name, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(f"cifar-100-python/{name}")
    member.type, member.linkname = kind, member.name
    return member


X, Y = part(2)
DAMAGED = {
    "it has no test": {"train": by_python_2(X, Y, "fine_labels")},
    "its train is not a file": {"train": link("train")},
    "its test is not a file": cifar100_parts() | {"test": link("test", tarfile.LNKTYPE)},
    "it has train twice": cifar100_parts() | {"copy/train": by_python_2(X, Y, "fine_labels")},
    "its train has no data, or no fine_labels": {"train": by_python_2(X, Y, "labels")},
    "its train has 1 labels for images of shape (2, 3072)": {"train": by_python_2(X, Y[:1], "fine_labels")},
    "its train has 2 labels for images of shape (2, 3071)": {"train": by_python_2(X[:, 1:], Y, "fine_labels")},
    "its train must have labels in 0 … 99, got 250": {"train": by_python_2(X, [0, 250], "fine_labels")},
    "its train must have labels in 0 … 99, got -1": {"train": pickle.dumps({"data": X, "fine_labels": [0, -1]}, 2)},
    "its train must have labels in 0 … 99, got bool": {"train": pickle.dumps({"data": X, "fine_labels": [0, True]}, 2)},
    "its train must have labels in 0 … 99, got tuple": {"train": pickle.dumps({"data": X, "fine_labels": [0, ()]}, 2)},
    "its pickle calls posix.getcwd, which makes no array of bytes": {"train": b"cposix\ngetcwd\n)R."},
    "it is pickled by protocol 4, not by one of 0 to 2": {"train": pickle.dumps({"data": X, "fine_labels": Y}, 4)},
}


@pytest.mark.parametrize(("says", "parts"), DAMAGED.items(), ids=DAMAGED)
def test_a_cifar_archive_that_is_damaged_is_refused(says, parts, tmp_path):
    path = write_cifar(tmp_path, "cifar-100", archive(parts))
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path} is not a whole CIFAR archive ({says})')}$"):
        data.cifar100(tmp_path)


def test_a_cifar_archive_is_read_to_its_end(tmp_path):
    content = gzip.decompress(archive(cifar100_parts()))
    for damaged, says in (
        (gzip.compress(content + b"more"), "it goes on after its end"),
        (gzip.compress(content + bytes(2 << 20)), "it goes on after its end"),
        (gzip.compress(content)[:-8] + bytes(8), "CRC check failed"),
        (gzip.compress(content)[:-4], "end-of-stream marker"),
    ):
        path = write_cifar(tmp_path, "cifar-100", damaged)
        with pytest.raises(ValueError, match=f"is not a whole CIFAR archive .*{says}"):
            read_train(path)


def test_no_archive_unpacks_to_more_than_the_format_allows(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "MOST_CIFAR", 10**6)
    many = {f"file {k}": bytes(400_000) for k in range(50)}
    for parts in ({"train": bytes(10**7)}, many):
        path = write_cifar(tmp_path, "cifar-100", archive(parts))
        assert peak_of(lambda path=path: read_train(path)) < 2 * 10**6
        with pytest.raises(ValueError, match="it unpacks to more than 1,000,000 bytes"):
            read_train(path)


def test_other_files_of_an_archive_do_not_matter(tmp_path):
    path = write_cifar(tmp_path, "cifar-100", archive(cifar100_parts() | {"meta": b"?" * 600, "there": link("there")}))
    assert [x.shape for x, _ in read_train(path)] == [(2, 3072), (1, 3072)]


def test_an_archive_is_opened_once_and_its_pixels_are_bytes_until_the_end(tmp_path, monkeypatch):
    """60,000 float32 pixels of 3,072 are 703 MiB, and as bytes 176: all together must stay below 1 GiB."""
    parts, m = cifar10_parts(200), 1199
    write_cifar(tmp_path, "cifar-10", archive(pickled(parts)))
    opened, gzip_open = [], gzip.open
    monkeypatch.setattr(gzip, "open", lambda path: opened.append(path) or gzip_open(path))
    tracemalloc.start()
    data.cifar10(tmp_path, validation=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(opened) == 1
    assert peak < 1.1 * m * 3072 * (4 + 1) + 10**6


# --- finding and downloading -----------------------------------------------------------------------------------------


def test_the_folder_of_the_files_and_the_folder_above_it_are_both_accepted(mnist, monkeypatch):
    folder, _ = mnist
    monkeypatch.setattr(files, "_download", lambda *_: pytest.fail("a download was started"))
    above, itself = data.mnist(folder, 5), data.mnist(folder / "mnist", 5)
    np.testing.assert_array_equal(above.x_train, itself.x_train)
    (folder / "mnist").rename(folder / "any name")
    np.testing.assert_array_equal(data.mnist(str(folder / "any name"), 5).x_train, above.x_train)


def test_what_a_package_has_installed_is_found(mnist, tmp_path, monkeypatch):
    folder, _ = mnist
    (folder / "mnist").rename(folder / "fashion-mnist")
    files.UNPACKED["fashion-mnist"] = files.UNPACKED["mnist"]
    monkeypatch.setattr(files, "INSTALLED", folder)
    monkeypatch.setattr(files, "_download", lambda *_: pytest.fail("a download was started"))
    assert data.fashion_mnist(tmp_path / "elsewhere", 5).name == "fashion-mnist"


def test_the_place_where_debian_puts_fashion_mnist(monkeypatch):
    monkeypatch.undo()
    assert (files.INSTALLED / "fashion-mnist").as_posix() == "/usr/share/datasets/fashion-mnist"


def test_a_whole_file_that_is_not_the_published_one_is_told_apart(mnist):
    folder, (_, labels, _, _) = mnist
    path = folder / "mnist" / "train-labels-idx1-ubyte.gz"
    right, others = path.read_bytes(), np.roll(labels, 1)
    write_idx(path, others)
    says = (
        rf"^{re.escape(str(path))} must be the published train-labels-idx1-ubyte.gz of mnist, got other data \(SHA-256 "
    )
    with pytest.raises(ValueError, match=says + r"[0-9a-f]{64}\); delete it to have it downloaded$"):
        data.mnist(folder, 5)
    write_idx(folder / path.name, others, "fashion-mnist")
    with pytest.raises(ValueError, match=r"got train-labels-idx1-ubyte\.gz of fashion-mnist; delete it"):
        data.mnist(folder, 5)
    path.write_bytes(gzip.compress(gzip.decompress(right), 1))  # compressed anew, it is as good
    assert path.read_bytes() != right
    assert data.mnist(folder, 5).name == "mnist"


def test_test_data_are_not_taken_for_training_data(mnist):
    folder, (_, _, images, labels) = mnist
    for array, kind in ((images, "images-idx3"), (labels, "labels-idx1")):
        write_idx(folder / "mnist" / f"train-{kind}-ubyte.gz", array)
    with pytest.raises(
        ValueError, match=r"train-images-idx3-ubyte\.gz of mnist, got t10k-images-idx3-ubyte\.gz of mnist;"
    ):
        data.mnist(folder, 5)


def test_another_cifar_archive_is_told_apart_from_a_damaged_one(tmp_path):
    content = archive(cifar100_parts())
    path = write_cifar(tmp_path, "cifar-100", content)
    path.write_bytes(archive(cifar100_parts()))
    with pytest.raises(ValueError, match=r"must be the published cifar-100-python.tar.gz of cifar-100, got other data"):
        data.cifar100(tmp_path, 1)
    path.write_bytes(content[:-1])
    with pytest.raises(ValueError, match=r"is not a whole CIFAR archive"):
        data.cifar100(tmp_path, 1)
    path.write_bytes(content)
    assert data.cifar100(tmp_path, 1).name == "cifar-100"


@pytest.mark.skipif(not files.INSTALLED.joinpath("fashion-mnist").is_dir(), reason="Debian's package is not installed")
def test_fashion_mnist_as_debian_compresses_it_is_the_published_one(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setattr(files, "_download", lambda *_: pytest.fail("a download was started"))
    assert data.fashion_mnist(tmp_path).x_train.shape == (50_000, 784)


def test_addresses_are_https_and_hashes_are_sha256():
    for url, hashes in files.FILES.values():
        assert url.startswith("https://")
        assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in hashes.values())


@pytest.mark.parametrize("given", [".", "fashion-mnist"])
def test_missing_files_are_named_with_their_place(given, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(FileNotFoundError) as error:
        data.fashion_mnist(tmp_path / given)
    for part in ("t10k-labels-idx1-ubyte.gz", f"in {tmp_path / 'fashion-mnist'};", "https://", "pip install pooch"):
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
    assert asked == {files.MNIST + name: f"sha256:{sha256}" for name, sha256 in files.FILES["mnist"][1].items()}


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
