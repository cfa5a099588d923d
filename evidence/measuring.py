"""What the claims share that measure settings as they stand, and choose none."""

from collections.abc import Sequence

import numpy as np

from minisam import study
from minisam.array_backend import asnumpy


def walk(rule, w, loss_and_grad, steps):
    """Where an optimizer is after so many steps, and how many gradients it has spent."""
    state, spent = rule.init(w), 0
    for _ in range(steps):
        w, state, info = rule.step(w, state, loss_and_grad)
        spent += info["evaluations"]
    return asnumpy(w), spent


def reached(settings, epochs, gradients, scores: Sequence[float]):
    """A method's outcome with these settings: one score for each unit; a step on all examples is an epoch."""
    return study.Outcome(
        settings=settings,
        tried={name: [value] for name, value in settings.items()},
        at_rim=[],
        epochs=epochs,
        gradients=float(np.mean(gradients)),
        validation=None,
        scores=[float(score) for score in scores],
        diverged=[0] * len(scores),
        seeds=1,
    )
