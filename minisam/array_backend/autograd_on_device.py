"""autograd on arrays that are not NumPy's: boxes, vector spaces and rules for arrays of a device.

Those rules of `autograd.numpy` (1.9) that make or convert arrays with NumPy itself are restated, in `device_rules` and
`contractions`. On NumPy arrays autograd's own rules stay in force, in reverse and in forward mode. On a device derivatives are
taken in reverse mode. What is differentiated on NumPy only is refused there by a NotImplementedError.

Truths: tests/test_autograd_on_device.py (the public functions of autograd.numpy, first and second derivatives, against NumPy);
tests/autograds_own.py (autograd's own tests, on NumPy, with these rules registered).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import autograd.numpy as anp
from autograd.core import primitive_jvps, primitive_vjps
from autograd.extend import VSpace, defvjp, defvjp_argnum, primitive
from autograd.numpy import fft, linalg, numpy_vjps, numpy_wrapper
from autograd.numpy.numpy_boxes import ArrayBox

from ..types import Array
from . import contractions, device_rules
from .device_arrays import DEVICE_TYPES, namespace_of, on_device

Keywords = dict[str, Any]
REFUSED = {linalg: ["svd", "eig"], fft: ["rfft", "rfft2", "rfftn", "irfft", "irfft2", "irfftn"]}


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


class ComplexDeviceVSpace(DeviceVSpace):
    """Complex arrays, of two real numbers an entry."""

    iscomplex = True

    def __init__(self, value: Array) -> None:
        super().__init__(value)
        self.size *= 2

    def ones(self) -> Array:
        return super().ones() * (1 + 1j)

    def standard_basis(self) -> Iterator[Array]:
        for i in range(self.size // 2):
            entry = self.xp.eye(1, self.size // 2, i, dtype=self.dtype).reshape(self.shape)
            yield from (entry, 1j * entry)

    def randn(self) -> Array:
        real, imaginary = self.xp.random.standard_normal((2, *self.shape))
        return (real + 1j * imaginary).astype(self.dtype)

    def _inner_prod(self, x: Array, y: Array) -> Array:
        return (x.conj() * y).sum().real

    def _covector(self, x: Array) -> Array:
        return x.conj()


def register(array_type: type, xp: Any) -> None:
    """Let autograd box arrays of this type, add up their gradients and differentiate functions of them.

    `xp` is the namespace of these arrays, which makes new ones: the module cupy for CuPy's.
    """
    if array_type in DEVICE_TYPES:
        return
    ArrayBox.register(array_type)
    VSpace.register(array_type, lambda a: (ComplexDeviceVSpace if a.dtype.kind == "c" else DeviceVSpace)(a))
    if not DEVICE_TYPES:
        _replace_functions()
        _restate_rules()
    DEVICE_TYPES[array_type] = xp


def _replace_functions() -> None:
    """Functions inside autograd that make arrays: ours where they meet a device array."""
    numpy_vjps.repeat_to_match_shape = _or_autograds(
        device_rules.repeat_to_match_shape, numpy_vjps.repeat_to_match_shape
    )
    functions: dict[str, Callable[..., Any]] = {
        "_array_from_scalar_or_array": device_rules.array_from_array,
        "array_from_args": device_rules.array_from_parts,
        "concatenate_args": device_rules.concatenate,
        "make_diagonal": device_rules.make_diagonal,
        "full": device_rules.full,
        "linspace": device_rules.linspace,
        "dot": device_rules.dot,
    }
    for name, ours in functions.items():
        _replace(numpy_wrapper, name, ours)
    _replace(numpy_vjps, "untake", device_rules.untake)
    anp.select = numpy_wrapper.select = _or_autograds(device_rules.select, anp.select)


def _replace(module: Any, name: str, ours: Callable[..., Any]) -> None:
    """A primitive by one that is ours on a device, with the derivatives of autograd's in both modes."""
    theirs = getattr(module, name)
    either = primitive(_or_autograds(ours, theirs.fun))
    for rules in (primitive_vjps, primitive_jvps):
        rules[either] = rules[theirs]
    for place in (module, anp):
        if getattr(place, name, None) is theirs:
            setattr(place, name, either)


def _restate_rules() -> None:
    rules, products = device_rules, contractions
    _restate(getattr(anp, "_original_where", anp.where), None, *rules.where_vjps)  # anp.where is a wrapper since 1.9
    of_one: dict[Any, Callable[..., Any]] = {
        anp.reshape: rules.reshape_vjp,
        anp.ravel: rules.ravel_vjp,
        anp.broadcast_to: rules.broadcast_to_vjp,
        anp.transpose: rules.transpose_vjp,
        anp.trace: rules.trace_vjp,
        anp.gradient: rules.gradient_vjp,
        anp.sort: rules.sort_vjp,
        anp.partition: rules.partition_vjp,
        linalg.cholesky: rules.cholesky_vjp,
        linalg.pinv: rules.pinv_vjp,
        linalg.eigh: rules.eigh_vjp,
    }
    for function, rule in of_one.items():
        _restate(function, rule)
    _restate(anp.linspace, rules.linspace_vjp, rules.linspace_vjp_of_stop)
    for module, names in REFUSED.items():
        for name in names:
            _restate(getattr(module, name), rules.refused(f"{module.__name__.rpartition('.')[2]}.{name}"))
    _restate(anp.matmul, products.matmul_vjp(0), products.matmul_vjp(1))
    axes_of = {anp.dot: products.dot_axes, anp.inner: products.inner_axes, anp.tensordot: products.tensordot_axes}
    for function, axes in axes_of.items():
        _restate(function, *products.contraction_vjps(axes))
    theirs = primitive_vjps[anp.einsum]
    defvjp_argnum(anp.einsum, products.einsum_vjp)
    _choose(anp.einsum, primitive_vjps[anp.einsum], theirs)


def _or_autograds(ours: Callable[..., Any], theirs: Callable[..., Any]) -> Callable[..., Any]:
    """Ours for device arrays, autograd's for all others."""

    @functools.wraps(theirs)
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
