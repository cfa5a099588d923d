"""Whole experiments, as a user waits for them: each a process that imports, compiles, trains and evaluates, then ends.

python benchmarks/experiments.py                 # all: experiments.json, and the tables in benchmarks/README.md
python benchmarks/experiments.py --rounds 5
python benchmarks/experiments.py --render        # the tables from experiments.json

The programs stand in benchmarks/programs/, each as one writes it for its library. On the digits, a net is trained for 30 epochs
from 1, 10 and 64 seeds. On Fashion-MNIST an epoch is half the difference between three epochs and one, which tells it apart from
what is done once. The programs take turns; the tables show the median over rounds, and the range.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # the clone is measured, whatever else is installed

import numpy as np
from machine import processor
from readme import splice
from tqdm.auto import tqdm
from worker import THREADS, limit_threads

from minisam import data
from minisam.files import whole

RESULTS = HERE / "experiments.json"
SEEDS, EPOCHS = (1, 10, 64), 30
IMAGES = {"cnn": 6_400, "resnet": 1_280}  # of Fashion-MNIST, in an epoch that is timed; an epoch of all is 50,000
ALL_IMAGES = 50_000
LEAST = {"digits": 90.0, "cnn": 60.0, "resnet": 15.0}  # per cent right, below which a program has not learnt
PROGRAMS = {
    "ours": "minisam",
    "pytorch": "PyTorch, eager",
    "pytorch_at_once": "PyTorch, vmap over seeds",
    "jax_scan": "JAX, scan and vmap",
    "jax_images": "JAX, a step compiled",
}
OF_DIGITS, OF_IMAGES = ("ours", "pytorch", "pytorch_at_once", "jax_scan"), ("ours", "pytorch", "jax_images")
ONE_BY_ONE, FEW = (
    "pytorch",
    10,
)  # a program that trains one seed after the other, and how many of them are enough to see


@dataclass(frozen=True)
class Experiment:
    """A program's arguments: which data, which model, how long, from how many seeds."""

    program: str
    file: str
    model: str
    epochs: int
    seeds: int = 1

    @property
    def key(self) -> str:
        return json.dumps([self.program, self.file, self.model, self.epochs, self.seeds])


def main() -> int:
    options = parser().parse_args()
    if not options.render:
        measure(options.rounds)
    result = json.loads(RESULTS.read_text(encoding="utf-8"))
    splice("experiments", table(result))
    print(table(result))
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--rounds", type=int, default=3, help="how often each program runs (default: 3)")
    top.add_argument("--render", action="store_true", help="only write the tables, from experiments.json")
    return top


# --- measure ---------------------------------------------------------------------------------------------------------


def measure(rounds: int) -> None:
    limit_threads()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder))
        for k in tqdm(range(rounds), desc="rounds", disable=None):
            there = experiments()
            for each in tqdm(there[k % len(there) :] + there[: k % len(there)], leave=False, disable=None):
                seconds.setdefault(each.key, []).append(timed(each, Path(folder)))
    machine = {"processor": processor(), "cores": os.cpu_count(), "threads": THREADS, "load": round(load, 1)}
    with whole(RESULTS) as path:
        path.write_text(json.dumps({"machine": machine, "seconds": seconds}, indent=1) + "\n", encoding="utf-8")


def experiments() -> list[Experiment]:
    digits = [of_digits(name, seeds) for seeds in SEEDS for name in OF_DIGITS if name != ONE_BY_ONE or seeds <= FEW]
    images = [Experiment(name, model, model, epochs) for model in IMAGES for name in OF_IMAGES for epochs in (1, 3)]
    return digits + images


def of_digits(program: str, seeds: int) -> Experiment:
    return Experiment(program, "digits", "mlp", EPOCHS, seeds)


def write_data(folder: Path) -> None:
    """The digits, and the first images of Fashion-MNIST for each net."""
    for name, images in {"digits": None, **IMAGES}.items():
        part = data.digits() if name == "digits" else data.fashion_mnist()
        arrays = {f"{what}_train": getattr(part, f"{what}_train")[:images] for what in "xy"}
        arrays |= {f"{what}_test": getattr(part, f"{what}_test") for what in "xy"}
        np.savez(folder / f"{name}.npz", **arrays)


def timed(each: Experiment, folder: Path) -> float:
    """Seconds from the start of the program to its end; a SystemExit if it fails, or has not learnt."""
    command = [sys.executable, HERE / "programs" / f"{each.program}.py", folder / f"{each.file}.npz"]
    command += [each.model, str(each.epochs), str(each.seeds)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment())
    seconds = time.perf_counter() - start
    if done.returncode or float(done.stdout) < LEAST[each.file]:
        raise SystemExit(f"{each} {'failed' if done.returncode else 'has not learnt'}: {done.stdout}{done.stderr}")
    return seconds


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(HERE.parent)}


# --- show ------------------------------------------------------------------------------------------------------------


def table(result: dict[str, Any]) -> str:
    seconds = result["seconds"]
    rows = ["| 30 epochs on the digits, s | " + " | ".join(counted(n) for n in SEEDS) + " |", "|---|---:|---:|---:|"]
    for name in OF_DIGITS:
        cells = [told(seconds.get(of_digits(name, n).key)) for n in SEEDS]
        rows.append(f"| {PROGRAMS[name]} | {' | '.join(cells)} |")
    rows.append(f"| minisam / the fastest other | {' | '.join(ratio(seconds, n) for n in SEEDS)} |")
    rows += ["", "| SAM on Fashion-MNIST, s | " + " | ".join(heads()) + " |", "|---|" + "---:|" * (2 * len(IMAGES))]
    for name in OF_IMAGES:
        cells = [cell for model in IMAGES for cell in epoch_and_rest(seconds, name, model)]
        rows.append(f"| {PROGRAMS[name]} | {' | '.join(cells)} |")
    return "\n".join([*rows, "", about(result["machine"])])


def counted(seeds: int) -> str:
    return f"{seeds} seed{'s' * (seeds > 1)}"


def told(values: list[float] | None, digits: int = 1) -> str:
    if values is None:
        return "–"
    low, middle, high = (f"{f(values):.{digits}f}" for f in (min, statistics.median, max))
    return f"{middle} ({low} to {high})"


def ratio(seconds: dict[str, list[float]], seeds: int) -> str:
    there = [seconds[key] for name in OF_DIGITS if (key := of_digits(name, seeds).key) in seconds]
    ours, *others = map(statistics.median, there)
    return f"{ours / min(others):.2f}"


def heads() -> list[str]:
    return [head for model in IMAGES for head in (f"{model}, an epoch", f"{model}, the rest")]


def epoch_and_rest(seconds: dict[str, list[float]], name: str, model: str) -> tuple[str, str]:
    """An epoch of all images, and what a program takes besides its epochs: importing, compiling, evaluating."""
    one, three = (seconds[Experiment(name, model, model, epochs).key] for epochs in (1, 3))
    epochs = [(c - a) / 2 for a, c in zip(one, three, strict=True)]
    rest = [a - epoch for a, epoch in zip(one, epochs, strict=True)]
    return told([epoch * ALL_IMAGES / IMAGES[model] for epoch in epochs], 0), told(rest)


def about(machine: dict[str, Any]) -> str:
    cores = f"{machine['threads']} threads on {machine['cores']} cores of {machine['processor']}"
    return (
        f"{cores}, load {machine['load']} at the start; medians, and the range. An epoch of {ALL_IMAGES:,} images is counted up "
        f"from {IMAGES['cnn']:,} (cnn) and {IMAGES['resnet']:,} (resnet)."
    )


if __name__ == "__main__":
    raise SystemExit(main())
