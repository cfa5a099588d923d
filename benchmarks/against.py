"""How long a SAM step takes in this checkout of minisam and in another one, side by side in one run.

python benchmarks/against.py OTHER               # OTHER is the folder of the other checkout, such as a git worktree
python benchmarks/against.py OTHER --rounds 31 --threads 2 --only toy gpt

Both do the same steps: SAM over SGD, from the same weights on the same batch, in float32; the losses of the first five steps have
to agree. A round starts a process for each checkout, and both take a block of steps of each net in turn; the order changes from
round to round. New processes in each round matter, because the place of its memory changes a process's speed by a few per cent.
The table shows the median time of a step over all rounds, and the ratio of the two times of a round: median and range.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

if __name__ == "__main__":  # but not in the processes of the checkouts, which have theirs first on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from jobs import MODELS, NETS, Job, ModelJob
from machine import processor
from measure import Disagreement, check_agreement
from tqdm.auto import tqdm
from worker import Unavailable, Worker, limit_threads

ROOT = Path(__file__).resolve().parents[1]
JOBS = {
    **{name: Job(*NETS[name]) for name in ("toy", "digits", "wide")},
    **{name.removesuffix(", digits"): ModelJob(name) for name in ("cnn, digits", "vit, digits", "gpt")},
}
Pair = tuple[float, float]  # the time of a step in this checkout and in the other one
ROUNDS = 12
BLOCK, FEWEST = 0.2, 5  # seconds that a block should take, and its least number of steps


def main() -> int:
    options = parser().parse_args()
    limit_threads(options.threads)
    times: dict[str, list[Pair]] = {net: [] for net in options.only}
    print(machine(options.threads))
    try:
        for k in tqdm(range(options.rounds), leave=False, disable=None):
            order = ("other", "this") if k % 2 else ("this", "other")
            for net, pair in one_round(options.only, options.threads, options.other, order):
                times[net].append(pair)
    except (Disagreement, Unavailable) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    print("\n| SAM step | this, µs | other, µs | this / other | in all rounds |\n|---|---:|---:|---:|---:|")
    for net, pairs in times.items():
        print(row(net, pairs))
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("other", type=checkout, metavar="OTHER", help="folder of the other checkout")
    top.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds of each net (default: {ROUNDS})")
    top.add_argument("--threads", type=int, default=1, help="threads of each process (default: 1)")
    top.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS), metavar="NET", help=", ".join(JOBS))
    return top


def checkout(folder: str) -> Path:
    path = Path(folder).resolve()
    if not (path / "minisam" / "__init__.py").is_file():
        raise argparse.ArgumentTypeError(f"OTHER must be a folder with a folder minisam in it, got {folder}")
    return path


def one_round(nets: list[str], threads: int, other: Path, order: tuple[str, str]) -> Iterator[tuple[str, Pair]]:
    """The median time of a step [µs] of each net in a new process of each checkout; they take turns in this order."""
    workers: dict[str, Worker] = {}
    try:
        for side in order:
            workers[side] = Worker("minisam-variants", threads, ROOT if side == "this" else other)
        for net in nets:
            job = JOBS[net]
            losses = {side: worker.ask("prepare", job) for side, worker in workers.items()}
            check_agreement(losses, dict.fromkeys(workers, job))
            steps = max(FEWEST, round(BLOCK / workers["this"].ask("time", job, FEWEST)))
            times = {side: 1e6 * worker.ask("median", job, steps) for side, worker in workers.items()}
            yield net, (times["this"], times["other"])
    finally:
        for worker in workers.values():
            worker.close()


def row(net: str, pairs: list[Pair]) -> str:
    """A line of the table."""
    job = JOBS[net]
    what = (
        MODELS[job.name][2] if isinstance(job, ModelJob) else f"{'-'.join(map(str, job.sizes))}, batch {job.batch_size}"
    )
    this, other = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratios = [a / b for a, b in pairs]
    over = f"{statistics.median(ratios):.3f} | {min(ratios):.3f} to {max(ratios):.3f}"
    return f"| {net}: {what} | {this:,.1f} | {other:,.1f} | {over} |"


def machine(threads: int) -> str:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    python, numpy = platform.python_version(), version("numpy")
    return f"{processor()}, {os.cpu_count()} cores{load}; threads: {threads}; Python {python}, NumPy {numpy}"


if __name__ == "__main__":
    raise SystemExit(main())
