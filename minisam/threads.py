"""Where threads can start, and progress bars that do without: in a browser. Truths: tests/test_threads.py."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

CAN_START = sys.platform != "emscripten"  # Python compiled for a browser

if not CAN_START:
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # all bars, a notebook's own too: a thread would watch them


def bar(items: Iterable[Any], **options: Any) -> Any:
    """The items under a progress bar that leaves no trace."""
    from tqdm.auto import tqdm

    return tqdm(items, leave=False, **options)
