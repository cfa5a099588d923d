"""Which arrays live on a device, and in which namespace new ones are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from autograd.tracer import getval, isbox

from . import xp

DEVICE_TYPES: dict[type, Any] = {}  # array type -> its namespace, which has NumPy's functions


def on_device(*values: object) -> bool:
    """Whether one of these values lives on a device; a value in a box counts as the value, a sequence as its entries."""
    return namespace_of(*values) is not None


def namespace_of(*values: object) -> Any:
    """The namespace of the first device array among these values; None if all live on the host."""
    for value in map(_out_of_boxes, values):
        if type(value) in DEVICE_TYPES:
            return DEVICE_TYPES[type(value)]
        if isinstance(value, (list, tuple)) and (xp := namespace_of(*value)) is not None:
            return xp
    return None


def _out_of_boxes(value: object) -> object:
    return _out_of_boxes(getval(value)) if isbox(value) else value


def counterpart(f: Callable[..., Any]) -> Callable[..., Any]:
    """What NumPy's function f is in the namespace in use; f itself if it is not one of NumPy's."""
    name = getattr(f, "__name__", "")
    return getattr(xp(), name, f) if f is getattr(numpy, name, None) else f


def with_device_indices(f: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of a call, with indices as arrays of the device: those on the host would be copied at every call."""
    if xp() is numpy or getattr(f, "__name__", "") not in ("__getitem__", "untake", "take"):
        return args
    a, index, *others = args
    return a, _on_device(index), *others


def _on_device(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(map(_on_device, index))
    return xp().asarray(index) if isinstance(index, (numpy.ndarray, list)) else index
