"""Read files that want to do harm: no code may be run by them, no memory filled, and one line must say what is wrong.

    python tests/hostile.py --hours 1

`hostile_files.py` makes them up, and each is read as a user reads it. Python itself tells what is done then: code that is
run, modules that are imported, files that are opened. `tests/test_hostile.py` does a little of it at each run of the tests.
"""

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from pathlib import Path
from unittest import mock

import hostile_files as made
import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from tqdm import tqdm

from minisam import Run
from minisam.data import formats, pickled

ROUND = 200  # files of each kind
MEMORY = 20 * made.MOST  # bytes, whatever is in a file
HARMLESS = {"os.listdir", "os.scandir", "builtins.id", "object.__getattr__", "sys._getframe"}


def read_pickle(path):
    try:
        return [a.array() for a in pickled.unpickled(path.read_bytes()).values() if isinstance(a, pickled.Call)]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error  # as `read_cifar` does


def read_cifar(path):
    return formats.read_cifar(path, ["train", "test"], "labels", 10)


TARGETS = {  # name -> hostile files, whole ones, how they are read
    "pickle": (made.PICKLES, made.WHOLE_PICKLES, read_pickle),
    "IDX": (made.IDX, made.WHOLE_IDX, formats.read_idx),
    "CIFAR": (made.TARS, made.WHOLE_TARS, read_cifar),
    "run": (made.NPZ, [made.WHOLE_RUN], Run.load),
    "checkpoint": (made.NPZ, [made.WHOLE_CHECKPOINT], made.training),
}

# --- watching --------------------------------------------------------------------------------------------------------

harm = None  # what one reading does that it must not, while there is one


def watch(event, arguments):
    """An audit hook: note all that is done but for reading files and literals."""
    if harm is None or event in HARMLESS:
        return
    reads = event == "open" and not set("wax+") & set(arguments[1] or "")
    parses = event == "compile" and arguments[1] == "<unknown>"  # a literal, by ast.literal_eval
    if not reads and not parses:
        harm.append(f"{event} {arguments!r:.200}")


def watched(read, path):
    """What the file does when it is read, and the line that refuses it, or None."""
    global harm
    refused, harm = None, []
    tracemalloc.start()
    try:
        read(path)
    except ValueError as error:
        refused = str(error)
    except BaseException as error:
        harm.append(f"raises {error!r:.200}")
    finally:
        done, harm = harm, None
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    if refused is not None and ("\n" in refused or len(refused) > 2000 or str(path) not in refused):
        done.append(f"says {refused!r:.300}")
    if peak > MEMORY:
        done.append(f"takes {peak:,} bytes")
    return done, refused


def attack(name, examples, number):
    """Read so many hostile files. Returns how many were read and refused; an AssertionError shows a small one that does harm."""
    files, wholes, read = TARGETS[name]
    ends, quiet = Counter(), {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}

    @seed(number)
    @settings(max_examples=examples, phases=[Phase.generate, Phase.shrink], **quiet)
    @given(files)
    def one(content):
        path.write_bytes(content)
        done, refused = watched(read, path)
        ends["read" if refused is None else "refused"] += 1
        assert not done, "; ".join(done)
        assert [each.name for each in path.parent.iterdir()] in ([path.name], [])

    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.multiple(formats, MOST_IDX=made.MOST, MOST_CIFAR=made.MOST),
    ):
        path = Path(folder, "file")
        for whole in wholes:  # what Python imports when it first needs it is no harm
            path.write_bytes(whole)
            read(path)
        with np.errstate(all="ignore"):
            one()
    return ends


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--hours", type=float, default=1.0, help="how long (default: 1)")
    options.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the first files (default: any)")
    options = options.parse_args()
    print(f"seed {options.seed}", flush=True)
    sys.addaudithook(watch)
    stop, ends = time.monotonic() + 3600 * options.hours, {name: Counter() for name in TARGETS}
    with tqdm(unit="file", disable=None) as bar:
        for k in itertools.count(options.seed):
            for name in TARGETS:
                ends[name] += attack(name, ROUND, k)
                bar.update(ROUND)
            if time.monotonic() > stop:
                break
    for name, counted in ends.items():
        print(f"{name}: {counted.total()} hostile files, {counted['refused']} refused, {counted['read']} read, no harm")


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
