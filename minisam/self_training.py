"""Gradual domain adaptation: a network follows data that drift away and have no labels.

Truths: tests/test_self_training.py.
"""

from __future__ import annotations

import numpy

from .arguments import checked, count, instance, one_seed, optimizer
from .array_backend import asarray
from .batch import BatchLoss
from .data import batches
from .kinds import floats
from .models import Model
from .optim import Optimizer
from .types import Array


@checked(
    model=instance(Model, "a minisam Model such as mlp((64, 32, 10))"),
    w=floats(),
    x=floats(2, "(m, i)"),
    optimizer=optimizer,
    epochs=count(),
    batch_size=count(),
    seed=one_seed,
)
def self_train(
    model: Model, w: Array, x: Array, optimizer: Optimizer, epochs: int, batch_size: int = 64, seed: int = 0
) -> Array:
    """Train on a new domain with the labels that the network itself gives: one step of gradual self-training.

        ŷ = argmax of the logits at w;    w ← the result of training on (x, ŷ), begun at w

    Parameters
    ----------
    model : Model
    w : float array (..., n)
        Weights that are good on the domain before. Each replica gives its own labels.
    x : float array (m, i)
        Examples of the new domain.
    optimizer : optimizer
        Its state is new in each domain. Hyperparameters are numbers, or arrays (..., 1) that broadcast against w.
    epochs, batch_size : int
        ≥ 1, as in `train`.
    seed : int
        ≥ 0. Draws the order of the examples, which all replicas share, and the random numbers of the optimizer.

    Returns
    -------
    float array (..., n)
        The weights after the last epoch.

    Raises
    ------
    ValueError
        If a count or the seed is out of range.

    Source: Kumar, Ma & Liang 2020, arXiv:2002.11361, section 3 (they also drop the least confident examples; we keep all).
    """
    x = asarray(x, dtype=w.dtype)
    labels = numpy.argmax(model.apply(w, x), axis=-1)  # (..., m), kept for all epochs
    losses, state = BatchLoss(model), optimizer.init(w)
    for epoch in range(epochs):
        for i in asarray(batches(len(x), min(batch_size, len(x)), seed, epoch)):
            w, state, _ = optimizer.step(w, state, losses.on(x[i], labels[..., i], examples=i, seeds=seed))
    return w
