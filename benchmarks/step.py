"""How long a training step takes: minisam against the same step derived by hand, side by side in one run.

    python benchmarks/step.py            # prints a table, writes benchmarks/step.json

Both do the same arithmetic in float32 on the same data with the same number of threads. They take turns, in short blocks, and
what is reported is the median of the ratios of neighbouring blocks: it holds while the machine's speed drifts.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np
from hand_derived import HandDerivedMLP
from tqdm.auto import tqdm

import minisam
from minisam import SAM, SGD

WORKLOADS = {"toy": ([2, 32, 32, 2], 64), "digits": ([64, 256, 256, 10], 128), "wide": ([784, 512, 512, 10], 128)}
LR, MOMENTUM, RHO = 0.1, 0.9, 0.05


def contenders(sizes, batch_size):
    """Name → a function that makes one step, all from the same weights on the same batch."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch_size, sizes[0]), dtype=np.float32)
    y = rng.integers(0, sizes[-1], batch_size)
    model = minisam.mlp(sizes)
    loss_and_grad = minisam.value_and_grad(model)

    def by_hand(step):
        net = HandDerivedMLP(sizes, batch_size)
        net.w[:] = model.init(0)
        return lambda: getattr(net, step)(x, y)

    def with_minisam(optimizer):
        w = model.init(0)
        now = {"w": w, "state": optimizer.init(w)}

        def step():
            now["w"], now["state"], info = optimizer.step(now["w"], now["state"], lambda w: loss_and_grad(w, x, y))
            return info["loss"]

        return step

    base = SGD(LR, MOMENTUM)
    return {
        "hand SGD": by_hand("sgd_step"),
        "hand SAM": by_hand("sam_step"),
        "eager SGD": with_minisam(base),
        "eager SAM": with_minisam(SAM(base, RHO)),
    }


def measure(steps, seconds):
    """Name → time of a step [s] in each of a row of blocks, in which the contenders take turns."""
    for pair in (("hand SGD", "eager SGD"), ("hand SAM", "eager SAM")):  # the same arithmetic, or the ratio means nothing
        losses = [[steps[name]() for _ in range(5)] for name in pair]
        np.testing.assert_allclose(*losses, rtol=1e-4)
    calls = {name: max(1, round(0.02 / _time(step, 5))) for name, step in steps.items()}
    blocks = {name: [] for name in steps}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(blocks["eager SAM"]) < 5:
        for name, step in steps.items():
            blocks[name].append(_time(step, calls[name]))
    return blocks


def _time(step, calls):
    start = time.perf_counter()
    for _ in range(calls):
        step()
    return (time.perf_counter() - start) / calls


def summary(blocks):
    """Medians in µs, and medians of the ratios block by block."""

    def ratio(a, b):
        return round(statistics.median(p / q for p, q in zip(blocks[a], blocks[b], strict=True)), 3)

    return {
        "microseconds": {name: round(1e6 * statistics.median(times), 1) for name, times in blocks.items()},
        "ratios": {
            "eager SAM / hand SAM": ratio("eager SAM", "hand SAM"),
            "eager SGD / hand SGD": ratio("eager SGD", "hand SGD"),
            "eager SAM / eager SGD": ratio("eager SAM", "eager SGD"),
        },
        "blocks": len(blocks["eager SAM"]),
    }


def machine():
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "minisam": minisam.__version__,
    }


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=10.0, help="time spent on each workload")
    options.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"), help="result file")
    options = options.parse_args()
    results = {}
    for name, (sizes, batch_size) in tqdm(WORKLOADS.items(), leave=False):
        results[name] = {"sizes": sizes, "batch_size": batch_size} | summary(
            measure(contenders(sizes, batch_size), options.seconds)
        )
    unfinished = options.out.with_suffix(".part")
    unfinished.write_text(json.dumps({"machine": machine(), "workloads": results}, indent=2) + "\n")
    os.replace(unfinished, options.out)
    for name, result in results.items():
        print(f"{name:7}", "  ".join(f"{pair} {ratio:.2f}" for pair, ratio in result["ratios"].items()))


if __name__ == "__main__":
    main()
