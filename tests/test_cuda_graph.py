"""Records as graphs: captured once, launched from then on; what cannot be captured runs call by call, and says so."""

import gc
import sys
import types
import weakref
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import strict

from minisam import SAM, SGD, array_backend, data, mlp, train, value_and_grad
from minisam.array_backend.cuda_graph import captured, cuda_graph
from minisam.autodiff.program import in_turn
from minisam.constants import made_once
from minisam.whole_step import PLAIN

MODEL = mlp([64, 8, 10])


class Captures:
    """Graphs on the stand-in device: as on a real one, a capture fails if a value is read back in it."""

    def __init__(self):
        self.made = self.launched = 0

    def graph_of(self, run):
        before = strict.crossings
        run()
        if strict.crossings != before:
            raise RuntimeError("operation not permitted when stream is capturing")
        self.made += 1

        def launch():
            self.launched += 1
            run()

        return launch


@pytest.fixture
def captures(monkeypatch):
    captures = Captures()
    capture = partial(captured, graph_of=captures.graph_of)
    monkeypatch.setitem(array_backend.BACKENDS, "strict", lambda: replace(strict.backend(), capture=capture))
    with array_backend.use("strict"):
        yield captures


def test_a_training_launches_one_graph_a_step(captures):
    digits, optimizer = data.digits(), SAM(SGD(0.1, 0.9), 0.05)
    run = train(MODEL, digits, optimizer, 2, progress=False)
    steps = len(digits.x_train) // 64
    assert captures.made == 2  # a gradient, for the first steps; and a step
    of_first = (
        2 * PLAIN - 1 + 3
    )  # two gradients a step, but the first is traced; three times a record is held against tracing
    of_others = 2 * steps - PLAIN - 1 + 3  # the same for steps
    in_traced = (
        2 * 4
    )  # steps as they are written: the first, two for the comparison, and one to hold the fourth replay against
    assert captures.launched == of_first + of_others + in_traced
    with array_backend.use("numpy"):
        expected = train(MODEL, digits, optimizer, 2, progress=False)
    np.testing.assert_array_equal(array_backend.asnumpy(run.w), expected.w)


def test_each_shape_has_a_graph_of_its_own(captures):
    loss_and_grad = value_and_grad(MODEL)
    w, rng = MODEL.init(0), np.random.default_rng(0)
    for m in (4, 7, 4, 7):
        x = array_backend.asarray(rng.standard_normal((m, 64)).astype("float32"))
        loss_and_grad(w, x, array_backend.asarray(rng.integers(0, 10, m)))
    assert captures.made == 2


def test_what_cannot_be_captured_runs_call_by_call_after_one_warning(captures):
    calls = []

    def read_back():
        calls.append(strict.StrictArray(np.ones(3)).tolist())

    with pytest.warns(UserWarning, match="cannot be captured as a graph and runs call by call, slower: RuntimeError"):
        run = captured(in_turn([read_back, read_back]), captures.graph_of)
    calls.clear()
    run()
    assert calls == [[1.0] * 3] * 2


def fake_cupy(log, graph):
    """As much of CuPy as a capture touches, writing down what is asked of it."""

    class Stream:
        def __init__(self, non_blocking=False):
            self.non_blocking = non_blocking

        def __enter__(self):
            log.append("enter")

        def __exit__(self, *error):
            log.append("exit")

        def synchronize(self):
            log.append("synchronize")

        def begin_capture(self):
            assert self.non_blocking
            log.append("begin")

        def end_capture(self):
            log.append("end")
            return graph

    class using_allocator(Stream):
        def __init__(self, allocate):
            log.append("pool" if allocate == "malloc of a pool" else "shared memory")

    cuda = types.SimpleNamespace(
        Stream=Stream,
        MemoryPool=lambda: types.SimpleNamespace(malloc="malloc of a pool"),
        using_allocator=using_allocator,
        get_current_stream=Stream,
    )
    return types.SimpleNamespace(cuda=cuda, matmul="cuBLAS", dot="cuBLAS", inner="cuBLAS", tensordot="cuBLAS")


def test_a_cuda_graph_is_captured_after_a_warm_up_with_memory_of_its_own(monkeypatch):
    log = []
    graph = types.SimpleNamespace(launch=lambda stream: log.append("launch"))
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(log, graph))
    launch = cuda_graph(in_turn([lambda: log.append("call")]))
    assert " ".join(log) == "synchronize pool enter enter call synchronize begin call end exit exit"
    log.clear()
    launch()
    launch()
    assert log == ["launch", "launch"]


def test_in_a_capture_no_product_is_cublas(monkeypatch):
    cupy = fake_cupy([], types.SimpleNamespace())
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    seen = []
    cuda_graph(lambda: seen.append({cupy.matmul, cupy.dot, cupy.inner, cupy.tensordot}))
    assert not any("cuBLAS" in names for names in seen)
    assert cupy.matmul == "cuBLAS"


@pytest.fixture
def _captured(monkeypatch):
    """Captures of what runs on a device, of a CuPy that does nothing."""
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy([], types.SimpleNamespace()))
    monkeypatch.setitem(array_backend.BACKENDS, "strict", strict.backend)
    with array_backend.use("strict"):
        yield


@pytest.mark.usefixtures("_captured")
def test_a_graph_holds_all_that_it_reads():
    class Memory:
        """An array, as far as a weak reference goes."""

    constant = made_once(lambda n: Memory())
    seen, buffer = [], Memory()

    def fill(buffer):
        seen.append(weakref.ref(constant(0)))

    graph, held = cuda_graph(partial(fill, buffer)), weakref.ref(buffer)
    del buffer
    for n in range(1, 40):  # others push it out of the cache
        constant(n)
    gc.collect()
    assert held() is not None
    assert seen[0]() is not None
    del graph
    gc.collect()
    assert seen[0]() is held() is None


@pytest.mark.usefixtures("_captured")
def test_a_constant_of_the_warm_up_is_that_of_the_capture_however_many_there_are():
    """If it were made in the capture, it would be filled by the graph and not before, though others may use it."""
    made = []
    constant = made_once(made.append)
    cuda_graph(lambda: [constant(n) for n in range(100)])
    assert len(made) == 100


def test_a_capture_that_fails_is_ended(monkeypatch):
    log = []
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(log, None))

    def call():
        if "begin" in log:
            raise RuntimeError("cudaErrorStreamCaptureUnsupported")

    with pytest.raises(RuntimeError, match="Unsupported"):
        cuda_graph(call)
    assert log[-3:] == ["end", "exit", "exit"]


def test_in_turn_makes_the_calls_in_order():
    seen = []
    in_turn([lambda k=k: seen.append(k) for k in range(3)])()
    assert seen == [0, 1, 2]


def test_on_numpy_nothing_is_captured():
    run = in_turn([])
    assert array_backend.current().capture(run) is run
