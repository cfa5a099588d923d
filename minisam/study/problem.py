"""What a study is about: a network and its training, and how a unit of evidence is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from ..arguments import instance
from ..data import Data
from ..hyperparameters import Declared, count, declared
from ..kinds import function
from ..models import Model
from ..training.augment import AUGMENT, Augment
from ..training.evaluate import LossOrName, loss_name
from ..training.run import Run
from ..training.settings import text


def accuracy(run: Run, data: Data) -> float:
    """The run's accuracy on the test part; minus its loss there, if y are no classes."""
    measured = run.evaluate(data.x_test, data.y_test)
    return float(measured.get("accuracy", -measured["loss"]))


@dataclass(frozen=True)
class Problem(Declared):
    """What every method of a study is tried on.

        Problem(mlp((64, 32, 10)), lambda k: data.digits(seed=k), epochs=20)

    Parameters
    ----------
    model : Model
        The network.
    unit : function k -> Data
        Draws unit k = 0, 1, 2, …: a split, a data set, noisy labels, … The same k must give the same data, and another k
        others. Units are what intervals are over. Splits of one data set share examples: what holds for them holds for
        other splits of this data set, and not yet for other data.
    epochs : int
        Passes over the training part, ≥ 1.
    batch_size : int
        ≥ 1.
    seeds : int
        Trainings for each unit, ≥ 1; their scores are averaged. Unit k has the seeds k · seeds + 0, 1, …, the same for all
        methods, so that a pair starts from the same weights and sees the same order.
    loss : str or function
        As in `train`.
    augment : function, optional
        As in `train`.
    score : function (run, data) -> float
        How good one trained network is on the *test* part of `data`; higher is better. While settings are chosen, it is
        given the validation part in place of the test part. By default, the accuracy (minus the loss, if y are no classes).
    """

    model: Model = declared(instance(Model, "a minisam Model such as mlp((64, 32, 10))"))
    unit: Callable[[int], Data] = declared(function(1, "k -> Data"))
    epochs: int = count()
    batch_size: int = count(64)
    seeds: int = count(1)
    loss: LossOrName = declared(lambda name, value: loss_name(value), "cross_entropy")
    augment: Augment | None = declared(AUGMENT, None)
    score: Callable[[Run, Data], float] = declared(function(2, "(run, data) -> float"), accuracy)

    def settings(self) -> dict[str, str]:
        """Name → JSON text of all that must stay the same for a study to go on."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: text(name, value) for name, value in (values | {"model": self.model.spec}).items()}

    def seeds_of(self, k: int) -> range:
        """The seeds of unit k."""
        return range(k * self.seeds, (k + 1) * self.seeds)
