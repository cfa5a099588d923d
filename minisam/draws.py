"""Random numbers: every purpose has a stream of its own for each seed.

All are drawn on the host, so they are equal on every backend, and each step's depend on nothing but purpose, seed and step,
so a training that was resumed draws the same ones. The initial weights are drawn from `numpy.random.default_rng(seed)` and
the order of the batches from `minisam.data.batches`; no other stream is either of these.

Truths: tests/test_draws.py (the streams of one seed are uncorrelated).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy

from .array_backend import asarray
from .types import Array, Seed


def stream(purpose: str, seed: int, *steps: int) -> numpy.random.Generator:
    """The random numbers of one purpose and seed; of one step t, where that is given."""
    key = zlib.crc32(purpose.encode())
    return numpy.random.default_rng(numpy.random.SeedSequence(int(seed), spawn_key=(key, *steps)))


def per_replica(
    draw: Callable[[numpy.random.Generator, int], numpy.ndarray], purpose: str, seeds: Seed, t: int, w: Array
) -> Array:
    """What `draw(stream, n)` gives for step t, to meet w (..., n).

    One seed: (n,), shared by all replicas, so that each is what it would be alone. An array of seeds (..., 1): (..., n), to
    each replica its own.
    """
    n, seeds = w.shape[-1], numpy.asarray(seeds)
    rows = [draw(stream(purpose, seed, t), n) for seed in seeds.ravel()]
    return asarray(numpy.reshape(rows, (*seeds.shape[:-1], n)), dtype=w.dtype)


def normal(purpose: str, seeds: Seed, t: int, w: Array) -> Array:
    """Standard normal numbers."""
    return per_replica(lambda rng, n: rng.standard_normal(n), purpose, seeds, t, w)


def uniform(purpose: str, seeds: Seed, t: int, w: Array) -> Array:
    """Uniform numbers in [0, 1)."""
    # drawn in w's precision: rounded to it, some would be 1
    return per_replica(lambda rng, n: rng.random(n, dtype=w.dtype), purpose, seeds, t, w)


def signs(purpose: str, seeds: Seed, t: int, w: Array) -> Array:
    """±1 with even odds."""
    return per_replica(lambda rng, n: rng.integers(0, 2, n) * 2 - 1, purpose, seeds, t, w)
