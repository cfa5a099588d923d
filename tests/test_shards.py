"""A training on an executor is the training in one process: the same bits, the same errors."""

import itertools
import math
import pickle

import numpy as np
import pytest
import workers
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import MODELS
from small_models import data as data_for
from test_batch import DATA as SMALL
from test_batch import INNER
from test_batch import MODEL as NET
from test_sweep import noisy
from test_train import DATA, MODEL
from workers import Inline

from minisam import SAM, SGD, DivergedError, cnn, mlp, train
from minisam import sam as family
from minisam.optim import cosine, step_decay
from minisam.training.shards import blocks

RHO, LR, SEEDS = [0.0, 0.05, 0.2], [0.05, 0.1], [3, 0, 11]
BASE = SGD(0.05, momentum=0.9)


def quiet(executor=None, data=DATA, optimizer=None, epochs=3, seed=SEEDS, model=MODEL, batch_size=8, **options):
    optimizer = optimizer or (lambda rho, lr: SAM(SGD(lr, momentum=0.9), rho, l2=1e-3))
    return train(model, data, optimizer, epochs, batch_size, seed, progress=False, executor=executor, **options)


def assert_same(run, other, spent_exactly=True):
    """To the bit, and in the same shapes; but for a mean over the replicas of what they spent, which is rounded."""
    assert (run.axes, run.interrupted, run.loss) == (other.axes, other.interrupted, other.loss)
    np.testing.assert_array_equal(run.w, other.w, strict=True)
    for mine, its in ((run.running, other.running), (run.history, other.history), (run.state, other.state)):
        assert list(mine) == list(its)
        for key in mine:
            if key == "evaluations" and not spent_exactly:
                np.testing.assert_allclose(mine[key], its[key], rtol=1e-12)
            else:
                np.testing.assert_array_equal(mine[key], its[key], strict=True)


# --- the same bits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("count", "expected"), [(1, 1), (2, 2), (3, 3), (5, 3), (6, 6), (18, 18), (None, 3)])
def test_a_sweep_in_any_number_of_blocks(count, expected, dtype):
    whole = quiet(sweep={"rho": RHO, "lr": LR}, dtype=dtype)
    executor = Inline(count)
    assert_same(quiet(executor, sweep={"rho": RHO, "lr": LR}, dtype=dtype), whole)
    assert len(executor.futures) == expected  # the largest of four or five has six replicas, as of three


@pytest.mark.parametrize("name", INNER)
def test_every_optimizer(name):
    """Of 32 examples in batches of 8, so that replicas can be mistaken for neither."""
    options = {"data": SMALL, "optimizer": INNER[name](), "model": NET, "seed": range(5)}
    pays_for_some = isinstance(options["optimizer"], family.Sometimes)
    assert_same(quiet(Inline(3), **options), quiet(**options), spent_exactly=not pays_for_some)


@pytest.mark.parametrize("batch_size", [1, 5, 24])
@pytest.mark.parametrize("name", MODELS)
def test_every_model(name, batch_size):
    options = {"data": data_for(name), "model": MODELS[name], "batch_size": batch_size, "seed": range(4), "epochs": 2}
    options |= {"optimizer": lambda rho: SAM(BASE, rho), "sweep": {"rho": RHO}}
    assert_same(quiet(Inline(4), **options), quiet(**options))


@settings(max_examples=30)
@given(st.integers(2, 9), st.integers(1, 40), st.integers(1, 70), st.integers(1, 40), st.sampled_from(["f4", "f8"]))
def test_a_product_of_a_stack_does_not_depend_on_how_many_there_are(replicas, rows, i, o, dtype):
    """What all this rests on: x W, with one x for all or one each; xᵀ ȳ; ȳ Wᵀ."""
    rng = np.random.default_rng(0)
    x, W = rng.standard_normal((replicas, rows, i)).astype(dtype), rng.standard_normal((replicas, i, o)).astype(dtype)
    g = rng.standard_normal((replicas, rows, o)).astype(dtype)
    of_all = [x @ W, x[0] @ W, x.swapaxes(1, 2) @ g, g @ W.swapaxes(1, 2)]
    for part in (slice(0, 1), slice(1, None), slice(replicas // 2, replicas)):
        of_part = [
            x[part] @ W[part],
            x[0] @ W[part],
            x[part].swapaxes(1, 2) @ g[part],
            g[part] @ W[part].swapaxes(1, 2),
        ]
        for whole, alone in zip(of_all, of_part, strict=True):
            np.testing.assert_array_equal(whole[part], alone)


@pytest.mark.parametrize("count", [2, 3, 7])
def test_seeds_without_a_sweep(count):
    options = {"optimizer": SAM(BASE), "seed": range(7)}
    assert_same(quiet(Inline(count), **options), quiet(**options))


def test_one_network():
    assert_same(quiet(Inline(4), optimizer=SAM(BASE), seed=3), quiet(optimizer=SAM(BASE), seed=3))


def test_labels_of_their_own():
    options = {"data": noisy, "optimizer": lambda lr: SGD(lr), "sweep": {"lr": LR, "noise": [0.0, 0.4]}}
    for count in (2, 3, 6):
        assert_same(quiet(Inline(count), **options), quiet(**options))


def test_the_best_epoch_of_each_and_its_running_statistics():
    model, rng = cnn((3,), (1, 4, 4), 3, norm="batch"), np.random.default_rng(0)
    parts = [(rng.standard_normal((24, 16)), rng.integers(0, 3, 24)) for _ in range(3)]
    data = type(DATA)("images", *parts[0], *parts[1], *parts[2])
    options = {
        "model": model,
        "data": data,
        "optimizer": lambda lr: SGD(lr),
        "sweep": {"lr": [0.01, 0.3]},
        "best": True,
    }
    assert_same(quiet(Inline(3), **options), quiet(**options))


COLUMN = np.array([[0.02], [0.05], [0.1]])


@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(COLUMN, momentum=0.5 + COLUMN),
        SAM(SGD(cosine(COLUMN, 9)), rho=2 * COLUMN),
        family.ASAM(SGD(0.1, momentum=COLUMN), rho=0.1),
        family.RWP(SGD(0.1), seed=np.array([[7], [8], [9]])),
    ],
)
def test_settings_of_an_optimizer_that_each_seed_has_of_its_own(optimizer):
    assert_same(quiet(Inline(3), optimizer=optimizer), quiet(optimizer=optimizer))


@pytest.mark.parametrize("count", [2, 4, 12])
def test_settings_that_an_axis_shares_are_not_cut(count):
    """The momentum is one per seed: of a sweep over learning rates, or over labels."""
    rates = {"optimizer": lambda lr: SGD(lr, momentum=COLUMN), "sweep": {"lr": [0.01, 0.02, 0.05, 0.1]}}
    labels = {"data": noisy, "optimizer": SGD(0.05, momentum=COLUMN[None]), "sweep": {"noise": [0.0, 0.1, 0.2, 0.4]}}
    for options in (rates, labels):
        assert_same(quiet(Inline(count), **options), quiet(**options))


@pytest.fixture(scope="module")
def pool():
    with workers.spawned() as pool:
        yield pool


def test_processes_that_start_from_nothing(pool):
    """The function of the optimizer is called here, so it may be a lambda."""
    assert_same(quiet(pool, sweep={"rho": RHO, "lr": LR}), quiet(sweep={"rho": RHO, "lr": LR}))


# --- blocks ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 9), max_size=3), st.integers(1, 12))
def test_blocks_share_the_grid_and_the_largest_is_as_small_as_can_be(lengths, count):
    axes = {f"axis {k}": list(range(n)) for k, n in enumerate(lengths)}
    cut = blocks(axes, count)
    times = np.zeros(lengths, dtype=int)
    for block in cut:
        times[block] += 1
    assert (times == 1).all()
    assert len(cut) <= count
    ways = [ps for ps in itertools.product(*(range(1, n + 1) for n in lengths)) if math.prod(ps) <= count]
    best = min(math.prod(-(-n // p) for n, p in zip(lengths, ps, strict=True)) for ps in ways)
    assert max(np.zeros(lengths)[block].size for block in cut) == best


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ((), [()]),
        ((3, 5), [(slice(0, 3), slice(k, k + 1)) for k in range(5)]),
        ((4,), [(slice(k, k + 1),) for k in range(4)]),
    ],
)
def test_without_a_number_of_workers_there_is_a_block_for_each_value_of_the_longest_axis(lengths, expected):
    assert blocks({f"axis {k}": list(range(n)) for k, n in enumerate(lengths)}, None) == expected


# --- trouble ---------------------------------------------------------------------------------------------------------


def diverged(executor, **options):
    with pytest.raises(DivergedError) as error:
        quiet(executor, **options)
    return error.value


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": SGD(1e39)},
        {"optimizer": SGD(np.array([[0.1], [1e38], [0.1]]))},
        {"optimizer": SGD(lambda t: 0.1 if t < 7 else 1e39)},
        {"optimizer": lambda lr: SGD(lr), "sweep": {"lr": [1e38, 2e38]}},
        {"optimizer": lambda f: SGD(step_decay(0.1, 3, f)), "sweep": {"f": [1e20, 1e13, 1e10]}, "epochs": 6},
    ],
    ids=["at once", "one seed", "later", "a whole sweep", "one after the other"],
)
def test_a_training_that_diverges_says_the_same_and_holds_the_same_run(options, count):
    expected, error = diverged(None, **options), diverged(Inline(count), **options)
    assert str(error) == str(expected)
    assert_same(error.run, expected.run)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_block_of_a_sweep_may_diverge_as_a_whole(count):
    options = {"optimizer": lambda lr: SGD(lr), "sweep": {"lr": [0.1, 1e39, 0.05, 2e39]}}
    with pytest.warns(UserWarning, match="6 of 12 replicas diverged"):
        expected = quiet(**options)
    with pytest.warns(UserWarning, match="6 of 12 replicas diverged"):
        run = quiet(Inline(count), **options)
    assert_same(run, expected)


def test_an_error_of_divergence_goes_from_one_process_to_another():
    error = diverged(None, optimizer=SGD(1e39))
    back = pickle.loads(pickle.dumps(error))
    assert str(back) == str(error)
    assert_same(back.run, error.run)


def test_ctrl_c_cancels_the_blocks_that_have_not_begun():
    class Interrupted(workers.Waiting):
        def submit(self, f, /, *arguments):
            future = super().submit(f, *arguments)
            if len(self.futures) == 2:
                future.set_exception(KeyboardInterrupt())
            return future

    executor = Interrupted(3)
    with pytest.raises(KeyboardInterrupt):
        quiet(executor, optimizer=BASE)
    assert [future.cancelled() for future in executor.futures] == [True, False, True]


def test_a_checkpoint_is_refused(tmp_path):
    executor = Inline()
    with pytest.raises(ValueError, match=r"^checkpoint must be None with an executor, which trains blocks apart, got "):
        quiet(executor, optimizer=BASE, checkpoint=tmp_path / "run.npz")
    assert not executor.futures


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"optimizer": SGD(lambda t: 0.1)}, "optimizer"),
        ({"optimizer": BASE, "loss": lambda z, y: z[..., 0, 0]}, "loss"),
    ],
)
def test_what_cannot_go_to_another_process_is_named(pool, options, name):
    with pytest.raises(
        TypeError, match=f"^{name} must be made of functions at the top level of a module to go to another"
    ):
        quiet(pool, **options)


def test_a_model_of_ones_own_is_not_taken_for_the_one_whose_spec_it_has():
    model = mlp((3, 5, 4))
    assert pickle.loads(pickle.dumps(model)).spec == model.spec
    changed = type(model)(model.spec, model.shapes, lambda p, x: 2 * model.forward(p, x), model.draw)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(changed)
