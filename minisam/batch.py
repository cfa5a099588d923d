"""The loss on a batch as a function of the weights: all that an optimizer sees of model and data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise

import autograd.numpy as anp
import numpy

from .arguments import checked, instance, optional, random_seed
from .array_backend import asarray
from .autodiff import value_and_grad
from .autodiff.layout import plan_of
from .autodiff.parts import cut
from .autodiff.replay import Computation
from .checks import check_counts
from .kinds import function, numbers, whole_numbers
from .losses import cross_entropy, each, mse
from .models import Model, NormStatistics
from .models.model import WEIGHTS
from .ops import primitives as ops
from .types import Array, Loss, LossAndGrad, Scalar, Seed

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
    _gradients: dict[tuple[bool, bool], Computation] = field(default_factory=dict, init=False, repr=False)

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

    def gradient(self, mixed: bool = False, near: bool = False) -> Computation:
        """(w, x, y, *others) -> (loss, g) of this kind of loss; the others are y′ and s, and p, τ and λ (see `Batch`)."""
        if (mixed, near) not in self._gradients:
            kinds = {
                (False, False): self.loss,
                (True, False): self.of_mixture,
                (False, True): lambda z, y, *anchor: self.loss(z, y) + penalty(z, *anchor),
                (True, True): lambda z, y, other, s, *anchor: self.of_mixture(z, y, other, s) + penalty(z, *anchor),
            }
            plan = plan_of(self.model, self.loss, *[None, 0] * mixed, *[2, 0, 0] * near)
            self._gradients[mixed, near] = replace(value_and_grad(self.model, kinds[mixed, near]), plan=plan)
        return self._gradients[mixed, near]

    def of_mixture(self, z: Array, y: Array, other: Array, s: Array) -> Array:
        """s L(z, y) + (1 − s) L(z, y′)."""
        return s * self.loss(z, y) + (1 - s) * self.loss(z, other)

    def of_each(self, z: Array, y: Array, m: int) -> Array:
        """The loss of each of m examples, (..., m); an example with several rows of logits, a text, has their mean."""
        rows = each(self.loss, z, y)
        r = rows.shape[-1] // m
        return rows if r == 1 else ops.sum_last(anp.reshape(rows, (*rows.shape[:-1], m, r)))[..., 0] / r


@dataclass(frozen=True)
class Batch:
    """L on one batch: `batch(w) -> (loss, g)`, shapes (...,) and (..., n), and what some variants of SAM ask for besides.

        L = Σᵢ ℓᵢ / m,    ℓᵢ = s ℓ(zᵢ, yᵢ) + (1 − s) ℓ(zᵢ, yᵢ′)

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
    """

    of: BatchLoss
    x: Array
    y: Array
    examples: Array = None
    seeds: Seed = 0
    other: Array = None
    share: Array = None
    gradient: LossAndGrad = field(init=False, repr=False)  # w -> (loss, g), the batch bound to its record once

    def __post_init__(self) -> None:
        bound = self.of.gradient(mixed=self.share is not None).on(self.x, self.y, *self._mixture())
        object.__setattr__(self, "gradient", bound)

    def __call__(self, w: Array) -> tuple[Array, Array]:
        return self.gradient(w)

    def outputs(self, w: Array) -> Array:
        """Logits (..., rows, c); a text has a row per token."""
        model = self.of.model
        return model.outputs(model.unflatten(WEIGHTS("w", w)), self.x, NormStatistics())

    def losses(self, w: Array) -> Array:
        """The loss ℓᵢ of each example, (..., m)."""
        z, m = self.outputs(w), self.x.shape[-2]
        losses = self.of.of_each(z, self.y, m)
        if self.share is None:
            return losses
        s = self.share[..., None]
        return s * losses + (1 - s) * self.of.of_each(z, self.other, m)

    def near(self, w: Array, p: Array, tau: float, lam: Scalar) -> tuple[Array, Array]:
        """L + λ τ² · mean KL(p ‖ softmax(z/τ)) over the rows, and its gradient; p (..., rows, c), 0 for rows to leave out."""
        lam, tau = asarray(lam, dtype=w.dtype), asarray(tau, dtype=w.dtype)
        anchor = (p, tau, lam if lam.ndim == 0 else lam[..., 0])
        gradient = self.of.gradient(mixed=self.share is not None, near=True)
        return gradient(w, self.x, self.y, *self._mixture(), *anchor)

    # --- batches made of this one ---

    @checked(share=numbers(0), order=whole_numbers())
    def mixed(self, share: Array, order: Array) -> Batch:
        """Mixtures of examples, share · batch + (1 − share) · batch[order]; share (...,), order (..., m)."""
        if order.shape[-1] != self.x.shape[-2]:
            raise ValueError(
                f"order must have shape (..., {self.x.shape[-2]}), one for each row of x, got {order.shape}"
            )
        if self.share is not None:
            raise TypeError("a batch of mixtures cannot be mixed once more")
        if self.x.dtype.kind != "f":
            raise TypeError(f"x must be floating point to be mixed, got tokens of dtype {self.x.dtype}")
        s, shuffled = share[..., None, None], self.some(order)
        return replace(self, x=s * self.x + (1 - s) * shuffled.x, other=shuffled.y, share=share)

    @checked(rows=whole_numbers())
    def some(self, rows: Array) -> Batch:
        """The examples at these places, (k,) for all replicas or (..., k): in this order, as a batch of k."""
        return self._changed(lambda a, axis: at_rows(a, rows, axis))

    def parts(self, k: int) -> list[Batch]:
        """The batch in k parts, whose sizes differ by one example at most; in m parts, if it has only m < k examples."""
        check_counts(k=k)
        m = self.x.shape[-2]
        edges = [j * m // min(k, m) for j in range(min(k, m) + 1)]
        return [self._changed(partial(cut, start=a, stop=b)) for a, b in pairwise(edges)]

    def arrays(self) -> dict[str, Array]:
        """All that the batch is made of, by name: enough to make it again by `made_of`."""
        return {name: a for name in ("x", "y", "other", "share") if (a := getattr(self, name)) is not None}

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
        are_labels = self.y.dtype.kind in "iu" and self.x.dtype.kind == "f" and self.of.loss is not mse
        of_labels = -1 if are_labels else -2
        return {"x": -2, "y": of_labels, "other": of_labels, "examples": -1}

    def _mixture(self) -> list[Array]:
        return [] if self.share is None else [self.other, self.share]


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
