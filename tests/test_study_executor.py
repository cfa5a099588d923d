"""A study on an executor is the study in one process: the same file, whoever computes, in whatever order, whatever ends it."""

import os
import random
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import workers

from minisam import SGD, study
from minisam.study import pieces

POSIX = pytest.mark.skipif(os.name != "posix", reason="processes are killed by a signal")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The file of the study in one process."""
    path = tmp_path_factory.mktemp("study") / "study.json"
    tiny.compare(path=path)
    return path.read_bytes()


def count_of(path):
    return sum(len(each["pieces"]) for each in pieces.read(path)["methods"].values())


class Shuffled:
    """An executor that computes what it was given in random order, in another thread."""

    def __init__(self, seed):
        self.calls, self.random, self.thread = [], random.Random(seed), ThreadPoolExecutor(1)

    def submit(self, f, /, *arguments):
        future = Future()
        self.calls.append((future, f, arguments))
        self.thread.submit(self.compute_one)
        return future

    def compute_one(self):
        future, f, arguments = self.calls.pop(self.random.randrange(len(self.calls)))
        future.set_result(f(*arguments))


# --- the same file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["here", "threads", "processes"])
def test_whoever_computes_the_file_is_the_same(kind, tmp_path, expected):
    path, make = tmp_path / "study.json", {"threads": lambda: ThreadPoolExecutor(3), "processes": workers.spawned}
    if kind == "here":
        tiny.compare(path=path, executor=workers.Inline())
    else:
        with make[kind]() as pool:
            tiny.compare(path=path, executor=pool)
    assert path.read_bytes() == expected
    assert os.listdir(tmp_path) == ["study.json"]


@pytest.mark.parametrize("seed", range(3))
def test_in_whatever_order_they_arrive(seed, tmp_path, expected):
    order, keep = [], pieces.Pieces.keep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces.Pieces, "keep", lambda self, piece, found: order.append(piece) or keep(self, piece, found))
        tiny.compare(path=tmp_path / "study.json", executor=Shuffled(seed))
    assert (tmp_path / "study.json").read_bytes() == expected
    assert len(order) == len(set(order))


def test_a_result_without_a_file_is_the_same():
    assert tiny.compare(executor=workers.Inline()) == tiny.compare()


def test_all_pieces_that_can_be_computed_are_computed_at_once():
    """The tuning of all methods; nothing that is reported, before it is known which settings are."""
    executor = workers.Waiting()
    executor.submit, submit = (
        lambda f, arguments: seen.append(arguments["piece"]) or submit(f, arguments),
        executor.submit,
    )
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("minisam.executors.wait", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tiny.compare(executor=executor, tuning=2)
    assert [(piece.method, piece.unit) for piece in seen] == [("SGD", 0), ("SGD", 1), ("SAM", 0), ("SAM", 1)]
    assert all(future.cancelled() for future in executor.futures)


def test_a_study_goes_on_from_a_file_that_another_executor_has_begun(tmp_path, expected):
    path, write, left = tmp_path / "study.json", pieces.Pieces.write, [5]

    def writes(self):
        write(self)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces.Pieces, "write", writes)
        with pytest.raises(KeyboardInterrupt):
            tiny.compare(path=path, executor=Shuffled(0))
    assert count_of(path) == 5
    executor = workers.Inline()
    tiny.compare(path=path, executor=executor)
    assert path.read_bytes() == expected
    assert len(executor.futures) == count_of(path) - 5


# --- trouble ---------------------------------------------------------------------------------------------------------

DANGEROUS = replace(tiny.PROBLEM, score=workers.dangerous_accuracy)


@POSIX
def test_a_study_whose_worker_is_killed_ends_in_one_error_and_goes_on_to_the_same_file(tmp_path, monkeypatch):
    monkeypatch.setenv("MARK", str(tmp_path / "mark"))
    path, says = (
        tmp_path / "study.json",
        r"^executor lost a worker \(BrokenProcessPool\); a second call goes on from .*study\.json\. ",
    )
    with workers.spawned(1) as pool, pytest.raises(BrokenExecutor, match=says):
        tiny.compare(DANGEROUS, path=path, executor=pool)
    assert count_of(path) > 0
    with workers.spawned() as pool:
        tiny.compare(DANGEROUS, path=path, executor=pool)
    tiny.compare(DANGEROUS, path=tmp_path / "alone.json")
    assert path.read_bytes() == (tmp_path / "alone.json").read_bytes()


def test_a_piece_that_fails_leaves_those_that_are_finished(tmp_path):
    """Unit 2 cannot be drawn: the first that is reported."""

    def unit(k):
        return tiny.unit(k) if k < 2 else 1 / 0

    for executor in (None, workers.Inline()):
        path = tmp_path / f"{executor is None}.json"
        with pytest.raises(ZeroDivisionError):
            tiny.compare(replace(tiny.PROBLEM, unit=unit), path=path, executor=executor)
        assert count_of(path) >= 4


def test_what_cannot_go_to_another_process_is_named_before_anything_is_computed(tmp_path):
    lambdas = tiny.METHODS | {"SGD": (lambda lr: SGD(lr), tiny.METHODS["SGD"][1])}
    says = " must be made of functions at the top level of a module to go to another process, got one that cannot be pickled"
    with workers.spawned(1) as pool:
        with pytest.raises(TypeError, match=f"^methods{says}"):
            tiny.compare(methods=lambdas, executor=pool, path=tmp_path / "study.json")
        with pytest.raises(TypeError, match=f"^problem{says}"):
            tiny.compare(replace(tiny.PROBLEM, unit=lambda k: tiny.unit(k)), executor=pool)
    assert not os.listdir(tmp_path)


# --- a cluster of two processes --------------------------------------------------------------------------------------

CLUSTER = """
import sys
sys.path.insert(0, {tests!r})
import numpy as np, tiny, workers
from dataclasses import replace
from dask.distributed import Client, LocalCluster
from minisam import SAM, SGD, data, mlp, train

LAMBDAS = {{"SGD": (lambda lr: SGD(lr, momentum=0.9), tiny.METHODS["SGD"][1]), "SAM": tiny.METHODS["SAM"]}}
PROBLEM = replace(tiny.PROBLEM, score=workers.dangerous_accuracy)

def swept(executor=None):
    return train(tiny.PROBLEM.model, tiny.unit(0), lambda rho: SAM(SGD(0.1), rho), 3, 8, range(6), sweep={{"rho": [0, 0.1, 0.2]}},
                 loss=workers.dangerous_loss, progress=False, executor=executor)

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL") as cluster:
        with Client(cluster) as client:
            executor = client.get_executor()
            {work}
"""


def on_a_cluster(folder, work, mark=False):
    """What a script prints that does this work on a real cluster of two processes, one of which is killed if there is a mark."""
    (folder / "script.py").write_text(CLUSTER.format(tests=str(Path(tiny.__file__).parent), work=work))
    marked = {"MARK": str(folder / "mark")} if mark else {}
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | marked
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@POSIX
def test_a_cluster_one_of_whose_workers_is_killed_gives_the_same_file(tmp_path, monkeypatch):
    """dask computes the lost piece again by itself; and it takes lambdas."""
    pytest.importorskip("distributed")
    work = 'tiny.compare(PROBLEM, LAMBDAS, path="cluster.json", executor=executor); print("ended")'
    assert on_a_cluster(tmp_path, work, mark=True) == ["ended"]
    assert (tmp_path / "mark").exists()
    tiny.compare(DANGEROUS, path=tmp_path / "alone.json")
    there, alone = (pieces.read(tmp_path / name)["methods"] for name in ("cluster.json", "alone.json"))
    assert {name: each["pieces"] for name, each in there.items()} == {
        name: each["pieces"] for name, each in alone.items()
    }
    assert study.load(tmp_path / "cluster.json") == study.load(tmp_path / "alone.json")


@POSIX
def test_a_cluster_one_of_whose_workers_is_killed_trains_the_same_sweep(tmp_path):
    pytest.importorskip("distributed")
    work = """
            run, alone = swept(executor), swept()
            print(np.array_equal(run.w, alone.w), all(np.array_equal(a, alone.history[k]) for k, a in run.history.items()))"""
    assert on_a_cluster(tmp_path, work.lstrip(), mark=True) == ["True", "True"]
    assert (tmp_path / "mark").exists()
