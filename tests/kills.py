"""Kill trainings that keep a checkpoint, at random moments and in all ways, and see whether they go on to the same bits.

A child process trains. It is ended by a signal at a random moment, or at a random call that writes: by SIGKILL there, or by an
error of the disk. One to four times in a row; then the training is left alone, and must end as one that never was disturbed.
"""

import errno
import io
import itertools
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
from tqdm import tqdm

from minisam import SAM, SGD, Adam, mlp, train
from minisam.data import Data
from minisam.optim import cosine
from minisam.sam import SWA, SAMPa
from minisam.training import archive

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((60, 3)).astype("float32"), RNG.integers(0, 4, 60)
DATA = Data("toy", X[:40], Y[:40], X[40:50], Y[40:50], X[50:], Y[50:])
MODEL = mlp((3, 8, 4))
TRAININGS = {
    "training": (SAM(Adam(cosine(0.01, 100)), rho=0.1), {"seed": [3, 4], "best": True}),
    "the batch before": (SAMPa(SGD(0.1, momentum=0.9)), {"batch_size": 20}),
    "sweep": (
        lambda rho, lr: SWA(SAM(SGD(lr, momentum=0.9), rho), start=3),
        {"seed": [0, 1, 2], "sweep": {"rho": [0.0, 0.05, 0.1], "lr": [0.05, 0.1]}},
    ),
}
EPOCHS = 8
SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
ERRORS = [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT]
LIMIT = 60  # seconds until a training that waits for something is ended
SAME, DIFFERENT, INTERRUPTED, FAILED, WRONG = range(5)  # how a child ends


def trained(name, checkpoint=None):
    optimizer, options = TRAININGS[name]
    return train(MODEL, DATA, optimizer, EPOCHS, progress=False, checkpoint=checkpoint, **{"batch_size": 8} | options)


def bits(run):
    """All that a run holds, as bytes."""
    groups = {"w": {"": run.w}, "history": run.history, "running": run.running, "state": run.state}
    arrays = {f"{group}/{name}": np.asarray(a) for group, each in groups.items() for name, a in each.items()}
    return {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()}


# --- children --------------------------------------------------------------------------------------------------------


def child(name, checkpoint, expected, at=None, how=None):
    """The number of a process that trains, and that a fault of the disk meets at some call; it ends with a word above."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # until the child is ready for Ctrl-C
    number = os.fork()
    if number:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        return number
    end = WRONG
    signal.alarm(LIMIT)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        with striking(at, how):
            run = trained(name, checkpoint)
        end = INTERRUPTED if run.interrupted else SAME if bits(run) == expected else DIFFERENT
    except KeyboardInterrupt:
        end = INTERRUPTED
    except OSError as error:
        end = FAILED if str(checkpoint) in str(error) else WRONG
    finally:
        os._exit(end)


@contextmanager
def striking(at, how):
    """Call number `at` of those that write kills the process, or is an error of the disk; all calls are counted."""
    calls = []

    def strike():
        calls.append(1)
        if len(calls) - 1 == at:
            if how == signal.SIGKILL:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(how, os.strerror(how))

    with ExitStack() as stack:
        for name in ("fsync", "replace", "unlink"):
            stack.enter_context(mock.patch.object(os, name, after(strike, getattr(os, name))))
        stack.enter_context(mock.patch.object(archive, "open", partial(Striking, strike), create=True))
        yield calls


def after(first, function):
    def both(*args, **kwargs):
        first()
        return function(*args, **kwargs)

    return both


class Striking(io.FileIO):
    """A file whose writes may fail in the middle: half of the bytes are there, and the rest is not."""

    def __init__(self, strike, path, mode):
        super().__init__(path, mode)
        self.strike = strike

    def write(self, content):
        half = len(content) // 2
        super().write(content[:half])
        self.strike()
        return half + super().write(content[half:])


# --- disturbances ----------------------------------------------------------------------------------------------------


class Undisturbed(NamedTuple):
    """A training as it is when nothing happens: its bits, how long it takes, and how many of its calls write."""

    name: str
    bits: dict
    seconds: float
    calls: int


def undisturbed(name):
    with tempfile.TemporaryDirectory() as folder:
        trained(name)  # traced and planned, as it is in the children
        with striking(None, None) as calls:
            began = time.perf_counter()
            run = trained(name, Path(folder, "checkpoint.npz"))
        return Undisturbed(name, bits(run), time.perf_counter() - began, len(calls))


def disturbed(rng, training, checkpoint):
    """The kind of a disturbance, and how the child ended that it met."""
    if rng.random() < 0.5:
        sent = rng.choice(SIGNALS)
        number = child(training.name, checkpoint, training.bits)
        time.sleep(rng.uniform(0, 1.2 * training.seconds))
        os.kill(number, sent)
        return sent.name, ended(number)
    how = rng.choice([signal.SIGKILL, *ERRORS])
    number = child(training.name, checkpoint, training.bits, rng.randrange(training.calls), how)
    return "SIGKILL at a write" if how == signal.SIGKILL else errno.errorcode[how], ended(number)


def ended(number):
    """How a child ended: by one of the words above, or by a signal, which is below 0."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def chain(rng, training):
    """Disturb a training one to four times, then leave it alone. Returns what met it, and what was wrong, if anything."""
    met = []
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder, "checkpoint.npz")
        for _ in range(rng.randint(1, 4)):
            kind, end = disturbed(rng, training, checkpoint)
            if end in (DIFFERENT, WRONG, -signal.SIGALRM):
                return met, f"{training.name}: after {kind} it ended with {end}"
            met += [kind] * (end != SAME)  # the same bits: it had ended, or the folder could not be synced
        end = ended(child(training.name, checkpoint, training.bits))
    if end != SAME:
        return met, f"{training.name}: after {', '.join(met)} it ended with {end}"
    return met, None


def run(kills, seed=0):
    """Kind → how often it met a training, `kills` times in all; and a line for each training that ended otherwise."""
    with ProcessPoolExecutor(1, get_context("fork")) as apart:  # a process that has threads is not one to fork
        trainings = list(apart.map(undisturbed, TRAININGS))
    met, wrong = Counter(), []
    tqdm.set_lock(threading.RLock())  # its own is shared with children, and one that is killed would keep it
    with tqdm(total=kills, unit="kill", disable=None) as bar:
        for k in itertools.count():
            kinds, failure = chain(random.Random(f"{seed} {k}"), trainings[k % len(trainings)])
            met.update(kinds)
            wrong += [failure] if failure else []
            bar.update(len(kinds))
            if met.total() >= kills or len(wrong) > 20:
                return met, wrong
