"""Reading the library from a lesson."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def show(thing: Callable[..., Any]) -> None:
    """Print the source of a function, a method or a class, and where it stands."""
    thing = getattr(thing, "fun", thing)  # a primitive wraps the function that was written
    path = inspect.getsourcefile(thing) or ""
    line = inspect.getsourcelines(thing)[1]
    print(f"# minisam{path.rsplit('minisam', 1)[-1]}, line {line}\n{inspect.getsource(thing).rstrip()}")
