"""A training on an executor: its grid of replicas is cut into blocks, which are trained apart and then put together again.

A replica is trained as it would be alone, so it does not matter with which others it is trained.

Truths: tests/test_shards.py.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any, TypeAlias

import numpy

from .. import threads
from ..executors import Calls, Executor, workers_of
from ..hyperparameters import Declared
from ..types import SHARED, Array, Shape
from .checkpoint import Stand
from .divergence import DivergedError, Lost, told
from .epoch import Training, initial
from .sweep import Axes, optimizer_of, shape_of

Block: TypeAlias = tuple[slice, ...]  # for each replica axis, a range of its values


def in_blocks(training: Training, optimizer: Any, epochs: int, executor: Executor, progress: bool) -> Stand:
    """Where a training stands whose blocks of replicas are trained on an executor; or its DivergedError."""
    cut, lead = blocks(training.axes, workers_of(executor)), shape_of(training.axes)
    bar = threads.bar(itertools.repeat(None), total=len(cut), unit="block", disable=not progress)
    calls: Calls[int] = Calls(executor, "nothing is kept of this training")
    with calls, bar:
        for k, block in enumerate(cut):
            calls.add(k, trained, epochs=epochs, **_block_of(training, optimizer, block))
        found = {}
        for k, result in calls.all():
            found[k] = result
            bar.update()
    stands, lost = zip(*(found[k] for k in range(len(cut))), strict=True)
    for epoch, parts in enumerate(zip(*lost, strict=False)):  # a block ends with its first loss that ends the training
        of_all = lost_of(parts, cut, lead)
        if training.ends_with(of_all):
            before = in_blocks(training, optimizer, epoch, executor, progress)
            raise DivergedError(told(of_all, epoch), training.run(before))
    return joined(stands, cut, lead)


def _block_of(training: Training, optimizer: Any, block: Block) -> dict[str, Any]:
    """The fields of the training of a block."""
    axes = axes_of(training.axes, block)
    made = own(optimizer_of(optimizer, axes), block)
    y, seed = training.y[block] if training.own_labels else training.y, axes.get("seed", training.seed)
    return {f.name: getattr(training, f.name) for f in fields(training)} | dict(
        optimizer=made, y=y, seed=seed, axes=axes
    )


def trained(epochs: int, **of_block: Any) -> tuple[Stand, list[Lost]]:
    """Where a block stands after its training, and what it lost in each epoch. Of a sweep, it goes on with nothing left."""
    training, lost = Training(**of_block), []
    stand = training.start(initial(training.model, training.seed, training.axes, training.dtype))
    with numpy.errstate(all="ignore"):
        for _ in range(epochs):
            after, now = training.epoch(stand)
            lost.append(now)
            if now and not training.is_sweep:
                break
            stand = after
    return stand, lost


# --- cut ---------------------------------------------------------------------------------------------------------------


def blocks(axes: Axes, workers: int | None) -> list[Block]:
    """The grid in as many blocks as there are workers, or fewer: the largest is as small as it can be, then they are few.

    If the number of workers is not known, a block for each value of the longest axis.
    """
    lengths = shape_of(axes)
    if workers is None:
        longest = max(range(len(lengths)), key=lengths.__getitem__, default=0)
        cuts = tuple(length if k == longest else 1 for k, length in enumerate(lengths))
    else:
        cuts = min(ways(lengths, workers), key=lambda cuts: (largest(lengths, cuts), math.prod(cuts)))
    parts = [
        [slice(k * length // n, (k + 1) * length // n) for k in range(n)]
        for length, n in zip(lengths, cuts, strict=True)
    ]
    return list(itertools.product(*parts))


def ways(lengths: Shape, most: int) -> Iterator[Shape]:
    """All ways to cut axes of these lengths into at most so many blocks: the number of parts of each axis."""
    if not lengths:
        yield ()
        return
    for n in range(1, min(lengths[0], most) + 1):
        for rest in ways(lengths[1:], most // n):
            yield (n, *rest)


def largest(lengths: Shape, cuts: Shape) -> int:
    """The number of replicas in the largest block."""
    return math.prod(-(-length // n) for length, n in zip(lengths, cuts, strict=True))


def axes_of(axes: Axes, block: Block) -> Axes:
    """The replica axes of a block."""
    return {name: values[part] for (name, values), part in zip(axes.items(), block, strict=True)}


def own(value: Any, block: Block) -> Any:
    """An optimizer with that part of its settings (..., 1) which the replicas of a block have; some have it already."""
    if isinstance(value, Declared):
        changed = {f.name: own(getattr(value, f.name), block) for f in fields(value) if f.init}  # type: ignore[arg-type]
        return replace(value, **changed)  # type: ignore[type-var]
    if getattr(value, "ndim", 0) < 2 or value.shape[-1] != 1:
        return value
    along = zip(block[len(block) - value.ndim + 1 :], value.shape, strict=False)
    return value[tuple(part if n > part.stop - part.start else slice(None) for part, n in along)]


# --- together --------------------------------------------------------------------------------------------------------


def joined(stands: Sequence[Stand], cut: Sequence[Block], lead: Shape) -> Stand:
    """Where a training of all replicas stands, from where those of its blocks stand, after equally many epochs."""

    def together(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {
            name: parts[0][name] if name.startswith(SHARED) else whole([part[name] for part in parts], cut, lead)
            for name in parts[0]
        }

    rows = [together(row) for row in zip(*(stand.rows for stand in stands), strict=True)]
    others = {name: together([getattr(stand, name) for stand in stands]) for name in ("state", "running", "kept")}
    return Stand(whole([stand.w for stand in stands], cut, lead), rows=rows, **others)


def lost_of(parts: Sequence[Lost], cut: Sequence[Block], lead: Shape) -> Lost:
    """What an epoch of all replicas has lost, from what it has of the blocks."""
    step, loss = (whole([getattr(part, name) for part in parts], cut, lead) for name in ("step", "loss"))
    return Lost(step, loss, parts[0].steps)


def whole(parts: Sequence[Any], cut: Sequence[Block], lead: Shape) -> Any:
    """An array (*lead, …) from its blocks; the mean over the replicas, where the parts are numbers that differ."""
    sizes = [tuple(part.stop - part.start for part in block) for block in cut]
    first = parts[0]
    if lead and getattr(first, "shape", ())[: len(lead)] == sizes[0]:
        made: Array = numpy.empty_like(first, order="C", shape=(*lead, *first.shape[len(lead) :]))
        for block, part in zip(cut, parts, strict=True):
            made[block] = part
        return made
    if numpy.ndim(first) or len({float(part) for part in parts}) == 1:
        return first
    return sum(part * math.prod(size) for part, size in zip(parts, sizes, strict=True)) / math.prod(lead)
