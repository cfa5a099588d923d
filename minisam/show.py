"""`show` prints the source of the library, so that a lesson can be read beside the code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from itertools import dropwhile
from pathlib import Path

from .checks import shown


def show(thing: Callable[..., object]) -> None:
    """Print the source of a function, a method or a class with its module and line; for a primitive, its derivative too."""
    if not callable(thing):
        raise TypeError(f"thing must be a function, a method or a class, got {shown(thing)}")
    for wrapped in ("fun", "written"):  # attributes in which a primitive keeps its function
        thing = getattr(thing, wrapped, thing)
    try:
        path = Path(inspect.getsourcefile(thing) or "")
        lines, start = inspect.getsourcelines(thing)
    except (TypeError, OSError) as error:
        raise TypeError(
            f"thing must be a function, a method or a class that Python's source is known of, got {shown(thing)}"
        ) from error
    below = path.read_text(encoding="utf-8").splitlines()[start - 1 + len(lines) :]
    print("\n".join([f"# {thing.__module__}, line {start}", "".join(lines).rstrip(), *_derivative(below)]))


def _derivative(below: Sequence[str]) -> list[str]:
    """The `defvjp(...)` directly below a primitive; no lines if there is none."""
    rest = list(dropwhile(lambda line: not line, below))
    if not rest or not rest[0].startswith("defvjp("):
        return []
    if rest[0].endswith("("):
        return ["", *rest[: rest.index(")") + 1]]
    return ["", rest[0]]
