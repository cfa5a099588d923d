"""The files that `hostile.py` has read: made up by hypothesis, of whole ones and of the pieces that formats are made of."""

import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
from cifar_files import archive, by_python_2
from hypothesis import strategies as st

from minisam import SAM, SGD, mlp, train
from minisam.data import formats, pickled
from minisam.training.archive import FORMAT, digest

MOST = 10**6  # bytes that our formats allow while hostile files are read
BOMB = bytes(3 * MOST)
NAMES = ["train", "test", "cifar/train", "/etc/passwd", "../../evil", "/train", "../test", "train/", "train\x00x"]
SMALL = np.arange(20, dtype="uint8").reshape(2, 10)


class Call:
    """Pickled, it is a call."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


HARM = [Call(os.system, ("touch evil",)), Call(exec, ("open('evil', 'w')",)), Call(bytearray, (10**9,))]


def damaged(wholes):
    """Pieces of whole files one after another, or a whole one in which some bytes are others."""
    place = st.floats(0, 1)
    piece = st.tuples(st.sampled_from(wholes), place, place).map(lambda p: cut(p[0], *sorted(p[1:])))
    bytes_changed = st.tuples(st.sampled_from(wholes), st.dictionaries(place, st.integers(0, 255), max_size=4))
    return st.lists(piece, max_size=4).map(b"".join) | bytes_changed.map(lambda p: changed(*p))


def cut(content, start, stop):
    return content[int(start * len(content)) : int(stop * len(content))]


def changed(content, places):
    made = bytearray(content)
    for place, value in places.items():
        made[min(int(place * len(made)), len(made) - 1)] = value
    return bytes(made)


# --- pickles ---------------------------------------------------------------------------------------------------------

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
WHOLE_PICKLES = [by_python_2(SMALL, [1, 2], protocol=protocol) for protocol in (0, 2)]
WHOLE_PICKLES += [pickle.dumps({"data": SMALL, "labels": [1, 2]}, protocol) for protocol in (0, 1, 2)]
HARMFUL = [pickle.dumps({"data": harm, "labels": [1, 2]}, protocol) for harm in HARM for protocol in PROTOCOLS]
VALUES = (
    "K\x01 J\xff\xff\xff\x7f M\xff\xff I01\n L99999999999L\n \x8a\x08\xff\xff\xff\xff\xff\xff\xff\xff N ) ] } ( S'a'\n"
)
TEXTS = (
    "U\x04data U\x06labels U\x02u1 T\xff\xff\xff\x7f X\x01\x00\x00\x00a q\x01 h\x01 r\xff\xff\xff\x7f Pthere\n \x82\x01"
)
CALLS = "cnumpy\ndtype\n cos\nsystem\n cbuiltins\nexec\n c_codecs\nencode\n cnumpy\nndarray\n ios\nsystem\n"
CALLS += " cnumpy.core.multiarray\n_reconstruct\n"
PIECES = [piece.encode("latin-1") for piece in f"{VALUES} {TEXTS} {CALLS}".split(" ")]
OPCODES = st.sampled_from(sorted(pickled.NAMES))
PROGRAMS = st.lists(st.sampled_from(PIECES) | OPCODES | st.binary(max_size=6), max_size=60).map(b"".join)
DICTIONARIES = PROGRAMS.map(lambda program: b"\x80\x02}(U\x04data" + program + b"U\x06labels](K\x01K\x02eu.")
PICKLES = PROGRAMS | DICTIONARIES | damaged(WHOLE_PICKLES + HARMFUL)


# --- IDX -------------------------------------------------------------------------------------------------------------


def idx(zeros, kind, shape, axes_more, content):
    """A gzipped IDX file, whose header may say what it likes."""
    return gzip.compress(struct.pack(f">HBB{len(shape)}I", zeros, kind, len(shape) + axes_more, *shape) + content, 1)


SIZES = st.sampled_from([0, 1, 2, 10, 28, 60_000, 2**16, 2**31, 2**32 - 1]) | st.integers(0, 300)
ODD_IDX = st.builds(
    idx,
    st.sampled_from([0, 0, 0, 1, 2051]),
    st.sampled_from([8, 8, 8, 9, 13, 255]),
    st.lists(SIZES, max_size=6),
    st.sampled_from([0, 0, 0, 1]),
    st.binary(max_size=100) | st.just(BOMB),
)
WHOLE_IDX = [gzip.compress(formats.idx_of(a)) for a in (SMALL, SMALL[0], np.zeros((3, 28, 28), "uint8"))]
IDX = ODD_IDX | st.builds(lambda a, b, rest: a + b + rest, ODD_IDX, ODD_IDX, st.binary(max_size=9)) | damaged(WHOLE_IDX)

# --- tar -------------------------------------------------------------------------------------------------------------


def tar(members, end):
    """A gzipped tar archive, whose headers may say what they like."""
    file = io.BytesIO()
    for name, kind, link, size, content in members:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = bytes([kind]), link
        member.size = len(content) if size is None else size
        file.write(member.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE))
    return gzip.compress(file.getvalue() + bytes(end), 1)


MEMBERS = st.tuples(
    st.sampled_from([*NAMES, "a" * 200]),
    st.sampled_from(b"000\x00123456789gxLKSDMNV"),  # files; links, devices, folders, names that go on, holes
    st.sampled_from(["", *NAMES]),
    st.none() | st.sampled_from([0, 1, 511, MOST, 2**33, 2**60, -1]),
    st.sampled_from([b"", bytes(600), BOMB, *WHOLE_PICKLES, *HARMFUL]) | st.binary(max_size=50),
)
WIDE = np.resize(SMALL, (2, 3072))
WHOLE_TARS = [archive({part: by_python_2(WIDE, [1, 2]) for part in ("train", "test")})]
TARS = st.builds(tar, st.lists(MEMBERS, max_size=5), st.sampled_from([0, 512, 1024, 10240, len(BOMB)]))
TARS |= damaged(WHOLE_TARS)

# --- .npz ------------------------------------------------------------------------------------------------------------

MODEL = mlp((3, 4, 2))
EXAMPLES = np.eye(3)[np.arange(12) % 3], np.arange(12) % 2


def training(path):
    return train(MODEL, EXAMPLES, SAM(SGD(0.1, momentum=0.9), 0.1), 2, 6, progress=False, checkpoint=path)


def whole_checkpoint_and_run():
    with tempfile.TemporaryDirectory() as folder:
        training(Path(folder, "checkpoint.npz")).save(Path(folder, "run.npz"))
        return [Path(folder, name).read_bytes() for name in ("checkpoint.npz", "run.npz")]


def npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def with_header(text):
    """An .npy file with this text for a header."""
    text = text.encode("latin-1", "replace")[:60_000] + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(64)


def zipped(members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made, warnings.catch_warnings(action="ignore"):  # of a name twice
        for name, content in members:
            made.writestr(name, content)
    return file.getvalue()


def consistent(w, arrays, meta):
    """A file with a right digest, whatever else is in it."""
    arrays = {"w": w, **arrays}
    text = json.dumps(meta | {"sha256": digest(arrays, meta)})
    return zipped((f"{name}.npy", npy(a)) for name, a in (arrays | {"meta": np.array(text)}).items())


DTYPES = [
    "'<f8'",
    "'|O'",
    "'|V0'",
    "'<U0'",
    "[('a', 'f8')]",
    "'<f8' * 10**9",
    "__import__('os').getcwd()",
    "('f8', (2,))",
]
SHAPES = ["(8,)", "(10**12,)", "(1000000000000,)", "(-1,)", "(0, 10000000000)", "(8.0,)", "8", "(True,) * 3", "(" * 300]
HEADERS = st.builds(
    lambda dtype, order, shape: with_header(f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}"),
    *map(st.sampled_from, (DTYPES, ["False", "True", "1", "open('evil', 'w')"], SHAPES)),
)
HEADERS |= st.text(max_size=50).map(with_header) | st.sampled_from("([{-~").map(lambda c: with_header(c * 50_000))
ARRAYS = st.sampled_from(
    [
        np.zeros(shape, dtype)
        for dtype in ("f8", "f4", "i8", "?", "c16")
        for shape in (MODEL.size, (2, MODEL.size), 0, (), 2)
    ]
)
NPYS = (
    HEADERS | ARRAYS.map(npy) | st.sampled_from([npy(np.array([harm], dtype=object)) for harm in HARM]) | st.just(BOMB)
)
MEMBERS_OF_ZIP = st.sampled_from(
    ["w.npy", "meta.npy", "meta", "history/epoch.npy", "/etc/passwd", "../evil.npy", "w.npy/"]
)
ZIPS = st.builds(
    zipped,
    st.lists(st.tuples(MEMBERS_OF_ZIP, NPYS), max_size=4),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]),
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = (
    "sizes channels shape classes depth blocks width heads patch vocabulary context kernel stride pool norm init tied"
)
SPECS = st.fixed_dictionaries(
    {"model": st.sampled_from(["mlp", "cnn", "resnet", "vit", "gpt", "exec", None])},
    optional={
        name: st.sampled_from([0, 1, 2, -1, 10**9, 1.5, "relu", None, [], [3, 4, 2], [10**9] * 2, [1, 4, 4], True, {}])
        for name in ARGUMENTS.split()
    },
)
AXES = st.dictionaries(st.sampled_from(["rho", "seed", ""]), JSON | st.lists(st.integers(0, 3), max_size=3), max_size=2)
METAS = st.fixed_dictionaries(
    {"minisam": st.sampled_from(["run", "checkpoint", None])},
    optional={
        "format": st.sampled_from([1, 2, FORMAT, FORMAT, FORMAT + 1, "3", None, -1]),
        "version": JSON,
        "spec": SPECS | st.just(MODEL.spec) | JSON,
        "loss": JSON,
        "interrupted": JSON,
        "axes": AXES | JSON,
        "settings": JSON | st.dictionaries(st.sampled_from(["model", "data", "optimizer"]), JSON),
    },
)
NAMES_OF_ARRAYS = [
    "history/epoch",
    "history/train_loss",
    "state/t",
    "state/v",
    "running/a",
    "kept/w",
    "x",
    "/",
    "../evil",
]
GROUPS = st.dictionaries(st.sampled_from(NAMES_OF_ARRAYS), ARRAYS, max_size=4)
WHOLE_CHECKPOINT, WHOLE_RUN = whole_checkpoint_and_run()
WEIGHTS = st.just(np.zeros(MODEL.size)) | ARRAYS
NPZ = st.builds(consistent, WEIGHTS, GROUPS, METAS) | ZIPS | damaged([WHOLE_CHECKPOINT, WHOLE_RUN])
