"""The gradients of products on a device: matmul, dot, inner, tensordot, einsum.

autograd's own call NumPy by name, or with axes that CuPy does not take. Truths: tests/test_autograd_on_device.py.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
from autograd.numpy import numpy_vjps

from ..types import Array

Keywords = dict[str, Any]


# --- matmul ----------------------------------------------------------------------------------------------------------


def matmul_vjp(wrt: int) -> Callable[..., Any]:
    """Ā = ḡ Bᵀ and B̄ = Aᵀ ḡ; vectors are rows on the left, columns on the right."""

    def maker(y: Array, a: Array, b: Array) -> Callable[[Array], Array]:
        row, column = anp.ndim(a) == 1, anp.ndim(b) == 1
        target = (a, b)[wrt]
        meta = anp.metadata(target)

        def vjp(g: Array) -> Array:
            left = anp.expand_dims(a, 0) if row else a
            right = anp.expand_dims(b, 1) if column else b
            g = anp.expand_dims(g, -1) if column else g
            g = anp.expand_dims(g, -2) if row else g
            back = anp.matmul(g, anp.swapaxes(right, -1, -2)) if wrt == 0 else anp.matmul(anp.swapaxes(left, -1, -2), g)
            if (row, column)[wrt]:
                return anp.reshape(anp.sum(anp.reshape(back, (-1, meta[0][0])), axis=0), meta[0])
            return numpy_vjps.unbroadcast(back, meta)

        return vjp

    return maker


# --- dot, inner and tensordot are one thing, over different axes -------------------------------------------------------

Pairs = tuple[list[int], list[int]]


def dot_axes(a: Array, b: Array) -> Pairs:
    return ([anp.ndim(a) - 1], [max(anp.ndim(b) - 2, 0)]) if anp.ndim(a) and anp.ndim(b) else ([], [])


def inner_axes(a: Array, b: Array) -> Pairs:
    return ([anp.ndim(a) - 1], [anp.ndim(b) - 1]) if anp.ndim(a) and anp.ndim(b) else ([], [])


def tensordot_axes(a: Array, b: Array, axes: int | Sequence[Any] = 2) -> Pairs:
    if isinstance(axes, int):
        return list(range(anp.ndim(a) - axes, anp.ndim(a))), list(range(axes))
    lists = [[pair] if isinstance(pair, int) else list(pair) for pair in axes]
    return [axis % anp.ndim(a) for axis in lists[0]], [axis % anp.ndim(b) for axis in lists[1]]


def contraction_vjps(axes_of: Callable[..., Pairs]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The gradient of one operand contracts ḡ with the other, over the axes that only the other has."""

    def by_first(y: Array, a: Array, b: Array, **kwargs: object) -> Callable[[Array], Array]:
        of_a, of_b = axes_of(a, b, **kwargs)
        free_a, free_b = _others(of_a, a), _others(of_b, b)
        kept = sorted(of_b)  # the order in which tensordot leaves b's contracted axes
        order = [*free_a, *(of_a[of_b.index(axis)] for axis in kept)]
        last = range(len(free_a), len(free_a) + len(free_b))
        meta = anp.metadata(a)
        return lambda g: _real(anp.transpose(contracted(g, b, last, free_b), inverse(order)), meta)

    def by_second(y: Array, a: Array, b: Array, **kwargs: object) -> Callable[[Array], Array]:
        of_a, of_b = axes_of(a, b, **kwargs)
        free_a, free_b = _others(of_a, a), _others(of_b, b)
        kept = sorted(of_a)
        order = [*(of_b[of_a.index(axis)] for axis in kept), *free_b]
        meta = anp.metadata(b)
        return lambda g: _real(anp.transpose(contracted(a, g, free_a, range(len(free_a))), inverse(order)), meta)

    return by_first, by_second


def contracted(a: Array, b: Array, of_a: Sequence[int], of_b: Sequence[int]) -> Array:
    """tensordot, with axes as CuPy takes them: tuples, and none of an array without axes."""
    return anp.tensordot(a, b, axes=(tuple(of_a), tuple(of_b))) if anp.ndim(a) and anp.ndim(b) else a * b


def _real(g: Array, meta: Any) -> Array:
    """A gradient of real numbers is real."""
    return anp.real(g) if anp.iscomplexobj(g) and not meta[3] else g


def _others(axes: Sequence[int], a: Array) -> list[int]:
    return [axis for axis in range(anp.ndim(a)) if axis not in axes]


def inverse(order: Sequence[int]) -> list[int]:
    return sorted(range(len(order)), key=order.__getitem__)


# --- einsum ----------------------------------------------------------------------------------------------------------


def einsum_vjp(argnum: int, y: Array, operands: Sequence[Any], kwargs: Keywords) -> Callable[[Array], Array]:
    """Contract ḡ and the other operands to the indices of this one; repeat along indices that only this one has."""
    if isinstance(operands[0], str):
        text, arrays, k = operands[0], operands[1:], argnum - 1
    else:
        text, arrays, k = _text_of_lists(operands), operands[:-1:2] if len(operands) % 2 else operands[::2], argnum // 2
    names, output = _subscripts(text.replace(" ", ""), [anp.ndim(a) for a in arrays])
    mine, others, rest = names[k], [*names[:k], *names[k + 1 :]], [*arrays[:k], *arrays[k + 1 :]]
    if len(set(mine)) < len(mine):
        raise NotImplementedError(
            f"on a device the gradient of einsum takes no index twice in one operand, got {mine!r}"
        )
    known = [name for name in mine if any(name in other for other in [output, *others])]
    meta = anp.metadata(arrays[k])

    def vjp(g: Array) -> Array:
        back = anp.einsum(f"{','.join([output, *others])}->{''.join(known)}", g, *rest)
        sizes = iter(anp.shape(back))
        full = [(next(sizes), n) if name in known else (1, n) for name, n in zip(mine, meta[0], strict=True)]
        back = anp.reshape(back, tuple(size for size, _ in full))
        return numpy_vjps.unbroadcast(anp.broadcast_to(back, tuple(max(pair) for pair in full)), meta)

    return vjp


def _text_of_lists(operands: Sequence[Any]) -> str:
    """'ij,jk->ik' of (a, [8, 9], b, [9, 10], [8, 10])."""
    *inputs, output = [*operands[1::2], operands[-1] if len(operands) % 2 else None]
    *inputs, output = (
        "".join("..." if i is ... else string.ascii_letters[i] for i in part or ()) for part in (*inputs, output)
    )
    return ",".join(inputs) + (f"->{output}" if len(operands) % 2 else "")


def _subscripts(text: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """The indices of each operand and of the result, with letters of their own for the axes of an ellipsis."""
    inputs, arrow, output = text.partition("->")
    spare = [letter for letter in string.ascii_letters if letter not in text]
    hidden = [ndim - len(name) + 3 if "..." in name else 0 for name, ndim in zip(inputs.split(","), ndims, strict=True)]
    most = "".join(spare[: max(hidden)])
    names = [name.replace("...", most[len(most) - n :]) for name, n in zip(inputs.split(","), hidden, strict=True)]
    if not arrow:
        once = [name for name in sorted(set(inputs) - set(",.")) if inputs.count(name) == 1]
        output = "..." + "".join(once) if most else "".join(once)
    return names, output.replace("...", most)
