"""What autograd has to know of an array type that is not NumPy's, so that it differentiates through it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import autograd.numpy as anp
from autograd.extend import VSpace
from autograd.numpy import numpy_vjps
from autograd.numpy.numpy_boxes import ArrayBox

from .array_backend import Array, xp
from .ops import spread


class DeviceVSpace(VSpace):
    """Arrays of one shape and dtype, made on the device: autograd's own makes NumPy arrays."""

    def __init__(self, value: Array) -> None:
        self.shape, self.dtype = value.shape, value.dtype
        self.ndim, self.size = value.ndim, value.size

    def zeros(self) -> Array:
        return xp().zeros(self.shape, dtype=self.dtype)

    def ones(self) -> Array:
        return xp().ones(self.shape, dtype=self.dtype)

    def standard_basis(self) -> Iterator[Array]:
        for i in range(self.size):
            yield xp().eye(1, self.size, i, dtype=self.dtype).reshape(self.shape)

    def randn(self) -> Array:
        return xp().random.standard_normal(self.shape).astype(self.dtype)

    def _inner_prod(self, x: Array, y: Array) -> Array:
        return xp().sum(x * y)


def register(array_type: type) -> None:
    """Let autograd box arrays of this type, add up their gradients and differentiate reductions of them."""
    ArrayBox.register(array_type)
    VSpace.register(array_type, DeviceVSpace)
    numpy_vjps.repeat_to_match_shape = repeat_to_match_shape


def repeat_to_match_shape(g: Array, shape: Any, dtype: Any, axis: Any, keepdims: bool) -> tuple[Array, int]:
    """The gradient g of a reduction, repeated along the axes that it summed over, and how often.

    Restates autograd's rule for sum, mean, max, ..., which adds an array of zeros that lives on the host.
    """
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    reduced = {a % len(shape) for a in axes} if shape else set()
    ones = tuple(1 if i in reduced else n for i, n in enumerate(shape))
    return spread(anp.reshape(g, ones), tuple(shape)), math.prod(shape[a] for a in reduced)
