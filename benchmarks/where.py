"""Where the time of a minisam step goes: each call of a record timed alone, over and over.

python benchmarks/where.py toy            # one of the nets, or of the whole models: "gpt", "vit, digits", …
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from jobs import NETS, Job, ModelJob
from systems.ours import Recorded

from minisam.autodiff import parts, records, replay

ROUNDS = 15


def main(name: str) -> None:
    system = Recorded(Job(*NETS[name]) if name in NETS else ModelJob(name))
    made: list[Any] = []
    plain = replay.Cache.keep
    replay.Cache.keep = lambda cache, key, record: made.append(record) or plain(cache, key, record)
    system.reset()
    system.run(3)
    inputs = (system.w0, system.x, system.y)
    calls = calls_of(made[0], inputs[:1], inputs[1:])
    step = timed(lambda: system.run(1))
    gradient = timed(lambda: system.loss_and_grad(*inputs))
    each = [(title(call), timed(call)) for call in calls]
    print(f"{name}: a SAM step {step:.1f} µs, of it two gradients of {gradient:.1f} µs")
    print(f"a gradient: {len(calls)} calls {sum(t for _, t in each):.1f} µs, the rest copies, keys, binding")
    total: dict[str, float] = defaultdict(float)
    count: dict[str, int] = defaultdict(int)
    for what, t in each:
        total[what] += t
        count[what] += 1
    for what in sorted(total, key=lambda what: -total[what])[:25]:
        print(f"{total[what]:10.1f} µs  {count[what]:3} × {what}")


def calls_of(record: Any, point: Any, batch: Any) -> list[Any]:
    """The calls of a record; of one part after the other, if it has two."""
    if isinstance(record, parts.Quiet):
        return calls_of(record.record, point, batch)
    if isinstance(record, parts.Parts):
        both = zip(record.records, record.plan.parts(point, batch), strict=True)
        return [call for one, part in both for call in calls_of(one, *part)]
    if isinstance(record, records.Fixed):
        return record.calls
    return record.program.bind([*point, *batch], record.program.results)[0]


def title(call: Any) -> str:
    """The function and the shapes of its arrays."""
    if not hasattr(call, "args"):  # what a fused primitive prepared
        return call.__qualname__
    f = call.args[0] if call.func.__name__ == "_write" else call.func
    shapes = " ".join(str(a.shape) for a in call.args if isinstance(a, np.ndarray))
    return f"{f.__name__} {shapes}"


def timed(f: Any) -> float:
    """Microseconds of processor time, the median of many."""
    f()
    times = []
    for _ in range(ROUNDS):
        start, n = time.process_time_ns(), 0
        while (spent := time.process_time_ns() - start) < 2e6:
            for _ in range(10):
                f()
            n += 10
        times.append(spent / n / 1e3)
    return statistics.median(times)


if __name__ == "__main__":
    main(*sys.argv[1:] or ["toy"])
