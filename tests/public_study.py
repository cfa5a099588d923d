"""Studies."""

from __future__ import annotations

import tiny
from bad_values import count, function, mapping, optional, path, positive, thing, truth
from good_values import FOLDER, model
from public_calls import add
from public_training import existing, loss_or_name

from minisam import study

FILE = FOLDER / "study.json"
tiny.compare(path=FILE, units=2, tuning=1)


def loss(good):
    """What a loss returns is seen when it is called."""
    return {label: case for label, case in loss_or_name(good).items() if not label.startswith("returns ")}


add(
    "study.Problem",
    study.Problem,
    model=(model, tiny.PROBLEM.model),
    unit=(function(1, result=False), tiny.unit),
    epochs=(count(), 2),
    batch_size=(count(), 8),
    seeds=(count(), 1),
    loss=(loss, "cross_entropy"),
    augment=(optional(function(2, result=False)), None),
    score=(function(2, result=False), lambda run, data: 1.0),
)
add(
    "study.compare",
    study.compare,
    problem=(thing(), tiny.PROBLEM),
    methods=(mapping(), tiny.METHODS),
    delta=(optional(positive), 0.05),
    units=(count(least=2), 2),
    tuning=(count(), 1),
    path=(optional(path), None),
    progress=(truth, False),
    executor=(optional(thing(3, "dask")), None),
)
add("study.load", study.load, {"path": (".npz", "/tmp")}, path=(existing, FILE))
