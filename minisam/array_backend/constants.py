"""Constant arrays, such as rows of ones, made once and shared."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy

from ..types import Array

KEPT = 32  # of each kind; the one used longest ago makes room


class Kept(threading.local):
    """The constants of the graph that this thread captures."""

    own: dict[Any, Array] | None = None


_kept = Kept()


def made_once(make: Callable[..., Array]) -> Callable[..., Array]:
    """A constant array, made once for each backend and each set of arguments."""
    from . import synchronize, xp

    @functools.lru_cache(KEPT)
    def cached(namespace: Any, *args: Any) -> Array:
        made = make(*args)
        synchronize()  # another thread, on another stream, may use it next
        return made

    @functools.wraps(make)
    def constant(*args: Any) -> Array:
        namespace = xp()
        if namespace is numpy or _kept.own is None:
            return cached(namespace, *args)
        key = (cached, *args)
        if key not in _kept.own:
            _kept.own[key] = cached(namespace, *args)
        return _kept.own[key]

    return constant


@contextmanager
def kept() -> Iterator[dict[Any, Array]]:
    """Collect the constants used in this block. A graph reads them at their addresses, so they must live as long as it does."""
    _kept.own = {}
    try:
        yield _kept.own
    finally:
        _kept.own = None
