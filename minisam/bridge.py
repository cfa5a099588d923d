"""What autograd has to know of an array type that is not NumPy's, so that it differentiates through it."""

from __future__ import annotations

from collections.abc import Iterator

from autograd.extend import VSpace
from autograd.numpy.numpy_boxes import ArrayBox

from .array_backend import Array, xp


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
    """Let autograd box arrays of this type and add up their gradients."""
    ArrayBox.register(array_type)
    VSpace.register(array_type, DeviceVSpace)
