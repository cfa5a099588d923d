"""Losses: means over the batch, one number per replica."""

from __future__ import annotations

import math

import autograd.numpy as anp
import numpy
from autograd.tracer import isbox

from .arguments import checked, number
from .array_backend import xp
from .checks import AT_LEAST_0, Interval, check_number
from .kinds import floats, numbers, whole_numbers
from .ops import primitives as ops
from .ops.losses import check_range
from .types import Array, Loss, Shape
from .vectors import over

LOGITS, LABELS, BATCH = (
    floats(2, "(..., m, c) with c and m ≥ 1"),
    whole_numbers(0, empty=True),
    numbers(2, empty=True),
)


@checked(logits=LOGITS, labels=LABELS, label_smoothing=number(Interval(0, 1)))
def cross_entropy(logits: Array, labels: Array, label_smoothing: float = 0.0) -> Array:
    """Softmax cross-entropy with integer labels, −Σⱼ tⱼ log softmax(z)ⱼ, stable for logits of ±1e4.

    Parameters
    ----------
    logits : float array (..., m, c)
        Unnormalised log-probabilities of m examples.
    labels : integer array (m,) or (..., m)
        Classes 0 to c − 1, one per row of the logits. Or (n, t) or (..., n, t) with n·t = m: the next tokens of n texts, whose
        rows of logits stand one text below the other. NumPy labels are checked to be in 0 … c − 1 at every call, even when a
        record is replayed. Labels on a device are checked only by `train`, because reading them back would stall the device.
    label_smoothing : float
        s in [0, 1]: the target t is 1 − s on the label, plus s/c on every class.

    Returns
    -------
    float array (...,)
        Mean over the m examples [nats].

    Raises
    ------
    TypeError, ValueError
        If labels are not integers (TypeError), do not fit the logits or are out of range, s is out of range, or m = 0.

    Source: Szegedy et al. 2016, arXiv:1512.00567, section 7 (smoothing).  Truths: tests/test_losses.py.
    """
    return ops.softmax_cross_entropy(logits, as_rows(labels, logits.shape), label_smoothing)


@checked(prediction=LOGITS, target=BATCH)
def mse(prediction: Array, target: Array) -> Array:
    """Mean squared error over batch and outputs.   prediction (..., m, k), target (m, k) or (..., m, k)  ->  (...,).

    Raises a ValueError if the target does not have the shape of the prediction, or m = 0.
    """
    if target.shape[-2:] != prediction.shape[-2:] or target.ndim > prediction.ndim:
        raise ValueError(f"target must have the shape of the prediction, {prediction.shape}, got {target.shape}")
    _not_empty(prediction.shape)
    return ops.squared_error(prediction, target)


@checked(logits=LOGITS, labels=LABELS, q=number(Interval(0, 1, low_belongs=False)))
def generalised_cross_entropy(logits: Array, labels: Array, q: float = 0.7) -> Array:
    """Mean of (1 − p_y^q)/q with p = softmax(z): a loss for noisy labels, with q in (0, 1].

    Its limit for q → 0 is cross-entropy. At q = 1 it is 1 − p_y, which is bounded, so that a wrong label costs at most 1.
    Shapes, types and errors are those of `cross_entropy`.

    Source: Zhang & Sabuncu 2018, arXiv:1805.07836, eq. 6.  Truths: tests/test_losses.py.
    """
    log_p = -each(cross_entropy, logits, labels)
    return ops.total((1 - anp.exp(q * log_p)) / q) / logits.shape[-2]


def each(loss: Loss, z: Array, y: Array) -> Array:
    """The loss of each row of logits alone; it is computed as if each row were a replica with a batch of one row.

    z (..., m, c), integer labels y as for `cross_entropy` or targets (m, k) or (..., m, k)  ->  (..., m).
    """
    *lead, c = z.shape
    y = as_rows(y, z.shape)[..., None] if y.dtype.kind in "iu" else y[..., None, :]
    return loss(anp.reshape(z, (*lead, 1, c)), y)


def weight(name: str, value: Array) -> Array:
    """λ ≥ 0: a number, or an array (...,) with one for each replica."""
    if not isbox(value) and getattr(value, "size", 1) == 0:
        raise ValueError(f"l2 must be a number or an array (...,) of them, got shape {value.shape}")
    if not isbox(value):
        check_number(name, value[..., None] if getattr(value, "ndim", 0) else value, AT_LEAST_0)
    return value


@checked(w=floats(), l2=weight)
def l2_penalty(w: Array, l2: Array) -> Array:
    """λ‖w‖², the second term of the objective, with the gradient 2λw.   w (..., n), λ a number or (...,)  ->  (...,)."""
    return l2 * ops.total(w * w)


@checked(logits=LOGITS, labels=LABELS)
def accuracy(logits: Array, labels: Array) -> Array:
    """Share of the rows whose largest logit is that of their label.   logits (..., m, c)  ->  (...,).

    Shapes, types and errors of the labels are those of `cross_entropy`; labels out of range and rows
    with a logit that is not a number count as mistakes.
    """
    return is_right(logits, as_rows(labels, logits.shape)).mean(axis=-1)


@checked(logits=LOGITS, labels=LABELS)
def recalls(logits: Array, labels: Array) -> Array:
    """Share of each class's rows whose largest logit is that of their class.   logits (..., m, c)  ->  (..., c).

    NaN for a class that no label names, of which nothing is known. Shapes, types and errors of the labels are those of
    `cross_entropy`; rows with a logit that is not a number count as mistakes.
    """
    hits, there = by_class(logits, labels)
    return numpy.where(there > 0, over(hits, there), numpy.nan)


@checked(logits=LOGITS, labels=LABELS)
def balanced_accuracy(logits: Array, labels: Array) -> Array:
    """Mean of the `recalls` of those classes that the labels name: each class counts alike.   logits (..., m, c)  ->  (...,).

    It is `accuracy` where all of these classes have as many rows.
    """
    return mean_recall(*by_class(logits, labels))


def mean_recall(hits: Array, there: Array) -> Array:
    """The mean over the classes that are there of the share that is right; both (..., c), as numbers or as shares."""
    return over(hits, there).sum(axis=-1) / (there > 0).sum(axis=-1)


def by_class(logits: Array, labels: Array) -> tuple[Array, Array]:
    """How many rows of each class are right, and how many there are: (..., c), and (c,) or (..., c)."""
    labels = as_rows(labels, logits.shape)
    check_range(labels, logits.shape[-1])
    is_of = labels[..., None] == xp().arange(logits.shape[-1])
    return (is_right(logits, labels)[..., None] & is_of).sum(axis=-2), is_of.sum(axis=-2)


def is_right(logits: Array, labels: Array) -> Array:
    """Whether the largest logit is that of the label.   (..., m, c)  ->  (..., m)."""
    largest = logits.max(axis=-1)  # NaN, if one of the logits is
    return (logits.argmax(axis=-1) == labels) & (largest == largest)


def as_rows(labels: Array, logits_shape: Shape) -> Array:
    """Labels as one per row of the logits, (..., m); labels (..., n, t) of texts are flattened to (..., n·t).

    Labels with as many axes as the logits are texts. Labels with fewer axes are texts if their last axis is not m. So (1, m)
    is one text if the logits are (m, c); it is one label per row if they are (..., m, c), and both mean the same there.
    Raises what `check_labels` raises.
    """
    m = _not_empty(logits_shape)[-2]
    one_per_row = labels.shape[-1:] == (m,) and labels.ndim < len(logits_shape)
    if not one_per_row and 2 <= labels.ndim <= len(logits_shape) and math.prod(labels.shape[-2:]) == m:
        labels = anp.reshape(labels, (*labels.shape[:-2], m))
    check_labels(labels, logits_shape)
    return labels


def check_labels(labels: Array, logits_shape: Shape) -> None:
    """Raise an error unless the labels are integers of shape (m,) or (..., m) for logits (..., m, c).

    A TypeError names their dtype, a ValueError their shape and the shapes that fit.
    """
    m = _not_empty(logits_shape)[-2]
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got dtype {labels.dtype}")
    if labels.shape[-1:] != (m,) or labels.ndim >= len(logits_shape):
        fitting = " or ".join(dict.fromkeys([f"({m},)", str(tuple(logits_shape[:-1]))]))
        raise ValueError(f"labels must have shape {fitting}, got {labels.shape}")


def _not_empty(shape: Shape) -> Shape:
    if len(shape) < 2 or 0 in shape:
        raise ValueError(f"logits must have shape (..., m, outputs) with m ≥ 1, got {shape}")
    return shape
