"""What two threads are worth: a step here, beside one in another checkout, and in PyTorch where it is installed.

python benchmarks/two_threads.py OTHER              # OTHER is the folder of the other checkout, such as a git worktree

Each checkout takes its steps twice: with as many threads for a product of matrices (BLAS) as there are cores, which is what a
process has that says nothing, and with one (OPENBLAS_NUM_THREADS=1). PyTorch takes them with as many threads as cores. A round
starts a process for each of them, which takes a block of steps of each net. The table shows the time of an SGD step, which is one
gradient and the update, and SAM's over SGD's: the median over all rounds, and the range.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # but not in the processes of the checkouts, which have theirs first on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from against import ROOT, checkout, machine
from jobs import NETS, Job, ModelJob
from tqdm.auto import tqdm
from worker import THREADS, Unavailable, Worker, limit_threads

JOBS = {
    **{name: Job(*NETS[name], rule="sgd") for name in ("toy", "digits", "wide")},
    **{name: ModelJob(name, rule="sgd") for name in ("cnn, digits", "cnn, 28×28", "vit, digits", "gpt")},
}
BLOCK, FEWEST = 0.15, 5  # seconds that a block should take, and its least number of steps
Times = dict[tuple[str, str, str], list[float]]  # (net, rule, column) -> microseconds, one for each round


def main() -> int:
    options = parser().parse_args()
    limit_threads()
    columns = {f"{side}, {n}": (side, n) for side in ("other", "this") for n in (THREADS, 1)}
    columns |= {f"{system}, {THREADS}": (system, THREADS) for system in ("torch", "torch-models")}
    times: Times = {}
    for k in tqdm(range(options.rounds), leave=False, disable=None):
        order = list(columns.items())
        for name, (side, n) in order[k % len(order) :] + order[: k % len(order)]:
            for (net, rule), microseconds in one_process(side, n, options.other, options.only).items():
                times.setdefault((net, rule, name.replace("-models", "")), []).append(microseconds)
    print(machine(THREADS) + "\n\n" + "\n".join(table(times, options.only)))
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("other", type=checkout, metavar="OTHER", help="folder of the other checkout")
    top.add_argument("--rounds", type=int, default=8, help="rounds (default: 8)")
    top.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS), metavar="NET", help=", ".join(JOBS))
    return top


def one_process(side: str, blas_threads: int, other: Path, nets: list[str]) -> dict[tuple[str, str], float]:
    """(net, rule) -> the median time of a step [µs] in a new process of this system; empty if it is not installed."""
    system = side if side.startswith("torch") else "minisam"
    found: dict[tuple[str, str], float] = {}
    try:
        worker = Worker(system, blas_threads, {"this": ROOT, "other": other}.get(side))
    except Unavailable:
        return found
    try:
        for net in nets:
            if system == "minisam" or isinstance(JOBS[net], ModelJob) == system.endswith("models"):
                for rule in ("sgd", "sam") if system == "minisam" else ("sgd",):
                    found[net, rule] = timed(worker, dataclasses.replace(JOBS[net], rule=rule))
    finally:
        worker.close()
    return found


def timed(worker: Worker, job: Any) -> float:
    worker.ask("prepare", job)
    steps = max(FEWEST, round(BLOCK / worker.ask("time", job, FEWEST)))
    return 1e6 * worker.ask("median", job, steps)


def table(times: Times, nets: list[str]) -> list[str]:
    """The rows of both tables, in Markdown."""
    columns = list(dict.fromkeys(column for _, _, column in times))
    rows = ["| SGD step, ms | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    rows += [row(net, [[t / 1e3 for t in times.get((net, "sgd", column), [])] for column in columns]) for net in nets]
    columns = [column for column in columns if (nets[0], "sam", column) in times]
    rows += ["", "| SAM / SGD | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for net in nets:
        both = [[times.get((net, rule, column), []) for rule in ("sam", "sgd")] for column in columns]
        rows.append(row(net, [[a / b for a, b in zip(sam, sgd, strict=True)] for sam, sgd in both]))
    return rows


def row(net: str, cells: list[list[float]]) -> str:
    shown = [f"{statistics.median(c):.2f} ({min(c):.2f} to {max(c):.2f})" if c else "–" for c in cells]
    return f"| {net} | " + " | ".join(shown) + " |"


if __name__ == "__main__":
    raise SystemExit(main())
