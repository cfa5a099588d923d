"""What the device did in a block of code, and what it must not do there."""

import contextlib
import ctypes
from collections import Counter
from typing import NamedTuple

from . import build


class Event(NamedTuple):
    """One thing the device did."""

    kind: str  # kernel, blas, sort, random, h2d, d2h, d2d, h2h, memset, sync, graph, malloc, host
    name: str  # of the kernel or the library's function; of a sync, what waited
    nbytes: int  # copied or allocated; of a graph, the number of its nodes
    stream: int
    phase: str  # "run": at once; "captured": recorded into a graph only; "replayed": as a node of a launched graph


@contextlib.contextmanager
def logged():
    """The events of a block, as a list that is filled when the block ends."""
    device, events = build.device(), []
    first = device.cupy_on_cpu_listen()
    try:
        yield events
    finally:
        events.extend(map(_event, range(first, device.cupy_on_cpu_events())))
        device.cupy_on_cpu_stop_listening()


@contextlib.contextmanager
def counting(kind):
    """A function that says how many events of this kind there were in the block so far."""
    device = build.device()
    first = device.cupy_on_cpu_listen()
    try:
        yield lambda: counts(map(_event, range(first, device.cupy_on_cpu_events())))[kind]
    finally:
        device.cupy_on_cpu_stop_listening()


def _event(i):
    kind, name, phase = ctypes.c_char_p(), ctypes.c_char_p(), ctypes.c_char_p()
    nbytes, stream = ctypes.c_size_t(), ctypes.c_size_t()
    places = map(ctypes.byref, (kind, name, nbytes, stream, phase))
    build.device().cupy_on_cpu_event(ctypes.c_size_t(i), *places)
    return Event(kind.value.decode(), name.value.decode(), nbytes.value, stream.value, phase.value.decode())


def counts(events, phase="run"):
    """How many events of each kind there are in a phase."""
    return Counter(event.kind for event in events if event.phase == phase)


@contextlib.contextmanager
def forbidden(*kinds):
    """A block in which events of these kinds fail with CUDA's "not permitted"; the traceback says where they come from."""
    device = build.device()
    for kind in kinds:
        device.cupy_on_cpu_forbid(kind.encode())
    try:
        yield
    finally:
        for kind in kinds:
            device.cupy_on_cpu_allow(kind.encode())


@contextlib.contextmanager
def libraries_in_captures():
    """A block in which CuPy does not know that a stream captures, and so calls cuBLAS there, as it refuses to do otherwise."""
    device = build.device()
    device.cupy_on_cpu_hide_captures(1)
    try:
        yield
    finally:
        device.cupy_on_cpu_hide_captures(-1)
