"""The training loop, for one network or a whole grid of them at once."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy

from .. import blas, threads
from ..arguments import path
from ..array_backend import asarray, asnumpy
from ..batch import Batch, BatchLoss
from ..checks import check_counts, check_methods, check_truth, pick, shown
from ..data import Data, batches
from ..models import Model
from ..optim import Optimizer
from ..types import Array, Info, Statistics
from .archive import Path
from .checkpoint import Row, Settings, Stand, going_on
from .evaluate import LossOrName, Measured, evaluate, loss_function, loss_name, parts_of, ready, scores
from .run import Run
from .settings import fingerprint
from .sweep import Axes, check_taken, data_of, optimizer_of, replica_axes, rows_of, seeds_along, shape_of

KEEP = 0.9  # of the running statistics of batch norm, at each step


class DivergedError(ArithmeticError):
    """A loss became infinite or not a number. `run` holds the run up to the last good epoch."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run


def train(
    model: Model,
    data: Data | tuple[Array, Array] | Callable[..., Data],
    optimizer: Optimizer | Callable[..., Optimizer],
    epochs: int,
    batch_size: int = 64,
    seed: int | Sequence[int] = 0,
    *,
    sweep: Mapping[str, Sequence[Any]] | None = None,
    loss: LossOrName = "cross_entropy",
    best: bool = False,
    dtype: str = "float32",
    progress: bool = True,
    checkpoint: Path | None = None,
) -> Run:
    """Train a model on minibatches; with several seeds or a sweep, a grid of models in one run.

        train(model, digits, lambda rho: SAM(SGD(0.1), rho), epochs=20, seed=range(10), sweep={"rho": [0, 0.05, 0.1]})

    Parameters
    ----------
    model : Model
        The network to train.
    data : Data, a pair (x, y), or a function that returns a Data
        x (m, i) in floating point, or tokens (m, t); y (m,) classes, (m, t) tokens or (m, k) targets. If it is a Data, the
        validation part is measured after each epoch. A function of swept names (and "seed") gives each replica labels of
        its own: `lambda noise, seed: symmetric_noise(digits, noise, seed)`. Everything but `y_train` must then be the same
        for all replicas.
    optimizer : SGD, Adam, AdamW, SAM, ..., or a function that returns one
        Any object with their protocol (see `minisam.optim`). A function takes swept names as its arguments.
    epochs, batch_size : int
        ≥ 1. Each epoch shuffles the examples anew, and leaves out those at the end that do not fill a batch.
    seed : int or sequence of int
        ≥ 0. Draws the initial weights, the order of the data, and the random numbers of the optimizer. A sequence trains one
        replica per seed, all in one run; each replica is trained as it would be alone. w and the history then have a
        replica axis, the last one.
    sweep : dict, optional
        Name → values. Each name is a replica axis, before that of the seeds. Every combination is trained, with the same
        seeds.
    loss : str or function
        "cross_entropy", "mse", "generalised_cross_entropy"; or your own (logits, y) -> (...,), such as
        `lambda z, y: cross_entropy(z, y, label_smoothing=0.1)`.
    best : bool
        Early stopping: keep, for each replica, the weights of the epoch with its highest validation accuracy (lowest
        validation loss, if y are no classes), and the first of equal ones. All epochs are run and are in the history.
    dtype : str
        "float32" or "float64".
    progress : bool
        Whether to show a progress bar.
    checkpoint : path, optional
        A file that is written after every epoch. If it exists, the training goes on from it, and ends with the same bits as
        one that was never interrupted. More epochs may be asked for; all other settings must be the same. Of a function of
        your own, such as a loss, the code and what it reads besides its arguments count; of an object, its class's name
        and its attributes. One run at a time writes the file.

    Returns
    -------
    Run
        Ctrl-C ends the training at once and returns the run up to the last whole epoch, marked `interrupted`.

    Raises
    ------
    DivergedError
        If a loss is not finite. It names the step and holds the run up to the last good epoch. In a sweep, some replicas may
        diverge, as long as one does not: their losses are not finite from then on, and a warning counts them.
    TypeError, ValueError
        If an argument is out of range, or the checkpoint is damaged or belongs to another training.
    OSError
        If the checkpoint cannot be written, or another run is writing it (a BlockingIOError). It is raised before the first
        epoch; a disk that fails later leaves the checkpoint of the last epoch that could be written.

    Truths: tests/test_train.py, tests/test_sweep.py, tests/test_checkpoint.py.
    """
    check_counts(epochs=epochs, batch_size=batch_size)
    check_truth("best", best)
    check_truth("progress", progress)
    if checkpoint is not None:
        path("checkpoint", checkpoint)
    axes = replica_axes(sweep, seed)
    check_taken(axes, optimizer=optimizer, data=data)
    rule, loss = optimizer_of(optimizer, axes), loss_name(loss)
    _check_kinds(model, rule, dtype)
    w = numpy.broadcast_to(model.init(seed, dtype), (*shape_of(axes), model.size)).copy()  # in C order, as all later w
    shared, labels = data_of(data, axes)
    (x, y), *validation = [ready(model, w, loss, *part) for part in parts_of(shared)]
    y = y if labels is None else asarray(labels, dtype="int64")
    if best and not validation:
        raise ValueError("best needs data with a validation part, got a pair (x, y)")
    size, own_labels = min(batch_size, len(x)), labels is not None
    training = _Training(model, rule, loss, x, y, own_labels, validation, size, seed, axes, best, dtype)
    with going_on(checkpoint, training.start(w), training.settings(), epochs) as (stand, save):
        done, interrupted = len(stand.rows), False
        try:
            bar = threads.bar(range(done, epochs), total=epochs, initial=done, unit="epoch", disable=not progress)
            with bar, numpy.errstate(all="ignore"), blas.one_thread():
                for _ in bar:
                    stand = training.epoch(stand)
                    save(stand)
                    bar.set_postfix_str(f"loss {numpy.nanmean(stand.rows[-1]['train_loss']):.4f}")
        except KeyboardInterrupt:
            interrupted = True
    _warn_of_lost(stand.w)
    return training.run(stand, interrupted)


@dataclass(frozen=True)
class _Training:
    """What stays the same from the first epoch of a training to the last."""

    model: Model
    optimizer: Optimizer
    loss: LossOrName
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

    def epoch(self, before: Stand) -> Stand:
        """Where the training stands one epoch later; or a DivergedError that holds the run of `before`."""
        w, state, running, infos = before.w, before.state, before.running, []
        epoch = len(before.rows)
        for batch in self.batches(epoch):
            w, state, info = self.optimizer.step(w, state, batch)
            running = self.follow(running, info.get("statistics", {}))
            infos.append({key: value for key, value in info.items() if key != "statistics"})
        _check_shape(before.w, w)
        series = _series(infos)
        measured = evaluate(self.model, w, running, self.loss, *self.validation[0]) if self.validation else {}
        bad = _where_not_finite(series["loss"], w, measured, epoch, may_lose_some=bool(set(self.axes) - {"seed"}))
        if bad:
            raise DivergedError(bad, self.run(before))
        spent = sum(info["evaluations"] for info in infos)
        after = Stand(w, state, running, before.kept, [*before.rows, _row(before.rows, series, spent, measured)])
        return _with_best(after) if self.best else after

    @cached_property
    def losses(self) -> BatchLoss:
        return BatchLoss(self.model, loss_function(self.loss))

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The loss on each minibatch of an epoch."""
        lead, seeds = shape_of(self.axes), seeds_along(self.axes, self.seed)
        for i in asarray(batches(len(self.x), self.batch_size, self.seed, epoch)):
            yield Batch(self.losses, *rows_of(self.x, self.y, i, lead, self.own_labels), i, seeds)

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
        as_given = {name: getattr(self, name) for name in ("optimizer", "batch_size", "seed", "loss", "best", "dtype")}
        return {"model": self.model.spec, "sweep": swept or None, "data": data, "shapes": shapes, **as_given}


def _check_kinds(model: object, optimizer: object, dtype: str) -> None:
    if not isinstance(model, Model):
        raise TypeError(f"model must be a minisam Model such as mlp((64, 32, 10)), got {shown(model)}")
    check_methods("optimizer", optimizer, "init step", "an optimizer such as SGD(lr)")
    pick("dtype", dtype, {"float32": 0, "float64": 0})


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


# --- trouble ---------------------------------------------------------------------------------------------------------


def _check_shape(before: Array, after: Array) -> None:
    """Raise a ValueError if a hyperparameter of the wrong shape has broadcast w to a larger one."""
    if (after.shape, after.dtype) != (before.shape, before.dtype):
        raise ValueError(
            f"optimizer must keep w as it is, {before.shape} {before.dtype}, and made it {after.shape} {after.dtype}; "
            "an array among its settings needs shape (..., 1), with one entry per seed"
        )


def _where_not_finite(
    losses: numpy.ndarray, w: Array, measured: dict[str, numpy.ndarray], epoch: int, may_lose_some: bool
) -> str | None:
    """The message that names the first step and replica whose loss is not finite, if there is one that matters.

    The loss after the last step is known only where there is validation data; otherwise we check whether the weights are finite.
    """
    after = measured.get("loss", 0) + asnumpy(numpy.sum(0 * w, axis=-1))
    losses = numpy.concatenate([losses, after[None]])
    bad = numpy.argwhere(~numpy.isfinite(losses))
    if not len(bad) or (may_lose_some and numpy.isfinite(losses).all(axis=0).any()):
        return None
    step, *replica = bad[0].tolist()
    where = f", replica {', '.join(map(str, replica))}" if replica else ""
    return (
        f"the loss became {losses[tuple(bad[0])]} at step {epoch * (len(losses) - 1) + step} (epoch {epoch + 1}{where}); "
        f"try a smaller lr or rho; .run holds the weights after epoch {epoch}"
    )


def _warn_of_lost(w: Array) -> None:
    """Say how many replicas of a sweep diverged."""
    lost = ~numpy.isfinite(asnumpy(numpy.sum(0 * w, axis=-1)))
    if lost.any():
        warnings.warn(f"{lost.sum()} of {lost.size} replicas diverged: their last weights are not finite", stacklevel=3)
