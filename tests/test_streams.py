"""Work of another thread on a CUDA stream of its own, and nobody too early."""

import os
import subprocess
import sys
import types

import cupy_on_cpu
import numpy as np
import pytest

from minisam import SGD, BatchLoss, array_backend, mlp
from minisam.array_backend import streams
from minisam.sam import AsyncSAM, SAMPa
from minisam.sam.parallel import together

OPTIMIZERS = {"SAMPa": SAMPa(SGD(0.1, momentum=0.9)), "AsyncSAM": AsyncSAM(SGD(0.1, momentum=0.9), delay=2)}


class Stream:
    def __init__(self, log, name):
        self.log, self.name = log, name

    def wait_event(self, event):
        self.log.append(f"{self.name} waits for {event.name}")

    def __enter__(self):
        self.log.append(f"on {self.name}")
        return self

    def __exit__(self, *error):
        self.log.append("back")


def test_each_stream_waits_for_the_other_where_it_must(monkeypatch):
    log, here, events = [], None, iter(["ready", "done"])
    here = Stream(log, "here")

    def event(disable_timing):
        name = next(events)
        return types.SimpleNamespace(name=name, record=lambda stream: log.append(f"{name} on {stream.name}"))

    cuda = types.SimpleNamespace(Event=event, get_current_stream=lambda: here)
    monkeypatch.setitem(sys.modules, "cupy", types.SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(streams, "_own_stream", lambda: Stream(log, "there"))
    run, join = streams.beside(lambda: log.append("run"))
    log.append("more work here")
    run()
    join()
    assert ", ".join(log) == (
        "ready on here, more work here, on there, there waits for ready, run, done on there, back, here waits for done"
    )


def path(optimizer):
    """The weights of two replicas after each of six steps."""
    rng, model = np.random.default_rng(0), mlp((5, 6, 3), "tanh")
    losses, w, at = BatchLoss(model), model.init([0, 1], "float64"), []
    state = optimizer.init(w)
    for _ in range(6):
        x, y = rng.standard_normal((8, 5)), rng.integers(0, 3, 8)
        w, state, _ = optimizer.step(w, state, losses.on(array_backend.asarray(x), array_backend.asarray(y)))
        at.append(array_backend.asnumpy(w))
    return np.array(at)


def on_cupy_as_on_numpy():
    for name, optimizer in OPTIMIZERS.items():
        with array_backend.use("cupy"):
            here = path(optimizer)
        np.testing.assert_allclose(here, path(optimizer), rtol=1e-11, err_msg=name)


@pytest.mark.gpu
def test_both_threads_have_a_stream_and_numpys_numbers():
    import cupy

    with array_backend.use("cupy"):
        here, there = together(cupy.cuda.get_current_stream, cupy.cuda.get_current_stream)
        assert here == cupy.cuda.get_current_stream() != there
    on_cupy_as_on_numpy()


@pytest.mark.gpu
def test_so_it_is_with_a_default_stream_for_each_thread():
    device = "import cupy_on_cpu; cupy_on_cpu.install()\n" if cupy_on_cpu.is_installed() else ""
    code = f"{device}import sys; sys.path[:0] = {sys.path!r}; import test_streams; test_streams.on_cupy_as_on_numpy()"
    environment = os.environ | {"CUPY_CUDA_PER_THREAD_DEFAULT_STREAM": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
