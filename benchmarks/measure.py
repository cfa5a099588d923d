"""Timing side by side: short blocks in turn, medians of the ratios of blocks of the same round.

Machines change their speed from minute to minute, which hits all blocks of a round alike and so leaves their ratios alone.
"""

from __future__ import annotations

import dataclasses
import random
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from jobs import CURVES, MODELS, NETS, REPLICAS, VARIANTS, Job, ModelJob, scaled
from worker import Unavailable, Worker

BLOCK = 0.05  # seconds that a block should take
PAUSE = 0.04  # seconds before each block, in which the threads of the one before it fall asleep
ROUNDS = 3  # at least
Times = dict[Any, list[float]]


class Disagreement(Exception):
    """Two systems do not compute the same thing, so their times mean nothing."""


class Suite:
    """All measurements, on the systems that can run here; `missing` says why the others cannot."""

    def __init__(self, names: Iterable[str], warn: Callable[[str], None], ours: str = "minisam") -> None:
        self.ours = ours
        self.workers: dict[str, Worker] = {}
        self.missing: dict[str, str] = {}
        self.warn = warn
        for name in names:
            self._or_missing(name, lambda name=name: self.workers.update({name: Worker(name)}))

    def close(self) -> None:
        for worker in self.workers.values():
            worker.close()

    def versions(self) -> dict[str, str]:
        return {package: v for worker in self.workers.values() for package, v in worker.packages.items()}

    def steps(self, net: str, seconds: float) -> dict[str, Any]:
        """One SAM step and one SGD step of a net in every system."""
        job = Job(*NETS[net])
        jobs = {
            (name, rule): dataclasses.replace(job, rule=rule)
            for name in self.workers
            for rule in ("sam", "sgd")
            if not name.endswith("-singles")
        }
        times = self._take_turns(jobs, seconds)
        names = [name for name, rule in times if rule == "sam" and (name, "sgd") in times]
        return {
            "sizes": job.sizes,
            "batch_size": job.batch_size,
            "microseconds": {rule: {name: _micro(times[name, rule]) for name in names} for rule in ("sam", "sgd")},
            "minisam_over": {
                rule: _ratios({name: times[name, rule] for name in names}, self.ours) for rule in ("sam", "sgd")
            },
            "sam_over_sgd": {name: _ratio(times[name, "sam"], times[name, "sgd"]) for name in names},
            "rounds": len(next(iter(times.values()))),
        }

    def variants(self, net: str, seconds: float, blas_threads: int) -> dict[str, list[float]]:
        """The step of each variant over that of SGD, and SAMPa over SAM, with so many threads for a product of matrices."""
        jobs = {rule: Job(*NETS[net], rule=rule) for rule in VARIANTS}
        worker = Worker("minisam-variants", blas_threads)
        try:
            for job in jobs.values():
                worker.ask("prepare", job)
            steps = 10 * max(1, round(BLOCK / worker.ask("time", jobs["sam"], 10) / 10))
            times: dict[str, list[float]] = {rule: [] for rule in jobs}
            order, rng, end = list(jobs), random.Random(0), time.monotonic() + seconds
            while time.monotonic() < end or len(times["sgd"]) < ROUNDS:
                rng.shuffle(order)
                for rule in order:
                    time.sleep(PAUSE)
                    times[rule].append(worker.ask("time", jobs[rule], steps))
        finally:
            worker.close()
        over_sgd = {rule: _ratio(times[rule], times["sgd"]) for rule in jobs if rule != "sgd"}
        return over_sgd | {"sampa over sam": _ratio(times["sampa"], times["sam"])}

    def model(self, name: str, seconds: float) -> dict[str, Any]:
        """One SAM step and one SGD step of a whole model in every system."""
        jobs = {(system, rule): ModelJob(name, rule) for system in self.workers for rule in ("sam", "sgd")}
        times = self._take_turns(jobs, seconds)
        systems = [system for system, rule in times if rule == "sam"]
        sam = {system: times[system, "sam"] for system in systems}
        return {
            "what": MODELS[name][2],
            "microseconds": {system: _micro(t) for system, t in sam.items()},
            "minisam_over": _ratios(sam, self.ours),
            "sam_over_sgd": {system: _ratio(t, times[system, "sgd"]) for system, t in sam.items()},
            "rounds": len(next(iter(times.values()))),
        }

    def replicas(self, seconds: float, replicas: int = REPLICAS) -> dict[str, Any]:
        """A SAM step of each of many toy nets: in one run where the system can, else one by one."""
        job = Job(*NETS["toy"], replicas=replicas)
        times = self._take_turns({name: job for name in self.workers if name != "hand"}, seconds)
        return {
            "replicas": replicas,
            "microseconds": {name: _micro(t) for name, t in times.items()},
            "minisam_over": _ratios(times, self.ours),
            "rounds": len(next(iter(times.values()))),
        }

    def peaks(self, net: str) -> dict[str, float]:
        """MiB by which a SAM run of this net raises the peak of a fresh, warm process."""
        peaks: dict[str, float] = {}
        for name in self.workers:
            if name != "minisam-singles":
                self._or_missing(name, lambda name=name: peaks.update({name: _peak(name, net)}))
        return peaks

    def allocation(self, net: str) -> dict[str, float]:
        """KiB allocated over 1,000 steps of a minisam SAM run: growth, and peak above the start."""
        allocated = self.workers["minisam"].ask("allocation", Job(*NETS[net]))
        return {key: round(value, 1) for key, value in allocated.items()}

    def curve(self, size: str, seconds: float, among: Iterable[str] = ("minisam", "hand", "jax")) -> dict[str, Any]:
        """The time of a SAM step as one of the net's sizes grows."""
        names = [name for name in among if name in self.workers]
        microseconds: dict[str, list[float]] = {name: [] for name in names}
        for value in CURVES[size]:
            times = self._take_turns({name: scaled(**{size: value}) for name in names}, seconds / len(CURVES[size]))
            for name in names:
                microseconds[name].append(_micro(times[name]))
        return {"values": CURVES[size], "microseconds": microseconds}

    def _or_missing(self, name: str, action: Callable[[], Any]) -> None:
        """If the action fails, the system is left out from here on."""
        try:
            action()
        except Unavailable as reason:
            self.missing[name] = str(reason)
            self.warn(f"{name} left out: {reason}")
            if name in self.workers:
                self.workers.pop(name).close()

    def _take_turns(self, jobs: dict[Any, Job], seconds: float) -> Times:
        """Times of a step [s] in block after block; keys are systems, or tuples that begin with one."""
        losses: dict[Any, Any] = {}
        for key, job in jobs.items():
            name = _system(key)
            if name in self.workers:
                self._or_missing(
                    name, lambda key=key, job=job: losses.update({key: self.workers[_system(key)].ask("prepare", job)})
                )
        jobs = {key: job for key, job in jobs.items() if _system(key) in self.workers}
        check_agreement({key: losses[key] for key in jobs}, jobs)
        asks = {key: (self.workers[_system(key)].ask, job) for key, job in jobs.items()}
        steps = {key: max(1, min(2000, round(BLOCK / ask("time", job, 3)))) for key, (ask, job) in asks.items()}
        times: Times = {key: [] for key in jobs}
        order, rng, end = list(jobs), random.Random(0), time.monotonic() + seconds
        while time.monotonic() < end or len(times[order[0]]) < ROUNDS:
            rng.shuffle(order)
            for key in order:
                ask, job = asks[key]
                time.sleep(PAUSE)
                times[key].append(ask("time", job, steps[key]))
        for worker in self.workers.values():
            worker.ask("forget")
        return times


def _system(key: Any) -> str:
    return key if isinstance(key, str) else key[0]


def check_agreement(losses: dict[Any, Any], jobs: dict[Any, Job]) -> None:
    """The first five losses of all systems, job by job."""
    for key, job in jobs.items():
        first = next(other for other in jobs if jobs[other] == job)
        if not np.allclose(losses[key], losses[first], rtol=1e-3, atol=0):
            raise Disagreement(f"{_system(key)} and {_system(first)} differ in the first losses of {job}")


def _peak(name: str, net: str) -> float:
    worker = Worker(name)
    try:
        return round(worker.ask("peak", Job(*NETS["toy"]), Job(*NETS[net])), 1)
    finally:
        worker.close()


def _micro(times: list[float]) -> float:
    return round(1e6 * statistics.median(times), 1)


def _ratio(a: list[float], b: list[float]) -> list[float]:
    """Lower quartile, median, upper quartile of a/b, round by round."""
    ratios = [p / q for p, q in zip(a, b, strict=True)]
    return [round(q, 3) for q in statistics.quantiles(ratios, n=4, method="inclusive")]


def _ratios(times: dict[str, list[float]], ours: str) -> dict[str, list[float]]:
    """Our time over each other system's."""
    return {name: _ratio(times[ours], t) for name, t in times.items() if name != ours}
