"""Read a pickled dictionary of numbers, text, lists and arrays of bytes, without `pickle` and with nothing that runs code.

A pickle is a program for a stack machine. This one knows the opcodes of protocols 0 to 2 that such a dictionary needs, and no
others. It imports nothing and calls nothing: of an array it keeps bytes and shape, and NumPy makes the array from these. The
machine needs memory and time proportional to the length of the file.

Truths: tests/test_data_pickled.py (against `pickle`, and on hostile files).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy


def unpickled(content: bytes) -> dict[str, Any]:
    """Return the dictionary, or raise a ValueError that says why the content is none. Arrays in it are `Pixels`.

    Text that Python 2 wrote is bytes, except for the keys of a dictionary.
    """
    try:
        return Machine(content).run()
    except (LookupError, TypeError, AttributeError) as error:  # an opcode that does not fit what is on the stack
        raise ValueError(f"its pickle is damaged ({type(error).__name__})") from error


class Pixels:
    """A pickled array uint8 (m, n): the state that the file gives, and the array made from it."""

    state: object = None

    def array(self) -> numpy.ndarray:
        match self.state:
            case (1, (int(m), int(n)), dtype, fortran, bytes() | str() as content) if dtype is UINT8 and m > 0 < n:
                content = content if isinstance(content, bytes) else content.encode("latin-1")
                if m * n == len(content) and fortran in (0, 1):
                    return numpy.frombuffer(content, "uint8").reshape((m, n), order="F" if fortran else "C")
        raise ValueError("its pickle has an array that is not of bytes (m, n)")


class Name(NamedTuple):
    """A function or class that the file names."""

    module: str
    name: str


UINT8 = object()  # stands for numpy.dtype("uint8")
UINT8_STATES = [(3, order, None, None, None, -1, -1, 0) for order in ("|", b"|")]
RECONSTRUCT = [Name(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")]


class Machine:
    """The stack machine. `run` executes one opcode after the other, up to STOP."""

    def __init__(self, content: bytes):
        self.file = io.BytesIO(content)
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # what each MARK put aside
        self.memo: dict[int, Any] = {}

    def run(self) -> dict[str, Any]:
        while (opcode := self.take(1)) != b".":
            if opcode in PUSH:
                value = PUSH[opcode](self)
                self.stack.append(value)
            elif opcode in ACT:
                ACT[opcode](self)
            else:
                raise ValueError(f"its pickle has the opcode {opcode!r}")
        if len(self.stack) != 1 or self.below or not isinstance(self.stack[0], dict) or self.file.read(1):
            raise ValueError("its pickle is not one dictionary")
        return self.stack[0]

    def take(self, n: int) -> bytes:
        taken = self.file.read(n)
        if len(taken) < n:
            raise ValueError("its pickle ends early")
        return taken

    def line(self) -> bytes:
        return self.file.readline().removesuffix(b"\n")

    def number(self, n: int, signed: bool = False) -> int:
        """The next n bytes, little-endian."""
        return int.from_bytes(self.take(n), "little", signed=signed)

    def name(self) -> Name:
        return Name(self.line().decode("ascii"), self.line().decode("ascii"))

    def pop(self, n: int) -> list[Any]:
        return [self.stack.pop() for _ in range(n)][::-1]

    def protocol(self) -> None:
        if (protocol := self.number(1)) > 2:
            raise ValueError(f"it is pickled by protocol {protocol}, not by one of 0 to 2")

    def mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        values, self.stack = self.stack, self.below.pop()
        return values

    def remember(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    def extend(self, values: list[Any]) -> None:
        self.stack[-1].extend(values)  # an AttributeError, if this is no list

    def update(self, items: list[Any]) -> None:
        self.stack[-1].update(pairs(items))

    def build(self) -> None:
        target, state = self.stack[-2:]
        self.stack.pop()
        if isinstance(target, Pixels):
            target.state = state
        elif target is not UINT8 or state not in UINT8_STATES:
            raise ValueError("its pickle sets the state of something that is no array of bytes")


def unquoted(line: bytes) -> bytes:
    """Undo repr of Python 2's text."""
    quote, text = line[:1], line[1:-1]
    pairs_removed = text.replace(b"\\\\", b"")
    if quote not in (b"'", b'"') or line[-1:] != quote or re.search(rb"\\(?!x[0-9a-f]{2}|['\"nrt])", pairs_removed):
        raise ValueError("its pickle has text that Python 2 does not write")
    return text.decode("unicode_escape").encode("latin-1")


def pairs(items: list[Any]) -> dict[str, Any]:
    keys = [key.decode("latin-1") if isinstance(key, bytes) else key for key in items[::2]]
    if not all(isinstance(key, str) for key in keys):
        raise ValueError("its pickle has a key that is no text")
    return dict(zip(keys, items[1::2], strict=True))


def called(function: object, arguments: tuple[Any, ...]) -> object:
    """The result of a call, where the result is known without it; a ValueError for every other call."""
    if function in RECONSTRUCT:
        return Pixels()
    if function == Name("numpy", "dtype") and arguments[0] in ("u1", b"u1"):
        return UINT8
    if function == Name("_codecs", "encode") and arguments[1] == "latin1":
        return arguments[0]  # Python 3's way to write bytes: as text, which Pixels encodes
    name = ".".join(function)[:80] if isinstance(function, Name) else "something without a name"
    raise ValueError(f"its pickle calls {name}, which makes no array of bytes")


PUSH: dict[bytes, Callable[[Machine], Any]] = {
    b"N": lambda m: None,
    b"\x88": lambda m: True,
    b"\x89": lambda m: False,
    b"I": lambda m: int(m.line()),
    b"L": lambda m: int(m.line().removesuffix(b"L")),
    b"K": lambda m: m.number(1),
    b"M": lambda m: m.number(2),
    b"J": lambda m: m.number(4, signed=True),
    b"\x8a": lambda m: m.number(m.number(1), signed=True),
    b"S": lambda m: unquoted(m.line()),
    b"U": lambda m: m.take(m.number(1)),
    b"T": lambda m: m.take(m.number(4)),
    b"V": lambda m: m.line().decode("raw_unicode_escape"),
    b"X": lambda m: m.take(m.number(4)).decode("utf-8"),
    b")": lambda m: (),
    b"\x85": lambda m: tuple(m.pop(1)),
    b"\x86": lambda m: tuple(m.pop(2)),
    b"\x87": lambda m: tuple(m.pop(3)),
    b"t": lambda m: tuple(m.since_mark()),
    b"]": lambda m: [],
    b"l": lambda m: m.since_mark(),
    b"}": lambda m: {},
    b"d": lambda m: pairs(m.since_mark()),
    b"g": lambda m: m.memo[int(m.line())],
    b"h": lambda m: m.memo[m.number(1)],
    b"j": lambda m: m.memo[m.number(4)],
    b"c": Machine.name,
    b"R": lambda m: called(*m.pop(2)),
}
ACT: dict[bytes, Callable[[Machine], None]] = {
    b"\x80": Machine.protocol,
    b"(": Machine.mark,
    b"p": lambda m: m.remember(int(m.line())),
    b"q": lambda m: m.remember(m.number(1)),
    b"r": lambda m: m.remember(m.number(4)),
    b"a": lambda m: m.extend(m.pop(1)),
    b"e": lambda m: m.extend(m.since_mark()),
    b"s": lambda m: m.update(m.pop(2)),
    b"u": lambda m: m.update(m.since_mark()),
    b"b": Machine.build,
}
