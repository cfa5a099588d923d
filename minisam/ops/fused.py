"""Primitives that are a few calls in a row, into one array."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeAlias

from ..types import Array

Calls: TypeAlias = Generator[tuple[Any, ...], Array, None]  # (function, *operands), and the value is sent back


def straight(f: Callable[..., Calls]) -> Any:
    """A function of calls that `f` yields, each writing over the value of the one before, which it may read.

        @primitive
        @straight
        def affine(x, W, b):
            y = yield xp().matmul, x, W
            yield xp().add, y, b[..., None, :]

    Called, it makes the calls. A record takes `f.calls(*args, out=buffer)` instead, a list of them with all arguments ready:
    on small arrays Python spends as long on getting there as NumPy on the arithmetic.
    """

    @functools.wraps(f)
    def run(*args: Any, out: Array = None) -> Array:
        steps = f(*args)
        call, *operands = next(steps)
        while True:
            out = call(*operands, out=out)
            try:
                call, *operands = steps.send(out)
            except StopIteration:
                return out

    def calls(*args: Any, out: Array) -> list[Callable[[], Any]]:
        steps = f(*args)
        made = [next(steps)]
        try:
            while True:
                made.append(steps.send(out))
        except StopIteration:
            return [partial(call, *operands, out=out) for call, *operands in made]

    made: Any = run
    made.calls, made.written = calls, f
    del made.__wrapped__  # its signature is (*args, out)
    return made


def elementwise(f: Any) -> Any:
    """Mark a function that, like a ufunc, may write its value over an argument: a record then needs no other buffer."""
    f.elementwise = True
    return f


def prepared(f: Callable[..., tuple[Array, Callable[[], Any]]]) -> Any:
    """A primitive whose views and constants are made once for a record: f(*args, out) -> (out, the function that fills it).

    Called, it fills `out` and returns it; `f.calls` is as for `straight`.
    """

    @functools.wraps(f)
    def run(*args: Any, out: Array = None) -> Array:
        out, fill = f(*args, out)
        fill()
        return out

    made: Any = run
    made.calls = lambda *args, out: [f(*args, out)[1]]
    del made.__wrapped__  # its signature is (*args, out)
    return made
