"""Kwon, Kim, Park & Choi 2021, "ASAM: Adaptive Sharpness-Aware Minimization for Scale-Invariant Learning of Deep Neural
Networks". arXiv:2102.11600.

A scaling A of the weights that leaves a net's function as it is, here of the nodes of a ReLU net: what enters a hidden unit
is multiplied by c > 0, what leaves it divided by c. Adaptive sharpness does not change (section 3); SAM's does.
"""

import numpy as np
import pytest

from minisam import SGD, BatchLoss, mlp
from minisam.sam import ASAM, SAM

RNG = np.random.default_rng(0)
NET = mlp((3, 5, 4, 2), "relu")
BATCH = BatchLoss(NET).on(RNG.standard_normal((16, 3)), RNG.integers(0, 2, 16))
W = NET.init(0, "float64") + 0.1 * RNG.standard_normal(NET.size)  # with biases that are not 0


def node_wise(c0, c1):
    """A, for factors of the first hidden layer's units and of the second's."""
    factors = {"W0": np.ones((3, 5)) * c0, "b0": c0, "W1": c1 / c0[:, None], "b1": c1}
    return NET.flatten(factors | {"W2": np.ones((4, 2)) / c1[:, None], "b2": np.ones(2)})


NODES = node_wise(np.exp(RNG.uniform(-3, 3, 5)), np.exp(RNG.uniform(-3, 3, 4)))
LAYERS = node_wise(np.full(5, 20.0), np.full(4, 0.3))


def epsilon_of(optimizer, w):
    points = []
    optimizer.step(w, optimizer.init(w), lambda v: (points.append(v), BATCH(v))[1])
    return points[1] - w


def sharpness_changes(optimizer, A):
    """How far L(w + ε) is from what it is after the scaling."""
    before, after = (BATCH(w + epsilon_of(optimizer, w))[0] for w in (W, A * W))
    return abs(after / before - 1)


@pytest.mark.parametrize("A", [NODES, LAYERS], ids=["nodes", "layers"])
def test_the_scaling_leaves_the_net_and_takes_the_gradient_the_other_way(A):
    np.testing.assert_allclose(NET.apply(A * W, BATCH.x), NET.apply(W, BATCH.x), rtol=1e-12)
    np.testing.assert_allclose(BATCH(A * W)[1] * A, BATCH(W)[1], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("p", [1, 2, 4, np.inf])
def test_adaptive_sharpness_is_invariant_and_epsilon_is_scaled_like_the_weights(p):
    asam = ASAM(SGD(0.1), 0.5, p=p, eta=0)
    np.testing.assert_allclose(epsilon_of(asam, NODES * W), NODES * epsilon_of(asam, W), rtol=1e-9, atol=1e-12)
    assert sharpness_changes(asam, NODES) < 1e-12


def test_sams_sharpness_is_not():
    assert sharpness_changes(SAM(SGD(0.1), 0.5), NODES) > 0.1
    assert sharpness_changes(SAM(SGD(0.1), 0.5), LAYERS) > 0.1


def test_filter_wise_it_is_invariant_to_the_scaling_of_layers_and_not_of_nodes():
    asam = ASAM(SGD(0.1), 0.5, eta=0, model=NET)
    assert sharpness_changes(asam, LAYERS) < 1e-12
    assert sharpness_changes(asam, NODES) > 1e-3


def test_eta_costs_as_much_invariance_as_it_is_large():
    small, large = (sharpness_changes(ASAM(SGD(0.1), 0.5, eta=eta), NODES) for eta in (1e-6, 1e-4))
    assert 0 < small < 1e-4
    np.testing.assert_allclose(large / small, 100, rtol=0.1)


def test_biases_perturbed_as_in_sam_cost_it_too():
    asam = ASAM(SGD(0.1), 0.5, eta=0, mask=NET.mask("weights", "float64"))
    assert sharpness_changes(asam, NODES) > 1e-3
