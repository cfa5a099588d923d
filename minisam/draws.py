"""The random streams of `minisam.streams`, with checked arguments; a step, which draws often, calls those.

Truths: tests/test_draws.py, tests/test_bad_calls.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy

from . import streams
from .arguments import checked, count, one_seed, random_seed, text
from .checks import check_count, shown
from .kinds import floats, function
from .types import Array, Seed

T = count(0)


@checked(purpose=text, seed=one_seed)
def stream(purpose: str, seed: int, *steps: int) -> numpy.random.Generator:
    """The random numbers of one purpose and seed; of one step t, where that is given."""
    for t in steps:
        check_count("t", t, 0)
    return streams.stream(purpose, seed, *steps)


@checked(draw=function(1, "generator -> array (k,)"), purpose=text, seed=random_seed, t=T, of_run=random_seed)
def per_seed(
    draw: Callable[[numpy.random.Generator], numpy.ndarray], purpose: str, seed: Seed, t: int, of_run: Seed = 0
) -> numpy.ndarray:
    """What `draw(stream)` gives for step t, an array (k,), on the host: see `minisam.streams.per_seed`."""

    def row(rng: numpy.random.Generator) -> numpy.ndarray:
        drawn = draw(rng)
        if getattr(getattr(drawn, "dtype", None), "kind", "") not in ("f", "i", "u"):
            raise TypeError(f"draw must return an array (k,) of numbers, got {shown(drawn)}")
        return drawn

    return streams.per_seed(row, purpose, seed, t, of_run)


def _to_meet(draw: Callable[..., Array]) -> Callable[..., Array]:
    return checked(purpose=text, seed=random_seed, t=T, w=floats(), of_run=random_seed)(draw)


normal, uniform, signs = _to_meet(streams.normal), _to_meet(streams.uniform), _to_meet(streams.signs)
