"""Zhou, Qu, Xu & Shen 2023, "ImbSAM: A Closer Look at Sharpness-Aware Minimization in Class-Imbalanced Recognition".

arXiv:2308.07815. L = L_head + L_tail; only L_tail is perturbed, along its own gradient.
"""

import numpy as np
import pytest
from variants import (
    BASES,
    LINEAR,
    MODEL,
    assert_same_bits,
    assert_sweeps,
    batches,
    by_hand,
    run,
    start,
)

from minisam import SAM, SGD, BatchLoss, cnn, gpt, train, value_and_grad
from minisam.long_tails import Reweighted
from minisam.noisy_labels import Mixup
from minisam.sam import ImbSAM

TAIL, RHO = [1, 3], 0.3


def tail_gradient(w, batch):
    """∇L_tail of softmax regression: the sum over the rare examples, over the number of all."""
    rare = np.isin(batch.y, TAIL)
    return by_hand(w, batch.x, batch.y)[1][rare].sum(axis=0) / len(rare)


def authors_steps(w, losses, lr, momentum, factor=1):
    """What the authors' program does at each step, in PyTorch, here by hand: `factor` 2 is that of September 2023."""
    path, v = [], 0 * w
    for batch in losses:
        rare, m = np.isin(batch.y, TAIL), len(batch.y)
        slopes = by_hand(w, batch.x, batch.y)[1]
        of_head = slopes[~rare].sum(axis=0) / m  # kept by the first of its three steps
        of_tail = factor * slopes[rare].sum(axis=0) / m
        there = w + RHO / (np.linalg.norm(of_tail) + 1e-16) * of_tail  # the second
        there_tail = factor * by_hand(there, batch.x, batch.y)[1][rare].sum(axis=0) / m
        v = momentum * v + (there_tail + of_head)  # the third, back at w
        w = w - lr * v
        path.append(w)
    return np.array(path)


def test_the_steps_are_those_of_the_authors_program():
    w, losses = start(LINEAR)[0], batches(6, model=LINEAR)
    path, told, _ = run(ImbSAM(SGD(0.1, momentum=0.9), RHO, tail=TAIL), w, losses)
    np.testing.assert_allclose(path, authors_steps(w, losses, 0.1, 0.9), rtol=1e-12, atol=1e-14)
    assert np.abs(path - run(SAM(SGD(0.1, momentum=0.9), RHO), w, losses)[0]).max() > 1e-3
    for info, at, batch in zip(told, [w, *path], losses, strict=False):
        np.testing.assert_allclose(info["loss"], by_hand(at, batch.x, batch.y)[0].mean(), rtol=1e-13)
        np.testing.assert_allclose(info["eps_norm"], RHO, rtol=1e-13)
        assert info["evaluations"] == 3


def test_the_program_of_september_2023_is_a_tail_that_weighs_twice():
    w, losses = start(LINEAR)[0], batches(6, model=LINEAR)
    twice = Reweighted(ImbSAM(SGD(0.1, momentum=0.9), RHO, tail=TAIL), np.array([1.0, 2, 1, 2]))
    path, _, _ = run(twice, w, losses)
    np.testing.assert_allclose(path, authors_steps(w, losses, 0.1, 0.9, factor=2), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("base", BASES)
def test_with_all_classes_rare_it_is_sam_and_with_none_the_base(base):
    base, settings = BASES[base], {"l2": 0.01}
    path, _, _ = run(ImbSAM(base, RHO, tail=range(4), **settings), start(), batches())
    np.testing.assert_allclose(path, run(SAM(base, RHO, **settings), start(), batches())[0], rtol=1e-9, atol=1e-12)
    assert_same_bits(ImbSAM(base, RHO, tail=[], **settings), SAM(base, 0.0, **settings))


def test_a_batch_without_rare_examples_is_the_bases_bit_for_bit():
    alone = [BatchLoss(MODEL).on(batch.x, np.where(np.isin(batch.y, TAIL), 0, batch.y)) for batch in batches()]
    assert_same_bits(ImbSAM(SGD(0.1), RHO, tail=TAIL), SGD(0.1), losses=alone)
    _, told, _ = run(ImbSAM(SGD(0.1), RHO, tail=TAIL), start(), alone)
    np.testing.assert_array_equal([info["eps_norm"] for info in told], 0)


def test_it_does_not_matter_which_of_the_other_classes_an_example_has_for_where_to_look():
    """Only rare examples say where: ε stays, bit for bit, and the direction changes by the change of ∇L_head(w) alone."""
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    common = ~np.isin(batch.y, TAIL)
    other = BatchLoss(LINEAR).on(batch.x, np.where(common, 2 - batch.y, batch.y))
    assert (other.y != batch.y).any()
    moved = [w - ImbSAM(SGD(1.0), RHO, tail=TAIL).step(w, {"t": 0, "v": 0 * w}, each)[0] for each in (batch, other)]
    np.testing.assert_allclose(moved[1] - moved[0], other(w)[1] - batch(w)[1], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("rho", [1e-3, 1e-4])
def test_its_direction_descends_the_loss_plus_rho_times_the_norm_of_the_tails_gradient(rho):
    """d = ∇(L + ρ ‖∇L_tail‖) + O(ρ²), by central differences: the head's sharpness is not in it."""
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    d = w - ImbSAM(SGD(1.0), rho, tail=TAIL).step(w, {"t": 0, "v": 0 * w}, batch)[0]
    norm = lambda at: np.linalg.norm(tail_gradient(at, batch))  # noqa: E731
    h = 1e-5
    slope = np.array([(norm(w + h * e) - norm(w - h * e)) / (2 * h) for e in np.eye(16)])
    assert np.linalg.norm(slope) > 0.05
    np.testing.assert_allclose((d - batch(w)[1]) / rho, slope, rtol=0, atol=2 * rho)


def test_replicas_with_examples_of_their_own_have_rare_examples_of_their_own():
    rng, w = np.random.default_rng(3), start(LINEAR)
    x, y = rng.standard_normal((2, 8, 3)), np.array([[0, 0, 0, 2, 2, 2, 2, 1], [1, 3, 1, 3, 1, 3, 0, 1]])
    optimizer = ImbSAM(SGD(0.1), RHO, tail=TAIL)
    together, _, told = optimizer.step(w, optimizer.init(w), BatchLoss(LINEAR).on(x, y))
    for k in range(2):
        alone, _, its = optimizer.step(w[k], optimizer.init(w[k]), BatchLoss(LINEAR).on(x[k], y[k]))
        np.testing.assert_array_equal(together[k], alone)
        np.testing.assert_array_equal(told["eps_norm"][k], its["eps_norm"])


def test_it_sweeps(device):
    assert_sweeps(device, lambda rho: ImbSAM(SGD(0.1), rho, tail=TAIL), rho=[0.0, 0.3])


def test_batch_norm_sees_the_whole_batch():
    model, rng = cnn((3,), (1, 4, 4), 4, norm="batch"), np.random.default_rng(0)
    batch, w = BatchLoss(model).on(rng.standard_normal((8, 16)), np.arange(8) % 4), model.init(0, "float64")
    _, _, info = ImbSAM(SGD(0.1), tail=TAIL).step(w, SGD(0.1).init(w), batch)
    for name, value in batch(w).statistics.items():
        np.testing.assert_array_equal(info["statistics"][name], value)


def test_what_has_no_class_for_each_example_is_refused():
    texts, tokens = np.arange(24).reshape(4, 6) % 5, gpt(5, context=5, width=8, depth=1, heads=2)
    with pytest.raises(TypeError, match=r"y must be one class for each example, got int64 \(4, 5\)"):
        train(tokens, (texts[:, :-1], texts[:, 1:]), ImbSAM(SGD(0.1), tail=TAIL), 1, 4, progress=False)
    with pytest.raises(TypeError, match=r"needs loss_and_grad\.labels: hand it BatchLoss"):
        run(ImbSAM(SGD(0.1), tail=TAIL), start(), [value_and_grad(lambda w: (w * w).sum(axis=-1))])
    with pytest.raises(TypeError, match="Mixup cannot go around ImbSAM: it needs the examples as they are"):
        Mixup(ImbSAM(SGD(0.1), tail=TAIL))


@pytest.mark.parametrize("tail", [None, 3, [-1], [0.5], ["a"], [[1]], {1}])
def test_the_rare_classes_are_a_sequence_of_classes(tail):
    with pytest.raises(ValueError, match="tail must be a sequence of any number of whole numbers ≥ 0, got"):
        ImbSAM(SGD(0.1), tail=tail)
