"""Where threads can start, and a progress bar for where they cannot: in a browser. Truths: tests/test_threads.py."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

CAN_START = sys.platform != "emscripten"  # Python compiled for a browser


def bar(items: Iterable[Any], **options: Any) -> Any:
    """The items under a tqdm bar, which is watched from a thread where one can start."""
    from tqdm.auto import tqdm

    if not CAN_START:
        tqdm.monitor_interval = 0
    return tqdm(items, leave=False, **options)
