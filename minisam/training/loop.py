"""The training loop, for one network or a whole grid of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

from .. import blas, threads
from ..arguments import path
from ..array_backend import asarray
from ..checks import check_counts, check_methods, check_truth, pick, shown
from ..data import Data
from ..executors import Executor
from ..executors import executor as an_executor
from ..models import Model
from ..optim import Optimizer
from ..types import Array
from .archive import Path
from .augment import AUGMENT, Augment
from .checkpoint import going_on
from .divergence import DivergedError, told, warn_of_lost
from .epoch import Training, initial
from .evaluate import LossOrName, loss_name, parts_of, ready
from .run import Run
from .shards import in_blocks
from .sweep import check_taken, data_of, optimizer_of, replica_axes


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
    augment: Augment | None = None,
    best: bool = False,
    dtype: str = "float32",
    progress: bool = True,
    checkpoint: Path | None = None,
    executor: Executor | None = None,
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
    augment : function, optional
        (x, draw) -> x: other rows in place of those of each batch, as `data.crops_and_flips(data.shape)` makes them; see
        `data.augmentation`. Each seed draws its own, at each step. Validation data stay as they are.
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
    executor : executor, optional
        Trains the replicas in blocks, one per worker, such as `concurrent.futures.ProcessPoolExecutor()`; see
        `minisam.executors`. The bits are those of one process on one thread of BLAS. It takes no checkpoint.

    Returns
    -------
    Run
        Ctrl-C ends the training at once and returns the run up to the last whole epoch, marked `interrupted`. With an
        executor it raises KeyboardInterrupt, since each block stands somewhere else.

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
    BrokenExecutor
        If a worker of the executor is lost.

    Truths: tests/test_train.py, tests/test_sweep.py, tests/test_checkpoint.py, tests/test_shards.py.
    """
    check_counts(epochs=epochs, batch_size=batch_size)
    AUGMENT("augment", augment)
    check_truth("best", best)
    check_truth("progress", progress)
    if checkpoint is not None:
        path("checkpoint", checkpoint)
    if an_executor("executor", executor) is not None and checkpoint is not None:
        raise ValueError("checkpoint must be None with an executor, which trains blocks apart, got a file")
    axes = replica_axes(sweep, seed)
    check_taken(axes, optimizer=optimizer, data=data)
    rule, loss = optimizer_of(optimizer, axes), loss_name(loss)
    _check_kinds(model, rule, dtype)
    w = initial(model, seed, axes, dtype)
    shared, labels = data_of(data, axes)
    (x, y), *validation = [ready(model, w, loss, *part) for part in parts_of(shared)]
    y = y if labels is None else asarray(labels, dtype="int64")
    if best and not validation:
        raise ValueError("best needs data with a validation part, got a pair (x, y)")
    size, own_labels = min(batch_size, len(x)), labels is not None
    training = Training(model, rule, loss, augment, x, y, own_labels, validation, size, seed, axes, best, dtype)
    if executor is not None:
        run = training.run(in_blocks(training, optimizer, epochs, executor, progress))
    else:
        run = _here(training, w, epochs, checkpoint, progress)
    warn_of_lost(run.w)
    return run


def _here(training: Training, w: Array, epochs: int, checkpoint: Path | None, progress: bool) -> Run:
    """The run of a training in this process."""
    with going_on(checkpoint, training.start(w), training.settings(), epochs) as (stand, save):
        done, interrupted = len(stand.rows), False
        try:
            bar = threads.bar(range(done, epochs), total=epochs, initial=done, unit="epoch", disable=not progress)
            with bar, numpy.errstate(all="ignore"), blas.one_thread():
                for epoch in bar:
                    after, lost = training.epoch(stand)
                    if training.ends_with(lost):
                        raise DivergedError(told(lost, epoch), training.run(stand))
                    stand = after
                    save(stand)
                    bar.set_postfix_str(f"loss {numpy.nanmean(stand.rows[-1]['train_loss']):.4f}")
        except KeyboardInterrupt:
            interrupted = True
    return training.run(stand, interrupted)


def _check_kinds(model: object, optimizer: object, dtype: str) -> None:
    if not isinstance(model, Model):
        raise TypeError(f"model must be a minisam Model such as mlp((64, 32, 10)), got {shown(model)}")
    check_methods("optimizer", optimizer, "init step", "an optimizer such as SGD(lr)")
    pick("dtype", dtype, {"float32": 0, "float64": 0})
