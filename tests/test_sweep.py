"""A sweep is its single runs, side by side and labelled."""

import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from test_train import DATA, MODEL, STEPS, same

from minisam import SAM, SGD, AdamW, DivergedError, Run, plot, train
from minisam.autodiff import replay
from minisam.optim import cosine

RHO, LR, SEEDS = [0.0, 0.05, 0.2], [0.05, 0.1], [3, 0, 11]


def quiet(data=DATA, optimizer=None, epochs=3, seed=SEEDS, **options):
    optimizer = optimizer or (lambda rho, lr: SAM(SGD(lr, momentum=0.9), rho, l2=1e-3))
    return train(MODEL, data, optimizer, epochs, 8, seed, progress=False, **options)


@pytest.fixture(scope="module")
def swept():
    return quiet(sweep={"rho": RHO, "lr": LR})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_replica_is_its_own_run_bit_for_bit(dtype):
    run = quiet(sweep={"rho": RHO, "lr": LR}, dtype=dtype)
    assert run.w.shape == (3, 2, 3, MODEL.size)
    for rho in RHO:
        for lr in LR:
            for seed in SEEDS:
                alone = quiet(optimizer=SAM(SGD(lr, momentum=0.9), rho, l2=1e-3), seed=seed, dtype=dtype)
                one = run.select(rho=rho, lr=lr, seed=seed)
                assert same(one.w, alone.w)
                for key, values in alone.history.items():
                    np.testing.assert_allclose(one.history[key], values, rtol=1e-6, err_msg=key)


@pytest.mark.parametrize("name", ["SGD", "SAM"])
def test_a_sweep_over_hyperparameters_and_seeds_has_as_many_records_as_a_single_run(name, monkeypatch):
    """One record per function: the initial weights lie in memory as all later ones do."""
    made, program = [], replay.Program
    monkeypatch.setattr(replay, "Program", lambda *of: made.append(of) or program(*of))
    make = {"SGD": lambda lr: SGD(lr), "SAM": lambda lr: SAM(SGD(lr), 0.05)}[name]
    data = DATA.x_train, DATA.y_train
    quiet(data, make(0.1), seed=3)
    alone = len(made)
    quiet(data, make, sweep={"lr": LR})
    assert len(made) == 2 * alone > 0
    assert quiet(data, make, sweep={"lr": LR}, epochs=1).w.flags.c_contiguous


@dataclass(frozen=True)
class Seen:
    """An optimizer that notes the seeds of each batch."""

    base: object
    seeds: list

    def init(self, w):
        return self.base.init(w)

    def step(self, w, state, loss):
        self.seeds.append(loss.seeds)
        return self.base.step(w, state, loss)


@pytest.mark.parametrize(
    ("seed", "sweep", "expected"),
    [
        (7, {}, 7),
        (np.int64(7), {}, 7),
        (7, {"lr": LR}, 7),
        ([7], {}, [[7]]),
        (SEEDS, {}, [[3], [0], [11]]),
        (SEEDS, {"lr": LR, "rho": RHO}, [[[[3], [0], [11]]]]),
    ],
)
def test_each_batch_carries_the_seeds_of_the_run_shaped_to_meet_w(seed, sweep, expected):
    seen = []
    make = {
        0: lambda: Seen(SGD(0.1), seen),
        1: lambda lr: Seen(SGD(lr), seen),
        2: lambda lr, rho: Seen(SAM(SGD(lr), rho), seen),
    }[len(sweep)]
    run = quiet(optimizer=make if sweep else make(), seed=seed, sweep=sweep, epochs=1)
    assert len(seen) == STEPS
    for seeds in seen:
        np.testing.assert_array_equal(seeds, expected, strict=not isinstance(expected, int))
        assert type(seeds) is int or (type(seeds) is np.ndarray and seeds.dtype == "int64")
        assert np.broadcast_shapes(np.shape(seeds), run.w.shape) == run.w.shape


HYPERPARAMETERS = {
    "l2": (lambda v: SGD(0.1, l2=v), [0.0, 1e-3]),
    "momentum": (lambda v: SGD(0.1, momentum=v), [0.0, 0.9]),
    "schedule": (lambda v: SGD(cosine(v, 3 * STEPS)), [0.05, 0.3]),
    "weight decay": (lambda v: AdamW(0.01, weight_decay=v), [0.0, 0.1]),
    "rho, p = ∞": (lambda v: SAM(SGD(0.1), v, p=float("inf")), [0.0, 0.01]),
}


@pytest.mark.parametrize(("make", "values"), HYPERPARAMETERS.values(), ids=HYPERPARAMETERS)
def test_any_hyperparameter_that_broadcasts_can_be_swept(make, values):
    run = quiet(optimizer=lambda v: make(v), sweep={"v": values}, seed=5)
    assert list(run.axes) == ["v"]
    for v in values:
        assert same(run.select(v=v).w, quiet(optimizer=make(v), seed=5).w)


def noisy(noise, seed):
    rng = np.random.default_rng(seed)
    flipped = rng.random(len(DATA.y_train)) < noise
    return replace(DATA, y_train=np.where(flipped, (DATA.y_train + 1) % 4, DATA.y_train))


@pytest.mark.parametrize("seed", [SEEDS, 3])
def test_replicas_may_have_labels_of_their_own(seed):
    axes = {"lr": LR, "noise": [0.0, 0.4]}
    data = noisy if seed is SEEDS else lambda noise: noisy(noise, 3)
    run = quiet(data, lambda lr: SGD(lr), sweep=axes, seed=seed)
    for lr in LR:
        for noise in axes["noise"]:
            for s in np.atleast_1d(seed):
                one = run.select(lr=lr, noise=noise, **({"seed": s} if seed is SEEDS else {}))
                assert same(one.w, quiet(noisy(noise, s), SGD(lr), seed=int(s)).w)


def test_choose_names_the_combination_with_the_highest_mean_validation_accuracy(swept):
    scores = np.arange(18.0).reshape(3, 2, 3) % 17  # the last two of 18 are 16 and 0
    scores[1, 0] = 20
    losses = np.zeros((2, 3, 2, 3))
    losses[1, 1, 0, 1] = np.nan  # one that diverged
    history = {"validation_accuracy": np.stack([-scores, scores]), "validation_loss": losses}
    assert replace(swept, history=history).choose() == {"rho": 0.2, "lr": 0.05}
    losses = {"validation_loss": np.stack([scores, -scores + losses[1]])}
    assert replace(swept, history=losses).choose() == {"rho": 0.2, "lr": 0.05}
    for labels, run in swept.configurations():
        best = swept.select(**swept.choose()).history["validation_accuracy"][-1].mean()
        assert run.history["validation_accuracy"][-1].mean() <= best, labels


def test_choose_needs_something_to_choose_from_and_by(swept):
    with pytest.raises(ValueError, match=r"choose needs a sweep .* the axes are \['seed'\]"):
        swept.select(rho=0.05, lr=0.1).choose()
    with pytest.raises(ValueError, match="validation part"):
        replace(swept, history={"train_loss": swept.history["train_loss"]}).choose()


def test_select_takes_an_axis_away(swept):
    one = swept.select(lr=0.1)
    assert list(one.axes) == ["rho", "seed"]
    assert same(one.w, swept.w[:, 1])
    assert same(one.history["train_loss"], swept.history["train_loss"][:, :, 1])
    assert same(one.history["evaluations"], swept.history["evaluations"])
    assert same(one.select(seed=0, rho=0.2).w, swept.w[2, 1, 1])


def test_select_names_what_there_is(swept):
    with pytest.raises(ValueError, match=r"rho must be one of 0\.0, 0\.05, 0\.2, got 0\.07"):
        swept.select(rho=0.07)
    with pytest.raises(ValueError, match=r"rho must be one of 0\.0, 0\.05, 0\.2, got 'small'"):
        swept.select(rho="small")
    with pytest.raises(ValueError, match="an axis of the run must be one of 'rho', 'lr', 'seed', got 'alpha'"):
        swept.select(alpha=1)


def test_a_saved_sweep_comes_back_with_its_labels(swept, tmp_path):
    swept.save(tmp_path / "sweep.npz")
    back = Run.load(tmp_path / "sweep.npz")
    assert back.axes == swept.axes
    assert same(back.select(rho=0.05, seed=11).w, swept.select(rho=0.05, seed=11).w)


def test_an_interrupted_sweep_goes_on_and_another_is_refused(swept, tmp_path):
    path = tmp_path / "checkpoint.npz"
    quiet(sweep={"rho": RHO, "lr": LR}, epochs=1, checkpoint=path)
    assert same(quiet(sweep={"rho": RHO, "lr": LR}, checkpoint=path).w, swept.w)
    with pytest.raises(ValueError, match="belongs to another training"):
        quiet(sweep={"rho": [0.0, 0.05, 0.3], "lr": LR}, checkpoint=path)


def test_to_pandas_has_a_row_an_epoch_and_replica(swept):
    pandas = pytest.importorskip("pandas")
    table = swept.to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert len(table) == 3 * 3 * 2 * 3
    row = table[(table.epoch == 2) & (table.rho == 0.05) & (table.lr == 0.1) & (table.seed == 11)]
    one = swept.select(rho=0.05, lr=0.1, seed=11)
    assert row.train_loss.item() == one.history["train_loss"][1]
    assert row.evaluations.item() == one.history["evaluations"][1]
    assert list(quiet(optimizer=SGD(0.1), seed=0).to_pandas().epoch) == [1, 2, 3]


def test_without_pandas_one_error_says_what_to_install(swept, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        swept.to_pandas()


def test_a_diverged_replica_leaves_the_others_as_they_are():
    with pytest.warns(UserWarning, match="3 of 6 replicas diverged"):
        run = quiet(optimizer=lambda lr: SGD(lr), sweep={"lr": [0.1, 1e39]})
    assert same(run.select(lr=0.1, seed=0).w, quiet(optimizer=SGD(0.1), seed=0).w)
    assert not np.isfinite(run.select(lr=1e39).w).all(axis=-1).any()
    assert np.isfinite(run.select(lr=0.1).history["train_loss"]).all()


@pytest.mark.filterwarnings("ignore:. of . replicas diverged")
@pytest.mark.parametrize("best", [False, True])
def test_a_diverged_replica_is_never_the_better_one(best):
    """Not even where all labels are class 0, the one that argmax names for logits that are NaN."""
    zeros = replace(DATA, y_train=DATA.y_train % 3 + 1, y_validation=0 * DATA.y_validation)
    run = quiet(zeros, lambda lr: SGD(lr), sweep={"lr": [1e39, 0.1]}, best=best)
    assert run.history["validation_accuracy"][-1, 0].tolist() == [0, 0, 0]
    assert run.choose() == {"lr": 0.1}
    if best:
        assert np.isfinite(run.w).all()


def test_when_all_replicas_diverge_the_run_stops():
    with pytest.raises(DivergedError, match="step"):
        quiet(optimizer=lambda lr: SGD(lr), sweep={"lr": [1e38, 2e38]})


BAD = {
    "a name that is no axis": (
        {"optimizer": lambda rho: SAM(SGD(0.1), rho)},
        "optimizer takes rho, which must be an axis",
    ),
    "no values": ({"sweep": {"lr": []}}, "sweep must map names"),
    "a value twice": ({"sweep": {"lr": [0.1, 0.1]}}, "sweep must map names"),
    "the seeds": ({"sweep": {"seed": [0, 1]}}, "sweep must map names"),
    "a negative radius": (
        {"optimizer": lambda rho: SAM(SGD(0.1), rho), "sweep": {"rho": [-1.0, 1.0]}},
        "rho must be ≥ 0",
    ),
    "other inputs": ({"data": lambda lr: replace(DATA, x_train=DATA.x_train + lr)}, "got another x_train"),
    "an axis that nobody takes": ({"optimizer": SGD(0.1)}, "lr is swept, so optimizer or data must be a function"),
}


@pytest.mark.parametrize(("options", "says"), BAD.values(), ids=BAD)
def test_bad_sweeps_are_named(options, says):
    with pytest.raises(ValueError, match=says):
        quiet(**{"optimizer": lambda lr: SGD(lr), "sweep": {"lr": LR}} | options)


def test_values_that_no_file_can_hold_are_named_before_the_training(tmp_path):
    texts = ["all", "none"]
    with pytest.raises(TypeError, match=r"^sweep must map names to numbers or text, .* got 'which': \["):
        quiet(lambda which: DATA, SGD(0.1), sweep={"which": [object(), 1]})
    run = quiet(lambda which: noisy(which == "all", 0), SGD(0.1), sweep={"which": texts}, epochs=1)
    run.save(tmp_path / "run.npz")
    assert Run.load(tmp_path / "run.npz").axes["which"] == texts


def test_the_pictures_show_mean_and_interval_over_the_seeds(swept):
    figure = swept.plot()
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels[0] == "rho = 0, lr = 0.05"
    assert len(labels) == 6
    figure = swept.plot(against="rho")
    (line, _, _), *_ = figure.axes[0].containers
    np.testing.assert_allclose(line.get_xdata(), RHO)
    np.testing.assert_allclose(line.get_ydata(), swept.select(lr=0.05).history["train_loss"][-1].mean(axis=-1))
    with pytest.raises(ValueError, match="an axis of the run must be one of"):
        plot.against(swept, "alpha")


def test_text_is_no_hyperparameter_of_an_optimizer():
    with pytest.raises(TypeError, match=r"^sweep must map 'rho' to numbers, since the optimizer takes it, got \['a'\]"):
        train(MODEL, DATA, lambda rho: SAM(SGD(0.1), rho), 1, 8, progress=False, sweep={"rho": ["a"]})
