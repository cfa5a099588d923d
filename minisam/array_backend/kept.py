"""The constants of a graph: it reads them at their addresses, so they must live as long as it does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..types import Array


class Kept(threading.local):
    """The constants of the graph that this thread captures."""

    own: dict[Any, Array] | None = None


here = Kept()


@contextmanager
def kept() -> Iterator[dict[Any, Array]]:
    """Collect the constants that are used in this block."""
    here.own = {}
    try:
        yield here.own
    finally:
        here.own = None
