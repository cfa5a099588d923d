"""The loss on a batch as a function of the weights: all that an optimizer sees of model and data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

import autograd.numpy as anp
import numpy

from .arguments import checked, instance, optional, random_seed
from .array_backend import asarray
from .autodiff import hvp, value_and_grad
from .autodiff.layout import plan_of
from .autodiff.replay import Bound, Computation
from .checks import check_counts
from .halves import cut
from .kinds import function, numbers, whole_numbers
from .losses import cross_entropy, each, mse
from .models import Model, NormStatistics
from .models.model import WEIGHTS
from .ops import primitives as ops
from .types import Array, Loss, Scalar, Seed

ROWS, LABELS, PLACES = numbers(2, here=False), numbers(1, here=False), whole_numbers(here=False)


@dataclass(frozen=True, eq=False)
class BatchLoss:
    """The loss of a model on batches; each kind of gradient is traced once for all of them.

        losses = BatchLoss(model)
        loss, g = losses.on(x, y)(w)

    Parameters
    ----------
    model : Model
    loss : function
        (logits, y) -> (...,), the mean over the examples; cross-entropy by default.
    """

    model: Model
    loss: Loss = cross_entropy
    _made: dict[tuple[Any, ...], Computation] = field(default_factory=dict, init=False, repr=False)
    whole_steps: dict[tuple[Any, ...], Any] = field(default_factory=dict, init=False, repr=False)  # see `whole_step`
    _siblings: dict[int, BatchLoss] = field(default_factory=dict, init=False, repr=False)  # by the id of their loss

    def __post_init__(self) -> None:
        instance(Model, "a minisam Model such as mlp((64, 32, 10))")("model", self.model)
        function(2, "(logits, y) -> loss")("loss", self.loss)

    @checked(x=ROWS, y=LABELS, examples=optional(PLACES), seeds=random_seed)
    def on(self, x: Array, y: Array, examples: Array = None, seeds: Seed = 0) -> Batch:
        """The loss on the batch x (..., m, i), y; see `Batch`."""
        if examples is not None and examples.shape[-1] != x.shape[-2]:
            raise ValueError(
                f"examples must have shape (..., {x.shape[-2]}), one for each row of x, got {examples.shape}"
            )
        return Batch(self, x, y, examples, seeds)

    def with_loss(self, loss: Loss) -> BatchLoss:
        """The same model with another loss: the same object at each call, so that its gradients are traced once."""
        if id(loss) not in self._siblings:
            self._siblings[id(loss)] = BatchLoss(self.model, loss)
        return self._siblings[id(loss)]

    def gradient(self, kind: str = "plain", near: bool = False) -> Computation:
        """(w, x, y, *others) -> (loss, g) of this kind of loss; the others are y′ and s, or v, and p, τ and λ (see `Batch`)."""
        return self._of(value_and_grad, kind, near)

    def product(self, kind: str = "plain") -> Computation:
        """(w, v, x, y, *others) -> H v of this kind of loss."""
        return self._of(hvp, kind, near=False)

    def _of(self, make: Callable[..., Computation], kind: str, near: bool) -> Computation:
        if (make, kind, near) not in self._made:
            loss = KINDS[kind](self.loss)  # it holds nothing else of this
            made = make(self.model, anchored(loss) if near else loss)
            plan = plan_of(self.model, self.loss, *OTHERS[kind], *[2, 0, 0] * near)  # p has rows, τ and λ are numbers
            self._made[make, kind, near] = replace(made, plan=plan)
        return self._made[make, kind, near]


@dataclass(frozen=True)
class Batch:
    """L on one batch: `batch(w) -> (loss, g)`, shapes (...,) and (..., n), and what some variants of SAM ask for besides.

        L = Σᵢ vᵢ ℓᵢ / m,    ℓᵢ = s ℓ(zᵢ, yᵢ) + (1 − s) ℓ(zᵢ, yᵢ′)

    A batch keeps nothing between calls, so any number of threads may call it. Its arrays must not be changed in place.

    Attributes
    ----------
    of : BatchLoss
    x, y : arrays
        (..., m, i), and (..., m) classes or (..., m, k) targets; or texts (..., m, t) both.
    examples : integer array (..., m), optional
        Where each example stands in the training data.
    seeds : int or integer array (..., 1)
        The seeds of the run, one per replica: optimizers that draw random numbers draw each seed's own.
    other, share : array like y, array (...,), optional
        Labels yᵢ′ and share s of a mixture; without them s = 1.
    weights : array (m,) or (..., m), optional
        Weights vᵢ of the examples; without them vᵢ = 1. A batch of mixtures has none.
    """

    of: BatchLoss
    x: Array
    y: Array
    examples: Array = None
    seeds: Seed = 0
    other: Array = None
    share: Array = None
    weights: Array = None
    gradient: Bound = field(init=False, repr=False)  # w -> (loss, g), the batch bound to its record once

    def __post_init__(self) -> None:
        bound = self.of.gradient(self.kind).on(self.x, self.y, *self._others())
        object.__setattr__(self, "gradient", bound)

    def __call__(self, w: Array) -> tuple[Array, Array]:
        return self.gradient(w)

    @property
    def kind(self) -> str:
        """What its loss is: "plain", "mixed" or "weighted"."""
        return "mixed" if self.share is not None else "weighted" if self.weights is not None else "plain"

    def hvp(self, w: Array, v: Array) -> Array:
        """H v with H the Hessian of L at w, (..., n)."""
        return self.of.product(self.kind)(w, v, self.x, self.y, *self._others())

    def labels(self) -> Array:
        """The class of each example, (m,); or (..., m), if each replica has its own."""
        if self.kind == "mixed" or not self._has_classes:
            what = "a mixture" if self.kind == "mixed" else f"{self.y.dtype} {self.y.shape}"
            raise TypeError(f"y must be one class for each example, got {what}")
        return self.y

    def outputs(self, w: Array) -> Array:
        """Logits (..., rows, c); a text has a row per token."""
        model = self.of.model
        return model.outputs(model.unflatten(WEIGHTS("w", w)), self.x, NormStatistics())

    def losses(self, w: Array) -> Array:
        """The loss vᵢ ℓᵢ of each example, (..., m)."""
        z, m = self.outputs(w), self.x.shape[-2]
        losses = of_each(self.of.loss, z, self.y, m)
        if self.share is None:
            return losses if self.weights is None else self.weights * losses
        s = self.share[..., None]
        return s * losses + (1 - s) * of_each(self.of.loss, z, self.other, m)

    def near(self, w: Array, p: Array, tau: float, lam: Scalar) -> tuple[Array, Array]:
        """L + λ τ² · mean KL(p ‖ softmax(z/τ)) over the rows, and its gradient; p (..., rows, c), 0 for rows to leave out."""
        lam, tau = asarray(lam, dtype=w.dtype), asarray(tau, dtype=w.dtype)
        anchor = (p, tau, lam if lam.ndim == 0 else lam[..., 0])
        return self.of.gradient(self.kind, near=True)(w, self.x, self.y, *self._others(), *anchor)

    # --- batches made of this one ---

    @checked(share=numbers(0), order=whole_numbers())
    def mixed(self, share: Array, order: Array) -> Batch:
        """Mixtures of examples, share · batch + (1 − share) · batch[order]; share (...,), order (..., m)."""
        if order.shape[-1] != self.x.shape[-2]:
            raise ValueError(
                f"order must have shape (..., {self.x.shape[-2]}), one for each row of x, got {order.shape}"
            )
        if self.kind != "plain":
            raise TypeError(f"a batch that is {self.kind} cannot be mixed")
        if self.x.dtype.kind != "f":
            raise TypeError(f"x must be floating point to be mixed, got tokens of dtype {self.x.dtype}")
        s, shuffled = share[..., None, None], self.some(order)
        return replace(self, x=s * self.x + (1 - s) * shuffled.x, other=shuffled.y, share=share)

    @checked(weights=numbers())
    def weighted(self, weights: Array) -> Batch:
        """The same examples with weights (m,) or (..., m), times those that they have."""
        if weights.shape[-1] != self.x.shape[-2]:
            raise ValueError(
                f"weights must have shape (..., {self.x.shape[-2]}), one for each row of x, got {weights.shape}"
            )
        if self.kind == "mixed":
            raise TypeError("a batch that is mixed cannot be weighted")
        return replace(self, weights=weights if self.weights is None else self.weights * weights)

    @checked(rows=whole_numbers())
    def some(self, rows: Array) -> Batch:
        """The examples at these places, (k,) for all replicas or (..., k): in this order, as a batch of k."""
        return self._changed(lambda a, axis: at_rows(a, rows, axis))

    def with_loss(self, loss: Loss) -> Batch:
        """The same examples with another loss (logits, y) -> (...,)."""
        return replace(self, of=self.of.with_loss(loss))

    def parts(self, k: int) -> list[Batch]:
        """The batch in k parts, whose sizes differ by one example at most; in m parts, if it has only m < k examples."""
        check_counts(k=k)
        m = self.x.shape[-2]
        edges = [j * m // min(k, m) for j in range(min(k, m) + 1)]
        return [self._changed(partial(cut, start=a, stop=b)) for a, b in pairwise(edges)]

    def arrays(self) -> dict[str, Array]:
        """All that the batch is made of, by name: enough to make it again by `made_of`."""
        return {name: a for name in ("x", "y", "other", "share", "weights") if (a := getattr(self, name)) is not None}

    def is_shared(self, name: str) -> bool:
        """Whether this array is the same for all replicas, without their axes."""
        own_axes = {"share": 0, **{key: -axis for key, axis in self._axes().items()}}
        return getattr(self, name).ndim == own_axes[name]

    def made_of(self, arrays: dict[str, Array]) -> Batch:
        """A batch of this loss with other arrays."""
        return replace(self, **arrays)

    def _changed(self, change: Callable[[Array, int], Array]) -> Batch:
        """Another batch, of `change(a, axis of the examples)` for each array a."""
        changed = {
            name: change(a, axis) for name, axis in self._axes().items() if (a := getattr(self, name)) is not None
        }
        return replace(self, **changed)

    def _axes(self) -> dict[str, int]:
        """The axis of the examples in each array that has one."""
        of_labels = -1 if self._has_classes else -2
        return {"x": -2, "y": of_labels, "other": of_labels, "examples": -1, "weights": -1}

    @property
    def _has_classes(self) -> bool:
        """Whether each example has one class; and not targets, or a token for each place of a text."""
        return self.y.dtype.kind in "iu" and self.x.dtype.kind == "f" and self.of.loss is not mse

    def _others(self) -> list[Array]:
        """What its kind of loss takes after x and y."""
        return {"plain": [], "mixed": [self.other, self.share], "weighted": [self.weights]}[self.kind]


# --- kinds of losses: functions of (z, y, *others), made of a loss of (z, y) -----------------------------------------


def as_it_is(loss: Loss) -> Loss:
    return loss


def of_mixture(loss: Loss) -> Loss:
    """s L(z, y) + (1 − s) L(z, y′)."""
    return lambda z, y, other, s: s * loss(z, y) + (1 - s) * loss(z, other)


def of_weighted(loss: Loss) -> Loss:
    """Σᵢ vᵢ ℓᵢ / m, with weights v (..., m)."""
    return lambda z, y, v: ops.total(v * of_each(loss, z, y, v.shape[-1])) / v.shape[-1]


KINDS: dict[str, Callable[[Loss], Loss]] = {"plain": as_it_is, "mixed": of_mixture, "weighted": of_weighted}
OTHERS: dict[str, list[int | None]] = {"plain": [], "mixed": [None, 0], "weighted": [1]}  # their axes, see `plan_of`


def anchored(loss: Loss) -> Loss:
    """The loss, and a penalty for logits far from p."""
    return lambda z, y, *others: loss(z, y, *others[:-3]) + penalty(z, *others[-3:])


def of_each(loss: Loss, z: Array, y: Array, m: int) -> Array:
    """The loss of each of m examples, (..., m); an example with several rows of logits, a text, has their mean."""
    rows = each(loss, z, y)
    r = rows.shape[-1] // m
    return rows if r == 1 else ops.sum_last(anp.reshape(rows, (*rows.shape[:-1], m, r)))[..., 0] / r


# --- examples --------------------------------------------------------------------------------------------------------


def at_rows(a: Array, rows: Array, axis: int) -> Array:
    """a at these places of an axis: (k,) the same for all replicas, or (..., k), each replica's own."""
    if rows.ndim == 1:
        return a.take(rows, axis=axis)
    tail = a.shape[a.ndim + axis :][1:]
    rows = rows.reshape(*rows.shape, *[1] * len(tail))
    lead = numpy.broadcast_shapes(a.shape[: a.ndim + axis], rows.shape[: rows.ndim + axis])
    a = numpy.broadcast_to(a, (*lead, *a.shape[a.ndim + axis :]))
    rows = numpy.broadcast_to(rows, (*lead, rows.shape[axis], *tail))
    return numpy.take_along_axis(a, rows, axis=axis)


def penalty(z: Array, p: Array, tau: Array, lam: Array) -> Array:
    """λ τ² · mean KL(p ‖ softmax(z/τ))."""
    return lam * tau**2 * divergence(p, z / tau)


def divergence(p: Array, z: Array) -> Array:
    """Mean over rows of KL(p ‖ softmax z) = Σ p (log p − log softmax z).   (..., m, c) both  ->  (...,)."""
    log_p = anp.log(p + (p == 0))  # 0 log 0 = 0
    return anp.mean(ops.sum_last(p * (log_p - ops.log_softmax(z)))[..., 0], axis=-1)
