"""Constant arrays, such as rows of ones, made once and shared."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..types import Array

KEPT = 32  # of each kind; the one used longest ago makes room
_own: dict[Any, Array] | None = None  # those of the graph that is being captured


def made_once(make: Callable[..., Array]) -> Callable[..., Array]:
    """A constant array, made once for each backend and each set of arguments."""
    from . import xp

    cached = functools.lru_cache(KEPT)(lambda namespace, *args: make(*args))

    @functools.wraps(make)
    def constant(*args: Any) -> Array:
        if _own is None:
            return cached(xp(), *args)
        key = (cached, *args)
        if key not in _own:
            _own[key] = cached(xp(), *args)
        return _own[key]

    return constant


@contextmanager
def kept() -> Iterator[dict[Any, Array]]:
    """Collect the constants used in this block. A graph reads them at their addresses, so they must live as long as it does."""
    global _own
    _own = {}
    try:
        yield _own
    finally:
        _own = None
