"""Reading the library from a lesson."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from itertools import dropwhile
from pathlib import Path
from typing import Any


def show(thing: Callable[..., Any]) -> None:
    """Print the source of a function, a method or a class, where it stands, and for a primitive its derivative."""
    for wrapped in ("fun", "written"):  # a primitive wraps the function that was written
        thing = getattr(thing, wrapped, thing)
    path = Path(inspect.getsourcefile(thing) or "")
    lines, start = inspect.getsourcelines(thing)
    below = path.read_text(encoding="utf-8").splitlines()[start - 1 + len(lines) :]
    print("\n".join([f"# {thing.__module__}, line {start}", "".join(lines).rstrip(), *_derivative(below)]))


def _derivative(below: Sequence[str]) -> list[str]:
    """The `defvjp(...)` that stands right under a primitive, if one does."""
    rest = list(dropwhile(lambda line: not line, below))
    if not rest or not rest[0].startswith("defvjp("):
        return []
    if rest[0].endswith("("):
        return ["", *rest[: rest.index(")") + 1]]
    return ["", rest[0]]
