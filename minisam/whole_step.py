"""A whole step as one record: its gradients, ε, the L2 term and the base's update, with no Python in between.

For a device, where the kernels of a step are then one graph. (On the host it was tried, and a step is not faster.) Optimizers
stay as they are written: their step is traced, as a loss is. A step that decides by values, draws random numbers, goes by its own
number or computes in two threads is made as it is written. So is that of a large net, where Python takes no time that shows.

Truths: tests/test_whole_step.py (the same bits as the step as it is written).
"""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import Any, NoReturn, cast

from .array_backend import asarray
from .autodiff.replay import Computation
from .autodiff.tape import STAYS, CannotRecord, package, refuse
from .batch import Batch, BatchLoss
from .hyperparameters import Declared
from .types import Array, Info, State

PLAIN = 8  # steps that are made as they are written first: recording one takes as long as some tens of them
KEPT = 8  # recorded steps of one loss; the oldest makes room
WRONG = (TypeError, ValueError, AttributeError, KeyError, IndexError)  # what a wrong argument of a step ends in
LARGE = 2**28  # bytes of the gradient's records, above which Python takes no time that shows


def whole_step(optimizer: Any, w: Array, state: State, batch: object) -> tuple[Array, State, Info] | None:
    """What a step of this optimizer returns, made by a record; None where it is to be made as it is written."""
    if not isinstance(batch, Batch):
        return None
    steps, key = batch.of.whole_steps, (id(optimizer), batch.kind, *state)
    step: WholeStep | None = steps.get(key)
    if step is None:  # other threads may add and remove some, too
        step = steps[key] = WholeStep(optimizer, state, batch)
        for oldest in [*steps][:-KEPT]:
            steps.pop(oldest, None)
    if step.is_plain(batch):
        return None
    try:
        return step(w, state, batch)
    except (CannotRecord, *WRONG):  # what is wrong with the arguments is said by the step as it is written
        step.plain = 0 if step.told else -1
        return None


class WholeStep:
    """The steps of one optimizer on the batches of one loss, from states with these names."""

    def __init__(self, optimizer: Any, state: State, batch: Batch) -> None:
        self.optimizer = optimizer  # held, so that its id is nobody else's
        self.base = getattr(optimizer, "base", optimizer)
        self.loss, self.parts = weakref.ref(batch.of), [*batch.arrays()]
        self.names, self.kept = [*state], [name for name, a in state.items() if hasattr(a, "strides")]
        self.numbers: tuple[tuple[Any, ...], list[Array]] = (), []
        may_be = hasattr(self.base, "moved") and is_ours(optimizer)
        self.plain = PLAIN if may_be else -1  # how many steps are still to be made as written; −1: all
        self.record: Computation | None = None
        self.made: list[str] = []  # the arrays of the new state
        self.left: list[str] = []  # what else is in it, as it was
        self.told: list[str] = []  # the arrays of `info`
        self.constants: Info = {}

    def is_plain(self, batch: Batch) -> bool:
        """Whether the next step is to be made as it is written."""
        if self.plain == 0 and self.record is None:
            gradient = batch.of.gradient(batch.kind)
            if gradient.failures or gradient.cache.nbytes() > LARGE:
                self.plain = -1
        if self.plain:
            self.plain -= self.plain > 0
            return True
        return self.record is not None and bool(self.record.failures)

    def __call__(self, w: Array, state: State, batch: Batch) -> tuple[Array, State, Info]:
        point = [w, *[state[name] for name in self.kept], *self._at(state["t"], w)]
        if self.record is None:
            reads = batch.of.gradient(batch.kind).body
            me = weakref.proxy(self)  # with no cycle, the buffers are freed with the last reference
            self.record = Computation(
                "step",
                lambda *inputs: me.body(*inputs),
                no_leaves,
                as_they_are,
                list,
                len(point),
                reads=reads,
                quiet=True,
            )
        w, *results, _ = batch.gradient.to(self.record)(*point)
        arrays, told = results[: len(self.made)], results[len(self.made) :]
        info = self.constants | dict(zip(self.told, told, strict=False))
        if statistics := told[len(self.told) :]:
            info["statistics"] = dict(zip(batch.of.model.running, statistics, strict=True))
        left = {name: state[name] for name in self.left}
        return w, left | dict(zip(self.made, arrays, strict=True)) | {"t": state["t"] + 1}, info

    def body(self, w: Array, *inputs: Array) -> tuple[list[Array], list[Array]]:
        """(w, arrays of the state, numbers of the step, arrays of the batch) -> (new w, arrays of the new state, of `info`)."""
        given = iter(inputs)
        state = dict.fromkeys(self.names, UNKNOWN) | {name: next(given) for name in self.kept}
        numbers = [next(given) for _ in self.numbers[1]]
        loss = cast(BatchLoss, self.loss())  # the step that is being made holds it
        batch = Batch(loss, **dict(zip(self.parts, given, strict=True)), seeds=UNKNOWN)
        base = Given(self.base.met[w.dtype, type(w)], numbers)
        optimizer = base if self.base is self.optimizer else replace(self.optimizer, base=base)
        w, state, info = type(self.optimizer).step.__wrapped__(optimizer, w, state, batch)
        vars(base).clear()  # an optimizer and its `met` are a cycle; the trace must not be kept by it
        statistics = info.pop("statistics", {})
        arrays = {name: a for name, a in state.items() if a is not UNKNOWN}
        told = {name: a for name, a in info.items() if name != "evaluations"}
        self.made, self.left = [*arrays], [name for name in state if name not in arrays]
        self.told, self.constants = [*told], {"evaluations": info["evaluations"]}
        return [w, *arrays.values(), *told.values(), *statistics.values()], []

    def _at(self, t: int, w: Array) -> list[Array]:
        """The numbers of step t as arrays, which are made anew only if a number is another one."""
        like = w.dtype, type(w)
        numbers = self.base.met[like].at(t, w)
        known, arrays = self.numbers
        if len(known) != len(like + numbers) or not all(map(is_same, known, like + numbers)):
            arrays = [asarray([a] if isinstance(a, float) else a, dtype=w.dtype) for a in numbers]
            self.numbers = like + numbers, arrays
        return arrays


class Given:
    """A base optimizer at one step, whose numbers, the first of which is η, are inputs of the record."""

    def __init__(self, base: Any, numbers: list[Array]) -> None:
        self.base, self.numbers, self.lr, self.init = base, numbers, numbers[0], base.init

    def update(self, w: Array, state: State, g: Array) -> tuple[Array, State]:
        moved: tuple[Array, State] = self.base.moved(w, state, g, *self.numbers)
        return moved


class Unknown:
    """What a recorded step must not depend on: the number of the step, and the seeds of the run."""

    def refused(self, *_: object) -> NoReturn:
        refuse("it depends on the number of the step or on the seeds of the run")

    __bool__ = __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __index__ = __int__ = __float__ = refused
    __hash__ = None  # type: ignore[assignment]


UNKNOWN = Unknown()


def is_ours(part: Any) -> bool:
    """Whether the class of an optimizer or ball, and of all its settings, stays as it is. (A schedule is not recorded.)"""
    settings = [a for name, a in vars(part).items() if name not in ("lr", "met")]
    return package(type(part).__module__) == "minisam" and all(
        is_ours(a) if isinstance(a, Declared) else package(type(a).__module__) in STAYS for a in settings
    )


def is_same(a: Any, b: Any) -> bool:
    return a is b or (isinstance(a, float) and isinstance(b, float) and a == b)


def no_leaves(flat: Array) -> list[Array]:
    return []


def as_they_are(*inputs: Array) -> tuple[Array, ...]:
    return inputs
