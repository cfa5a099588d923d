"""Corrupt files at random, and see whether one is read with other values than were written.

Checkpoints, runs, and the files of MNIST and CIFAR (small ones made here, which are published for the time of this). Each is
read as a user reads it. A file that is read as it was has lost nothing that matters: a bit of a date, say.

One thing cannot be seen: a whole run in the place of another run is a right file, so it is none of the damages here. A
checkpoint is compared with the settings and the data of the training; MNIST and CIFAR, with the SHA-256 of the published files.
"""

import contextlib
import gzip
import hashlib
import io
import random
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np
from cifar_files import archive, by_python_2
from kills import DATA, MODEL, bits
from tqdm import tqdm

from minisam import SAM, SGD, Adam, Run, data, train
from minisam.data import files, formats

# --- the files: each kind twice, the second to take pieces from ------------------------------------------------------


def training(seed, **options):
    return train(MODEL, DATA, SAM(Adam(0.01), 0.1), 3, 10, seed=[seed, seed + 1], best=True, progress=False, **options)


def checkpoint(folder, seed):
    training(seed, checkpoint=Path(folder, "checkpoint.npz"))
    return Path(folder, "checkpoint.npz")


def run(folder, seed):
    def make(rho):
        return SAM(SGD(0.1, momentum=0.9), rho)

    swept = train(MODEL, DATA, make, 3, 10, seed=[seed, seed + 1], sweep={"rho": [0.0, 0.1]}, progress=False)
    swept.save(Path(folder, "run.npz"))
    return Path(folder, "run.npz")


def all_of(path):
    """Everything that a saved run holds."""
    loaded = Run.load(path)
    return bits(loaded), loaded.model.spec, loaded.axes, loaded.loss, loaded.interrupted


def mnist(folder, k, which):
    """The four files, of which one is damaged."""
    rng = np.random.default_rng(k)
    shapes = {"train-images-idx3": (30, 28, 28), "train-labels-idx1": (30,)}
    shapes |= {"t10k-images-idx3": (10, 28, 28), "t10k-labels-idx1": (10,)}
    for name, shape in shapes.items():
        content = formats.idx_of(rng.integers(0, 10, shape, dtype="uint8"))
        path = Path(folder, f"{name}-ubyte.gz")
        path.write_bytes(gzip.compress(content))
        files.UNPACKED["mnist"].setdefault(path.name, hashlib.sha256(content).hexdigest())
    return Path(folder, which)


def cifar(folder, k, name, parts, key, classes):
    rng = np.random.default_rng(k)
    pickled = {
        part: by_python_2(rng.integers(0, 256, (2, 3072), dtype="uint8"), rng.integers(0, classes, 2).tolist(), key)
        for part in parts
    }
    path = Path(folder, f"{name}-python.tar.gz")
    path.write_bytes(archive(pickled, name))
    files.FILES[name][1].setdefault(path.name, hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def values(set_of_data):
    return [np.asarray(a).tobytes() for a in vars(set_of_data).values() if isinstance(a, np.ndarray)]


SUBJECTS = {  # name -> how the file is made in a folder, and how it is read
    "checkpoint": (lambda folder, k: checkpoint(folder, 10 * k), lambda path: bits(training(0, checkpoint=path))),
    "run": (lambda folder, k: run(folder, 10 * k), all_of),
    "IDX, images": (
        lambda folder, k: mnist(folder, k, "train-images-idx3-ubyte.gz"),
        lambda path: values(data.mnist(path.parent, 5)),
    ),
    "IDX, labels": (
        lambda folder, k: mnist(folder, k, "train-labels-idx1-ubyte.gz"),
        lambda path: values(data.mnist(path.parent, 5)),
    ),
    "CIFAR-10": (
        lambda folder, k: cifar(folder, k, "cifar-10", files.CIFAR10_PARTS, "labels", 10),
        lambda path: values(data.cifar10(path.parent, 2)),
    ),
    "CIFAR-100": (
        lambda folder, k: cifar(folder, k, "cifar-100", ["train", "test"], "fine_labels", 100),
        lambda path: values(data.cifar100(path.parent, 1)),
    ),
}


# --- damages: content, content of another file, random numbers -> content --------------------------------------------


def block(content, rng):
    """A piece of the content: from where to where."""
    size = rng.choice([1, 8, 64, 512, 4096])
    start = rng.randrange(len(content))
    return start, min(start + size, len(content))


def flip_bits(content, other, rng):
    damaged = bytearray(content)
    for bit in rng.sample(range(8 * len(content)), rng.choice([1, 1, 1, 2, 8])):
        damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def cut_short(content, other, rng):
    return content[: rng.randrange(len(content))]


def zero_a_block(content, other, rng):
    start, stop = block(content, rng)
    return content[:start] + bytes(stop - start) + content[stop:]


def leave_out_a_block(content, other, rng):
    start, stop = block(content, rng)
    return content[:start] + content[stop:]


def double_a_block(content, other, rng):
    start, stop = block(content, rng)
    return content[:stop] + content[start:]


def swap_blocks(content, other, rng):
    (a, b), (c, d) = sorted([block(content, rng), block(content, rng)])
    b = min(b, c)
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def block_of_another(content, other, rng):
    start, stop = block(content, rng)
    return content[:start] + other[start:stop] + content[stop:]


def end_of_another(content, other, rng):
    place = rng.randrange(min(len(content), len(other)))
    return content[:place] + other[place:]


def append(content, other, rng):
    return content + rng.choice([bytes(rng.randint(1, 2000)), rng.randbytes(rng.randint(1, 2000)), content, other])


def another(content, other, rng):
    return other


def members_of_another(content, other, rng):
    """Some members of an .npz file are those of another one; all checksums of the zip format are right."""
    here, there = (zipfile.ZipFile(io.BytesIO(each)) for each in (content, other))
    names = here.namelist()
    taken = rng.sample(names, rng.randint(1, len(names) - 1))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name in names:
            file.writestr(name, (there if name in taken else here).read(name))
    return made.getvalue()


def damages_of(subject):
    damages = [flip_bits, cut_short, zero_a_block, leave_out_a_block, double_a_block, swap_blocks]
    damages += [block_of_another, end_of_another, append]
    return damages + {"checkpoint": [another, members_of_another], "run": [members_of_another]}.get(subject, [another])


# --- what comes of it ------------------------------------------------------------------------------------------------


class Subject:
    """A file to damage, and what is read from it."""

    def __init__(self, name, folder):
        self.name, (make, self.read) = name, SUBJECTS[name]
        self.damages = damages_of(name)
        self.path, other = (make(Path(tempfile.mkdtemp(dir=folder)), k) for k in (0, 1))
        self.content, self.other = self.path.read_bytes(), other.read_bytes()
        self.right, self.others = self.read(self.path), self.name == "run" and self.read(other)

    def corrupted(self, rng):
        """What came of one damage: "refused", "read as it was", or a line that says what is wrong."""
        damage = rng.choice(self.damages)
        content = damage(self.content, self.other, rng)
        if content == self.content:
            return self.corrupted(rng)
        self.path.write_bytes(content)
        try:
            read = self.read(self.path)
        except ValueError as error:
            named = str(self.path) in str(error) and "\n" not in str(error)
            return "refused" if named else f"{self.name}, {damage.__name__}: unclear {error!r}"
        except Exception as error:
            return f"{self.name}, {damage.__name__}: {error!r}"
        if read == self.others and damage is not append:  # the damage put the whole other run in its place
            return self.corrupted(rng)
        return "read as it was" if read == self.right else f"{self.name}, {damage.__name__}: other values are read"


@contextlib.contextmanager
def published():
    """For this block, the files made here are those that are published."""
    cifar_files = {name: (files.FILES[name][0], {}) for name in ("cifar-10", "cifar-100")}
    with (
        mock.patch.object(files, "FILES", files.FILES | cifar_files),
        mock.patch.object(files, "UNPACKED", {"mnist": {}}),
    ):
        yield


def run_all(corruptions, seed=0):
    """Name → what came of its damages, and the lines that say what is wrong; `corruptions` in all."""
    with tempfile.TemporaryDirectory() as folder, published():
        subjects = [Subject(name, folder) for name in SUBJECTS]
        came, wrong = {name: Counter() for name in SUBJECTS}, {name: [] for name in SUBJECTS}
        for k in tqdm(range(corruptions), unit="file", disable=None):
            subject = subjects[k % len(subjects)]
            end = subject.corrupted(random.Random(f"{seed} {k}"))
            known = end in ("refused", "read as it was")
            came[subject.name][end if known else "wrong"] += 1
            wrong[subject.name] += [] if known else [f"{end} ({k})"]
    return {name: (came[name], wrong[name]) for name in SUBJECTS}
