"""A step that is one record is the step as it is written, bit for bit; and what cannot be recorded is left alone.

The host records whole steps only here; on a device see tests/test_gpu.py.
"""

import gc
import weakref

import autograd.numpy as anp
import numpy as np
import pytest
from protocol import EXAMPLES, MODEL, OPTIMIZERS

from minisam import SAM, SGD, Adam, BatchLoss, Model, cnn, cross_entropy, ops, vit, whole_step
from minisam.optim import constant, warmup
from minisam.sam import WSAM, Adaptive, Only

STEPS = 6
AS_WRITTEN = {  # by the number of the step, random numbers, examples, ranks and other values, filters, or two threads
    *(
        "AESAM",
        "ASAM filter by filter",
        "AsyncSAM",
        "BSAM",
        "ESAM",
        "EveryK",
        "FriendlySAM",
        "FrobeniusSAM",
        "GRST",
        "LookSAM",
    ),
    *(
        "MSAM",
        "MSAM over Adam",
        "RSAM",
        "RST",
        "RWP",
        "RWP, mixed and filter by filter",
        "SAF",
        "SAMPa",
        "TraceSAM",
        "VaSSO",
    ),
    *("SSAM with Fisher masks", "SSAM with dynamic masks"),
}
AROUND = {"SWA", "EMA", "SWA over MESA"}  # wrappers, which call the step of what is inside


@pytest.fixture(autouse=True)
def _recorded_at_once(monkeypatch):
    monkeypatch.setattr(whole_step, "PLAIN", 0)


def batches(losses, dtype="float64"):
    """Batches that change."""
    rng, width = np.random.default_rng(0), 4 if losses.model is MODEL else 16
    for _ in range(STEPS):
        x, y = rng.standard_normal((EXAMPLES, width)).astype(dtype), rng.integers(0, 3, EXAMPLES)
        yield losses.on(x, y, np.arange(EXAMPLES))


def as_written(optimizer, *inputs):
    return type(optimizer).step.__wrapped__(optimizer, *inputs)


def run(optimizer, model=MODEL, seeds=(0, 1), dtype="float64"):
    """Each step both ways, compared; and what the record of the last one is."""
    w = model.init(np.array(seeds), dtype)
    state = optimizer.init(w)
    losses = BatchLoss(model)
    for batch in batches(losses, dtype):
        expected = as_written(optimizer, w, state, batch)
        made = whole_step.whole_step(optimizer, w, state, batch)
        if made is not None:
            assert_same(made, expected)
        w, state, _ = expected
    *_, step = losses.whole_steps.values()
    return made is not None and not step.record.failures


def assert_same(made, expected):
    assert made[0].tobytes() == expected[0].tobytes()
    for a, b in zip(made[1:], expected[1:], strict=True):
        assert a.keys() == b.keys()
        for name, there in b.items():
            if name == "statistics":
                assert all(np.array_equal(a[name][key], value) for key, value in there.items())
            elif hasattr(there, "dtype"):
                assert (a[name].shape, a[name].dtype, a[name].tobytes()) == (
                    there.shape,
                    there.dtype,
                    there.tobytes(),
                ), name
            else:
                assert a[name] == there


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(OPTIMIZERS.keys() - AROUND))
def test_a_whole_step_is_the_step_as_it_is_written(name, dtype):
    assert run(OPTIMIZERS[name](), dtype=dtype) == (name not in AS_WRITTEN)


def test_one_network_and_a_sweep():
    rho = np.array([[0.0], [0.1]])
    assert run(SAM(SGD(np.array([[0.1], [0.2]]), momentum=0.9), rho, l2=rho))
    assert run(SAM(SGD(0.1)), seeds=0)


def test_statistics_of_batch_norm_are_told():
    assert run(SAM(SGD(0.1)), cnn((3,), (1, 4, 4), 3, norm="batch"))


def test_a_network_whose_gradient_is_not_all_computed_in_its_place():
    """Parameters that are used in one place only as views, or not at all."""

    def forward(p, x):
        return ops.matmul(x, p["W"]) + p["shift"]

    shapes = {"W": (16, 3), "shift": (3,), "unused": (2,)}
    model = Model(
        {"model": "mine"}, shapes, forward, lambda rng: {k: rng.standard_normal(a) for k, a in shapes.items()}
    )
    assert run(SAM(SGD(0.1)), model, seeds=0)
    assert run(SAM(SGD(0.1)), vit((1, 4, 4), 2, 8, 1, 2, 3))


def test_a_step_goes_on_with_the_numbers_of_its_schedule():
    base = Adam(warmup(4, constant(0.1)))
    model, optimizer = MODEL, SAM(base)
    w, batch = model.init(0, "float64"), next(batches(BatchLoss(MODEL)))
    state = optimizer.init(w)
    for _ in range(STEPS):
        w, state, _ = whole_step.whole_step(optimizer, w, state, batch)
    assert state["t"] == STEPS
    there, its = model.init(0, "float64"), optimizer.init(w)
    for _ in range(STEPS):
        there, its, _ = as_written(optimizer, there, its, batch)
    assert np.array_equal(w, there)


def test_a_schedule_may_go_by_anything_and_is_asked_at_each_step():
    """A variant that takes the step size itself, too, gets that of the step."""
    lr = [0.1]
    for optimizer in (SGD(lambda t: lr[0]), WSAM(SGD(lambda t: lr[0])), WSAM(Adam(lambda t: lr[0] / (1 + t)))):
        w, batch = MODEL.init([0, 1], "float64"), next(batches(BatchLoss(MODEL)))
        state = optimizer.init(w)
        for lr[0] in (0.1, 0.1, 0.1, 0.3, np.array([[0.1], [0.2]])):
            made = whole_step.whole_step(optimizer, w, state, batch)
            expected = as_written(optimizer, w, state, batch)
            assert made is not None
            assert_same(made, expected)
            w, state, _ = made


def test_weights_of_two_precisions_take_turns():
    """The number ½ is the same in both: its array is not."""
    optimizer, losses = SAM(SGD(0.5, momentum=0.9)), BatchLoss(MODEL)
    for dtype in ("float64", "float32", "float64"):
        w, batch = MODEL.init(0, dtype), next(batches(losses))
        state = optimizer.init(w)
        for _ in range(2):
            made = whole_step.whole_step(optimizer, w, state, batch)
            assert_same(made, as_written(optimizer, w, state, batch))


def test_a_parameter_whose_gradient_is_the_same_for_all_inputs():
    shapes = {"W": (16, 3), "shift": (3,)}
    model = Model(
        {"model": "mine"},
        shapes,
        lambda p, x: ops.matmul(x, p["W"]) + p["shift"],
        lambda rng: {k: rng.standard_normal(a) for k, a in shapes.items()},
    )
    losses, optimizer = BatchLoss(model, lambda z, y: anp.mean(z, axis=(-2, -1))), SAM(SGD(0.1))
    w = model.init(0, "float64")
    state = optimizer.init(w)
    for batch in batches(losses):
        made = whole_step.whole_step(optimizer, w, state, batch)
        assert_same(made, as_written(optimizer, w, state, batch))
        w, state, _ = made
    (step,) = losses.whole_steps.values()
    assert not step.record.failures


class Mine(SAM):
    """A user's class may keep something outside its state."""


class MyBase(SGD):
    """The same."""


class MyBall(Adaptive):
    """The same."""


class MyFilters:
    """The same."""

    def mask(self, kind):
        return MODEL.mask(kind)

    def filter_norms(self, w):
        return abs(w)


def test_a_class_that_is_not_the_librarys_is_left_alone():
    w, batch = MODEL.init(0), next(batches(BatchLoss(MODEL), "float32"))
    inside = Only(np.ones(w.size), of=MyBall()), Adaptive(model=MyFilters())
    for optimizer in (Mine(SGD(0.1)), SAM(MyBase(0.1)), *[SAM(SGD(0.1), ball=ball) for ball in (MyBall(), *inside)]):
        assert whole_step.whole_step(optimizer, w, optimizer.init(w), batch) is None


def test_what_the_loss_reads_is_looked_at():
    smoothing = [0.0]

    def loss(z, y):
        return cross_entropy(z, y, label_smoothing=smoothing[0])

    losses, optimizer, w = BatchLoss(MODEL, loss), SAM(SGD(0.1)), MODEL.init(0, "float64")
    batch = losses.on(np.eye(EXAMPLES, 4), np.arange(EXAMPLES) % 3)
    state = optimizer.init(w)
    for smoothing[0] in (0.0, 0.0, 0.3, 0.3):
        made, expected = whole_step.whole_step(optimizer, w, state, batch), as_written(optimizer, w, state, batch)
        assert_same(made, expected)


def test_a_wrong_argument_is_named_by_the_step_as_it_is_written():
    optimizer, w, batch = SAM(SGD(0.1)), MODEL.init(0), next(batches(BatchLoss(MODEL), "float32"))
    state = optimizer.init(w)
    for _ in range(2):
        assert whole_step.whole_step(optimizer, w, state, batch) is not None
    assert whole_step.whole_step(optimizer, w[:-1], state, batch) is None
    with pytest.raises(ValueError, match="state must be what init"):
        optimizer.step(w[:-1], state, batch)
    assert whole_step.whole_step(optimizer, w, state, batch) is not None


def test_a_loss_goes_with_its_steps():
    optimizer, w = SAM(SGD(0.1)), MODEL.init(0)
    losses = BatchLoss(MODEL)
    batch = next(batches(losses, "float32"))
    whole_step.whole_step(optimizer, w, optimizer.init(w), batch)
    (step,) = losses.whole_steps.values()
    assert step.record.cache.records
    seen = [
        weakref.ref(a) for a in (losses, step.record.cache)
    ]  # buffers in a cycle would wait for the garbage collector
    gc.disable()
    try:
        del losses, batch, step
        assert [a() for a in seen] == [None, None]
    finally:
        gc.enable()


def test_few_steps_are_kept():
    w, losses = MODEL.init(0), BatchLoss(MODEL)
    batch = next(batches(losses, "float32"))
    optimizers = [SGD(0.1) for _ in range(whole_step.KEPT + 3)]
    for optimizer in optimizers:
        whole_step.whole_step(optimizer, w, optimizer.init(w), batch)
    assert [step.optimizer for step in losses.whole_steps.values()] == optimizers[3:]


def test_the_first_steps_are_made_as_they_are_written(monkeypatch):
    monkeypatch.setattr(whole_step, "PLAIN", 3)
    optimizer, w, batch = SGD(0.1), MODEL.init(0), next(batches(BatchLoss(MODEL), "float32"))
    made = [whole_step.whole_step(optimizer, w, optimizer.init(w), batch) for _ in range(5)]
    assert [one is None for one in made] == [True, True, True, False, False]


def test_a_plain_function_is_left_alone():
    optimizer, w = SGD(0.1), MODEL.init(0)
    assert whole_step.whole_step(optimizer, w, optimizer.init(w), lambda w: ((w * w).sum(-1), 2 * w)) is None


class Contended(dict):
    """Another thread brings new steps as soon as this one has added its own."""

    def __setitem__(self, key, step):
        super().__setitem__(key, step)
        self.clear()


def test_another_thread_may_push_a_step_out_at_once():
    w, losses = MODEL.init(0), BatchLoss(MODEL)
    object.__setattr__(losses, "whole_steps", Contended())
    batch, optimizer = next(batches(losses, "float32")), SGD(0.1)
    assert whole_step.whole_step(optimizer, w, optimizer.init(w), batch) is not None


@pytest.mark.parametrize("optimizer", [SGD(0.1), SAM(SGD(0.1))])
def test_what_else_is_in_a_state_stays_or_goes_as_in_the_step_as_it_is_written(optimizer):
    w, batch = MODEL.init(0), next(batches(BatchLoss(MODEL), "float32"))
    state = optimizer.init(w) | {"mine": 3, "array of mine": w}
    for _ in range(3):
        assert_same(whole_step.whole_step(optimizer, w, state, batch), as_written(optimizer, w, state, batch))
