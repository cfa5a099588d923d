"""Functions that a record lists as one call: they may look at values, because they run anew in each replay.

Truths: tests/test_whole_step.py.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from autograd.extend import primitive
from autograd.tracer import isbox

F = TypeVar("F", bound=Callable[..., Any])


def one_call(f: F) -> F:
    """A function of arrays that is not differentiated. On arrays it is f itself."""
    listed = primitive(f)

    @functools.wraps(f)
    def either(*args: Any) -> Any:
        return (listed if any(map(isbox, args)) else f)(*args)

    return either  # type: ignore[return-value]
