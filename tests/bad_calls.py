"""A fuzzer: every public callable is called with values that its arguments must not take; each outcome is classified.

    python tests/bad_calls.py [word]       every call, a table of the outcomes, and the calls that did not end as they must

    clear      a TypeError, ValueError or OSError of minisam's own: one line names the argument, what it may be, and what it was
    unclear    any other error: one from inside NumPy, autograd or Python
    right      a value that means the same as a good one, and gave the same result
    wrong      a bad value that was taken; or one that means the same as a good one, and gave another result

The calls stand in `public_table.py`, the values in `bad_values.py`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import signal
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bad_values import BAD, SAME

import minisam

LIBRARY = str(Path(minisam.__file__).parent)
CLEAR, UNCLEAR, RIGHT, WRONG = "clear", "unclear", "right", "wrong"
SAYS = ("must ", "needs ", "cannot ", "takes ", "there is no ", "is not a whole ", "No such file")  # what it may be
GOT = ("got ", "there are: ", "there is no ", "is not a whole ", "No such file")  # what it was
SECONDS = 20  # of a processor: a call that takes more hangs


@dataclass(frozen=True)
class Outcome:
    """How one bad call ended."""

    callable: str
    argument: str
    value: str
    verdict: str
    says: str

    def __str__(self) -> str:
        return f"{self.verdict:8} {self.callable}({self.argument}={self.value}): {self.says}"


def cases(table: dict[str, Any], only: str = "") -> Iterator[tuple[str, str, str, Any, str]]:
    """Every (callable, argument, label, value, what has to happen)."""
    for name, entry in table.items():
        if only in name:
            for argument, (kind, good) in entry.arguments.items():
                for label, (value, must) in kind(good).items():
                    yield name, argument, label, value, must


def outcomes(table: dict[str, Any], only: str = "", every: int = 1) -> Iterator[Outcome]:
    """Every k-th call's outcome."""
    results: dict[str, Any] = {}
    for k, (name, argument, label, value, must) in enumerate(cases(table, only)):
        if k % every == 0:
            if must == SAME and name not in results:
                results[name] = quietly(table[name].call)
            verdict, says = outcome(table[name], argument, value, must, results.get(name))
            yield Outcome(name, argument, label, verdict, says)


def outcome(entry: Any, argument: str, value: Any, must: str, expected: Any) -> tuple[str, str]:
    """The verdict on one call, and what it said or gave."""
    try:
        given = quietly(entry.call, {argument: value})
    except (Exception, SystemExit) as error:
        says = f"{type(error).__name__}: {error}"
        names = [argument, *entry.terms.get(argument, ()), *([str(value)] if isinstance(error, OSError) else [])]
        return (CLEAR if is_clear(error, names) else UNCLEAR), says
    if must == BAD:
        return WRONG, f"gave {show(given)}"
    if must == SAME and not same(given, expected):
        return WRONG, f"gave {show(given)}, not {show(expected)}"
    return RIGHT, "the same"


def quietly(f: Any, *args: Any) -> Any:
    """f(*args), with what it prints and warns of left out; a TimeoutError if it hangs."""

    def hang(*_: Any) -> None:
        raise TimeoutError("hangs")

    before = signal.signal(signal.SIGPROF, hang)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return f(*args)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def is_clear(error: BaseException, names: list[str]) -> bool:
    """Whether the library itself raised one line that names the argument, what it may be, and what it was."""
    if not isinstance(error, (TypeError, ValueError, OSError)):
        return False
    if isinstance(error, FileNotFoundError) and str(error.filename) in names:
        return True  # Python's own error of a file that is to be read
    where, text = traceback.extract_tb(error.__traceback__)[-1].filename, str(error)
    words = text.translate(dict.fromkeys(map(ord, "(),:;'"), " ")).split()
    named = any(name in text if " " in name or "." in name or "/" in name else name in words for name in names)
    told = named and all(any(says in text for says in ways) for ways in (SAYS, GOT))
    return where.startswith(LIBRARY) and told and "\n" not in text


def same(a: Any, b: Any) -> bool:
    """Whether two results are equal: arrays in dtype and up to rounding, objects in their fields."""
    if isinstance(a, (np.ndarray, np.generic, float, int)) and isinstance(b, (np.ndarray, np.generic, float, int)):
        a, b = np.asarray(a), np.asarray(b)
        near = a.shape == b.shape and (a.dtype.kind not in "fiub" or np.allclose(a, b, 1e-4, 1e-6, equal_nan=True))
        return near and a.dtype.kind == b.dtype.kind
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a) if f.repr)
    return type(a) is type(b) and (not isinstance(a, (str, bytes)) or a == b)


def show(value: Any) -> str:
    kind = type(value).__name__
    text = f"{kind} {value.dtype} {value.shape}" if isinstance(value, np.ndarray) else " ".join(repr(value).split())
    return text if len(text) <= 100 else f"{text[:100]}…"


def table_of(found: list[Outcome]) -> str:
    """The number and the share of each outcome."""
    count, n = Counter(one.verdict for one in found), len(found)
    refused = n - count[RIGHT]
    lines = [f"{n:,} calls of {len({one.callable for one in found})} callables; {refused:,} of them bad or refused"]
    for verdict in (CLEAR, UNCLEAR, WRONG):
        lines.append(f"    {verdict:8} {count[verdict]:6,}  {count[verdict] / max(refused, 1):7.2%}")
    return "\n".join([*lines, f"    {RIGHT:8} {count[RIGHT]:6,}"])


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from public_table import TABLE

    of_all = list(outcomes(TABLE, *sys.argv[1:2]))
    for one in of_all:
        if one.verdict in (UNCLEAR, WRONG):
            print(one)
    print(table_of(of_all))
