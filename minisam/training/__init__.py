"""Training: the loop, sweeps over replicas, checkpoints, and the run that it leaves behind."""

from .loop import DivergedError, train
from .run import Run

__all__ = ["DivergedError", "Run", "train"]
