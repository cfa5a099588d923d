"""Studies, and checks of implementations."""

from __future__ import annotations

import tiny
from bad_values import choice, count, function, mapping, optional, path, positive, thing, truth
from good_values import FOLDER, model
from public_calls import add
from public_training import existing, loss_or_name

from minisam import SGD, conformance, study

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


class ALike:
    """What has the methods of optax' transformations."""

    def init(self, params):
        return None

    def update(self, updates, state, params=None):
        return updates, state


SAM = conformance.numpy_step(SGD(0.1).step, SGD(0.1).init)
add("conformance.check", conformance.check, implementation=(thing(), SAM), variant=(choice, "MultiStepSAM"))
add(
    "conformance.numpy_step",
    conformance.numpy_step,
    step=(function(3, result=False), SGD(0.1).step),
    init=(function(1, result=False), SGD(0.1).init),
)
add(
    "conformance.torch_optimizer",
    conformance.torch_optimizer,
    make=(function(1, result=False), lambda params: None),
    drive=(optional(choice), "closure"),
)
add("conformance.torch_loop", conformance.torch_loop, make=(function(1, result=False), lambda model: None))
add(
    "conformance.optax_transform",
    conformance.optax_transform,
    transform=(thing(), ALike()),
    mode=(choice, "opaque"),
    updates=(count(), 2),
)
