"""Fifty steps of every variant of SAM on every kind of network: on CuPy as on NumPy, in double precision.

Most pairs take part only if MINISAM_LONG is set; without it, every variant runs on one network, and every network with a few.
"""

import os
from dataclasses import replace

import numpy as np
import pytest

from minisam import BatchLoss, array_backend, cnn, gpt, mlp, vit
from minisam.verify.family import variants

RNG = np.random.default_rng(0)
EXAMPLES, STEPS = 8, 50
LABELS = RNG.integers(0, 3, EXAMPLES)
TEXTS = RNG.integers(0, 3, (EXAMPLES, 5))
NETWORKS = {
    "mlp": (mlp((5, 6, 3), "tanh"), RNG.standard_normal((EXAMPLES, 5)), LABELS),
    "cnn": (cnn((3,), (1, 4, 4), 3, norm="batch"), RNG.standard_normal((EXAMPLES, 16)), LABELS),
    "vit": (vit((1, 4, 4), 2, 8, 1, 2, 3), RNG.standard_normal((EXAMPLES, 16)), LABELS),
    "gpt": (gpt(3, 4, 8, 1, 2), TEXTS[:, :-1], TEXTS[:, 1:]),
}
NAMES = list(variants(NETWORKS["mlp"][0]))
EVERYWHERE = {"SAM", "GSAM", "ESAM", "MESA", "SSAM"}
PAIRS = [
    (name, network)
    for network in NETWORKS
    for name in NAMES
    if network == "mlp" or name in EVERYWHERE or os.environ.get("MINISAM_LONG")
]


def made(name, network):
    """The variant of this name for the network. A gpt has a row of logits per token."""
    optimizer = variants(NETWORKS[network][0])[name]
    return replace(optimizer, rows=TEXTS.shape[1] - 1) if (name, network) == ("SAF", "gpt") else optimizer


def path(name, network, nudge=0.0):
    """The weights after 25 and after 50 steps, on two batches in turn."""
    model, x, y = NETWORKS[network]
    losses, optimizer, examples = BatchLoss(model), made(name, network), np.arange(EXAMPLES)
    batches = [losses.on(*[array_backend.asarray(a[k::2]) for a in (x, y, examples)]) for k in range(2)]
    w, at = model.init([0, 1], "float64") * (1 + nudge), []
    state = optimizer.init(w)
    for t in range(STEPS):
        w, state, _ = optimizer.step(w, state, batches[t % 2])
        if t in (STEPS // 2 - 1, STEPS - 1):
            at.append(array_backend.asnumpy(w))
    return np.array(at)


@pytest.mark.gpu
@pytest.mark.parametrize(("name", "network"), PAIRS)
def test_fifty_steps_are_numpys(name, network):
    with array_backend.use("cupy"):
        here = path(name, network)
    with array_backend.use("numpy"):
        there = path(name, network)
    assert np.isfinite(there).all()
    np.testing.assert_allclose(here, there, rtol=0, atol=1e-9 * np.abs(there).max())


@pytest.mark.parametrize(("name", "network"), PAIRS)
def test_fifty_steps_do_not_blow_up_rounding(name, network):
    """Or the comparison would say nothing: on NumPy, a relative change of the start by 1e-13 grows less than 1e5-fold.

    No mask, rank or threshold of a variant lies so near an edge that it flips, either.
    """
    there, nudged = path(name, network), path(name, network, nudge=1e-13)
    np.testing.assert_allclose(nudged, there, rtol=0, atol=1e-8 * np.abs(there).max())
