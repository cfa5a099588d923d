"""How long a SAM step takes in this checkout of minisam and in another one, side by side in one run.

python benchmarks/against.py OTHER               # OTHER is the folder of the other checkout, such as a git worktree
python benchmarks/against.py OTHER --rounds 31 --threads 2 --only toy gpt

Each checkout has a process of its own. Both do the same steps: SAM over SGD, from the same weights on the same batch, in float32;
the losses of their first five steps have to agree. In each round this checkout takes a block of steps, then the other one does.
The table shows the median time of a step over all rounds, and the ratio of the two times of a round: its median and its range.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from importlib.metadata import version
from pathlib import Path

# at the end of the path: each process of a checkout has that checkout at its beginning
sys.path.append(str(Path(__file__).resolve().parents[1]))

from jobs import MODELS, NETS, Job, ModelJob
from machine import processor
from measure import Disagreement, check_agreement
from worker import Unavailable, Worker, limit_threads

ROOT = Path(__file__).resolve().parents[1]
JOBS = {
    **{name: Job(*NETS[name]) for name in ("toy", "digits", "wide")},
    **{name.removesuffix(", digits"): ModelJob(name) for name in ("cnn, digits", "vit, digits", "gpt")},
}
ROUNDS = 11
BLOCK, FEWEST = 0.2, 5  # seconds that a block should take, and its least number of steps


def main() -> int:
    options = parser().parse_args()
    limit_threads(options.threads)
    workers: dict[str, Worker] = {}
    try:
        for name, checkout in (("this", ROOT), ("other", options.other)):
            workers[name] = Worker("minisam-variants", options.threads, checkout)
        print(machine(options.threads))
        print("\n| SAM step | this, µs | other, µs | this / other | in all rounds |\n|---|---:|---:|---:|---:|")
        for name in options.only:
            print(row(name, in_turn(workers, JOBS[name], options.rounds)), flush=True)
    except (Disagreement, Unavailable) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    finally:
        for worker in workers.values():
            worker.close()
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


def in_turn(workers: dict[str, Worker], job: Job | ModelJob, rounds: int) -> dict[str, list[float]]:
    """The median time [µs] of a step in each checkout, round by round."""
    losses = {name: worker.ask("prepare", job) for name, worker in workers.items()}
    check_agreement(losses, dict.fromkeys(workers, job))
    steps = max(FEWEST, round(BLOCK / workers["this"].ask("time", job, FEWEST)))
    times: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            times[name].append(1e6 * worker.ask("median", job, steps))
    for worker in workers.values():
        worker.ask("forget")
    return times


def row(name: str, times: dict[str, list[float]]) -> str:
    """A line of the table."""
    job = JOBS[name]
    what = (
        MODELS[job.name][2] if isinstance(job, ModelJob) else f"{'-'.join(map(str, job.sizes))}, batch {job.batch_size}"
    )
    this, other = (statistics.median(times[side]) for side in ("this", "other"))
    ratios = [a / b for a, b in zip(times["this"], times["other"], strict=True)]
    over = f"{statistics.median(ratios):.3f} | {min(ratios):.3f} to {max(ratios):.3f}"
    return f"| {name}: {what} | {this:,.1f} | {other:,.1f} | {over} |"


def machine(threads: int) -> str:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    python, numpy = platform.python_version(), version("numpy")
    return f"{processor()}, {os.cpu_count()} cores{load}; threads: {threads}; Python {python}, NumPy {numpy}"


if __name__ == "__main__":
    raise SystemExit(main())
