"""Claims that are no comparison of tuned methods: a file's own `measure(units)`, kept as the result of a study."""

import numpy as np

from minisam import study
from minisam.array_backend import asnumpy
from minisam.study.pieces import going_on, same
from minisam.training.settings import text


def walk(rule, w, loss_and_grad, steps):
    """Where an optimizer is after so many steps, and how many gradients it has spent."""
    state, spent = rule.init(w), 0
    for _ in range(steps):
        w, state, info = rule.step(w, state, loss_and_grad)
        spent += info["evaluations"]
    return asnumpy(w), spent


def reached(settings, epochs, gradients, scores):
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


def settings_of(defined):
    """Name → JSON text of what must stay the same for a result to be the one of this file."""
    return {name: text(name, defined[name]) for name in ("measure", "delta", "units")}


def measured(defined, path):
    """The result of a file that defines `measure(units) -> {budget: {method: outcome}}`, from `path` or computed.

    Raises a ValueError if the file at `path` is the result of something else.
    """
    settings = settings_of(defined)
    if path.exists() and same(path, settings):
        return study.load(path)
    with going_on(path, settings, {}) as pieces:
        result = study.Result(defined["measure"](defined["units"]), defined["delta"])
        pieces.end(result.as_json(), defined["units"])
    return result
