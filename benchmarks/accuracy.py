"""How well the models learn: five seeds of each with SAM.

python benchmarks/accuracy.py           # about five minutes: accuracy.json, and from it the table in docs/speed.md
python benchmarks/accuracy.py --render  # only the table
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the clone is measured, whatever else is installed

from machine import processor
from readme import splice
from tqdm.auto import tqdm

import minisam
from minisam import SAM, SGD, AdamW
from minisam.files import whole
from minisam.optim import cosine
from minisam.stats import mean_and_interval

RESULTS = Path(__file__).resolve().with_name("accuracy.json")
SEEDS = range(5)


def digits_mlp(seed: int) -> minisam.Run:
    return trained(minisam.mlp((64, 256, 256, 10)), minisam.data.digits(), seed, 40, 64, sgd(0.1))


def digits_cnn(seed: int) -> minisam.Run:
    return trained(minisam.cnn((16, 32)), minisam.data.digits(), seed, 40, 64, sgd(0.05))


def mnist1d_cnn(seed: int) -> minisam.Run:
    model = minisam.cnn((25, 25, 25), shape=(1, 40), kernel=5, stride=2, pool=1)
    return trained(model, minisam.data.mnist1d(), seed, 60, 100, sgd(0.05))


def digits_vit(seed: int) -> minisam.Run:
    return trained(minisam.vit(), minisam.data.digits(), seed, 80, 64, adamw(2e-3))


def text_gpt(seed: int) -> minisam.Run:
    data = minisam.data.text()
    return trained(minisam.gpt(len(data.vocabulary)), data, seed, 2, 16, adamw(3e-3))


Rule = Callable[[int], Any]  # number of steps -> optimizer


def sgd(lr: float) -> Rule:
    return lambda steps: SAM(SGD(cosine(lr, steps), momentum=0.9), rho=0.1, l2=1e-3)


def adamw(lr: float) -> Rule:
    return lambda steps: SAM(AdamW(cosine(lr, steps), weight_decay=0.05), rho=0.05)


def trained(model: minisam.Model, data: Any, seed: int, epochs: int, batch_size: int, rule: Rule) -> minisam.Run:
    steps = len(data.x_train) // batch_size * epochs
    return minisam.train(model, data, rule(steps), epochs, batch_size, seed, progress=False)


# what is measured: how it is trained, on what it is tested, the measure, its goal
CASES = {
    "mlp 64-256-256-10, digits": (digits_mlp, minisam.data.digits, "accuracy", 0.97),
    "cnn, 16 and 32 channels, digits": (digits_cnn, minisam.data.digits, "accuracy", 0.98),
    "cnn, 3 × 25 channels, MNIST-1D": (mnist1d_cnn, minisam.data.mnist1d, "accuracy", 0.92),
    "vit, 16 patches, 2 blocks, digits": (digits_vit, minisam.data.digits, "accuracy", 0.95),
    "gpt, context 64, 2 blocks, Python's help": (text_gpt, minisam.data.text, "loss", 2.2),
}


def measure() -> dict[str, Any]:
    """Of each case: the measure and the seconds of training, a number a seed."""
    rows = {}
    for name, (train, data, key, goal) in CASES.items():
        test, found, seconds = data(), [], []
        for seed in tqdm(SEEDS, desc=name, leave=False, disable=None):
            start = time.perf_counter()
            run = train(seed)
            seconds.append(time.perf_counter() - start)
            found.append(float(run.evaluate(test.x_test, test.y_test)[key]))
        rows[name] = {"measure": key, "goal": goal, "test": found, "seconds": seconds}
    return rows


def table(rows: dict[str, Any]) -> str:
    """A Markdown table; a goal that is missed stands in bold."""
    lines = ["| model and data | test, mean ± 95% interval | goal | seconds a seed |", "|---|---:|---:|---:|"]
    for name, row in rows.items():
        mean, half = mean_and_interval(row["test"])
        percent = row["measure"] == "accuracy"
        shown = f"{100 * mean:.2f} ± {100 * half:.2f} %" if percent else f"{mean:.3f} ± {half:.3f} nats a character"
        goal = f"≥ {100 * row['goal']:.0f} %" if percent else f"≤ {row['goal']}"
        met = mean >= row["goal"] if percent else mean <= row["goal"]
        longest = max(row["seconds"])
        lines.append(f"| {name} | {shown if met else f'**{shown}**'} | {goal} | {longest:.0f} |")
    return "\n".join(lines)


def main() -> None:
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--render", action="store_true", help="only write the table, from accuracy.json")
    if not top.parse_args().render:
        results = {"processor": processor(), "rows": measure()}
        with whole(RESULTS) as path:
            path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    shown = table(json.loads(RESULTS.read_text(encoding="utf-8"))["rows"])
    splice("accuracy table", shown)
    print(shown)


if __name__ == "__main__":
    main()
