"""Read a pickled dictionary of numbers, text, lists and arrays of bytes, without `pickle` and with nothing that runs code.

A pickle is a program for a stack machine. This one knows the opcodes of protocols 0 to 2 that such a dictionary needs, and no
others. It imports nothing and calls nothing: a call in the file becomes a `Call`, and `Call.array` makes the array if it is
the call of an array of bytes. Keys must be text, because a tuple of tuples can take exponentially long to hash. So the
machine needs memory and time proportional to the length of the file.

Truths: tests/test_data_pickled.py (against `pickle`, and on hostile files).
"""

from __future__ import annotations

import io
import pickletools
import re
from dataclasses import dataclass
from typing import IO, Any

import numpy


class Name(str):
    """The module and the name of a function or class, as in "numpy.dtype"."""


@dataclass(eq=False)
class Call:
    """A call that the file asks for, and the state that it then gives to the result. Neither is done."""

    function: Name
    arguments: object
    state: object = None

    def array(self) -> numpy.ndarray:
        """The array uint8 (m, n) that the call stands for, or a ValueError if it stands for something else."""
        match self.state if self.function.endswith("_reconstruct") else None:
            case (
                1,
                (int(m), int(n)),
                Call("numpy.dtype", ("u1", *_), None | (3, "|", None, None, None, -1, -1, 0)),
                0 | 1 as fortran,
                str(text) | Call("_codecs.encode", (str(text), "latin1"), None),
            ) if m > 0 < n and m * n == len(text):
                flat = numpy.frombuffer(text.encode("latin-1"), "uint8")
                return flat.reshape((m, n), order="F" if fortran else "C")
        raise ValueError("its pickle has an array that is not of bytes (m, n)")


def unpickled(content: bytes) -> dict[str, Any]:
    """Return the dictionary, or raise a ValueError that says why the content is none.

    An array in it is a `Call`. Bytes that Python 2 wrote as text are read as Latin-1, one character for each byte.
    """
    try:
        stacks = stacks_of(content)
    except (LookupError, TypeError, AttributeError) as error:  # an opcode that does not fit what is on the stack
        raise ValueError(f"its pickle is damaged ({type(error).__name__})") from error
    if len(stacks) != 1 or len(stacks[0]) != 1 or not isinstance(stacks[0][0], dict):
        raise ValueError("its pickle is not one dictionary")
    return stacks[0][0]


def stacks_of(content: bytes) -> list[list[Any]]:
    """Execute the opcodes up to STOP. Return the stack, in pieces: each MARK begins a new one."""
    memo: dict[int, Any] = {}
    file, stacks = io.BytesIO(content), [list[Any]()]
    while (opcode := NAMES[file.read(1)]) != "STOP":
        value = read(file, opcode)
        taken = stacks.pop() if opcode in TAKES_ALL else [stacks[-1].pop() for _ in range(TAKES.get(opcode, 0))][::-1]
        stack = stacks[-1]
        match opcode:
            case "PROTO" if value <= 2:
                pass
            case "MARK":
                stacks.append([])
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(memo[value])
            case "PUT" | "BINPUT" | "LONG_BINPUT" if 0 <= value < len(content):
                memo[value] = stack[-1]
            case "APPEND" | "APPENDS":
                stack[-1].extend(taken)  # an AttributeError, if this is no list
            case "SETITEM" | "SETITEMS":
                stack[-1].update(pairs(taken))
            case "BUILD" if isinstance(stack[-1], Call):
                stack[-1].state = taken[0]
            case _:
                stack.append(value if opcode in LITERALS else made(opcode, value, taken))
    if file.read(1):
        raise ValueError("its pickle goes on after its end")
    return stacks


def read(file: IO[bytes], opcode: str) -> Any:
    """The value that follows the opcode in the file, if one does."""
    try:
        return READERS[opcode](file) if opcode in READERS else None
    except ValueError as error:
        raise ValueError(f"its pickle is damaged ({opcode} without its value)") from error


def read_name(file: IO[bytes]) -> Name:
    module, name = (file.readline().decode("ascii").removesuffix("\n") for _ in range(2))
    return Name(f"{module}.{name}")


def read_quoted(file: IO[bytes]) -> str:
    """Undo repr of Python 2's text."""
    quote, rest = file.read(1), file.readline()
    odd_escape = re.search(rb"\\(?!x[0-9a-f]{2}|['\"nrt])", rest.replace(rb"\\", b""))
    if quote not in (b"'", b'"') or rest[-2:] != quote + b"\n" or odd_escape:
        raise ValueError("Python 2 does not write such text")
    return rest[:-2].decode("unicode_escape")


def made(opcode: str, value: Any, taken: list[Any]) -> object:
    """What an opcode pushes that makes something of the values that it takes."""
    match opcode:
        case "EMPTY_TUPLE" | "TUPLE" | "TUPLE1" | "TUPLE2" | "TUPLE3":
            return tuple(taken)
        case "EMPTY_LIST" | "LIST":
            return taken
        case "EMPTY_DICT" | "DICT":
            return pairs(taken)
        case "REDUCE" if isinstance(taken[0], Name) and taken[0] in CALLED:
            return Call(*taken)
        case "REDUCE":
            name = taken[0][:80] if isinstance(taken[0], Name) else "something without a name"
            raise ValueError(f"its pickle calls {name}, which makes no array of bytes")
        case "PROTO":
            raise ValueError(f"it is pickled by protocol {value}, not by one of 0 to 2")
    raise ValueError(f"its pickle has the opcode {opcode} where no dictionary of bytes has it")


def pairs(items: list[Any]) -> dict[str, Any]:
    if len(items) % 2 or not all(type(key) is str for key in items[::2]):
        raise ValueError("its pickle has a key that is no text, or has no value")
    return dict(zip(items[::2], items[1::2], strict=True))


CALLED = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.dtype", "_codecs.encode")
TAKES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1, "SETITEM": 2, "REDUCE": 2, "BUILD": 1}  # from the stack
TAKES_ALL = ("TUPLE", "LIST", "DICT", "APPENDS", "SETITEMS")  # the values since the last MARK
NUMBERS = ("INT", "LONG", "LONG1", "BININT", "BININT1", "BININT2", "NEWTRUE", "NEWFALSE")
LITERALS = (*NUMBERS, "NONE", "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "GLOBAL")
NAMES = {opcode.code.encode("latin-1"): opcode.name for opcode in pickletools.opcodes}
READERS = {
    opcode.name: opcode.arg.reader
    for opcode in pickletools.opcodes
    if opcode.arg and (opcode.name in LITERALS or opcode.name.endswith(("PROTO", "GET", "PUT")))
} | {"GLOBAL": read_name, "STRING": read_quoted, "NEWTRUE": lambda file: True, "NEWFALSE": lambda file: False}
