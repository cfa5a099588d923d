"""Whether threads can start, and progress bars that need none: in a browser no thread can. Truths: tests/test_threads.py."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

CAN_START = sys.platform != "emscripten"  # Python compiled for a browser

if not CAN_START:
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # no bar, a notebook's own included, starts a thread to monitor it


def bar(items: Iterable[Any], **options: Any) -> Any:
    """The items, with a progress bar that disappears at the end. The options are those of tqdm."""
    from tqdm.auto import tqdm

    return tqdm(items, leave=False, **options)
