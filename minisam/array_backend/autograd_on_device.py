"""Rules that let autograd differentiate functions of arrays that are not NumPy's.

autograd gets boxes and vector spaces for the array type. Those rules of `autograd.numpy` (1.9) that make or convert arrays with
NumPy itself are restated for it. On NumPy arrays autograd's own rules stay in force. Some rules are not restated and fail on a
device: the gradients of `gradient`, `linalg.cholesky`, `einsum` with lists of indices or an index twice in one operand, and
`sort` of more than one axis.

Truths: tests/test_autograd_on_device.py (a good part of autograd.numpy, first and second derivatives, against NumPy).
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import autograd.numpy as anp
from autograd.core import primitive_vjps
from autograd.extend import VSpace, defvjp, defvjp_argnum, primitive
from autograd.numpy import numpy_vjps, numpy_wrapper
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.tracer import getval, isbox

from ..types import Array, Axes, Shape

DEVICE_TYPES: dict[type, Any] = {}  # array type -> its namespace, which has NumPy's functions

Keywords = dict[str, Any]


class DeviceVSpace(VSpace):
    """Arrays of one shape and dtype, made on the device: autograd's own makes NumPy arrays."""

    def __init__(self, value: Array) -> None:
        self.shape, self.dtype, self.ndim, self.size = value.shape, value.dtype, value.ndim, value.size
        self.xp = namespace_of(value)

    def zeros(self) -> Array:
        return self.xp.zeros(self.shape, dtype=self.dtype)

    def ones(self) -> Array:
        return self.xp.ones(self.shape, dtype=self.dtype)

    def standard_basis(self) -> Iterator[Array]:
        for i in range(self.size):
            yield self.xp.eye(1, self.size, i, dtype=self.dtype).reshape(self.shape)

    def randn(self) -> Array:
        return self.xp.random.standard_normal(self.shape).astype(self.dtype)

    def _inner_prod(self, x: Array, y: Array) -> Array:
        return (x * y).sum()


def register(array_type: type, xp: Any) -> None:
    """Let autograd box arrays of this type, add up their gradients and differentiate functions of them.

    `xp` is the namespace of these arrays, which makes new ones: the module cupy for CuPy's.
    """
    if array_type in DEVICE_TYPES:
        return
    ArrayBox.register(array_type)
    VSpace.register(array_type, DeviceVSpace)
    if not DEVICE_TYPES:
        _restate_rules()
    DEVICE_TYPES[array_type] = xp


def on_device(*values: object) -> bool:
    """Whether one of these values lives on a device; a value in a box counts as the value."""
    return namespace_of(*values) is not None


def namespace_of(*values: object) -> Any:
    """The namespace of the first device array among these values; None if all live on the host."""
    return next((DEVICE_TYPES[kind] for kind in map(type, map(_out_of_boxes, values)) if kind in DEVICE_TYPES), None)


def _out_of_boxes(value: object) -> object:
    return _out_of_boxes(getval(value)) if isbox(value) else value


# --- rules, restated -------------------------------------------------------------------------------------------------


def _restate_rules() -> None:
    numpy_vjps.repeat_to_match_shape = _or_autograds(repeat_to_match_shape, numpy_vjps.repeat_to_match_shape)
    for name, ours in (("_array_from_scalar_or_array", array_from_array), ("array_from_args", array_from_parts)):
        theirs = getattr(numpy_wrapper, name)
        ours = primitive(_or_autograds(ours, theirs.fun))
        primitive_vjps[ours] = primitive_vjps[theirs]
        setattr(numpy_wrapper, name, ours)
    _restate(getattr(anp, "_original_where", anp.where), None, *where_vjps)  # anp.where is a wrapper since 1.9
    _restate(anp.transpose, transpose_vjp)
    _restate(anp.trace, trace_vjp)
    _restate(anp.sort, sort_vjp)
    _restate(anp.matmul, *matmul_vjps)
    for function, axes in ((anp.dot, dot_axes), (anp.inner, inner_axes), (anp.tensordot, tensordot_axes)):
        _restate(function, *contraction_vjps(axes))
    theirs = primitive_vjps[anp.einsum]
    defvjp_argnum(anp.einsum, einsum_vjp)
    _choose(anp.einsum, primitive_vjps[anp.einsum], theirs)


def _or_autograds(ours: Callable[..., Any], theirs: Callable[..., Any]) -> Callable[..., Any]:
    """Ours for device arrays, autograd's for all others."""

    def either(*args: object, **kwargs: object) -> Any:
        return (ours if on_device(*args) else theirs)(*args, **kwargs)

    return either


def _restate(function: Callable[..., Any], *makers: Callable[..., Any] | None) -> None:
    """Give a function these rules for device arrays."""
    theirs = primitive_vjps[function]
    defvjp(function, *makers)
    _choose(function, primitive_vjps[function], theirs)


def _choose(function: Callable[..., Any], ours: Callable[..., Any], theirs: Callable[..., Any]) -> None:
    def either(argnums: Sequence[int], ans: Array, args: Sequence[Array], kwargs: Keywords) -> Any:
        return (ours if on_device(ans) else theirs)(argnums, ans, args, kwargs)

    primitive_vjps[function] = either


def repeat_to_match_shape(g: Array, shape: Shape, dtype: str, axis: Axes, keepdims: bool) -> tuple[Array, int]:
    """The gradient g of a reduction, repeated along the axes that it summed over, and how often."""
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    reduced = {a % len(shape) for a in axes} if shape else set()
    ones = tuple(1 if i in reduced else n for i, n in enumerate(shape))
    return anp.broadcast_to(anp.reshape(g, ones), tuple(shape)), math.prod(shape[a] for a in reduced)


def array_from_array(args: Sequence[object], kwargs: Keywords, a: Array) -> Array:
    return namespace_of(a).array(a, *args, **kwargs)


def array_from_parts(args: Sequence[object], kwargs: Keywords, *parts: Array) -> Array:
    xp = namespace_of(*parts)
    return xp.array(xp.stack([xp.asarray(part) for part in parts]), *args, **kwargs)


where_vjps = (
    lambda y, c, a=None, b=None: numpy_vjps.unbroadcast_f(a, lambda g: anp.where(c, g, 0)),
    lambda y, c, a=None, b=None: numpy_vjps.unbroadcast_f(b, lambda g: anp.where(c, 0, g)),
)


def transpose_vjp(y: Array, a: Array, axes: Sequence[int] | None = None) -> Callable[[Array], Array]:
    return lambda g: anp.transpose(g, None if axes is None else _inverse([axis % anp.ndim(a) for axis in axes]))


def trace_vjp(y: Array, a: Array, offset: int = 0) -> Callable[[Array], Array]:
    return lambda g: g * namespace_of(a).eye(*a.shape, offset, dtype=a.dtype)


def sort_vjp(y: Array, a: Array, axis: int = -1, kind: object = None, order: object = None) -> Callable[[Array], Array]:
    if anp.ndim(a) > 1:
        raise NotImplementedError("the gradient of sort takes arrays of one axis")
    back = anp.argsort(anp.argsort(a))
    return lambda g: g[back]


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


matmul_vjps = (matmul_vjp(0), matmul_vjp(1))


# --- contractions: dot, inner and tensordot are one thing, over different axes ----------------------------------------

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
        last = list(range(len(free_a), len(free_a) + len(free_b)))
        return lambda g: anp.transpose(anp.tensordot(g, b, axes=(last, free_b)), _inverse(order))

    def by_second(y: Array, a: Array, b: Array, **kwargs: object) -> Callable[[Array], Array]:
        of_a, of_b = axes_of(a, b, **kwargs)
        free_a, free_b = _others(of_a, a), _others(of_b, b)
        kept = sorted(of_a)
        order = [*(of_b[of_a.index(axis)] for axis in kept), *free_b]
        first = list(range(len(free_a)))
        return lambda g: anp.transpose(anp.tensordot(a, g, axes=(free_a, first)), _inverse(order))

    return by_first, by_second


def _others(axes: Sequence[int], a: Array) -> list[int]:
    return [axis for axis in range(anp.ndim(a)) if axis not in axes]


def _inverse(order: Sequence[int]) -> list[int]:
    return sorted(range(len(order)), key=order.__getitem__)


def einsum_vjp(argnum: int, y: Array, operands: Sequence[Any], kwargs: Keywords) -> Callable[[Array], Array]:
    """Contract ḡ and the other operands to the indices of this one; repeat along indices that only this one has."""
    if not isinstance(operands[0], str):
        raise NotImplementedError("on a device the gradient of einsum takes subscripts like 'ij,jk->ik'")
    arrays, k = operands[1:], argnum - 1
    names, output = _subscripts(operands[0].replace(" ", ""), [anp.ndim(a) for a in arrays])
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
