"""Two gradients that do not wait for each other."""

import os
import subprocess
import sys
import threading
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import restated
import strict
from variants import (
    BASES,
    LINEAR,
    MODEL,
    Watched,
    assert_same_bits,
    assert_sweeps,
    batches,
    gradient,
    run,
    start,
    unit,
)

from minisam import SAM, SGD, array_backend, mlp, train, value_and_grad
from minisam.autodiff.tape import CannotRecord, new_level
from minisam.batch import Batch
from minisam.data import Data, symmetric_noise
from minisam.optim import cosine
from minisam.sam import AsyncSAM, SAMPa
from minisam.sam.parallel import together

LIMIT = 20  # seconds until a gradient that waits for another gives up


@dataclass(frozen=True)
class Meeting(Batch):
    """A batch whose gradients wait for each other: none comes back before a second one has begun."""

    barrier: threading.Barrier = None

    def __post_init__(self):
        super().__post_init__()
        alone = self.gradient
        object.__setattr__(self, "gradient", lambda w: (self.barrier.wait(LIMIT), alone(w))[1])


def meetings():
    return [Meeting(b.of, b.x, b.y, b.examples, barrier=threading.Barrier(2)) for b in batches()]


# --- two threads -----------------------------------------------------------------------------------------------------


def test_both_results_come_from_threads_of_their_own():
    barrier = threading.Barrier(2)

    def here():
        barrier.wait(LIMIT)  # each waits for the other: one after the other they would never end
        return threading.get_ident()

    one, other = together(here, here)
    assert one == threading.get_ident() != other
    assert together(here, here)[1] == other  # a thread's records are its own, so it is always the same


def test_the_second_has_the_backend_of_the_first(monkeypatch):
    monkeypatch.setitem(array_backend.BACKENDS, "strict", strict.backend)
    seen = []

    def work():
        with array_backend.use("strict"):
            seen.extend(together(array_backend.name, array_backend.name))
        seen.extend(together(array_backend.name, array_backend.name))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["strict", "strict", "numpy", "numpy"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("variant", ["SAMPa", "AsyncSAM"])
def test_a_forked_process_has_a_thread_of_its_own(variant):
    """Its parent's is not in it, and work that is given to that thread would be waited for in vain."""
    program = f"""
import multiprocessing, numpy as np
from minisam import SGD, mlp, train
from minisam.sam import {variant}
data = np.random.default_rng(0).standard_normal((8, 2)), np.arange(8) % 2
def weights(_):
    return train(mlp([2, 2]), data, {variant}(SGD(0.1), 0.1), 2, 4, progress=False).w
here = weights(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(all(np.array_equal(here, there) for there in pool.map(weights, range(2))))
"""
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False)
    assert child.stdout == "True\n", child.stderr


@pytest.mark.parametrize("wrong", [0, 1])
def test_an_error_in_either_is_raised(wrong):
    def fail():
        raise FloatingPointError("from here")

    with pytest.raises(FloatingPointError, match="from here"):
        together(*[fail if k == wrong else int for k in range(2)])


def test_the_other_thread_is_as_quiet_as_this_one():
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        warnings.simplefilter("error")
        assert together(lambda: 1.0, lambda: np.ones(1) / 0)[1] == np.inf
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        together(lambda: 1.0, lambda: np.ones(1) / 0)


def test_the_gradients_of_sampa_are_parallel():
    first, *rest = batches()
    optimizer = SAMPa(SGD(0.1), 0.3)
    w, state, _ = optimizer.step(start(), optimizer.init(start()), first)
    for meeting in meetings()[1:]:
        w, state, info = optimizer.step(w, state, meeting)
        assert info["evaluations"] == 2
    np.testing.assert_array_equal(w, run(optimizer, start(), [first, *rest])[0][-1])


def test_the_gradients_of_async_sam_are_parallel():
    path, told, _ = run(AsyncSAM(SGD(0.1), 0.3), start(), meetings())
    np.testing.assert_array_equal(path, run(AsyncSAM(SGD(0.1), 0.3), start(), batches())[0])
    assert [info["evaluations"] for info in told] == [2] * 4


# --- SAMPa -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_sampa_with_rho_0_and_lam_0_is_the_base_on_the_batch_before_bit_for_bit(base):
    one, *rest = batches()
    path, _, _ = run(SAMPa(BASES[base], 0.0, lam=0), start(), [one, *rest])
    expected, _, _ = run(BASES[base], start(), [one, one, *rest[:-1]])
    np.testing.assert_array_equal(path, expected)
    assert_same_bits(SAMPa(BASES[base], 0.0, lam=0), BASES[base], losses=[one] * 4)  # the full batch


def test_sampa_with_lam_1_is_optimistic_gradient_descent():
    """w ← w − η ∇L(w − η g), with g the gradient that the step before has used."""
    losses, w, g = batches(model=LINEAR), start(LINEAR)[0], np.zeros(16)
    path, _, _ = run(SAMPa(SGD(0.1), 0.3, lam=1), w, losses)
    for t, batch in enumerate(losses):
        g = gradient(w - 0.1 * g, batch.x, batch.y)
        w = w - 0.1 * g
        np.testing.assert_allclose(path[t], w, rtol=1e-12)


@pytest.mark.parametrize("lr", [0.1, cosine(0.2, 4)])
def test_steps_of_sampa_are_its_formula(lr):
    rates = [lr(t) if callable(lr) else lr for t in range(4)]
    settings, losses, w = {"rho": 0.3, "lam": 0.2, "l2": 0.01}, batches(model=LINEAR), start(LINEAR)[0]
    path, told, _ = run(SAMPa(SGD(lr), 0.3, lam=0.2, l2=0.01), w, losses)
    for t, step in enumerate(restated.path("SAMPa", w, losses, rates, **settings)):
        np.testing.assert_allclose(path[t], step.w, rtol=1e-12)
        np.testing.assert_allclose(told[t]["grad_norm"], np.linalg.norm(step.m["g_y"]), rtol=1e-12)
        np.testing.assert_allclose(told[t]["eps_norm"], 0.3 if t else 0, rtol=1e-12)
    assert [info["evaluations"] for info in told] == [1, 2, 2, 2]


def test_sampa_keeps_the_batch_and_resumes_with_the_same_bits(tmp_path):
    rng = np.random.default_rng(0)
    data = rng.standard_normal((40, 3)), rng.integers(0, 4, 40)
    for optimizer in (SAMPa(SGD(0.1, 0.9)), AsyncSAM(SGD(0.1, 0.9), delay=2)):
        path = tmp_path / f"{type(optimizer).__name__}.npz"
        settings = {"batch_size": 8, "seed": [0, 1], "progress": False}
        whole = train(MODEL, data, optimizer, 4, **settings)
        train(MODEL, data, optimizer, 2, checkpoint=path, **settings)
        np.testing.assert_array_equal(train(MODEL, data, optimizer, 4, checkpoint=path, **settings).w, whole.w)


@pytest.mark.parametrize("labels", ["shared", "own"])
def test_the_batch_that_sampa_keeps_is_cut_only_along_axes_of_replicas(labels):
    """Three replicas, batches of three examples, three features: nothing can be told by its shape."""
    x, y = np.eye(3, dtype="float32")[np.arange(9) % 3], np.arange(9) % 3
    digits = Data("three", x, y, x, y, x, y)
    options = {"epochs": 1, "batch_size": 3, "progress": False}

    def data(rho):
        return symmetric_noise(digits, rho, 0)

    def make(rho):
        return SAMPa(SGD(0.1), rho)

    given = data if labels == "own" else digits
    swept = train(mlp((3, 4, 3)), given, make, sweep={"rho": [0.0, 0.2, 0.5]}, **options)
    for rho in (0.0, 0.2, 0.5):
        alone = train(mlp((3, 4, 3)), data(rho) if labels == "own" else digits, make(rho), **options)
        state = {name.removeprefix("shared_"): a for name, a in swept.select(rho=rho).state.items()}
        assert state.keys() == alone.state.keys()
        for name, a in alone.state.items():
            np.testing.assert_array_equal(state[name], a)


def test_sampa_needs_a_batch_and_a_step_size():
    w, optimizer = start(), SAMPa(SGD(0.1))
    with pytest.raises(
        TypeError, match=r"needs loss_and_grad\.arrays: hand it BatchLoss\(model\)\.on\(x, y\), as `train` does"
    ):
        optimizer.step(w, optimizer.init(w), value_and_grad(lambda w: (w * w).sum(axis=-1)))
    with pytest.raises(TypeError, match="base must be a base optimizer such as SGD\\(lr\\), got SAM"):
        SAMPa(SAM(SGD(0.1)))


# --- asynchronous SAM ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_delay_0_is_sam_bit_for_bit(base):
    assert_same_bits(AsyncSAM(BASES[base], 0.3, delay=0, l2=0.01), SAM(BASES[base], 0.3, l2=0.01))


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("delay", [1, 3])
def test_as_many_steps_as_the_delay_are_the_bases_bit_for_bit(base, delay):
    path, _, _ = run(AsyncSAM(BASES[base], 0.3, delay=delay), start(), batches())
    of_base, _, _ = run(BASES[base], start(), batches())
    np.testing.assert_array_equal(path[:delay], of_base[:delay])
    assert not np.array_equal(path[delay], of_base[delay])


@pytest.mark.parametrize("delay", [1, 2])
def test_steps_of_async_sam_are_its_formula(delay):
    losses, w, earlier = batches(model=LINEAR), start(LINEAR)[0], []
    path, told, _ = run(AsyncSAM(SGD(0.1), 0.3, delay=delay), w, losses)
    for t, batch in enumerate(losses):
        eps = 0.3 * unit(earlier[t - delay]) if t >= delay else 0 * w
        earlier.append(gradient(w, batch.x, batch.y))
        w = w - 0.1 * gradient(w + eps, batch.x, batch.y)
        np.testing.assert_allclose(path[t], w, rtol=1e-12)
        np.testing.assert_allclose(told[t]["grad_norm"], np.linalg.norm(earlier[t]), rtol=1e-12)


def test_async_sam_works_on_any_loss():
    bowl = value_and_grad(lambda w: (w * w).sum(axis=-1))
    watched = Watched(bowl)
    path, _, _ = run(AsyncSAM(SGD(0.1), 0.3), np.ones((2, 3)), [watched] * 3)
    assert len(watched.points) == 6
    assert np.all(np.diff(np.linalg.norm(path, axis=-1), axis=0) < 0)


# --- both ------------------------------------------------------------------------------------------------------------


def test_a_training_of_several_sizes_is_the_same_every_time():
    """Records are made in both threads at once, for each shape: nothing of one reaches the other."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal((64, 3)), rng.integers(0, 4, 64)

    def weights(size, width):
        model, optimizer = mlp((3, width, 4), "tanh"), AsyncSAM(SGD(0.1), 0.1)
        return train(model, data, optimizer, 2, batch_size=size, progress=False).w

    for size, width in [(8, 5), (16, 5), (8, 40)]:
        np.testing.assert_array_equal(weights(size, width), weights(size, width))


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda rho, lam: SAMPa(SGD(0.1, 0.9), rho, lam=lam), {"rho": [0.0, 0.1], "lam": [0.2, 1.0]}),
        (lambda lr: SAMPa(SGD(lr, 0.9), 0.1), {"lr": [0.1, 0.2]}),
        (lambda rho: AsyncSAM(SGD(0.1, 0.9), rho, delay=2), {"rho": [0.0, 0.1]}),
    ],
)
def test_they_sweep(make, values, device):
    assert_sweeps(device, make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SAMPa(SGD(0.1), lam=1.5), r"lam must be in \[0, 1\], got 1.5"),
        (lambda: SAMPa(SGD(0.1), -1), "rho must be ≥ 0, got -1"),
        (lambda: AsyncSAM(SGD(0.1), delay=-1), "delay must be a whole number ≥ 0, got -1"),
        (lambda: AsyncSAM(SGD(0.1), delay=0.5), "delay must be a whole number ≥ 0, got 0.5"),
        (lambda: AsyncSAM(SGD(0.1), l2=-1), "l2 must be ≥ 0, got -1"),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_a_step_is_made_while_another_thread_traces():
    """A trace of this thread could not go on in a second one; the traces of others do not matter."""
    begun, done = threading.Event(), threading.Event()

    def trace():
        with new_level():
            begun.set()
            done.wait(10)

    other = threading.Thread(target=trace)
    other.start()
    try:
        assert begun.wait(10)
        assert together(int, str) == (0, "")
    finally:
        done.set()
        other.join()
    with new_level(), pytest.raises(CannotRecord, match="two threads"):
        together(int, str)
