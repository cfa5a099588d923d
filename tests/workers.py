"""Executors, and functions that stand at the top level of a module, as other processes need them."""

import multiprocessing
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from threadpoolctl import threadpool_info, threadpool_limits
from tiny import unit

from minisam import array_backend, cross_entropy
from minisam.study.problem import accuracy

UNIT_1 = unit(1).x_train.tobytes()


class Inline:
    """An executor that computes here; it says of how many workers it is, if that is told."""

    def __init__(self, workers=None):
        self.futures = []
        if workers:
            self._max_workers = workers

    def submit(self, f, /, *arguments):
        future = Future()
        self.futures.append(future)
        try:
            future.set_result(f(*arguments))
        except BaseException as error:
            future.set_exception(error)
        return future


class Waiting(Inline):
    """An executor that computes nothing: whoever has it sets the results."""

    def submit(self, f, /, *arguments):
        self.futures.append(Future())
        return self.futures[-1]


def spawned(workers=2):
    """A pool of processes that start from nothing, as on every system, each with two threads of BLAS."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), two_of_blas)


def two_of_blas():
    threadpool_limits(2, "blas")


def where():
    """On which backend and on how many threads of BLAS this is called."""
    return array_backend.name(), {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def strike(mark):
    """End this process at once, the first time that a process comes by."""
    try:
        Path(mark).touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def fail(error):
    raise error


def dangerous_accuracy(run, data):
    """The accuracy; the process that is the first to score unit 1 is killed, if MARK names a file that is not there yet."""
    if "MARK" in os.environ and data.x_train.tobytes() == UNIT_1:
        strike(os.environ["MARK"])
    return accuracy(run, data)


def dangerous_loss(z, y):
    """Cross-entropy; the first process that computes it is killed, if MARK names a file that is not there yet."""
    if "MARK" in os.environ:
        strike(os.environ["MARK"])
    return cross_entropy(z, y)
