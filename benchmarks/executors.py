"""A sweep of 64 replicas on N processes beside one: python benchmarks/executors.py [N]

All compute on one thread of BLAS each, in turns, and have to end with the same bits. What other programs do only adds time, so
the fastest of several rounds are compared; the ratio of each round is told beside. What a pool costs is told apart: the time
until it has trained something small.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from minisam import SAM, SGD, blas, data, mlp, train

ROUNDS = 7
NETS = {"mlp 64-32-10": ((64, 32, 10), 30), "mlp 64-256-256-10": ((64, 256, 256, 10), 2)}  # sizes, epochs


def main(workers: int) -> None:
    print(
        f"| 64 replicas | one process, s | {workers} processes, s | times as fast | in each round | start of the pool, s |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    for name, (sizes, epochs) in NETS.items():
        run = partial(swept, sizes, epochs)
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
        with pool, blas.one_thread():
            start, _ = timed(partial(swept, (64, 2, 10), 1, pool))
            rounds = [(timed(run), timed(partial(run, pool))) for _ in range(ROUNDS)]
        assert all(np.array_equal(one.w, several.w) for (_, one), (_, several) in rounds)
        one, several = (min(each[k][0] for each in rounds) for k in (0, 1))
        ratios = sorted(one / several for (one, _), (several, _) in rounds)
        print(
            f"| {name}, {epochs} epochs | {one:.2f} | {several:.2f} | {one / several:.2f} | "
            f"{ratios[0]:.2f} to {ratios[-1]:.2f} | {start:.1f} |"
        )


def swept(sizes: tuple[int, ...], epochs: int, executor: Any = None) -> Any:
    """SAM on the digits: eight radii, eight seeds."""
    sweep = {"rho": [0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5]}
    options = {"sweep": sweep, "progress": False, "executor": executor}
    return train(
        mlp(sizes), data.digits(), lambda rho: SAM(SGD(0.1, momentum=0.9), rho), epochs, 64, range(8), **options
    )


def timed(f: Any) -> tuple[float, Any]:
    """Seconds that f takes, and what it returns."""
    start = time.perf_counter()
    result = f()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else os.cpu_count() or 1)
