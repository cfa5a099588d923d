"""A study is fair: what is trained on what, what is tuned on what, under which budgets; and what is unfair is refused."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from minisam import SAM, SGD, train
from minisam.data import Data
from minisam.optim import cosine
from minisam.sam import LookSAM
from minisam.study import measure, protocol
from minisam.study.fairness import fingerprint_of
from minisam.study.methods import method
from minisam.study.problem import accuracy
from minisam.study.protocol import lengths_of
from minisam.study.result import Outcome


@pytest.fixture
def trainings(monkeypatch):
    """The arguments of every training."""
    calls = []

    def recorded(*arguments, **options):
        calls.append(arguments)
        return train(*arguments, **options)

    monkeypatch.setattr(measure, "train", recorded)
    return calls


@dataclass(frozen=True)
class Louder:
    """Rows that are louder by a factor which each example draws anew."""

    by: float

    def __call__(self, x, draw):
        return (x * draw(lambda rng: rng.uniform(1, self.by, x.shape[-2]))[..., None]).astype(x.dtype)


# --- a study, by hand ------------------------------------------------------------------------------------------------


def reached(optimizer, k, part, epochs=2, **how):
    """The accuracy of one training, written out."""
    data = tiny.unit(k)
    run = train(tiny.PROBLEM.model, (data.x_train, data.y_train), optimizer, epochs, 8, seed=k, progress=False, **how)
    return float(run.evaluate(getattr(data, f"x_{part}"), getattr(data, f"y_{part}"))["accuracy"])


def test_a_study_is_what_its_description_says():
    """Tuned on the validation parts of units 0 and 1, reported on the test parts of units 2, 3 and 4; SGD twice as long, too."""
    result = tiny.compare()
    for budget, epochs in (("equal epochs", 2), ("equal gradients", 4)):
        outcome = result.budgets[budget]["SGD"]
        validation = {
            lr: np.mean([reached(tiny.sgd(lr), k, "validation", epochs) for k in (0, 1)]) for lr in outcome.tried["lr"]
        }
        assert outcome.validation == max(validation.values())
        lr = max(validation, key=validation.get)
        assert outcome.settings == {"lr": lr}
        assert outcome.scores == [reached(tiny.sgd(lr), k, "test", epochs) for k in (2, 3, 4)]
        assert (outcome.epochs, outcome.gradients) == (epochs, epochs * 2)
    sam = result.budgets["equal epochs"]["SAM"]
    assert sam.scores == [reached(tiny.sam(**sam.settings), k, "test") for k in (2, 3, 4)]
    assert (sam.epochs, sam.gradients) == (2, 8)
    assert result.budgets["equal gradients"]["SAM"] == sam


def test_all_trainings_are_augmented_as_the_problem_says():
    result = tiny.compare(replace(tiny.PROBLEM, augment=Louder(9.0)))
    for name, make in (("SGD", tiny.sgd), ("SAM", tiny.sam)):
        outcome = result.budgets["equal epochs"][name]
        louder = [reached(make(**outcome.settings), k, "test", augment=Louder(9.0)) for k in (2, 3, 4)]
        assert outcome.scores == louder
        assert louder != [reached(make(**outcome.settings), k, "test") for k in (2, 3, 4)]


def test_test_parts_are_touched_once_and_by_the_chosen_settings_alone():
    seen = Counter()

    def watched(run, data):
        seen[data.x_test.tobytes(), data.x_validation.tobytes()] += 1
        return accuracy(run, data)

    tiny.compare(replace(tiny.PROBLEM, score=watched))
    units = [tiny.unit(k) for k in range(5)]
    for k, unit in enumerate(units):
        tested, tuned = (
            seen.pop((x.tobytes(), unit.x_validation.tobytes()), 0) for x in (unit.x_test, unit.x_validation)
        )
        assert (tested, tuned > 0) == ((0, True) if k < 2 else (3, False))  # SGD, SGD for longer, SAM
    assert not seen


def test_a_pair_starts_from_the_same_weights_and_each_unit_from_others():
    starts = []

    def at_start(run, data):
        starts.append(run.w.tobytes())
        return accuracy(run, data)

    still = {name: (lambda lr: SGD(0 * lr), {"lr": [0.1, 0.2]}) for name in "ab"}
    tiny.compare(replace(tiny.PROBLEM, score=at_start, seeds=2), still, units=3, tuning=1)
    reported = [starts[i : i + 6] for i, w in enumerate(starts) if w == tiny.PROBLEM.model.init(2).tobytes()]
    assert [len(set(each)) for each in reported] == [6, 6]  # three units of two seeds
    assert reported[0] == reported[1]


def test_seeds_of_a_unit_are_averaged():
    seen = []

    def watched(run, data):
        seen.append(accuracy(run, data))
        return seen[-1]

    methods = {name: (tiny.sgd, {"lr": [lr]}) for name, lr in (("a", 0.1), ("b", 0.3))}
    result = tiny.compare(replace(tiny.PROBLEM, score=watched, seeds=3), methods, tuning=1)
    np.testing.assert_allclose(
        result.budgets["equal epochs"]["a"].scores, np.reshape(seen[6:15], (3, 3)).mean(axis=1), rtol=1e-15
    )  # the first six: of each method, the scores that it is tuned by


def test_a_class_of_optimizers_is_a_function_of_settings():
    by_class, by_function = (
        tiny.compare(methods={"SGD": (make, {"lr": [0.1, 0.2]}), "other": (tiny.sgd, {"lr": [0.3, 0.4]})})
        for make in (SGD, lambda lr: SGD(lr))
    )
    assert by_class == by_function


def test_a_schedule_gets_the_steps_of_its_training():
    told = []

    def make(steps, lr):
        told.append(steps)
        return SGD(cosine(lr, steps))

    tiny.compare(methods=tiny.METHODS | {"SGD": (make, {"lr": [0.1, 0.2, 0.4, 0.8]})})
    assert set(told) == {1, 4, 8}  # the look whether it is an optimizer; two epochs of two steps; four


# --- budgets ---------------------------------------------------------------------------------------------------------


def outcome(gradients):
    return Outcome({}, {}, [], 20, gradients, 0.0, [], [], 1)


@pytest.mark.parametrize(
    ("gradients", "epochs"),
    [
        ([280, 560], [40, 20]),
        ([280, 280], [20, 20]),
        ([280, 420, 840], [60, 40, 20]),
        ([300, 400], [27, 20]),
        ([None, 560], [20, 20]),  # all of the first diverged
        ([None, None], [20, 20]),
    ],
)
def test_equal_gradients_are_as_many_as_the_most_expensive_method_spends(gradients, epochs):
    names = "abc"[: len(gradients)]
    outcomes = {name: outcome(each) for name, each in zip(names, gradients, strict=True)}
    assert lengths_of(outcomes, 20) == dict(zip(names, epochs, strict=True))


# --- sweeps ----------------------------------------------------------------------------------------------------------


def alone(make):
    """A function of the same settings that takes no arrays."""
    return {
        1: lambda lr: make(float(lr) if np.ndim(lr) == 0 else None),
        2: lambda lr, rho: make(float(lr) if np.ndim(lr) == 0 else None, rho),
    }[make.__code__.co_argcount]


@settings(max_examples=15)
@given(
    st.sampled_from([tiny.sgd, tiny.sam, lambda lr, rho: LookSAM(SGD(lr), rho, k=3)]),
    st.lists(st.sampled_from([0.01, 0.1, 1.0, 1e3, 1e18, 1e30]), min_size=1, max_size=3, unique=True),
    st.integers(1, 3),
)
def test_a_sweep_and_one_training_after_the_other_are_the_same_bits(make, lrs, seeds):
    """Those that diverge, too; some of a sweep or all of it."""
    grid = {"lr": lrs} | ({"rho": [0.0, 0.1]} if make.__code__.co_argcount == 2 else {})
    problem, data = replace(tiny.PROBLEM, seeds=seeds), tiny.unit(4)
    swept, single = (measure.measured(problem, method("m", (f, grid)), grid, 3, 4, data) for f in (make, alone(make)))
    assert swept == single


def test_a_grid_is_one_training(trainings):
    measure.measured(tiny.PROBLEM, method("SAM", tiny.METHODS["SAM"]), tiny.METHODS["SAM"][1], 2, 0, tiny.unit(0))
    assert len(trainings) == 1


def test_what_does_not_sweep_is_trained_one_after_the_other(trainings):
    grid = {"lr": [0.1, 0.2], "k": [2, 3]}
    look = method("LookSAM", (lambda lr, k: LookSAM(SGD(lr), 0.1, k=k), grid))
    found = measure.measured(tiny.PROBLEM, look, grid, 2, 0, tiny.unit(0))
    assert [each["settings"] for each in found] == [{"lr": lr, "k": k} for lr in (0.1, 0.2) for k in (2, 3)]
    assert len(trainings) == 1 + 4  # the sweep that was refused


# --- divergence ------------------------------------------------------------------------------------------------------


def test_a_training_that_diverges_counts_with_its_initial_weights_and_is_told():
    wild = {"wild": (lambda lr: SGD(lr), {"lr": [1e25]}), "SGD": (tiny.sgd, {"lr": [0.1]})}
    result = tiny.compare(methods=wild)
    outcome = result.budgets["equal epochs"]["wild"]
    units = {k: tiny.unit(k) for k in (2, 3, 4)}
    start = [reached(SGD(0.0), k, "test") for k in units]
    assert (outcome.scores, outcome.diverged, outcome.gradients) == (start, [1, 1, 1], None)
    says = "warning: wild at equal epochs: 3 trainings diverged, in 3 of 3 units; they count with the score of their"
    assert f"{says} initial weights" in result.table().splitlines()
    (verdict,) = result.verdicts(against="SGD")
    assert len(verdict.comparison.differences) == 3


def test_a_score_that_overflows_has_diverged():
    problem = replace(tiny.PROBLEM, score=lambda run, data: -np.inf if len(run.history) else 0.5)
    found = measure.measured(problem, method("SGD", tiny.METHODS["SGD"]), {"lr": [0.1]}, 2, 0, tiny.unit(0))
    assert (found[0]["scores"], found[0]["diverged"]) == ([0.5], [True])


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match=r"^score must return a number, got array\(\[1., 2.\]\)$"):
        tiny.compare(replace(tiny.PROBLEM, score=lambda run, data: np.array([1.0, 2.0])))


def test_a_score_that_is_never_a_number_is_refused():
    with pytest.raises(ValueError, match=r"^score must be finite for the initial weights, .*, got nan$"):
        tiny.compare(replace(tiny.PROBLEM, score=lambda run, data: np.nan))


# --- what is unfair --------------------------------------------------------------------------------------------------

SGD_4, SAM_4 = tiny.METHODS["SGD"], tiny.METHODS["SAM"]


def test_on(part):
    """Units whose test part is another one of their parts."""

    def unit(k):
        data = tiny.unit(k)
        return replace(data, x_test=getattr(data, f"x_{part}"), y_test=getattr(data, f"y_{part}"))

    return replace(tiny.PROBLEM, unit=unit)


test_on.__test__ = False
NEVER_THE_SAME = iter(range(1000))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"methods": {"SGD": SGD_4, "SAM": (tiny.sam, {"lr": [0.1], "rho": [0.1, 0.2]})}},
         "methods must have the same number of settings each, to be tuned equally well: SGD has 4, SAM has 2"),
        ({"methods": {"SGD": SGD_4}}, "methods must be two or more, to be compared, got ['SGD']"),
        ({"methods": [SGD_4, SAM_4]}, "methods must be a dict of labels, each with its value, got "),
        ({"methods": {"SGD": SGD_4, "SAM": tiny.sam}}, "methods ['SAM'] must be a pair (make, grid), the grid a dict, got "),
        ({"methods": {"SGD": SGD_4, "SAM": (SAM, SAM_4[1])}},
         "the grid of methods ['SAM'] must have arguments of its function (base, rho, "),
        ({"methods": {"SGD": SGD_4, "SAM": (tiny.sam, {"lr": [0.1, 0.1], "rho": [0.1, 0.2]})}},
         "the grid of methods ['SAM'] must map names but 'seed' to different numbers or texts, at least one, got 'lr': "),
        ({"methods": {"SGD": SGD_4, "none": (lambda lr: None, SGD_4[1])}},
         "what make of methods ['none'] returns must be an optimizer such as SGD(lr), got None"),
        ({"units": 1}, "units must be ≥ 2, got 1: one unit does not show how much units differ"),
        ({"units": 2.5}, "units must be a whole number ≥ 1, got 2.5"),
        ({"tuning": 0}, "tuning must be a whole number ≥ 1, got 0"),
        ({"delta": 0}, "delta must be > 0, got 0"),
        ({"problem": tiny.unit}, "problem must be a Problem(model, unit, epochs, ...), got "),
        ({"problem": test_on("validation")},
         "unit(0) must test on examples of their own, got 100% of x_test in x_validation, on which the methods are tuned"),
        ({"problem": test_on("train")},
         "unit(0) must test on examples of their own, got 100% of x_test in x_train, on which the methods are trained"),
        ({"problem": replace(tiny.PROBLEM, unit=lambda k: tiny.unit(0))},
         "unit must draw other data for each k, got twice the same for k = 0 and 1: seeds on the same data are not units"),
        ({"problem": replace(tiny.PROBLEM, unit=lambda k: tiny.unit(next(NEVER_THE_SAME)))},
         "unit must draw the same data each time it gets the same k, got two different units 0"),
        ({"problem": replace(tiny.PROBLEM, unit=lambda k: (1, 2))}, "unit(0) must be a minisam Data, got (1, 2)"),
    ],
)  # fmt: skip
def test_an_unfair_study_is_refused_in_one_line_before_anything_trains(changed, says, trainings):
    with pytest.raises((TypeError, ValueError)) as error:
        tiny.compare(**changed)
    assert str(error.value).startswith(says)
    assert "\n" not in str(error.value)
    assert not trainings


def test_a_study_says_beforehand_which_difference_does_not_matter(trainings):
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'delta'"):
        protocol.compare(tiny.PROBLEM, tiny.METHODS)
    assert not trainings


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("model", 3, "model must be a minisam Model such as mlp((64, 32, 10)), got 3"),
        ("unit", tiny.unit(0), "unit must be a function k -> Data, got "),
        ("epochs", 0, "epochs must be a whole number ≥ 1, got 0"),
        ("batch_size", 0, "batch_size must be a whole number ≥ 1, got 0"),
        ("seeds", 0, "seeds must be a whole number ≥ 1, got 0"),
        ("loss", "hinge", "loss must be one of "),
        ("score", "accuracy", "score must be a function (run, data) -> float, got 'accuracy'"),
    ],
)
def test_a_problem_refuses_what_it_is_not(field, value, says):
    with pytest.raises((TypeError, ValueError)) as error:
        replace(tiny.PROBLEM, **{field: value})
    assert str(error.value).startswith(says)


def test_examples_that_happen_to_be_drawn_twice_are_no_cheat():
    """Half of the possible examples of four bits are in the training part, so test examples are, too."""
    bits = np.array(np.meshgrid(*[[0.0, 1.0]] * 4)).reshape(4, -1).T.astype("float32")

    def unit(k):
        i = np.random.default_rng(k).permutation(16)
        parts = [
            (bits[j], bits[j].sum(axis=1).astype("int64") % 2) for j in (i[:8], i[8:12], np.r_[i[:2], i[8:9], i[12:]])
        ]
        return Data("parity", *parts[0], *parts[1], *parts[2])

    assert fingerprint_of(unit(0)) != fingerprint_of(unit(1))
    problem = replace(tiny.PROBLEM, model=tiny.mlp((4, 4, 2)), unit=unit)
    assert set(tiny.compare(problem).budgets) == {"equal epochs", "equal gradients"}
