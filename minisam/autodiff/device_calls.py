"""The calls of a record on a device: NumPy's functions by their counterparts, and no index that would be copied every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from ..array_backend import xp


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
