"""A training from one epoch to the next: the steps on its batches, what the history tells of them, and what is lost.

Truths: tests/test_train.py, tests/test_sweep.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy

from ..array_backend import asarray, asnumpy
from ..batch import Batch, BatchLoss
from ..data import batches
from ..models import Model
from ..optim import Optimizer
from ..types import Array, Info, Statistics
from .augment import Augment, augmented
from .checkpoint import Row, Settings, Stand
from .divergence import Lost, lost_in
from .evaluate import LossOrName, Measured, evaluate, loss_function, scores
from .run import Run
from .settings import fingerprint
from .sweep import Axes, rows_of, seeds_along, shape_of

KEEP = 0.9  # of the running statistics of batch norm, at each step


@dataclass(frozen=True)
class Training:
    """What stays the same from the first epoch of a training to the last."""

    model: Model
    optimizer: Optimizer
    loss: LossOrName
    augment: Augment | None
    x: Array
    y: Array  # (m, ...); or (..., m), if each replica has labels of its own
    own_labels: bool
    validation: list[tuple[Array, Array]]  # one pair (x, y), or none
    batch_size: int
    seed: int | Sequence[int]
    axes: Axes
    best: bool
    dtype: str

    def start(self, w: Array) -> Stand:
        """Where the training stands before its first epoch, at the initial weights w."""
        running = self.model.init_running(w)
        return Stand(w, self.optimizer.init(w), running, {"w": w, **running} if self.best else {}, [])

    def epoch(self, before: Stand) -> tuple[Stand, Lost]:
        """Where the training stands one epoch later, and what it has lost in it."""
        w, state, running, infos = before.w, before.state, before.running, []
        for batch in self.batches(len(before.rows)):
            w, state, info = self.optimizer.step(w, state, batch)
            running = self.follow(running, info.get("statistics", {}))
            infos.append({key: value for key, value in info.items() if key != "statistics"})
        _check_shape(before.w, w)
        series = _series(infos)
        measured = evaluate(self.model, w, running, self.loss, *self.validation[0]) if self.validation else {}
        spent = sum(info["evaluations"] for info in infos)
        after = Stand(w, state, running, before.kept, [*before.rows, _row(before.rows, series, spent, measured)])
        return _with_best(after) if self.best else after, lost_in(series["loss"], w, measured)

    @property
    def is_sweep(self) -> bool:
        return bool(set(self.axes) - {"seed"})

    def ends_with(self, lost: Lost) -> bool:
        """Whether this is too much to lose: in a sweep all replicas, else any."""
        return lost.all() if self.is_sweep else bool(lost)

    @cached_property
    def losses(self) -> BatchLoss:
        return BatchLoss(self.model, loss_function(self.loss))

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The loss on each minibatch of an epoch."""
        lead, seeds = shape_of(self.axes), seeds_along(self.axes, self.seed)
        order = asarray(batches(len(self.x), self.batch_size, self.seed, epoch))
        for t, i in enumerate(order, epoch * len(order)):
            x = augmented(self.augment, self.x[i], self.seed, t)
            yield Batch(self.losses, *rows_of(x, self.y, i, lead, self.own_labels), i, seeds)

    def follow(self, running: Statistics, seen: Statistics) -> Statistics:
        """The running statistics of batch norm after a step that reports what it saw of its batch."""
        if running.keys() - seen.keys():
            name = type(self.optimizer).__name__
            raise TypeError(
                f"optimizer {name} must report the statistics of batch norm, because the model has it: its step must "
                f'return them as info["statistics"], a dict of {", ".join(running)}, as minisam.types.statistics_of'
                " takes them from what loss_and_grad(w) returns"
            )
        return {key: KEEP * a + (1 - KEEP) * seen[key] for key, a in running.items()}

    def run(self, stand: Stand, interrupted: bool = False) -> Run:
        """What the training leaves behind if it ends here."""
        kept = dict(stand.kept) if self.best else {"w": stand.w, **stand.running}
        w = kept.pop("w")
        return Run(self.model, w, stand.history, self.loss, interrupted, self.axes, kept, stand.state)

    def settings(self) -> Settings:
        """What must be the same for a training to go on from a checkpoint."""
        swept = {name: values for name, values in self.axes.items() if name != "seed"}
        arrays = [self.x, self.y, *itertools.chain(*self.validation)]
        data, shapes = fingerprint(arrays), [a.shape for a in arrays]
        names = ("optimizer", "batch_size", "seed", "loss", "augment", "best", "dtype")
        as_given = {name: getattr(self, name) for name in names}
        return {"model": self.model.spec, "sweep": swept or None, "data": data, "shapes": shapes, **as_given}


def initial(model: Model, seed: int | Sequence[int], axes: Axes, dtype: str) -> Array:
    """The initial weights of all replicas, in C order, as all later ones are."""
    return numpy.broadcast_to(model.init(seed, dtype), (*shape_of(axes), model.size)).copy()


# --- an epoch's row of the history -----------------------------------------------------------------------------------


def _series(infos: list[Info]) -> Measured:
    """What the steps of an epoch reported, each entry (steps, ...): read back from the device once an epoch."""
    return {key: asnumpy(numpy.stack([info[key] for info in infos])) for key in infos[0] if key != "evaluations"}


def _row(rows: list[Row], series: Measured, evaluations: int, measured: Measured) -> Row:
    """An epoch's means and measurements, and the gradients spent since the first epoch."""
    spent = rows[-1]["evaluations"] if rows else 0
    return {
        "epoch": len(rows) + 1,
        "evaluations": spent + evaluations,
        **{"train_loss" if key == "loss" else key: _mean(values) for key, values in series.items()},
        **{f"validation_{key}": value for key, value in measured.items()},
    }


def _mean(values: Array) -> Array:
    """Over the steps, (steps, ...) -> (...,): added one after the other, so that a replica has the bits that it has alone."""
    return (numpy.cumsum(values, axis=0, dtype="float64")[-1] / len(values)).astype(values.dtype)


def _with_best(stand: Stand) -> Stand:
    """The stand, which now keeps the last epoch of the replicas whose best epoch so far it is."""
    of_all = scores(stand.history)
    better = asarray(of_all[-1] > of_all[:-1].max(axis=0, initial=-numpy.inf))
    kept = {
        key: numpy.where(better[(..., *[None] * (a.ndim - better.ndim))], a, stand.kept[key])
        for key, a in {"w": stand.w, **stand.running}.items()
    }
    return replace(stand, kept=kept)


def _check_shape(before: Array, after: Array) -> None:
    """Raise a ValueError if a hyperparameter of the wrong shape has broadcast w to a larger one."""
    if (after.shape, after.dtype) != (before.shape, before.dtype):
        raise ValueError(
            f"optimizer must keep w as it is, {before.shape} {before.dtype}, and made it {after.shape} {after.dtype}; "
            "an array among its settings needs shape (..., 1), with one entry per seed"
        )
