"""`minisam demo`: train SGD and SAM on real digits, and compare them in a table and a picture.

Intervals are over splits of the digits, since the split counts for more than the initial weights or the order of the data.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy

from . import data, plot, sharpness, threads
from .array_backend import asarray, asnumpy, synchronize, xp
from .autodiff import hvp
from .batch import Batch, BatchLoss
from .checks import check_counts, pick
from .losses import cross_entropy
from .models import mlp
from .optim import SGD, Adam, AdamW, Optimizer, cosine
from .sam import SAM
from .stats import mean_and_interval
from .training.loop import train
from .training.run import Run
from .types import Array, Scalar

SIZES = (64, 64, 64, 10)
BATCH = 64
LR = {"sgd": 0.2, "adam": 0.003, "adamw": 0.003}
NAMES = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}


@dataclass(frozen=True)
class Row:
    """One method: its run, whose replica k is trained on split k, and of each measure one number per split."""

    method: str
    run: Run
    accuracy: numpy.ndarray
    worst_case: numpy.ndarray
    lambda_max: numpy.ndarray
    evaluations: int
    seconds: float

    def as_json(self) -> dict[str, object]:
        measures = {"test_accuracy": self.accuracy, "worst_case": self.worst_case, "lambda_max": self.lambda_max}
        return {
            "method": self.method,
            **{name: _told(samples) for name, samples in measures.items()},
            "gradient_evaluations": self.evaluations,
            "seconds": round(self.seconds, 3),
        }


def base_optimizer(base: str, steps: int, l2: float) -> SGD | Adam | AdamW:
    """The optimizer of this name with a cosine schedule. AdamW gets the decoupled weight decay 2λ, the slope of λ‖w‖²."""
    lr = cosine(LR[base], steps)
    if base == "sgd":
        return SGD(lr, momentum=0.9, l2=l2)
    return Adam(lr, l2=l2) if base == "adam" else AdamW(lr, weight_decay=2 * l2)


def run(seeds: int, epochs: int, rho: float, base: str, l2: float, progress: bool) -> list[Row]:
    """Train the same net with the base optimizer, with SAM over it, and with the base for twice the epochs.

    SAM computes two gradients per step. The third method therefore is the fair comparison: it computes as many gradients
    as SAM does. Seed k draws split k of the digits, and the initial weights and the order of the data there.
    """
    check_counts(seeds=seeds, epochs=epochs)
    name = pick("base", base, NAMES)
    splits = [data.digits(k) for k in range(seeds)]
    steps = len(splits[0].x_train) // BATCH
    methods = {name: epochs, f"SAM over {name}": epochs, f"{name}, twice the epochs": 2 * epochs}
    rows = []
    for method, length in methods.items():
        below = base_optimizer(base, length * steps, l2)
        optimizer = SAM(below, rho) if method.startswith("SAM") else below
        start = time.perf_counter()
        bar = threads.bar(enumerate(splits), desc=method, total=seeds, unit="split", disable=not progress)
        runs = [_trained(optimizer, split, length, k) for k, split in bar]
        synchronize()
        seconds = time.perf_counter() - start
        of_splits = [_measured(run, split, rho) for run, split in zip(runs, splits, strict=True)]
        accuracy, worst_case, lambda_max = map(numpy.concatenate, zip(*of_splits, strict=True))
        spent = int(runs[0].history["evaluations"][-1])
        rows.append(Row(method, together(runs), accuracy, worst_case, lambda_max, spent, seconds))
    return rows


def _trained(optimizer: Optimizer, split: data.Data, epochs: int, seed: int) -> Run:
    """The run of one replica."""
    run = train(mlp(SIZES), split, optimizer, epochs, BATCH, [seed], progress=False)
    if run.interrupted:
        raise KeyboardInterrupt
    return run


def together(runs: Sequence[Run]) -> Run:
    """One run with the replicas of these, which have one each."""
    first = runs[0]
    history = {
        key: a if a.ndim == 1 else numpy.concatenate([run.history[key] for run in runs], axis=1)
        for key, a in first.history.items()
    }
    axes = {"seed": [run.axes["seed"][0] for run in runs]}
    return replace(first, w=xp().concatenate([run.w for run in runs]), history=history, axes=axes, state={})


@numpy.errstate(all="ignore")  # if the loss overflows in a large ball, the result is ∞ or NaN, without a warning
def _measured(run: Run, split: data.Data, rho: float) -> tuple[numpy.ndarray, ...]:
    """Accuracy on the test data; the rise within the ball and λ_max on the training data."""
    batch, product = _on_training_data(run, split), hvp(run.model)
    return (
        run.evaluate(split.x_test, split.y_test)["accuracy"],
        asnumpy(sharpness.worst_case(batch, run.w, rho)),
        sharpness.lambda_max(lambda w, v: product(w, v, batch.x, batch.y), run.w, steps=15),
    )


def table(rows: list[Row], rho: float) -> str:
    """The result as text: mean ± half-width of the 95% interval over the splits."""
    lines = [("", "test accuracy", f"sharpness at ρ = {rho:g}", "λ_max", "gradients", "seconds")]
    for row in rows:
        accuracy = _cell(100 * row.accuracy, "{:.2f}") + " %"
        worst_case, lambda_max = _cell(row.worst_case, "{:.4f}"), _cell(row.lambda_max, "{:.2f}")
        lines.append((row.method, accuracy, worst_case, lambda_max, f"{row.evaluations:,}", f"{row.seconds:.1f}"))
    first, *others = [max(map(len, column)) for column in zip(*lines, strict=True)]
    form = "  ".join([f"{{:<{first}}}", *(f"{{:>{width}}}" for width in others)])
    return "\n".join(form.format(*line) for line in lines)


def picture(rows: list[Row], rho: float, path: str | os.PathLike[str]) -> None:
    """Draw training curves of all methods, and the loss around the weights of split 0 for the base optimizer and SAM."""
    figure, axes = plot.new_figure(1, 4, width=16.0)
    plot.draw_curves(axes[:2], {row.method: row.run for row in rows})
    plot.draw_landscapes(
        axes[2:],
        {row.method: _slice(row.run, rho) for row in rows[:2]},
        xlabel="distance toward the worst point of the ball",
        ylabel="distance along a random direction",
        label="training loss [nats]",
    )
    plot.save(figure, path)


@numpy.errstate(all="ignore")
def _slice(trained: Run, rho: float) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The training loss around the weights of split 0, toward the worst point of the ball and in a random direction."""
    batch, w = _on_training_data(trained, data.digits()), trained.w[0]
    worst = sharpness.worst_point(batch, w, rho or 0.1)

    def loss(w: Array) -> Array:
        return cross_entropy(batch.outputs(w), batch.y)

    return sharpness.landscape(loss, w, radius=1.5, points=31, toward=worst)


def _on_training_data(trained: Run, digits: data.Data) -> Batch:
    """The loss of the run's model on all training examples at once."""
    return BatchLoss(trained.model).on(asarray(digits.x_train), asarray(digits.y_train))


def dumps(rows: list[Row], settings: dict[str, object]) -> str:
    """The result as JSON, with null for a number that is not finite."""
    return json.dumps({"settings": settings, "rows": [row.as_json() for row in rows]}, indent=2, allow_nan=False)


def _told(samples: numpy.ndarray) -> dict[str, object]:
    mean, half = mean_and_interval(samples)
    return {"mean": _number(mean), "half_width_95": _number(half), "samples": [_number(s) for s in samples]}


def _number(value: Scalar) -> float | None:
    return float(value) if numpy.isfinite(value) else None


def _cell(samples: numpy.ndarray, form: str) -> str:
    mean, half = mean_and_interval(samples)
    return form.format(mean) + ("" if numpy.isnan(half) else " ± " + form.format(half))
