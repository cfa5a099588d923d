"""Random numbers: every purpose has a stream of its own for each seed.

All are drawn on the host, so they are equal on every backend, and each step's depend on nothing but purpose, seed and step,
so a training that was resumed draws the same ones. The initial weights are drawn from `numpy.random.default_rng(seed)` and
the order of the batches from `minisam.data.batches`; no other draw uses those two streams.

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


def per_seed(
    draw: Callable[[numpy.random.Generator], numpy.ndarray], purpose: str, seed: Seed, t: int, of_run: Seed = 0
) -> numpy.ndarray:
    """What `draw(stream)` gives for step t, an array (k,), on the host.

    `seed` is the optimizer's own, `of_run` that of the training. Whole numbers: (k,), shared by all replicas. Arrays of seeds
    (..., 1), which broadcast against each other: (..., k), each replica its own.
    """
    own, run = numpy.broadcast_arrays(seed, of_run)
    rows = [draw(stream(purpose, a, int(b), t)) for a, b in zip(own.ravel(), run.ravel(), strict=True)]
    return numpy.reshape(rows, (*own.shape[:-1], -1))


def normal(purpose: str, seed: Seed, t: int, w: Array, of_run: Seed = 0) -> Array:
    """Standard normal numbers, to meet w (..., n)."""
    n = w.shape[-1]
    return asarray(per_seed(lambda rng: rng.standard_normal(n), purpose, seed, t, of_run), dtype=w.dtype)


def uniform(purpose: str, seed: Seed, t: int, w: Array, of_run: Seed = 0) -> Array:
    """Uniform numbers in [0, 1), to meet w (..., n)."""
    n = w.shape[-1]  # drawn in w's precision: rounded to it, some would be 1
    return asarray(per_seed(lambda rng: rng.random(n, dtype=w.dtype.type), purpose, seed, t, of_run))


def signs(purpose: str, seed: Seed, t: int, w: Array, of_run: Seed = 0) -> Array:
    """±1 with even odds, to meet w (..., n)."""
    n = w.shape[-1]
    return asarray(per_seed(lambda rng: rng.integers(0, 2, n) * 2 - 1, purpose, seed, t, of_run), dtype=w.dtype)
