"""What `train` does with the rows of a batch before a step.

Truths: tests/test_augmentation.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import numpy

from ..arguments import optional
from ..checks import shown
from ..draws import per_seed
from ..kinds import function
from ..types import Array

Augment: TypeAlias = Callable[..., Array]  # (x (..., b, i), draw) -> x

AUGMENT = optional(function(2, "(x, draw) -> x such as crops_and_flips((1, 8, 8))"))


def augmented(augment: Augment | None, x: Array, seed: int | Sequence[int], t: int) -> Array:
    """The rows x of step t, (b, i); or (S, b, i), with draws of its own for each of S seeds.

    The draws are made on the host and depend on nothing but seed and step: they are the same on every backend, for a replica
    alone, and in a training that was resumed.
    """
    if augment is None:
        return x
    seeds = numpy.asarray(seed, dtype="int64")
    draw = partial(per_seed, purpose="augmentation", seed=0, t=t, of_run=seeds[..., None] if seeds.ndim else int(seeds))
    changed = augment(x, draw)
    if type(changed) is not type(x) or (changed.shape, changed.dtype) != (x.shape, x.dtype):
        got = f"{changed.shape} {changed.dtype}" if type(changed) is type(x) else shown(changed)
        raise ValueError(f"augment must return rows as x has, {x.shape} {x.dtype}, got {got}")
    return changed
