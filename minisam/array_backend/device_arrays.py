"""Which arrays live on a device, and in which namespace new ones are made."""

from __future__ import annotations

from typing import Any

from autograd.tracer import getval, isbox

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
