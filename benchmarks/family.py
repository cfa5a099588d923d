"""SGD and every variant of SAM on two problems, each tuned as hard as SGD: what they reach, how flat, and at what cost.

python benchmarks/family.py            # about ten minutes on two cores: family.json, docs/family.md, figures/family.png
python benchmarks/family.py --fresh    # forgets what family.json holds already
python benchmarks/family.py --render   # only the table and the figure

Each method is trained once for every point of its grid; the point with the best validation accuracy is trained from ten other
seeds, as many epochs as SGD, and again with as many gradients as SAM spends in these. A row is written when it is whole, so a
second call goes on where the first one was stopped.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the matrices are small; the cores go to processes, and to SAMPa

import argparse
import json
import multiprocessing
import signal
import sys
import time
import warnings
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the clone is measured, whatever else is installed

import numpy as np
from machine import processor
from methods import BATCH, PROBLEMS, Grid, Known, Problem, methods
from readme import splice
from scipy.special import stdtrit
from tqdm.auto import tqdm

import minisam
from minisam import BatchLoss, hvp, sharpness, train, value_and_grad
from minisam.files import whole
from minisam.stats import mean_and_interval
from minisam.training import Run

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PLOT = ROOT / "benchmarks" / "family.json", ROOT / "figures" / "family.png"
TUNING, SEEDS = range(100, 103), range(10)  # the seeds of the search, and those of what is shown
RADIUS, MEASURED = 0.1, 600  # of the worst case, and examples of the training set that flatness is measured on
AVERAGES = ("SWA", "EMA")
QUICK = ("SGD", "SAM", "LookSAM, every 5th step", "SAMPa")

Row = dict[str, Any]


# --- one row ---------------------------------------------------------------------------------------------------------


def measure(task: tuple[str, str, dict[str, float], bool]) -> tuple[str, Row]:
    """A method on a problem, with SGD's best step size and λ: its settings, accuracies, flatness and gradients."""
    name, method, of_sgd, quick = task
    problem = shortened(PROBLEMS[name]) if quick else PROBLEMS[name]
    tuning, seeds = (range(100, 101), range(2)) if quick else (TUNING, SEEDS)
    grid = grid_of(problem, method, of_sgd)
    tune, final = partial(trained, problem, method, of_sgd), partial(final_runs, problem, method, of_sgd, seeds)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*replicas diverged")  # of a grid; a combination with one is not chosen
        epochs = problem.epochs
        settings = chosen(problem, method, tune(grid, tuning, epochs))
        run = final(settings, epochs)
        per_epoch = run.history["evaluations"][-1] / epochs
        long = max(1, round(2 * epochs * steps_of(problem) / per_epoch))  # as many gradients as SAM spends in `epochs`
        anew = method == "SGD"  # is tuned anew for it, as all are held against it
        long_settings = chosen(problem, method, tune(grid, tuning, long)) if anew else settings
        long_run = run if long == epochs else final(long_settings, long)
        row = {
            "grid": plain(grid),
            "settings": settings,
            "settings_of_equal_gradients": long_settings,
            "gradients_a_step": per_epoch / steps_of(problem),
            "equal_epochs": accuracy(problem, run),
            "equal_gradients": accuracy(problem, long_run),
            **flatness(problem, run),
        }
        if problem.noisy and method not in AVERAGES:
            row["best_epoch"] = accuracy(problem, final(settings, epochs, best=True))
    return f"{name}: {method}", row


def shortened(problem: Problem) -> Problem:
    """For a look whether all works: one epoch and two settings."""
    return replace(problem, epochs=1, lr=problem.lr[1:3], l2=problem.l2[:1], rho=problem.rho[:2])


def known_of(problem: Problem, of_sgd: dict[str, float], epochs: int) -> Known:
    steps, examples = steps_of(problem), len(data_of(problem, 0).x_train)
    return Known(problem, steps * epochs, steps, examples, of_sgd.get("lr", 0.0), of_sgd.get("l2", 0.0))


@cache
def data_of(problem: Problem, seed: int) -> minisam.data.Data:
    return problem.data(seed) if problem.noisy else problem.data()


def steps_of(problem: Problem) -> int:
    return len(data_of(problem, 0).x_train) // BATCH


def grid_of(problem: Problem, method: str, of_sgd: dict[str, float]) -> Grid:
    return methods(known_of(problem, of_sgd, 1))[method][1]


def trained(
    problem: Problem, method: str, of_sgd: dict[str, float], grid: Grid, seeds: range, epochs: int, best: bool = False
) -> Run:
    """All combinations of the grid in one run."""
    make, _ = methods(known_of(problem, of_sgd, epochs))[method]
    data = problem.data if problem.noisy else problem.data()
    return train(problem.model(), data, make, epochs, BATCH, seeds, sweep=grid, best=best, progress=False)


def chosen(problem: Problem, method: str, run: Run) -> dict[str, float]:
    """The settings with the highest mean validation accuracy at the end; with SWA and EMA, that of the average."""
    if method in AVERAGES:
        data = data_of(problem, 0)
        ended = run.averaged().evaluate(data.x_validation, data.y_validation)["accuracy"]
        run = replace(run, history=run.history | {"validation_accuracy": ended[None]})
    return run.choose()


def final_runs(
    problem: Problem,
    method: str,
    of_sgd: dict[str, float],
    seeds: range,
    settings: dict[str, float],
    epochs: int,
    best: bool = False,
) -> Run:
    """The same settings from all seeds; with SWA and EMA, the average."""
    grid = {name: (value,) for name, value in settings.items()}
    run = trained(problem, method, of_sgd, grid, seeds, epochs, best)
    return run.averaged() if method in AVERAGES else run


def accuracy(problem: Problem, run: Run) -> list[float]:
    """On the test part, a number a seed."""
    test = data_of(problem, 0)
    return [float(a) for a in run.evaluate(test.x_test, test.y_test)["accuracy"].ravel()]


def flatness(problem: Problem, run: Run) -> Row:
    """The worst case in a ball by 20 steps of ascent, and the largest eigenvalue of the Hessian, a number a seed."""
    model, w = run.model, run.w.reshape(-1, run.w.shape[-1])
    sets = [data_of(problem, seed) for seed in run.axes["seed"]]
    x = np.broadcast_to(sets[0].x_train[:MEASURED], (len(w), *sets[0].x_train[:MEASURED].shape))
    y = np.stack([each.y_train[:MEASURED] for each in sets])
    f, h = value_and_grad(model), hvp(model)
    worst = sharpness.worst_case(lambda w: f(w, x, y), w, RADIUS)
    top = sharpness.lambda_max(lambda w, v: h(w, v, x, y), w, steps=15)
    return {"sharpness": [float(a) for a in worst], "lambda_max": [float(a) for a in top]}


# --- time ------------------------------------------------------------------------------------------------------------


def step_times(name: str, rows: dict[str, Row], rounds: int, steps: int) -> dict[str, float]:
    """Time of a step over that of SGD, of ten replicas; all methods take turns, and the median of the rounds counts."""
    problem = PROBLEMS[name]
    of_sgd = rows[f"{name}: SGD"]["settings"]
    model, losses = problem.model(), BatchLoss(problem.model())
    x, y = (part[:BATCH] for part in (data_of(problem, 0).x_train, data_of(problem, 0).y_train))
    loss_and_grad = losses.on(x, y, np.arange(BATCH))
    at = {}
    for method, (make, _) in methods(known_of(problem, of_sgd, problem.epochs)).items():
        if f"{name}: {method}" in rows:
            optimizer, w = make(**rows[f"{name}: {method}"]["settings"]), model.init(SEEDS)
            at[method] = optimizer, w, optimizer.init(w)
    times: dict[str, list[float]] = {method: [] for method in at}
    for turn in tqdm(range(rounds + 1), desc=f"time, {name}", leave=False, disable=None):
        for method, (optimizer, w, state) in at.items():
            start = time.perf_counter()
            for _ in range(steps):
                w, state, _ = optimizer.step(w, state, loss_and_grad)
            if turn:  # the first makes records
                times[method].append(time.perf_counter() - start)
            at[method] = optimizer, w, state
    return {method: float(np.median(np.divide(t, times["SGD"]))) for method, t in times.items()}


# --- all rows --------------------------------------------------------------------------------------------------------


def names(quick: bool) -> list[str]:
    return [method for method in methods(known_of(PROBLEMS["digits"], {}, 1)) if not quick or method in QUICK]


def plain(grid: Grid) -> dict[str, list[float]]:
    """As it stands in the file."""
    return {name: list(values) for name, values in grid.items()}


def missing(results: dict[str, Any], quick: bool) -> list[tuple[str, str]]:
    """The rows that the file lacks, or holds of another problem or grid; of SGD alone, as long as its settings are not known."""

    def there(name: str, method: str) -> bool:
        row = results["rows"].get(f"{name}: {method}")
        problem = shortened(PROBLEMS[name]) if quick else PROBLEMS[name]
        of_sgd = results["rows"].get(f"{name}: SGD", {}).get("settings", {})
        same = row and row["grid"] == plain(grid_of(problem, method, of_sgd))
        return bool(same and results["problems"].get(name) == problem.title)

    lacking = [(name, "SGD") for name in PROBLEMS if not there(name, "SGD")]
    return lacking or [(name, method) for method in names(quick) for name in PROBLEMS if not there(name, method)]


def run_all(path: Path, fresh: bool, quick: bool) -> dict[str, Any]:
    """What the file holds, and what is missing there, row by row."""
    titles = {name: problem.title for name, problem in PROBLEMS.items()}
    results = {"quick": quick, "problems": titles, "machine": machine(), "rows": {}, "time": {}}
    if path.exists() and not fresh:
        results = json.loads(path.read_text(encoding="utf-8"))
        if results["quick"] != quick:
            raise SystemExit(f"family: {path} was made {'with' if results['quick'] else 'without'} --quick")
    rows, context = results["rows"], multiprocessing.get_context("spawn")
    total = len(PROBLEMS) * len(names(quick))
    with context.Pool(2, _be_quiet) as pool, tqdm(total=total, unit="row", disable=None) as bar:
        while tasks := missing(results, quick):
            bar.update(total - len(tasks) - bar.n if tasks[-1][1] != "SGD" else 0)  # what is there already
            results |= {"problems": titles, "machine": machine(), "time": {}}
            of_sgd = {name: rows.get(f"{name}: SGD", {}).get("settings", {}) for name in PROBLEMS}
            for key, row in pool.imap_unordered(measure, [(name, m, of_sgd[name], quick) for name, m in tasks]):
                rows[key] = row
                write(path, results)
                bar.update()
                bar.set_postfix_str(key)
    for name in PROBLEMS:
        if set(results["time"].get(name, {})) != set(names(quick)):
            results["time"][name] = step_times(name, rows, *((1, 1) if quick else (7, 10)))
            write(path, results)
    return results


def _be_quiet() -> None:
    """Ctrl-C reaches the parent, which ends its workers: a training that is cut off makes no row."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def write(path: Path, results: dict[str, Any]) -> None:
    with whole(path) as unfinished:
        unfinished.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    return {"processor": processor(), "cores": os.cpu_count(), "numpy": np.__version__, "minisam": minisam.__version__}


# --- what is shown ---------------------------------------------------------------------------------------------------


def table(results: dict[str, Any]) -> str:
    """A Markdown table: a row a method, the columns of both problems side by side."""
    rows, times = results["rows"], results["time"]
    columns = ["∇ a step", "time a step"]
    for name in PROBLEMS:
        columns += [f"{SHORT[name]}: %", "equal ∇"] + (["best epoch"] if PROBLEMS[name].noisy else [])
        columns += ["sharpness", "λ_max"]
    lines = [f"| method | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    order = whole_rows(results)
    for method in order:
        spent = dict.fromkeys(f"{rows[f'{name}: {method}']['gradients_a_step']:.2f}" for name in PROBLEMS)
        taken = [f"{times[name][method]:.2f}" if method in times.get(name, {}) else "–" for name in PROBLEMS]
        cells = [" / ".join(spent), " / ".join(taken)]
        for name in PROBLEMS:
            row, of_sgd = rows[f"{name}: {method}"], rows[f"{name}: SGD"]
            cells.append(percent(row["equal_epochs"]))
            sure = apart(row["equal_gradients"], of_sgd["equal_gradients"], len(order) - 1)
            cells.append(f"**{percent(row['equal_gradients'])}**" if sure else percent(row["equal_gradients"]))
            if PROBLEMS[name].noisy:
                cells.append(percent(row["best_epoch"]) if "best_epoch" in row else "–")
            cells += [f"{np.mean(row['sharpness']):.3f}", f"{np.mean(row['lambda_max']):.1f}"]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", note(results, len(order))])


def whole_rows(results: dict[str, Any]) -> list[str]:
    """The methods that have been measured on both problems."""
    return [m for m in names(results["quick"]) if all(f"{name}: {m}" in results["rows"] for name in PROBLEMS)]


SHORT = {"mnist1d": "MNIST-1D", "digits": "noisy digits"}


def note(results: dict[str, Any], count: int) -> str:
    machine, seeds = results["machine"], len(results["rows"]["digits: SGD"]["equal_epochs"])
    titles = "; ".join(problem.title for problem in PROBLEMS.values())
    sentences = [
        titles,
        f"Test accuracy after the last epoch, mean ± 95% interval over {seeds} seeds",
        "*Equal ∇*: with as many gradients as SAM spends (SGD: twice the epochs, tuned anew); bold where that differs from SGD, "
        f"seed by seed, at a level of 5% that all {2 * (count - 1)} comparisons share",
        "*Best epoch*: the one that validation data choose",
        f"*Sharpness*: max L(w + ε) − L(w) for ‖ε‖ ≤ {RADIUS} after equal epochs, by 20 steps of ascent",
        "*Time a step*: over that of SGD, of ten replicas, on both problems",
        f"Each method chose one of 12 settings by {12 * len(TUNING)} trainings, on validation data with true labels: SGD of 4 "
        "step sizes and 3 λ; the others of 3 ρ (or what they have in its place), and SGD's best step size and λ, each also "
        "halved; what else they have is as in the article",
        f"{machine['cores']} cores of {machine['processor']}, numpy {machine['numpy']}",
    ]
    return ". ".join(sentences) + "."


def percent(samples: list[float]) -> str:
    mean, half = mean_and_interval(samples)
    return f"{100 * mean:.1f} ± {100 * half:.1f}"


def apart(one: list[float], other: list[float], comparisons: int) -> bool:
    """Whether the means differ, seed by seed, at a level of 5% shared by comparisons on two problems (Bonferroni)."""
    gap = np.subtract(one, other)
    n = len(gap)
    if n < 2 or not comparisons:
        return False
    limit = stdtrit(n - 1, 1 - 0.025 / (2 * comparisons)) * gap.std(ddof=1) / np.sqrt(n)
    return bool(abs(gap.mean()) > limit)


WIDE = 15  # points below SGD that are still shown


def plot(results: dict[str, Any], path: Path) -> None:
    """Accuracy with equal gradients, method by method, beside SGD's."""
    from minisam.plot import COLOURS, new_figure, save

    order = whole_rows(results)[::-1]
    figure, axes = new_figure(1, len(PROBLEMS), width=11)
    figure.set_figheight(0.24 * len(order) + 1.2)
    for ax, name in zip(axes, PROBLEMS, strict=True):
        rows = [results["rows"][f"{name}: {method}"] for method in order]
        for key, marker, colour, label in (
            ("equal_epochs", "o", COLOURS[0], "equal epochs"),
            ("equal_gradients", "D", COLOURS[1], "equal gradients"),
        ):
            mean, half = mean_and_interval(np.array([row[key] for row in rows]), axis=1)
            place = np.arange(len(order)) + (0.15 if key == "equal_epochs" else -0.15)
            ax.errorbar(100 * mean, place, xerr=100 * half, fmt=marker, color=colour, ms=4, lw=1, label=label)
        sgd = 100 * np.mean(results["rows"][f"{name}: SGD"]["equal_gradients"])
        ax.axvline(sgd, color="0.6", lw=1, ls="--", zorder=0)
        left = max(ax.get_xlim()[0], sgd - WIDE)
        for place, row in enumerate(rows):
            if 100 * np.mean(row["equal_gradients"]) < left:  # one bad method would press all others together
                ax.text(left, place, f" ← {100 * np.mean(row['equal_gradients']):.0f} %", color=COLOURS[1], va="center")
        ax.set_xlim(left=left)
        ax.set(title=SHORT[name], xlabel="test accuracy [%]", ylim=(-0.7, len(order) - 0.3))
        ax.set_yticks(range(len(order)), order if ax is axes[0] else [])
        ax.grid(axis="y", color="0.93")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    save(figure, path)


def main() -> int:
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--fresh", action="store_true", help="forget what the result file holds")
    top.add_argument("--render", action="store_true", help="only the table and the figure")
    top.add_argument("--quick", action="store_true", help="a few methods, one epoch; with a result file of its own")
    top.add_argument("--results", type=Path, default=RESULTS, help="the result file")
    options = top.parse_args()
    if options.quick and options.results == RESULTS:
        top.error("--quick needs --results, another file than the committed one")
    if options.render:
        results = json.loads(options.results.read_text(encoding="utf-8"))
    else:
        try:
            results = run_all(options.results, options.fresh, options.quick)
        except KeyboardInterrupt:
            print(
                f"\nfamily: stopped; {options.results} holds the rows so far, and a second call goes on",
                file=sys.stderr,
            )
            return 130
    print(table(results))
    if options.results == RESULTS:
        splice("family table", table(results))
        plot(results, PLOT)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
