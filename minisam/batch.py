"""The loss on a batch as a function of the weights: all that an optimizer sees of model and data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import autograd.numpy as anp

from . import ops
from .array_backend import asarray
from .autodiff import value_and_grad
from .losses import cross_entropy, each
from .models import Model
from .types import Array, statistics_of

Loss = Callable[..., Array]


@dataclass
class BatchLoss:
    """The loss of a model on batches; each kind of gradient is traced once for all of them.

    losses = BatchLoss(model)
    loss, g = losses.on(x, y)(w)
    """

    model: Model
    loss: Loss = cross_entropy

    def on(self, x: Array, y: Array, examples: Array = None) -> Batch:
        """The loss on the batch x (..., m, i), y, whose rows stand in the places `examples` of the data."""
        return Batch(self, x, y, examples)

    @cached_property
    def of_all(self) -> Callable[..., Any]:
        """(w, x, y) -> (loss, g), with the statistics of batch norm."""
        return value_and_grad(self.model, self.loss)

    @cached_property
    def weighted(self) -> Callable[..., Any]:
        """(w, x, y, a) -> (loss, g) of Σ aᵢ ℓᵢ / m."""

        def loss(z: Array, y: Array, a: Array) -> Array:
            return ops.sum_last(a * each(self.loss, z, y))[..., 0] / a.shape[-1]

        return value_and_grad(self.model, loss)

    @cached_property
    def mixed(self) -> Callable[..., Any]:
        """(w, x, y, y', λ) -> (loss, g) of λ ℓ(y) + (1 − λ) ℓ(y')."""

        def loss(z: Array, y: Array, y2: Array, s: Array) -> Array:
            return s * self.loss(z, y) + (1 - s) * self.loss(z, y2)

        return value_and_grad(self.model, loss)

    @cached_property
    def near(self) -> Callable[..., Any]:
        """(w, x, y, p, τ, λ) -> (loss, g) of L + λ τ² · mean KL(p ‖ softmax(z/τ))."""

        def loss(z: Array, y: Array, p: Array, tau: Array, lam: Array) -> Array:
            return self.loss(z, y) + lam * tau**2 * divergence(p, z / tau)

        return value_and_grad(self.model, loss)


@dataclass
class Batch:
    """L on one batch: `batch(w) -> (loss, g)`, shapes (...,) and (..., n), and what some variants of SAM ask for besides.

    Attributes
    ----------
    of : BatchLoss
    x, y : arrays
        (..., m, i), and (..., m) classes or (..., m, k) targets.
    examples : integer array (..., m), optional
        Where each row stands in the training data.
    """

    of: BatchLoss
    x: Array
    y: Array
    examples: Array = None
    _seen: dict[str, Array] = field(default_factory=dict, init=False, repr=False)
    _parts: list[Batch] = field(default_factory=list, init=False, repr=False)

    @cached_property
    def _bound(self) -> Callable[..., Any]:
        return self.of.of_all.on(self.x, self.y)

    def __call__(self, w: Array) -> tuple[Array, Array]:
        return self._note(self._bound(w))

    @property
    def statistics(self) -> dict[str, Array]:
        """What batch norm saw in the first gradient, which is the one at w itself: the ascent pass of SAM.

        If only parts of the batch have been looked at, the mean over what it saw there.
        """
        if self._seen or not self._parts:
            return self._seen
        return {
            key: sum(part.statistics[key] for part in self._parts) / len(self._parts)
            for key in self._parts[0].statistics
        }

    def _note(self, result: tuple[Array, Array]) -> tuple[Array, Array]:
        self._seen = self._seen or statistics_of(result)
        return result

    def outputs(self, w: Array) -> Array:
        """Logits (..., m, c)."""
        return self.of.model.apply(w, self.x)

    def losses(self, w: Array) -> Array:
        """The loss of each example, (..., m)."""
        return each(self.of.loss, self.outputs(w), self.y)

    def weighted(self, w: Array, a: Array) -> tuple[Array, Array]:
        """Σ aᵢ ℓᵢ / m over the examples, and its gradient; a (..., m)."""
        return self._note(self.of.weighted(w, self.x, self.y, a))

    def near(self, w: Array, p: Array, tau: float, lam: Any) -> tuple[Array, Array]:
        """L + λ τ² · mean KL(p ‖ softmax(z/τ)) over the examples, and its gradient; p (..., m, c), 0 for those to leave out."""
        lam, tau = asarray(lam, dtype=w.dtype), asarray(tau, dtype=w.dtype)
        return self._note(self.of.near(w, self.x, self.y, p, tau, lam if lam.ndim == 0 else lam[..., 0]))

    def mixed(self, share: float, order: Array) -> Callable[[Array], tuple[Array, Array]]:
        """The loss on mixtures of examples, share · batch + (1 − share) · batch[order]; order (m,)."""
        x = share * self.x + (1 - share) * self.x[..., order, :]
        s = asarray(share, dtype=self.x.dtype)
        return lambda w: self._note(self.of.mixed(w, x, self.y, self._labels(order), s))

    def _labels(self, rows: Any) -> Array:
        """y of some examples: (..., m) classes, or (..., m, k) targets, or (..., m, t) tokens of texts x."""
        classes = self.y.dtype.kind in "iu" and self.x.dtype.kind == "f"
        return self.y[..., rows] if classes else self.y[..., rows, :]

    def parts(self, k: int) -> list[Batch]:
        """The batch in k parts of m/k examples each."""
        m = self.x.shape[-2]
        if k < 1 or m % k:
            raise ValueError(f"parts must divide the {m} examples of the batch, got {k}")
        rows = [slice(j * m // k, (j + 1) * m // k) for j in range(k)]
        self._parts = [Batch(self.of, self.x[..., r, :], self._labels(r)) for r in rows]
        return self._parts


def divergence(p: Array, z: Array) -> Array:
    """Mean over rows of KL(p ‖ softmax z) = Σ p (log p − log softmax z).   (..., m, c) both  ->  (...,)."""
    log_p = anp.log(p + (p == 0))  # 0 log 0 = 0
    return anp.mean(ops.sum_last(p * (log_p - ops.log_softmax(z)))[..., 0], axis=-1)
