"""How far two results are apart, and random inputs to compute them from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeAlias

import numpy

from ..arguments import checked, counts
from ..array_backend import asarray, asnumpy
from ..draws import stream
from ..kinds import host
from ..types import Array

Checks: TypeAlias = Iterator[tuple[str, float, float]]  # formula, bound, error
NUMBERS = host("fiu")
DIFFERENCE, ROUNDING = 1e-6, 1e-12  # bounds: against difference quotients; where only rounding differs


def drawn(*shape: int, seed: int = 0) -> Array:
    """Standard normal numbers on the device, the same on every backend."""
    return asarray(stream("verify", seed, *counts(at_least=0)("shape", shape)).standard_normal(shape))


@checked(a=NUMBERS, b=NUMBERS)
def apart(a: Array, b: Array) -> float:
    """The largest difference of a and b, relative to the largest entry of b; ∞ if the shapes differ or an entry is NaN."""
    a, b = asnumpy(a).astype("float64"), asnumpy(b).astype("float64")
    if a.shape != b.shape:
        return math.inf
    error = float(numpy.abs(a - b).max(initial=0)) / (float(numpy.abs(b).max(initial=0)) or 1.0)
    return error if math.isfinite(error) else math.inf


@checked(a=NUMBERS, b=NUMBERS)
def above(a: Array, b: Array) -> float:
    """How far a exceeds b, which is its upper bound."""
    return apart(numpy.maximum(asnumpy(a), asnumpy(b)), b)
