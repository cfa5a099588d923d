"""How fused primitives are written: several calls into one array, and values that come with their derivative."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeAlias

from autograd.core import VJPNode
from autograd.extend import defvjp, primitive
from autograd.tracer import register_notrace

from ..types import Array

Call: TypeAlias = Callable[[], Any]
Steps: TypeAlias = Generator[tuple[Any, ...], Array, None]  # (function, *operands); the value is sent back


def straight(f: Callable[..., Steps]) -> Any:
    """A function of calls that `f` yields. Each call overwrites the value of the one before, which it may read.

        @primitive
        @straight
        def affine(x, W, b):
            y = yield numpy.matmul, x, W
            yield numpy.add, y, b[..., None, :]

    Calling the function makes the calls. A record uses `f.calls(*args, out=buffer)` instead, which lists them with all arguments
    in place: on small arrays, finding the arguments takes Python as long as the arithmetic takes NumPy.
    """

    @functools.wraps(f)
    def run(*args: Array, out: Array = None) -> Array:
        steps = f(*args)
        call, *operands = next(steps)
        while True:
            out = call(*operands, out=out)
            try:
                call, *operands = steps.send(out)
            except StopIteration:
                return out

    def calls(*args: Array, out: Array) -> list[Call]:
        steps = f(*args)
        made = [next(steps)]
        try:
            while True:
                made.append(steps.send(out))
        except StopIteration:
            return [partial(call, *operands, out=out) for call, *operands in made]

    return _with_calls(run, calls)


def prepared(f: Callable[..., tuple[Array, Call]]) -> Any:
    """A function in two stages: f(*args, out) -> (out, the call that fills it).

    The first stage makes views and constants, and allocates `out` if it is None. A record runs it once, and repeats the second.
    """

    @functools.wraps(f)
    def run(*args: Array, out: Array = None) -> Array:
        out, fill = f(*args, out)
        fill()
        return out

    return _with_calls(run, lambda *args, out: [f(*args, out)[1]])


def _with_calls(run: Any, calls: Callable[..., list[Call]]) -> Any:
    run.calls, run.written = calls, run.__wrapped__  # `show` prints what was written
    del run.__wrapped__  # its signature is (*args, out)
    return run


def elementwise(f: Any) -> Any:
    """Mark a function that, like a ufunc, may write its value over an argument: a record then needs no buffer for it."""
    f.elementwise = True
    return f


def with_slope(
    value: Callable[[Array, Array], Array],
    slope: Callable[[Array, Array], Array],
    value_vjp: Callable[[Array, Array, Array], Array],
    slope_vjp: Callable[[Array, Array, Array], Array],
) -> Callable[..., Any]:
    """Decorate a function that computes a value and its derivative in one pass, because they share their costly part.

    The function (x, *others, out=None) returns `both`, one array with the value and the slope; the others are not differentiated.
    autograd does not trace it. The tape holds only `value`, whose derivative reads the stored slope, and, for second derivatives,
    that slope as a function of x. Decorated, the function returns the value.

    Parameters
    ----------
    value, slope : functions
        (x, both) -> the value y and the slope s that are stored there.
    value_vjp, slope_vjp : functions
        (g, y, s) and (g, s, x) -> the gradient of x, if g is the gradient of y or of s.
    """
    value, slope = primitive(value), primitive(slope)
    defvjp(value, lambda y, x, both: lambda g: value_vjp(g, y, slope(x, both)), argnums=(0,))
    defvjp(slope, lambda s, x, both: lambda g: slope_vjp(g, s, x), argnums=(0,))

    def decorate(one_pass: Any) -> Callable[..., Array]:
        one_pass = primitive(one_pass)
        register_notrace(VJPNode, one_pass)
        return functools.wraps(one_pass)(lambda x, *others: value(x, one_pass(x, *others)))

    return decorate
