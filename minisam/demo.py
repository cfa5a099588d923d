"""`minisam demo`: train SGD and SAM on real digits, and compare them in a table and a picture."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass

import numpy

from . import data, plot, sharpness
from .array_backend import asarray, asnumpy, synchronize
from .autodiff import hvp
from .batch import Batch, BatchLoss
from .checks import check_counts, pick
from .losses import cross_entropy
from .models import mlp
from .optim import SGD, Adam, AdamW, cosine
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
    """One method: its run, and of each measure one number per seed."""

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
    as SAM does.
    """
    check_counts(seeds=seeds, epochs=epochs)
    name = pick("base", base, NAMES)
    digits = data.digits()
    model = mlp(SIZES)
    steps = len(digits.x_train) // BATCH
    methods = {name: epochs, f"SAM over {name}": epochs, f"{name}, twice the epochs": 2 * epochs}
    rows = []
    for method, length in methods.items():
        below = base_optimizer(base, length * steps, l2)
        optimizer = SAM(below, rho) if method.startswith("SAM") else below
        start = time.perf_counter()
        trained = train(model, digits, optimizer, length, BATCH, range(seeds), progress=progress)
        synchronize()
        if trained.interrupted:
            raise KeyboardInterrupt
        rows.append(_measure(method, trained, digits, rho, time.perf_counter() - start))
    return rows


@numpy.errstate(all="ignore")  # if the loss overflows in a large ball, the result is ∞ or NaN, without a warning
def _measure(method: str, trained: Run, digits: data.Data, rho: float, seconds: float) -> Row:
    """Accuracy on the test data, sharpness on the training data."""
    batch, product = _on_training_data(trained, digits), hvp(trained.model)
    return Row(
        method,
        trained,
        trained.evaluate(digits.x_test, digits.y_test)["accuracy"],
        asnumpy(sharpness.worst_case(batch, trained.w, rho)),
        sharpness.lambda_max(lambda w, v: product(w, v, batch.x, batch.y), trained.w, steps=15),
        int(trained.history["evaluations"][-1]),
        seconds,
    )


def table(rows: list[Row], rho: float) -> str:
    """The result as text: mean ± half-width of the 95% interval over the seeds."""
    lines = [("", "test accuracy", f"sharpness at ρ = {rho:g}", "λ_max", "gradients", "seconds")]
    for row in rows:
        accuracy = _cell(100 * row.accuracy, "{:.2f}") + " %"
        worst_case, lambda_max = _cell(row.worst_case, "{:.4f}"), _cell(row.lambda_max, "{:.2f}")
        lines.append((row.method, accuracy, worst_case, lambda_max, f"{row.evaluations:,}", f"{row.seconds:.1f}"))
    first, *others = [max(map(len, column)) for column in zip(*lines, strict=True)]
    form = "  ".join([f"{{:<{first}}}", *(f"{{:>{width}}}" for width in others)])
    return "\n".join(form.format(*line) for line in lines)


def picture(rows: list[Row], rho: float, path: str | os.PathLike[str]) -> None:
    """Draw training curves of all methods, and the loss around the first seed's weights for the base optimizer and SAM."""
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
    """The training loss around the first seed's weights, toward the worst point of the ball and in a random direction."""
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
