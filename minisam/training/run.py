"""What a training leaves behind: weights, history, and the labels of its replicas."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy

from ..arguments import checked, file, path
from ..array_backend import asarray
from ..checks import is_real, pick, shown
from ..models import MODELS, Model
from ..types import SHARED, Array, Shape, State, Statistics
from .archive import Path, entries, read, refusing, write
from .evaluate import LossOrName, Measured, evaluate, ready, scores
from .sweep import Axes, Labels, shape_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Run:
    """What a training left behind.

    Attributes
    ----------
    model : Model
    w : float array (..., n)
        The weights after the last epoch in the history (the initial ones, if it is empty), on the backend in use.
    history : dict of NumPy arrays
        One row per epoch, (epochs, ...): the means over the epoch's minibatches of "train_loss", "grad_norm" and, for SAM,
        "eps_norm"; and what `evaluate` gives after the epoch, as "validation_loss" and so on, if there is validation data.
        Two have the shape (epochs,): "epoch", counted from 1, and "evaluations", the gradients spent since the first epoch.
    loss : str or function
        As in `train`.
    interrupted : bool
        Whether Ctrl-C ended the training early.
    axes : dict
        Name → values of each replica axis of w: the swept hyperparameters, then "seed". Empty for a single run.
    running : dict of arrays
        The running statistics of batch norm, where the model has it.
    state : dict
        The optimizer's state after the last epoch. It is not saved with the run.
    """

    model: Model
    w: Array
    history: Measured
    loss: LossOrName = "cross_entropy"
    interrupted: bool = False
    axes: Axes = field(default_factory=dict)
    running: Statistics = field(default_factory=dict)
    state: State = field(default_factory=dict, repr=False)

    def evaluate(self, x: Array, y: Array) -> Measured:
        """The "loss" on x (m, i) and y (m,) or (m, k); "accuracy" and "balanced_accuracy" if y are classes: NumPy arrays (...,).

        Raises a TypeError or a ValueError if the data do not fit the model.
        """
        return evaluate(self.model, self.w, self.running, self.loss, *ready(self.model, self.w, self.loss, x, y))

    def select(self, **labels: Any) -> Run:
        """The run of the replicas with these values: `run.select(rho=0.05)` has every axis but "rho".

        Raises a ValueError that lists the axes, or the values of the axis, if there is no such one.
        """
        run = self
        for name, value in labels.items():
            k = _where(pick("an axis of the run", name, run.axes), name, value)
            chosen = partial(_take, lead=shape_of(run.axes), axis=list(run.axes).index(name), k=k)
            run = replace(
                run,
                w=chosen(run.w),
                history={key: chosen(a, first=1) for key, a in run.history.items()},
                axes={key: values for key, values in run.axes.items() if key != name},
                running={key: chosen(a) for key, a in run.running.items()},
                state={key: a if key.startswith(SHARED) else chosen(a) for key, a in run.state.items()},
            )
        return run

    def averaged(self) -> Run:
        """The run of a training with `SWA` or `EMA`, with their average in place of its weights.

        The running statistics of batch norm are still those of the weights.
        """
        if "averaged" not in self.state:
            there = ", ".join(self.state) or "nothing, as in a run that was loaded"
            raise ValueError(f"the run must be of a training with SWA or EMA; its optimizer's state holds {there}")
        return replace(self, w=self.state["averaged"])

    def configurations(self) -> Iterator[tuple[Labels, Run]]:
        """Each combination of the swept values, with the run of its replicas, one per seed."""
        swept = {name: values for name, values in self.axes.items() if name != "seed"}
        for values in itertools.product(*swept.values()):
            labels = dict(zip(swept, values, strict=True))
            yield labels, self.select(**labels)

    def choose(self) -> Labels:
        """The swept values with the highest validation accuracy after the last epoch, the mean over the seeds.

        If y are no classes, the lowest validation loss counts. Of equal values the first are chosen. A combination with a
        replica that has diverged is not chosen.
        """
        if "validation_loss" not in self.history or not set(self.axes) - {"seed"}:
            raise ValueError(f"choose needs a sweep on data with a validation part; the axes are {list(self.axes)}")
        best = numpy.argmax([scores(run.history)[-1].mean() for _, run in self.configurations()])
        return next(itertools.islice(self.configurations(), int(best), None))[0]

    def plot(self, against: str | None = None) -> Figure:
        """The training curves as a matplotlib figure; with `against="rho"`, the last epoch against a swept hyperparameter."""
        from .. import plot

        if against is not None:
            return plot.against(self, against)
        return plot.curves({plot.told(labels) or "run": run for labels, run in self.configurations()})

    def to_pandas(self) -> Any:
        """The history as a pandas DataFrame: one row per epoch and replica, with the labels of the replica as columns."""
        try:
            import pandas
        except ImportError as error:
            raise ImportError("to_pandas needs the package pandas; pip install pandas") from error
        shape = (len(self.history.get("epoch", ())), *shape_of(self.axes))
        labels = list(zip(*itertools.product(range(shape[0]), *self.axes.values()), strict=True))[1:]
        columns: dict[str, Array] = dict(zip(self.axes, labels, strict=False))  # none, if there were no epochs
        for key, a in self.history.items():
            columns[key] = numpy.broadcast_to(a.reshape(*a.shape, *[1] * (len(shape) - a.ndim)), shape).ravel()
        return pandas.DataFrame(columns)

    @checked(path=file)
    def save(self, path: Path) -> None:
        """Write the run to one .npz file, whole or not at all. A loss of your own is not in the file."""
        loss = self.loss if isinstance(self.loss, str) else "a loss of your own"
        meta = {"spec": self.model.spec, "loss": loss, "interrupted": self.interrupted, "axes": self.axes}
        write(path, entries("run", self.w, {"history": self.history, "running": self.running}, meta))

    @staticmethod
    @checked(path=path)
    def load(path: Path) -> Run:
        """Read a run that `save` wrote. The optimizer's state is not in the file."""
        w, groups, meta = read(path, "run")
        with refusing(path, "run"):
            axes = {str(name): list(values) for name, values in meta.get("axes", {}).items()}
            spec = dict(meta["spec"])
        make = pick(f"the model of the run {os.fspath(path)}", spec.pop("model", "a model of your own"), MODELS)
        with refusing(path, "run"):
            if max(spec.get("depth", 0), spec.get("blocks", 0)) > w.shape[-1]:
                raise ValueError("it has more layers than weights")  # a hostile file, whose model would fill the memory
            model = make(**spec)
            if w.shape != (*shape_of(axes), model.size):
                raise ValueError(f"its w is {w.shape}, and not {(*shape_of(axes), model.size)}")
            running = {key: asarray(a) for key, a in groups["running"].items()}
            return Run(model, asarray(w), groups["history"], meta["loss"], meta["interrupted"], axes, running)


def _where(values: list[Any], name: str, value: Any) -> int:
    for k, v in enumerate(values):
        if (is_real(value) and is_real(v) and math.isclose(v, value)) or (isinstance(v, (str, bool)) and v == value):
            return k
    raise ValueError(f"{name} must be one of {', '.join(map(str, values))}, got {shown(value)}")


def _take(a: Any, lead: Shape, axis: int, k: int, first: int = 0) -> Any:
    """A copy of entry k along a replica axis of an array whose axes from `first` on are `lead` and more; or `a` as it is."""
    is_per_replica = getattr(a, "shape", ())[first : first + len(lead)] == lead
    return a[(slice(None),) * (first + axis) + (k,)].copy() if is_per_replica else a
