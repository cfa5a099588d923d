"""Gradual domain adaptation: a network follows data that drift away, without labels.

Truths: tests/test_self_training.py.
"""

from __future__ import annotations

from .array_backend import asarray, xp
from .batch import BatchLoss
from .data import batches
from .models import Model
from .optim import Optimizer
from .types import Array


def self_train(
    model: Model, w: Array, x: Array, optimizer: Optimizer, epochs: int, batch_size: int = 64, seed: int = 0
) -> Array:
    """Train on a new domain with the labels that the network itself gives: one step of gradual self-training.

        ŷ = argmax of the logits at w;    w ← the result of training on (x, ŷ), begun at w

    Parameters
    ----------
    model : Model
    w : float array (..., n)
        Weights that are good on the domain before. Each replica gives labels of its own.
    x : float array (m, i)
        Examples of the new domain.
    optimizer : optimizer
        Begins afresh in each domain; hyperparameters are numbers, or arrays that broadcast against w.
    epochs, batch_size : int
        ≥ 1. As in `train`; here all replicas share the order of the data.
    seed : int
        Of that order.

    Returns
    -------
    float array (..., n)

    Source: Kumar, Ma & Liang 2020, arXiv:2002.11361, section 3 (without their dropping of the least confident examples).
    """
    x = asarray(x, dtype=w.dtype)
    labels = xp().argmax(model.apply(w, x), axis=-1)  # (..., m), kept for all epochs
    losses, state = BatchLoss(model), optimizer.init(w)
    for epoch in range(epochs):
        for i in asarray(batches(len(x), min(batch_size, len(x)), seed, epoch)):
            w, state, _ = optimizer.step(w, state, losses.on(x[i], labels[..., i], examples=i, seeds=seed))
    return w
