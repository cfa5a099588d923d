"""Declared arguments are checked in one place; and what was taken before is refused by a line that names it."""

import decimal
import re
from dataclasses import dataclass
from functools import partial

import autograd.numpy as anp
import numpy as np
import pytest
from variants import batches, start

from minisam import (
    SAM,
    SGD,
    BatchLoss,
    accuracy,
    check_grad,
    cross_entropy,
    epsilon,
    hvp,
    mlp,
    mse,
    sam,
    sharpness,
    train,
    value_and_grad,
)
from minisam.arguments import checked, count, counts, fitting, optional
from minisam.data import blobs, symmetric_noise
from minisam.kinds import floats
from minisam.optim import cosine

RNG = np.random.default_rng(0)
NET = mlp((4, 5, 3))
W, X, Y = NET.init(0), RNG.standard_normal((6, 4)).astype("float32"), np.arange(6) % 3
DATA = blobs(train=20, validation=10, test=10)
TRAINED = partial(train, mlp((2, 5, 3)), DATA, progress=False)
QUIET = partial(train, NET, optimizer=SGD(0.1), epochs=1, batch_size=3, progress=False)


def bowl(w):
    return (w * w).sum(axis=-1), 2 * w


# --- the decorator ---------------------------------------------------------------------------------------------------


@checked(n=count(), w=optional(floats()))
def repeated(n, w=None, times=1):
    return n, w, times


@pytest.mark.parametrize("call", [lambda: repeated(0), lambda: repeated(n=0), lambda: repeated(w=None, n=0)])
def test_arguments_are_checked_however_they_are_given(call):
    with pytest.raises(ValueError, match="n must be a whole number ≥ 1, got 0"):
        call()


def test_a_function_gets_what_its_checks_return():
    n, w, times = repeated(np.int16(3), np.ones(2, dtype=">f4"), times="any")
    assert (type(n), times) == (int, "any")
    assert w.dtype == np.float32
    assert w.dtype.isnative
    assert repeated(3)[1] is None


def test_arguments_are_checked_in_the_order_of_the_declaration():
    with pytest.raises(ValueError, match="n must be"):
        repeated(0, "w")
    with pytest.raises(TypeError, match="w must be an array of the backend in use"):
        repeated(1, "w")


def test_arrays_that_do_not_fit_together_are_named_with_their_shapes():
    product = fitting(a=floats(), b=floats())(lambda a, b: a @ b)
    np.testing.assert_array_equal(product(np.eye(2), np.ones(2)), np.ones(2))
    with pytest.raises(ValueError, match=r"a, b must fit together, got a \(2, 2\), b \(3,\)"):
        product(np.eye(2), np.ones(3))


def test_a_sequence_of_counts_is_a_tuple_of_int():
    assert counts()("sizes", np.array([4, 3])) == (4, 3)
    assert counts()("sizes", range(1, 4)) == (1, 2, 3)
    for wrong in ([4, 7.9], [True, 2], "43", [[4], [3, 2]], {4: 3}, 4, [], [-1], np.array([[4, 3]]), [10**30]):
        with pytest.raises(ValueError, match="sizes must be a sequence of at least 1 whole numbers ≥ 1, got"):
            counts()("sizes", wrong)


# --- what was taken before -------------------------------------------------------------------------------------------

TAKEN = {
    "masked x": (lambda: QUIET(data=(np.ma.array(X, mask=X > 1), Y)), "x must be an array of numbers, got MaskedArray"),
    "complex x": (lambda: QUIET(data=(X * 1j, Y)), "x must be an array of numbers, got ndarray complex"),
    "x of text": (lambda: QUIET(data=(X.astype(str), Y)), "x must be an array of numbers, got ndarray <U"),
    "a step size in text": (
        lambda: SGD("-0.5"),
        "lr must be a number or an array (..., 1) of numbers, ≥ 0, got '-0.5'",
    ),
    "a complex radius": (lambda: SAM(SGD(0.1), np.array([[0.5j]])), "rho must be a number or an array"),
    "no step size": (lambda: SGD(None), "lr must be a number or an array (..., 1) of numbers, ≥ 0, got None"),
    "a class for a step size": (lambda: SGD(int), "lr must be a number"),
    "an infinite step size": (lambda: SGD(np.inf), "lr must be finite and ≥ 0, got inf"),
    "no radius": (lambda: epsilon(W, None), "rho must be a number or an array (..., 1) of numbers, ≥ 0, got None"),
    "a radius in text": (lambda: sam.RST(SGD(0.1), rho="abc"), "rho must be a number"),
    "a Decimal": (lambda: sam.RST(SGD(0.1), decimal.Decimal(1)), "rho must be a number"),
    "a negative end": (lambda: cosine(0.1, 10, final=-0.5), "final must be ≥ 0, got -0.5"),
    "a width of 7.9": (
        lambda: mlp([4, 7.9, 3]),
        "sizes must be a sequence of at least 2 whole numbers ≥ 1, got [4, 7.9, 3]",
    ),
    "a start outside the ball": (
        lambda: sam.ascend(bowl, np.ones(3), 0.1, start=np.full(3, 0.5)),
        "start must lie in the ball ‖start‖_2 ≤ rho, got a norm of 0.866",
    ),
    "a start that is not finite": (
        lambda: sam.ascend(bowl, np.ones(3), 0.1, start=np.full(3, np.nan)),
        "start must lie in the ball",
    ),
    "no seed": (
        lambda: sharpness.lambda_max(lambda w, v: v, W, seed=None),
        "seed must be a whole number ≥ 0, got None",
    ),
    "an empty gradient": (lambda: epsilon(np.ones(0), 0.1), "g must have shape (..., n) with n ≥ 1, got (0,)"),
    "a list for a gradient": (
        lambda: epsilon([1.0, 2.0], 0.1),
        "g must be an array of the backend in use (numpy), got list",
    ),
    "an infinite step of a check": (
        lambda: check_grad(bowl, np.ones(3), h=np.inf),
        "h must be finite and > 0, got inf",
    ),
    "a gradient that is none": (
        lambda: check_grad(lambda w: None, np.ones(3)),
        "f must return a loss (...,), or (loss, g)",
    ),
    "a loss of text": (lambda: value_and_grad(lambda w: "a")(W), "loss must return an array in floating point"),
    "a negative seed": (lambda: NET.init(-1), "seed must be a whole number ≥ 0 or a sequence of them, got -1"),
    "half a seed": (lambda: NET.init(0.5), "seed must be a whole number ≥ 0 or a sequence of them, got 0.5"),
    "a path that is a number": (
        lambda: TRAINED(SGD(0.1), 1).save(1),
        "path must be the path of a file or folder, got 1",
    ),
    "a mask of truth values for x": (lambda: QUIET(data=(X > 0, Y)), "x must be an array of numbers, got ndarray bool"),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_was_taken_is_refused_by_name(what):
    call, says = TAKEN[what]
    with pytest.raises((TypeError, ValueError), match=re.escape(says)):
        call()


@pytest.mark.parametrize("dtype", [">i8", ">i4", ">i2", ">u2", "u1"])
def test_labels_of_any_byte_order_and_size_are_the_same_labels(dtype):
    logits = RNG.standard_normal((6, 3))
    assert cross_entropy(logits, Y.astype(dtype)) == cross_entropy(logits, Y)
    assert accuracy(logits, Y.astype(dtype)) == accuracy(logits, Y)
    for given, right in zip(BatchLoss(NET).on(X, Y.astype(dtype))(W), BatchLoss(NET).on(X, Y)(W), strict=True):
        np.testing.assert_array_equal(given, right)
    np.testing.assert_array_equal(QUIET(data=(X, Y.astype(dtype))).w, QUIET(data=(X, Y)).w)


def test_weights_of_another_byte_order_are_the_same_weights():
    loss_and_grad = value_and_grad(NET)
    for _ in range(2):  # traced, then replayed
        loss, g = loss_and_grad(W.astype(">f4"), X.astype(">f8"), Y)
        right = loss_and_grad(W, X, Y)
        assert loss == right[0]
        assert g.dtype == np.float32
        np.testing.assert_array_equal(g, right[1])


# --- gradients and products that nothing is known of -----------------------------------------------------------------


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_is_the_worst(wrong):
    def one_entry(w):
        return (w * w).sum(axis=-1), np.where(np.arange(w.shape[-1]) == 1, wrong, 2 * w)

    assert check_grad(bowl, np.ones(3)) < 1e-8
    assert check_grad(one_entry, np.ones(3)) == 1
    assert check_grad(one_entry, np.ones((2, 3))) == 1


def test_the_gradient_of_a_loss_that_is_not_finite_is_the_worst():
    assert check_grad(lambda w: (np.inf * w.sum(axis=-1), np.ones_like(w)), np.ones(3)) == 1
    assert check_grad(lambda w: (np.log(w - 1).sum(axis=-1), np.ones_like(w)), np.full(3, 1 + 1e-6)) == 1


def test_a_product_refuses_a_loss_per_example_as_the_gradient_does():
    def per_example(z, y):
        return (z - y) ** 2

    net, target = mlp((4, 1)), RNG.standard_normal((6, 1)).astype("float32")
    w = net.init(0)
    for f in (lambda: value_and_grad(net, per_example)(w, X, target), lambda: hvp(net, per_example)(w, w, X, target)):
        with pytest.raises(ValueError, match=r"loss must have one value per replica, shape \(\), got \(6, 1\)"):
            f()


# --- sweeps ----------------------------------------------------------------------------------------------------------

NOT_SWEPT = {
    "p": lambda p: SAM(SGD(0.1), p=p),
    "nesterov": lambda nesterov: SGD(0.1, 0.9, nesterov=nesterov),
    "every": lambda every: sam.SSAM(SGD(0.1), every=every),
    "steps": lambda steps: sam.MultiStepSAM(SGD(0.1), steps=steps),
    "groups": lambda groups: sam.MSharpnessSAM(SGD(0.1), groups=groups),
    "betas": lambda betas: sam.BSAM(betas=betas),
}


@pytest.mark.parametrize("name", NOT_SWEPT)
def test_what_cannot_be_swept_is_refused_by_name_before_the_first_step(name):
    with pytest.raises((TypeError, ValueError), match=f"^{name} must be "):
        TRAINED(NOT_SWEPT[name], 1, sweep={name: [1, 2]})


WRONG_SWEEPS = {
    "a number": {"rho": 3},
    "a text": {"rho": "0.1"},
    "None": {"rho": None},
    "nothing": {"rho": []},
    "NaN": {"rho": [np.nan]},
    "a complex number": {"rho": [1j]},
    "lists": {"rho": [[0.1], [0.2]]},
    "twice the same": {"rho": [0.1, 0.1]},
    "a name that is none": {3: [0.1]},
    "no dict": [("rho", [0.1])],
}


@pytest.mark.parametrize("what", WRONG_SWEEPS)
def test_a_sweep_that_is_none_is_refused_by_name(what):
    with pytest.raises((TypeError, ValueError), match=r"^sweep must (be a dict|map names)"):
        TRAINED(lambda rho: SAM(SGD(0.1), rho), 1, sweep=WRONG_SWEEPS[what])


def test_data_that_take_a_seed_say_that_they_need_several():
    with pytest.raises(ValueError, match="data takes seed, so seed must be a sequence of seeds, such as"):
        train(mlp((2, 5, 3)), lambda seed: symmetric_noise(DATA, 0.2, seed), SGD(0.1), 1, seed=3, progress=False)


# --- optimizers inside each other ------------------------------------------------------------------------------------


def test_a_variant_needs_a_base_that_takes_a_gradient():
    with pytest.raises(TypeError, match="base must be a base optimizer such as SGD"):
        SAM(SAM(SGD(0.1)))


@dataclass(frozen=True)
class Remembers(sam.Variant):
    """A variant that keeps its own "v", the name of its base's momentum."""

    def memory(self, w):
        return {"v": w}


@dataclass(frozen=True)
class Averages(sam.Variant):
    """A variant that keeps an average of its own."""

    def memory(self, w):
        return {"averaged": w}


@pytest.mark.parametrize(
    ("optimizer", "says"),
    [
        (Remembers(SGD(0.1)), "Remembers cannot go around SGD: both keep 'v' between steps"),
        (sam.EMA(Averages(SGD(0.1))), "EMA cannot go around Averages: both keep 'averaged' between steps"),
        (sam.SWA(Averages(SGD(0.1))), "SWA cannot go around Averages: both keep 'averaged' between steps"),
    ],
)
def test_two_that_keep_something_under_one_name_are_refused(optimizer, says):
    with pytest.raises(TypeError, match=says):
        optimizer.init(W)


def test_an_optimizer_of_one_seed_has_a_hash():
    assert hash(sam.RST(SGD(0.1), seed=3)) == hash(sam.RST(SGD(0.1), seed=np.int64(3)))
    assert len({sam.RSAM(SGD(0.1)), sam.RSAM(SGD(0.1)), sam.RSAM(SGD(0.1), seed=1)}) == 2


# --- steps -----------------------------------------------------------------------------------------------------------

STEPS = {
    "w": (dict(w=[1.0, 2.0]), "w must be an array of the backend in use (numpy), got list"),
    "complex w": (dict(w=start() * 1j), "w must be floating point, got dtype complex128"),
    "state": (dict(state={}), "state must be what init(w) returned, with t, v, got {}"),
    "another state": (dict(state={"t": 0, "v": np.ones(3)}), "state must be what init(w) returned; v must have shape"),
    "loss_and_grad": (dict(loss_and_grad=None), "loss_and_grad must be a function w -> (loss, g), got None"),
    "a loss alone": (
        dict(loss_and_grad=lambda w: 1.0),
        "loss_and_grad must return (loss, g), both in floating point, got 1.0",
    ),
}


@pytest.mark.parametrize("optimizer", [SGD(0.1, 0.9), SAM(SGD(0.1, 0.9))], ids=["SGD", "SAM"])
@pytest.mark.parametrize("what", STEPS)
def test_the_wrong_argument_of_a_step_is_named(optimizer, what):
    changed, says = STEPS[what]
    given = dict(w=start(), state=optimizer.init(start()), loss_and_grad=batches(1)[0])
    with pytest.raises((TypeError, ValueError), match=re.escape(says)):
        optimizer.step(**given | changed)


def test_an_error_of_the_loss_itself_stays_as_it_is():
    def broken(w):
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        SGD(0.1).step(start(), SGD(0.1).init(start()), broken)


# --- batches ---------------------------------------------------------------------------------------------------------


def test_whole_numbers_as_targets_are_cut_by_rows():
    net, targets = mlp((4, 2)), np.arange(12).reshape(6, 2)
    w = net.init(0)
    batch = BatchLoss(net, mse).on(X, targets)
    parts = batch.parts(2)
    assert [part.y.shape for part in parts] == [(3, 2), (3, 2)]
    np.testing.assert_allclose(np.mean([part(w)[0] for part in parts]), batch(w)[0], rtol=1e-6)
    assert batch.some(np.array([0, 5])).y.tolist() == [[0, 1], [10, 11]]


def test_a_traced_value_is_checked_as_far_as_it_is_known():
    def loss(w):
        return cross_entropy(anp.reshape(w, (2, 3)), np.array([0.5, 1.0]))

    with pytest.raises(TypeError, match="labels must be integers, got dtype float64"):
        value_and_grad(loss)(np.ones(6))
