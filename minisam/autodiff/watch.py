"""Whether what a function reads besides its inputs is still what it was.

A record holds what Python read while it was traced: a global number, an attribute, an entry of a list. So each replay looks
whether something has changed.

Truths: tests/test_watch.py.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from .reads import Walk
from .tape import CannotRecord

END = object()
flat = itertools.chain.from_iterable


class Watch:
    """All that the code of `f` can read besides its arguments.

    Raises `CannotRecord` if that is more than can be looked at, or has a state that cannot be seen: an iterator, a random
    generator, a clock, a file.
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self._look()

    def _look(self) -> None:
        found = Walk(self.f, frozenset())
        while found.attributes - found.names:  # more names lead to more code, which has names of its own
            found = Walk(self.f, found.names | found.attributes)
        self.looks: list[Callable[[], Iterable[Any]]] = [*found.looks, partial(iter, [END])]
        self.seen, self.names = [*found.seen, END], [*found.seen_as, ""]
        self.arrays, self.signature = found.arrays, found.signature

    def is_empty(self) -> bool:
        """Whether the code reads nothing besides its arguments."""
        return len(self.seen) == 1 and not self.arrays

    def changed(self) -> str | None:
        """The name of something that is no longer what it was; None if nothing has changed."""
        try:
            same = all(map(operator.is_, flat(map(operator.call, self.looks)), self.seen))
        except (ValueError, AttributeError):  # a variable that is gone
            return "a variable that is gone"
        if not same:
            now = flat(look() for look in self.looks)
            apart = (name for a, b, name in zip(now, self.seen, self.names, strict=False) if a is not b)
            return self._unless_equal(next(apart))
        for a, seen, name in self.arrays:
            if (a.shape, a.dtype, a.tobytes()) != seen:
                return name
        return None

    def _unless_equal(self, name: str) -> str | None:
        """None if the change is only another object of the same type and value, such as a number made anew."""
        before = self.signature
        try:
            self._look()
        except CannotRecord:
            return name
        return None if self.signature == before else name
