"""CIFAR's pickles are read as `pickle` reads them, but without it: a hostile one gives a ValueError, and runs nothing."""

import os
import pickle
import random
import struct
import tracemalloc

import numpy as np
import pytest
from cifar_files import by_python_2
from hypothesis import given, settings
from hypothesis import strategies as st

from minisam.data import pickled
from minisam.data.pickled import Call, unpickled

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (4, 3072), dtype="uint8")
X[0, :256] = range(256)  # every byte, for the protocols that write bytes as text
LABELS = [3, 0, 9, 300]
ENTRIES = {
    "data": X,
    "labels": LABELS,
    "batch_label": "training batch 1 of 5",
    "names": ["a.png", "ü.png"],
    "none": None,
}


def plain(value):
    """What `unpickled` gave, with arrays in place of calls."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value.array() if isinstance(value, Call) else value


# --- right ones ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [0, 1, 2])
@pytest.mark.parametrize("order", ["C", "F"])
def test_python_3s_pickles_are_read_as_pickle_reads_them(protocol, order):
    content = pickle.dumps(ENTRIES | {"data": np.asarray(X, order=order)}, protocol)
    np.testing.assert_equal(plain(unpickled(content)), pickle.loads(content))


@pytest.mark.parametrize("protocol", [0, 2])
def test_python_2s_pickles_are_read_as_pickle_reads_them(protocol):
    content = by_python_2(X, LABELS[:3], protocol=protocol)
    read = plain(unpickled(content))
    np.testing.assert_equal(read, pickle.loads(content, encoding="latin1"))
    np.testing.assert_array_equal(read["data"], X)


def test_numbers_of_every_size():
    numbers = [
        0,
        -1,
        255,
        256,
        65535,
        65536,
        -(2**31),
        2**31,
        2**100,
        -(2**100),
        True,
        False,
        (),
        (1,),
        (1, 2),
        (1, 2, 3),
        (1,) * 4,
    ]
    for protocol in (0, 1, 2):
        assert unpickled(pickle.dumps({"numbers": numbers}, protocol)) == {"numbers": numbers}


# --- others ----------------------------------------------------------------------------------------------------------


class Calls:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def made(*call, protocol=2):
    return pickle.dumps({"data": Calls(*call)}, protocol)


DTYPE = b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
STATE = DTYPE + b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"


def array_of(state):
    """A dictionary whose data is an array with this state."""
    return b"\x80\x02}(U\x04data" + ARRAY + state + b"bu."


HOSTILE = {
    "a call": made(os.getcwd, ()),
    "a call of the reconstructor of objects": made(object.__reduce_ex__, (object(), 2)),
    "a call by OBJ": b"(cposix\ngetcwd\no.",
    "a call by INST": b"(iposix\ngetcwd\n.",
    "a call by NEWOBJ": b"\x80\x02cbuiltins\nint\n)\x81.",
    "a persistent object": b"Psomewhere\n.",
    "an extension": b"\x80\x02\x82\x01.",
    "a call of a number": b"K\x01)R.",
    "a call of text that names a function": b"(U\x05numpyU\x05dtypet(U\x02u1K\x00K\x01tR.",
    "flags of a dtype": b"\x80\x02}(U\x04data" + DTYPE + b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tbu.",
    "an array whose dtype has flags": array_of(
        b"(K\x01(K\x01K\x08t" + STATE.replace(b"K\x00tb", b"K?tb") + b"\x89U\x0812345678t"
    ),
    "fields of a dtype": b"\x80\x02}(U\x04data" + DTYPE + b"(K\x03U\x01|N(U\x01at}U\x01a(K\x00tsK\x10K\x01K\x1btbu.",
    "an array of objects": array_of(b"(K\x01(K\x01K\x08t" + DTYPE.replace(b"u1", b"O8") + b"\x89U\x0812345678t"),
    "an array of floats": array_of(b"(K\x01(K\x01K\x08t" + DTYPE.replace(b"u1", b"f8") + b"\x89U\x0812345678t"),
    "an array of a type that is no type": array_of(b"(K\x01(K\x01K\x08tU\x02u1\x89U\x0812345678t"),
    "an array with too few bytes": array_of(b"(K\x01(K\x02K\x08t" + STATE + b"\x89U\x0812345678t"),
    "an array with too many bytes": array_of(b"(K\x01(K\x01K\x07t" + STATE + b"\x89U\x0812345678t"),
    "a huge array": array_of(b"(K\x01(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft" + STATE + b"\x89U\x0812345678t"),
    "a negative shape": array_of(b"(K\x01(J\xff\xff\xff\xffJ\xf8\xff\xff\xfft" + STATE + b"\x89U\x0812345678t"),
    "an empty array": array_of(b"(K\x01(K\x00K\x08t" + STATE + b"\x89U\x00t"),
    "a shape of one axis": array_of(b"(K\x01(K\x08t" + STATE + b"\x89U\x0812345678t"),
    "an array whose bytes are a list": array_of(
        b"(K\x01(K\x01K\x08t" + STATE + b"\x89](K\x01K\x02K\x03K\x04K\x05K\x06K\x07K\x08et"
    ),
    "text that is no latin-1": array_of(b"(K\x01(K\x01K\x01t" + STATE + b"\x89X\x03\x00\x00\x00\xe2\x98\x83t"),
    "an array without its bytes": b"\x80\x02}(U\x04data" + ARRAY + b"u.",
    "a state of a list": b"\x80\x02}(U\x04data](K\x01eK\x01bu.",
    "a key that is a tuple in a tuple in a tuple": b"}" + b")" + b"\x85" * 200_000 + b"K\x01s.",
    "lists in lists": b"]q\x01" + b"](h\x01e" * 200_000,
    "more bytes than there are": b"\x80\x02}(U\x04dataT\xff\xff\xff\x7f123u.",
    "a negative length": b"\x80\x02}(U\x04dataT\xff\xff\xff\xff123u.",
    "a memo that was never kept": b"h\x07.",
    "a huge place in the memo, then the end": b"}r\xff\xff\xff\xff",
    "no mark": b"}u.",
    "an empty stack": b"R.",
    "nothing": b"",
    "two values": b"}}.",
    "no dictionary": b"].",
    "something after the end": b"}.}.",
    "a mark left": b"(}.",
    "a million digits": b"}U\x01aL" + b"9" * 10**6 + b"L\ns.",
    "a backslash that Python 2 does not write": b"}S'\\q'\nK\x01s.",
    "text of one quote": b"}S'\nK\x01s.",
    "numbers of the memo that take long to hash": b"}p%d\n." % (2**61 - 1),
    "a name that is kept as a key": b"}cnumpy\ndtype\nK\x01s.",
    "a call of the result of a call": array_of(STATE.replace(b"tb", b"tb)R")),
    "a call of a tuple in a tuple in a tuple": b"}" + b")" + b"\x85" * 200_000 + b")R.",
    "text without quotes": b"}Sabc\nK\x01s.",
} | {f"protocol {protocol}": pickle.dumps(ENTRIES, protocol) for protocol in (3, 4, 5)}


def arrays(content):
    return [value.array() for value in unpickled(content).values() if isinstance(value, Call)]


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_pickle_gives_one_clear_error(content):
    with pytest.raises(ValueError, match=r"pickle|latin-1|digits"):
        assert arrays(content)


def test_what_a_pickle_would_call_is_named():
    with pytest.raises(ValueError, match=r"its pickle calls posix\.getcwd, which makes no array of bytes"):
        unpickled(b"cposix\ngetcwd\n)R.")
    with pytest.raises(ValueError, match="it is pickled by protocol 4, not by one of 0 to 2"):
        unpickled(pickle.dumps({}, 4))


def test_no_name_in_a_pickle_is_imported(monkeypatch):
    monkeypatch.setattr("builtins.__import__", lambda name, *_: pytest.fail(f"{name} was imported"))
    assert list(unpickled(b"}U\x01acantigravity\nfly\ns.")) == ["a"]


def parts_of(size, times):
    """Text that is kept once and used for `times` arrays."""
    text = b"X" + struct.pack("<I", size) + b"a" * size + b"q\x01"
    state = b"(K\x01(K\x01J" + struct.pack("<i", size) + b"t" + STATE + b"\x89h\x01tb"
    one = b"c_codecs\nencode\n(h\x01X\x06\x00\x00\x00latin1tR"
    return (
        b"\x80\x02}U\x04text"
        + text
        + b"s("
        + b"".join(b"U\x03%03d" % k + (one if k % 2 else ARRAY + state) for k in range(times))
        + b"u."
    )


@pytest.mark.parametrize(
    "content", [parts_of(10**6, 400), HOSTILE["a huge place in the memo, then the end"], HOSTILE["a huge array"]]
)
def test_memory_is_proportional_to_the_file(content):
    tracemalloc.start()
    try:
        unpickled(content)
    except ValueError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 10 * len(content) + 10**5


# --- damaged and made up ---------------------------------------------------------------------------------------------

SMALL = [by_python_2(X[:1, :40], [7], protocol=protocol) for protocol in (0, 2)]
SMALL += [pickle.dumps({"data": X[:1, :40], "labels": [7]}, protocol) for protocol in (0, 1, 2)]


def survives(content):
    """Read the content; only a ValueError may come. Return the arrays, or None."""
    try:
        return arrays(content)
    except ValueError:
        return None


@pytest.mark.parametrize("content", SMALL, ids=["py2-0", "py2-2", "py3-0", "py3-1", "py3-2"])
def test_cut_anywhere_it_is_refused(content):
    assert survives(content) is not None
    assert all(survives(content[:k]) is None for k in range(len(content)))


@pytest.mark.parametrize("content", SMALL, ids=["py2-0", "py2-2", "py3-0", "py3-1", "py3-2"])
def test_each_bit_flipped_gives_bytes_or_a_value_error(content):
    for k in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[k // 8] ^= 1 << k % 8
        for array in survives(bytes(damaged)) or []:
            assert array.dtype == np.uint8
            assert array.size <= len(content)


pieces = st.sampled_from([*pickled.NAMES, DTYPE, ARRAY, STATE, b"K\x01", b"U\x02u1", b"K\x01q\x01", b"}", b"("])


@settings(max_examples=1000)
@given(st.lists(st.one_of(pieces, st.binary(max_size=4)), max_size=40))
def test_programs_made_of_its_own_opcodes_give_bytes_or_a_value_error(program):
    survives(b"".join(program))
    survives(b"}U\x04data" + b"".join(program) + b"s.")


def test_parts_of_right_pickles_in_another_order_give_bytes_or_a_value_error():
    rng = random.Random(0)
    for _ in range(3000):
        a, b = rng.choice(SMALL), rng.choice(SMALL)
        survives(a[: rng.randrange(len(a))] + b[rng.randrange(len(b)) :])
