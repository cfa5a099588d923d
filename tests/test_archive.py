"""What is read from a file is what was written, to the bit: damage that no checksum of the zip format sees is seen, too."""

import io
import json
import re
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

from minisam.training.archive import array_of, entries, read, write

ARRAYS = {
    "float": np.arange(12.0).reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(12.0, 24.0).reshape(3, 4)),
    "big-endian": np.arange(3, dtype=">i4"),
    "truth": np.array([True, False]),
    "complex": np.array(1j),
    "none": np.zeros((0, 3), "float32"),
}


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file.npz"
    write(path, entries("run", np.arange(40.0), {"history": ARRAYS}, {"loss": "mse"}))
    return path


def test_arrays_come_back_as_they_were(path):
    w, groups, meta = read(path, "run")
    assert meta["loss"] == "mse"
    for a, b in [(w, np.arange(40.0)), *((groups["history"][name], ARRAYS[name]) for name in ARRAYS)]:
        np.testing.assert_array_equal(a, b)
        assert (a.dtype, a.flags.f_contiguous) == (b.dtype, b.flags.f_contiguous)
        a[...] = 0  # it may be written to


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path, contents, **options):
    """The file with other members; all its checksums are right."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in contents:
            archive.writestr(name, content)


def changed(contents, name, find, replace):
    return {**contents, name: contents[name].replace(find, replace, 1)}.items()


DAMAGES = {
    "a number": lambda c: changed(c, "w.npy", np.float64(7).tobytes(), np.float64(8).tobytes()),
    "a shape": lambda c: changed(c, "history/float.npy", b"(3, 4)", b"(4, 3)"),
    "a shorter array": lambda c: changed(c, "w.npy", b"(40,)", b"(10,)"),
    "the order of the axes": lambda c: changed(c, "history/float.npy", b"False", b"True "),
    "the order of the bytes": lambda c: changed(c, "w.npy", b"<f8", b">f8"),
    "numbers for truth values": lambda c: changed(c, "history/truth.npy", b"|b1", b"|u1"),
    "a name": lambda c: [(name.replace("float", "flout"), content) for name, content in c.items()],
    "two arrays swapped": lambda c: (c | {"history/float.npy": c["history/fortran.npy"]}).items(),
    "an array left out": lambda c: [entry for entry in c.items() if "truth" not in entry[0]],
    "an array more": lambda c: [*c.items(), ("history/more.npy", c["w.npy"])],
    "text of the rest": lambda c: changed(c, "meta.npy", "mse".encode("utf-32-le"), "mae".encode("utf-32-le")),
    "something after an array": lambda c: (c | {"w.npy": c["w.npy"] + bytes(8)}).items(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_with_right_checksums_is_refused(damage, path):
    rewritten(path, damage(members(path)))
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))} is not a whole run of minisam "):
        read(path, "run")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(path):
    contents = members(path)
    rewritten(path, [*contents.items(), ("w.npy", contents["w.npy"])])
    with pytest.raises(ValueError, match="it has a member twice"):
        read(path, "run")


def test_a_file_behind_another_one_is_refused(path):
    """Zip files are read from their end: of two files one after another, a reader sees the second."""
    content = path.read_bytes()
    path.write_bytes(content + content)
    with pytest.raises(ValueError, match="it stands behind something else"):
        read(path, "run")


def test_a_header_that_lies_does_not_hide_the_rest_from_its_checksum(path):
    """NumPy reads as many numbers as the header says; the checksum is verified at the end of the member alone."""
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(40,)", b"(10,)", 1))
    assert path.read_bytes() != content
    with pytest.raises(ValueError, match="Bad CRC-32"):
        read(path, "run")


def peak_of_refusal(path, says):
    tracemalloc.start()
    with pytest.raises(ValueError, match=says):
        read(path, "run")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_no_file_takes_more_memory_than_a_few_times_its_size(path):
    contents = members(path)
    rewritten(path, [*contents.items(), ("zeros.npy", bytes(10**8))], compression=zipfile.ZIP_DEFLATED)
    assert peak_of_refusal(path, "it is compressed") < 10**6
    rewritten(path, changed(contents, "w.npy", b"(40,)", b"(10000000000,)"))
    assert peak_of_refusal(path, "it has an array") < 10**6


def test_members_that_share_their_bytes_are_refused(tmp_path):
    """A thousand entries of the directory for one megabyte."""
    path, size = tmp_path / "file.npz", 10**6
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w.npy", bytes(size))
        first = archive.infolist()[0]
        for k in range(1000):
            other = zipfile.ZipInfo(f"{k}.npy")
            other.header_offset, other.CRC = first.header_offset, zlib.crc32(bytes(size))
            other.file_size = other.compress_size = size
            archive.filelist.append(other)
    assert peak_of_refusal(path, "it is compressed") < 3 * size


@pytest.mark.parametrize(
    "array", [np.array({"a": 1}, dtype=object), np.zeros(2, [("a", "f8")]), np.zeros(2, "V3"), np.zeros(2, "M8[s]")]
)
def test_only_numbers_and_text_are_read(array):
    with pytest.raises(ValueError, match="it has an array"):
        array_of(npy(array))


def test_only_the_first_version_of_npy_is_read():
    file = io.BytesIO()
    np.lib.format.write_array(file, np.zeros(3), version=(2, 0))
    with pytest.raises(ValueError, match="another version"):
        array_of(file.getvalue())


def test_a_file_without_its_digest_is_refused_unless_its_format_had_none(path):
    contents = members(path)
    meta = json.loads(str(array_of(contents["meta.npy"])))
    del meta["sha256"]
    rewritten(path, (contents | {"meta.npy": npy(np.array(json.dumps(meta)))}).items())
    with pytest.raises(ValueError, match="sha256"):
        read(path, "run")
    rewritten(path, (contents | {"meta.npy": npy(np.array(json.dumps(meta | {"format": 2})))}).items())
    np.testing.assert_array_equal(read(path, "run")[0], np.arange(40.0))
