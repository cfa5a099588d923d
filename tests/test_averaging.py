"""Averages of the weights that a training passes through."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from variants import BASES, MODEL, assert_same_bits, batches, run, start

from minisam import SAM, SGD, train
from minisam.sam import EMA, MESA, SWA

RNG = np.random.default_rng(0)
DATA = RNG.standard_normal((24, 3)), RNG.integers(0, 4, 24)


def averages(optimizer, w, losses):
    """The average after each step, and the weights."""
    state, found, path = optimizer.init(w), [], []
    for loss in losses:
        w, state, _ = optimizer.step(w, state, loss)
        found.append(state["averaged"])
        path.append(w)
    return found, path


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("average", [lambda base: SWA(base, 1, 2), lambda base: EMA(base, 0.9)], ids=["SWA", "EMA"])
def test_the_training_goes_on_as_it_would_without(base, average):
    assert_same_bits(average(BASES[base]), BASES[base])
    assert_same_bits(average(SAM(BASES[base], 0.3)), SAM(BASES[base], 0.3))


def test_what_is_told_is_the_optimizers():
    _, told, _ = run(SWA(SAM(SGD(0.1), 0.3)), start(), batches())
    _, expected, _ = run(SAM(SGD(0.1), 0.3), start(), batches())
    for here, there in zip(told, expected, strict=True):
        assert here.keys() == there.keys()
        assert here["evaluations"] == there["evaluations"] == 2
        np.testing.assert_array_equal(here["loss"], there["loss"])


@given(st.integers(0, 4), st.integers(1, 3))
def test_swa_is_the_arithmetic_mean_of_the_weights_it_takes(begin, every):
    found, path = averages(SWA(SGD(0.1), begin, every), start(), batches(6))
    for t in range(6):
        taken = path[begin : t + 1 : every]
        expected = np.mean(taken, axis=0) if taken else path[t]
        np.testing.assert_allclose(found[t], expected, rtol=1e-13, atol=1e-15)


def test_swa_of_one_is_those_weights_bit_for_bit():
    found, path = averages(SWA(SGD(0.1), start=2, every=10), start(), batches(6))
    np.testing.assert_array_equal(found[:3], path[:3])  # before the first, and the first itself
    np.testing.assert_array_equal(found[3:], np.broadcast_to(path[2], (3, *path[2].shape)))


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 1.0])
def test_ema_is_its_closed_form(decay):
    """v_t = decayᵗ w₀ + (1 − decay) Σ decay^(t−s) w_s."""
    found, path = averages(EMA(SGD(0.1), decay), start(), batches(6))
    for t in range(1, 7):
        expected = decay**t * start() + (1 - decay) * sum(decay ** (t - s) * path[s - 1] for s in range(1, t + 1))
        np.testing.assert_allclose(found[t - 1], expected, rtol=1e-12, atol=1e-15)
    if decay in (0.0, 1.0):
        np.testing.assert_array_equal(found[-1], start() if decay else path[-1])


def test_averaged_gives_the_run_with_the_average_for_its_weights():
    run_ = train(MODEL, DATA, SWA(SGD(0.1), start=3), 3, batch_size=8, seed=[0, 1], progress=False)
    mean = run_.averaged()
    assert run_.state["count"] == 6
    np.testing.assert_array_equal(mean.w, run_.state["averaged"])
    np.testing.assert_array_equal(run_.w, train(MODEL, DATA, SGD(0.1), 3, batch_size=8, seed=[0, 1], progress=False).w)
    assert np.abs(mean.w - run_.w).max() > 1e-3
    assert mean.history is run_.history
    logits = MODEL.apply(mean.w, DATA[0].astype("float32"))
    np.testing.assert_allclose(mean.evaluate(*DATA)["accuracy"], np.mean(logits.argmax(-1) == DATA[1], axis=-1))


def test_the_average_of_selected_replicas_is_theirs():
    def make(rho):
        return SWA(SAM(SGD(0.1, momentum=0.9), rho), start=3)

    options = {"epochs": 3, "batch_size": 8, "progress": False}
    swept = train(MODEL, DATA, make, seed=[0, 1, 2], sweep={"rho": [0.1, 0.3]}, **options)
    one = swept.select(rho=0.3, seed=2)
    alone = train(MODEL, DATA, make(0.3), seed=2, **options)
    np.testing.assert_array_equal(one.averaged().w, alone.averaged().w)
    assert {key: np.shape(a) for key, a in one.state.items()} == {key: np.shape(a) for key, a in alone.state.items()}
    assert one.state["count"] == alone.state["count"]
    np.testing.assert_array_equal(swept.averaged().select(rho=0.3, seed=2).w, alone.averaged().w)


def test_a_selected_run_holds_no_other_replica():
    """Neither as a view nor in its state."""
    options = {"epochs": 1, "batch_size": 8, "seed": [0, 1, 2], "progress": False}
    swept = train(MODEL, DATA, lambda rho: SWA(SAM(SGD(0.1), rho)), sweep={"rho": [0.1, 0.3]}, **options)
    one = swept.select(rho=0.3, seed=2)
    for run_ in (one, one.averaged()):
        for a in [run_.w, *(a for a in run_.state.values() if np.ndim(a)), run_.history["train_loss"]]:
            assert a.base is None
            assert a.size <= MODEL.size


def test_a_run_without_an_average_has_none_to_give():
    plain = train(MODEL, DATA, SGD(0.1), 1, progress=False)
    with pytest.raises(ValueError, match=r"^the run must be .* SWA or EMA; its optimizer's state holds t, v$"):
        plain.averaged()


def test_an_average_of_weights_does_not_meet_one_that_the_optimizer_keeps():
    mesa = MESA(SGD(0.1), beta=0.9)
    assert_same_bits(SWA(mesa), mesa)
    assert_same_bits(EMA(mesa), mesa)


def test_decays_sweep_over_the_replicas():
    together, _ = averages(EMA(SGD(0.1), np.array([[0.5], [0.9]])), start(), batches())
    for k, decay in enumerate([0.5, 0.9]):
        np.testing.assert_array_equal(together[-1][k], averages(EMA(SGD(0.1), decay), start()[k], batches())[0][-1])


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: SWA(SGD), TypeError, r"optimizer must be an optimizer such as SGD\(lr\), got <class"),
        (lambda: EMA(0.9), TypeError, r"optimizer must be an optimizer such as SGD\(lr\), got 0.9"),
        (lambda: SWA(SGD(0.1), start=-1), ValueError, "start must be a whole number ≥ 0, got -1"),
        (lambda: SWA(SGD(0.1), every=0), ValueError, "every must be a whole number ≥ 1, got 0"),
        (lambda: EMA(SGD(0.1), 1.5), ValueError, r"decay must be in \[0, 1\], got 1.5"),
    ],
)
def test_a_wrong_argument_is_named(make, error, says):
    with pytest.raises(error, match=f"^{says}"):
        make()
