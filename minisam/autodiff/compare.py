"""Whether a record gives what tracing gives: when it is made, and in the course of a training.

Truths: tests/test_replay.py, tests/test_watch.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from .. import array_backend
from ..types import Array
from .memory import laid_out_as
from .tape import CannotRecord

Arrays = Sequence[Any]


def compare(
    replay: Callable[[Arrays, Arrays], Arrays],
    trace: Callable[..., Arrays],
    point: Arrays,
    batch: Arrays,
    expected: Arrays,
) -> None:
    """Raise `CannotRecord` unless a replay gives the numbers of a trace, at this point and batch and at others."""
    w, *rest = point
    _check(replay(point, batch), expected)
    for first, change in ((-0.9 * w, other_values), (w, other_order)):
        others = [laid_out_as(a, change(a)) for a in batch]
        with numpy.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                right = trace(first, *rest, *others)
            except Exception:  # the loss does not take such a batch
                others, right = [*batch], trace(first, *rest, *batch)
            _check(replay((first, *rest), others), right)


def _check(got: Sequence[Array], right: Sequence[Array]) -> None:
    if not all(map(same, got, right)):
        raise CannotRecord("replayed, it gives other numbers; it does more than call primitives on its inputs")


def other_values(a: Any) -> Any:
    """Numbers that a batch may have instead of these: the smallest class for every label, and the opposite of every input."""
    return -0.9 * a if a.dtype.kind == "f" else numpy.zeros_like(a)


def other_order(a: Any) -> Any:
    """The last class for every label, and the examples from last to first."""
    return a[::-1] if a.dtype.kind == "f" and a.ndim else numpy.full_like(a, a.max()) if a.size else a


def compare_again(name: str, got: Sequence[Array], right: Sequence[Array]) -> None:
    """Raise an error unless a replay in the course of a training gave the numbers of tracing, up to rounding."""
    finite = all(numpy.isfinite(a).all() for a in right)  # else rounding decides what is infinite, and what NaN
    if finite and not all(map(close, got, right)):
        raise RuntimeError(
            f"{name} was recorded, and the record now gives other numbers than the function itself: it depends on something that "
            "is none of its inputs and that was not seen. Results since the last comparison may be wrong. Make what it depends "
            "on an input, after y; or pass recorded=False"
        )


def same(got: Array, right: Array) -> bool:
    """Equal bit for bit on NumPy; on a device up to rounding, whose products may add up in another order each time."""
    on_host = isinstance(got, numpy.ndarray)
    return numpy.array_equal(got, right, equal_nan=True) if on_host else close(got, right)


def close(got: Array, right: Array) -> bool:
    """Equal up to rounding, relative to the largest number that is finite."""
    a, b = array_backend.asnumpy(got), array_backend.asnumpy(right)
    rounding = float(numpy.finfo(b.dtype).eps) ** 0.5
    largest = float(numpy.abs(b[numpy.isfinite(b)]).max(initial=0))
    return numpy.allclose(a, b, rtol=rounding, atol=rounding * largest, equal_nan=True)
