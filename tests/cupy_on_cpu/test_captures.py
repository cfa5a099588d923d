"""Streams, events, captures and graphs: what they do, and what they refuse."""

import contextlib

import cupy
import numpy as np
import pytest

import cupy_on_cpu

CUDAError = cupy.cuda.runtime.CUDARuntimeError


@pytest.fixture
def stream():
    return cupy.cuda.Stream(non_blocking=True)


def captured(run):
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        run()  # compiles
        stream.begin_capture()
        run()
        return stream.end_capture()


def test_a_graph_computes_when_launched_and_not_when_captured():
    x, y = cupy.ones(4), cupy.zeros(4)
    with cupy_on_cpu.logged() as events:
        graph = captured(lambda: cupy.add(y, x, out=y))
    assert cupy_on_cpu.counts(events, "captured") == {"kernel": 1}
    np.testing.assert_array_equal(y.get(), np.ones(4))
    x[...] = 5
    with cupy_on_cpu.logged() as events:
        graph.launch()
    assert cupy_on_cpu.counts(events) == {"graph": 1}
    assert cupy_on_cpu.counts(events, "replayed") == {"kernel": 1}
    np.testing.assert_array_equal(y.get(), 6 * np.ones(4))


def test_a_graph_launched_in_a_capture_becomes_part_of_it():
    y = cupy.zeros(4)
    once = captured(lambda: cupy.add(y, 1, out=y))
    twice = captured(lambda: (once.launch(), once.launch()))
    y[...] = 0
    twice.launch()
    np.testing.assert_array_equal(y.get(), 2 * np.ones(4))


def test_a_graph_that_reads_freed_memory_gives_wrong_numbers():
    freed, y = [cupy.ones(4)], cupy.zeros(4)
    graph = captured(lambda: cupy.add(freed[0], 1, out=y))
    freed.clear()
    graph.launch()
    assert np.isnan(y.get()).all()


def test_cublas_is_refused_in_captures_as_cupy_does(stream):
    a, b = cupy.ones((2, 2)), cupy.zeros((2, 2))
    with stream:
        cupy.matmul(a, a, out=b)
        stream.begin_capture()
        with pytest.raises(NotImplementedError, match="cuBLAS"):
            cupy.matmul(a, a, out=b)
        stream.end_capture()


def test_cublas_runs_in_captures_if_they_are_hidden_from_cupy():
    a, b = cupy.ones((2, 2)), cupy.zeros((2, 2))
    with cupy_on_cpu.libraries_in_captures():
        graph = captured(lambda: cupy.matmul(a, a, out=b))
    b[...] = 0
    graph.launch()
    np.testing.assert_array_equal(b.get(), 2 * np.ones((2, 2)))


@pytest.mark.parametrize("wait", ["stream", "device", "event"])
def test_waiting_in_a_capture_spoils_it(wait, stream):
    with stream:
        stream.begin_capture()
        event = stream.record()
        waits = {"stream": stream.synchronize, "device": cupy.cuda.Device().synchronize, "event": event.synchronize}
        with pytest.raises(CUDAError, match="Capture"):
            waits[wait]()
        with pytest.raises(CUDAError, match="CaptureInvalidated"):
            stream.end_capture()


@pytest.mark.parametrize(
    "read",
    [lambda x: x.get(), lambda x: float(x[0]), lambda x: bool(x.all()), lambda x: x[x > 0], lambda x: cupy.sort(x)],
    ids=["get", "float", "bool", "mask", "sort"],
)
def test_what_reads_back_or_sorts_cannot_be_captured(read, stream):
    x = cupy.ones(3)
    with stream:
        read(x)
        stream.begin_capture()
        with pytest.raises(RuntimeError, match=r"[Cc]aptur"):  # CuPy's own refusal, or CUDA's
            read(x)
        with contextlib.suppress(CUDAError):
            stream.end_capture()


def test_the_default_stream_breaks_the_capture_of_a_blocking_one():
    stream, x = cupy.cuda.Stream(), cupy.ones(3)
    stream.begin_capture()
    with pytest.raises(cupy.cuda.driver.CUDADriverError, match="CAPTURE_IMPLICIT"):
        x += 1
    with pytest.raises(CUDAError, match="CaptureInvalidated"):
        stream.end_capture()


def test_the_default_stream_cannot_be_captured():
    with pytest.raises((CUDAError, RuntimeError)):
        cupy.cuda.Stream.null.begin_capture()


def test_a_second_stream_joins_a_capture_and_must_be_joined_again(stream):
    other, x, y = cupy.cuda.Stream(non_blocking=True), cupy.zeros(3), cupy.zeros(3)
    x + 1
    stream.begin_capture()
    with stream:
        x += 1
        forked = stream.record()
    with other:
        other.wait_event(forked)
        y += 2
        done = other.record()
    stream.wait_event(done)
    graph = stream.end_capture()
    graph.launch(stream)
    np.testing.assert_array_equal([x.get(), y.get()], [[1] * 3, [2] * 3])


def test_a_fork_that_is_not_joined_is_an_error(stream):
    other, y = cupy.cuda.Stream(non_blocking=True), cupy.zeros(3)
    stream.begin_capture()
    other.wait_event(stream.record())
    with other:
        y += 2
    with pytest.raises(CUDAError, match="Unjoined"):
        stream.end_capture()


def test_joined_through_a_third_stream_is_joined(stream):
    second, third = (cupy.cuda.Stream(non_blocking=True) for _ in range(2))
    y = cupy.zeros(3)
    y += 0
    stream.begin_capture()
    second.wait_event(stream.record())
    with second:
        y += 2
    third.wait_event(second.record())
    stream.wait_event(third.record())
    stream.end_capture().launch(stream)
    np.testing.assert_array_equal(y.get(), [2] * 3)


def test_a_capture_cannot_wait_for_what_is_outside(stream):
    event = cupy.cuda.Stream(non_blocking=True).record()
    stream.begin_capture()
    with pytest.raises(CUDAError, match="Isolation"):
        stream.wait_event(event)
    with pytest.raises(CUDAError, match="Invalidated"):
        stream.end_capture()


def test_a_function_of_the_host_runs_when_the_graph_does(stream):
    seen = []
    stream.begin_capture()
    stream.launch_host_func(seen.append, 3)
    graph = stream.end_capture()
    assert seen == []
    graph.launch(stream)
    assert seen == [3]


def test_asking_whether_the_default_stream_captures_spoils_nothing():
    stream, x = cupy.cuda.Stream(), cupy.ones(3)
    with stream:
        x += 1
        stream.begin_capture()
        x += 1
        with pytest.raises(CUDAError, match="CaptureImplicit"):
            cupy.cuda.Stream.null.is_capturing()
        stream.end_capture()
