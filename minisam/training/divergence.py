"""Losses that are not finite: where, whether they end the training, and what is said then.

Truths: tests/test_train.py, tests/test_sweep.py.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy

from ..array_backend import asnumpy
from ..types import Array
from .run import Run


class DivergedError(ArithmeticError):
    """A loss became infinite or not a number. `run` holds the run up to the last good epoch."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run

    def __reduce__(self) -> tuple[type, tuple[str, Run]]:
        return DivergedError, (str(self), self.run)


@dataclass(frozen=True)
class Lost:
    """What an epoch has lost: for each replica the first step whose loss is not finite, and this loss; −1 if all are.

    Attributes
    ----------
    step : int array (...,)
    loss : float array (...,)
    steps : int
        Of the epoch.
    """

    step: numpy.ndarray
    loss: numpy.ndarray
    steps: int

    def __bool__(self) -> bool:
        return bool((self.step >= 0).any())

    def all(self) -> bool:
        return bool((self.step >= 0).all())


def lost_in(losses: numpy.ndarray, w: Array, measured: dict[str, numpy.ndarray]) -> Lost:
    """What an epoch with these losses (steps, ...) has lost.

    The loss after the last step is known only where there is validation data; otherwise we check whether the weights are finite.
    """
    after = measured.get("loss", 0) + asnumpy(numpy.sum(0 * w, axis=-1))
    losses = numpy.concatenate([losses, after[None]])
    bad = ~numpy.isfinite(losses)
    first = numpy.asarray(bad.argmax(axis=0))
    loss = numpy.take_along_axis(losses, first[None], axis=0)[0]
    return Lost(numpy.where(bad.any(axis=0), first, -1), numpy.asarray(loss), len(losses) - 1)


def told(lost: Lost, epoch: int) -> str:
    """The message that names the first step and replica whose loss is not finite."""
    step = lost.step[lost.step >= 0].min()
    replica = tuple(numpy.argwhere(lost.step == step)[0].tolist())
    where = f", replica {', '.join(map(str, replica))}" if replica else ""
    return (
        f"the loss became {lost.loss[replica]} at step {epoch * lost.steps + step} (epoch {epoch + 1}{where}); "
        f"try a smaller lr or rho; .run holds the weights after epoch {epoch}"
    )


def warn_of_lost(w: Array) -> None:
    """Say how many replicas of a sweep diverged."""
    lost = ~numpy.isfinite(asnumpy(numpy.sum(0 * w, axis=-1)))
    if lost.any():
        warnings.warn(f"{lost.sum()} of {lost.size} replicas diverged: their last weights are not finite", stacklevel=3)
