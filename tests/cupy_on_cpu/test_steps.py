"""A step on the device is one graph: how many launches it takes, and that it never waits."""

import numpy as np
import pytest

import cupy_on_cpu
from minisam import SAM, SGD, BatchLoss, array_backend, mlp, whole_step

pytestmark = pytest.mark.gpu
MODEL = mlp((64, 32, 10))


def events_of_a_step(optimizer, seeds):
    """What the device does in a step on a batch that is new to it, once the step is recorded and compared."""
    with array_backend.use("cupy"):
        rng, losses = np.random.default_rng(0), BatchLoss(MODEL)
        xs = array_backend.asarray(rng.standard_normal((2, 64, 64)), dtype="float32")
        y = array_backend.asarray(rng.integers(0, 10, 64))
        w = MODEL.init(seeds)
        state = optimizer.init(w)
        for _ in range(whole_step.PLAIN + 8):  # a replay, and the fourth, are compared with the step as it is written
            w, state, _ = optimizer.step(w, state, losses.on(xs[0], y))
        batch = losses.on(xs[1], y)
        with cupy_on_cpu.logged() as events:
            optimizer.step(w, state, batch)
    return events


@pytest.mark.parametrize("seeds", [0, range(256)])
def test_a_step_of_sam_is_three_launches_and_a_graph_of_35_nodes(seeds):
    events = events_of_a_step(SAM(SGD(0.1, momentum=0.9), 0.05, l2=1e-4), seeds)
    assert cupy_on_cpu.counts(events) == {
        "kernel": 2,
        "graph": 1,
    }  # all inputs are copied by one kernel, all results by another
    replayed = cupy_on_cpu.counts(events, "replayed")
    assert replayed.keys() == {"kernel", "copy"}
    assert replayed.total() <= 35
