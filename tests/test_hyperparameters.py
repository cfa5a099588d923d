"""Every declared field refuses what it is not, in one line; numbers meet weights with the precision of swept ones."""

import copy
import dataclasses
import datetime
import decimal
import math
import pickle

import numpy as np
import pytest
from variants import MODEL, batches, run, start

from minisam import SGD, array_backend, cross_entropy, noisy_labels, optim, sam
from minisam.checks import FINITE, Interval
from minisam.hyperparameters import Declared

ABSTRACT = {sam.Rule, sam.Composed, sam.Sometimes, sam.Ball, optim.Base, Declared}
CLASSES = {
    kind.__name__: kind
    for module in (sam, optim, noisy_labels)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Declared) and kind not in ABSTRACT
}
STEPPING = {name: kind for name, kind in CLASSES.items() if hasattr(kind, "step")}
BASE = SGD(0.1, momentum=0.9)
NEEDED = {  # a value for each field without a default
    "base": BASE,
    "optimizer": BASE,
    "examples": 32,
    "classes": 4,
    "noise": 0.3,
    "loss": cross_entropy,
    "lr": 0.1,
    "steps": 5,
    "every": 2,
    "schedule": optim.cosine(0.1, 5),
    "mask": MODEL.mask("weights", "float64"),
    "tail": (1, 2),
    "shape": (1, 4, 4),
    "weights": np.ones(4),
}


def made(name, **values):
    """An optimizer, ball or schedule of this class."""
    kind = CLASSES[name]
    needed = {f.name: NEEDED[f.name] for f in dataclasses.fields(kind) if f.init and f.default is dataclasses.MISSING}
    if kind is sam.SAMON:
        needed["mask"] = NEEDED["mask"]  # its default is refused
    if kind is sam.ImbSAM:
        needed["tail"] = NEEDED["tail"]  # its, too
    return kind(**needed | values)


def test_every_optimizer_and_every_field_is_here():
    assert {"SAM", "GSAM", "BSAM", "EMA", "Adam", "cosine", "Mixup", "Adaptive", "Only"} <= set(CLASSES)
    assert len(CLASSES) > 45
    undeclared = {
        f"{name}.{f.name}" for name in CLASSES for f in dataclasses.fields(CLASSES[name]) if "kind" not in f.metadata
    }
    assert {field.split(".")[1] for field in undeclared} == {"ball"}  # of ASAM and FisherSAM, which make it themselves


# --- what is refused -------------------------------------------------------------------------------------------------

HALVES = np.full(3, 0.5)
WRONG = {  # for every field
    "text": "0.5",
    "bytes": b"1",
    "a complex number": 1 + 2j,
    "NaN": math.nan,
    "a date": datetime.datetime(2020, 1, 1),
    "NumPy's date": np.datetime64("2020-01-01"),
    "a Decimal": decimal.Decimal("0.5"),
    "an object": object(),
    "an array of objects": np.array([None, 1.0], dtype=object),
    "an array of text": np.array(["a", "b"]),
    "a dict": {},
    "a ragged list": [[0.1], [0.1, 0.2]],
}
TRUTHS = {"True": True, "NumPy's True": np.True_}
NONE = {"None": None}
ARRAYS = {"(n,)": HALVES, "(1, n)": HALVES[None]}
SWEPT = {"(1,)": HALVES[:1], "(1, 1)": HALVES[:1, None]}
NO_SWEPT = TRUTHS | NONE | ARRAYS
NO_NUMBER = NO_SWEPT | SWEPT
NO_OPTIMIZER = NO_NUMBER | {"a number": 0.1, "a class": SGD}
MORE = {  # by what the field is annotated with
    "Scalar": NO_SWEPT,
    "Radius": NO_SWEPT | {"below 0": -0.1, "one below 0": np.array([[0.1], [-0.1]])},
    "StepSize": NO_SWEPT | {"below 0": -0.1, "a schedule below 0": lambda t: -1.0},
    "Callable[[int], Scalar]": NO_SWEPT,
    "Scalar | None": TRUTHS | ARRAYS,
    "float": NO_NUMBER,
    "float | Callable[[int], float]": NO_NUMBER | {"above 1": 1.5, "a schedule above 1": lambda t: 2.0},
    "int": NO_NUMBER | {"a half": 0.5, "a whole float": 2.0, "less than any": -1},
    "Seed": NO_SWEPT | {"a half": 0.5, "below 0": -1, "infinity": math.inf},
    "bool": NONE | ARRAYS | SWEPT | {"1": 1, "0.0": 0.0},
    "str": NO_NUMBER | {"another name": "sparse"},
    "Shape": TRUTHS | NONE | {"a number": 1, "halves": HALVES, "with 0": (1, 0, 4), "one": (4,), "four": (1, 2, 3, 4)},
    "tuple[int, ...]": TRUTHS | NONE | {"a number": 1, "halves": HALVES, "below 0": [-1], "(1, n)": [[1, 2]]},
    "tuple[float, float]": NO_NUMBER | {"one": (0.9,), "an end": (0.9, 1.0)},
    "Array": TRUTHS | {"a number": 1.0},
    "Loss": NO_NUMBER | {"a number": 0.1, "of one argument": lambda z: z, "a name": "mse"},
    "Updater": NO_OPTIMIZER,
    "Optimizer": NO_OPTIMIZER,
    "Ball | None": TRUTHS | SWEPT | {"a class": sam.Adaptive, "an optimizer": BASE},
    "HasFilters | None": TRUTHS | SWEPT | {"a class": sam.Adaptive, "an optimizer": BASE},
}
FIELDS = [(name, f) for name, kind in CLASSES.items() for f in dataclasses.fields(kind) if "kind" in f.metadata]
each_field = pytest.mark.parametrize(("name", "field"), FIELDS, ids=lambda a: getattr(a, "name", a))


def complaint(name, field, value):
    """The error's text, if it names the field, what the field may be, and what it was, in one line; else what is wrong."""
    try:
        made(name, **{field: value})
    except (TypeError, ValueError) as error:
        text = str(error)
        return text, text.startswith(f"{field} must ") and ", got " in text and "\n" not in text
    return "accepted", False


def assert_refused(name, field, values):
    found = {what: complaint(name, field.name, value) for what, value in values.items()}
    assert {what: text for what, (text, fine) in found.items() if not fine} == {}


@each_field
def test_what_a_field_is_not_is_refused_in_one_line_that_names_it(name, field):
    assert_refused(name, field, WRONG | MORE[field.type])


def assert_all_refuse(fields, values):
    found = {f"{name}.{f.name} {what}": complaint(name, f.name, values[what]) for name, f in fields for what in values}
    assert {which: text for which, (text, fine) in found.items() if not fine} == {}


SEVERAL_ROWS = {"complex": np.ones((2, 1), complex), "masked": np.ma.masked_array([[0.5], [0.5]])}
IN_SEVERAL_LINES = "ball", "masks", "prob"
ODD_NUMBERS = {"a span of time": np.timedelta64(1, "s"), "complex": np.complex128(0.5)}


def test_an_array_of_several_rows_is_refused_in_one_line():
    assert_all_refuse([(name, f) for name, f in FIELDS if f.name not in IN_SEVERAL_LINES], SEVERAL_ROWS)
    one_for_all = [(name, f) for name, f in FIELDS if f.type in ("int", "bool", "float", "Updater", "Optimizer")]
    assert_all_refuse(one_for_all, {"(..., 1)": HALVES[:, None]})


@pytest.mark.parametrize("field", IN_SEVERAL_LINES)
def test_an_array_of_several_rows_is_none_of_these_in_one_line(field):
    assert_all_refuse(
        [(name, f) for name, f in FIELDS if f.name == field], SEVERAL_ROWS | {"(..., 1)": HALVES[:, None]}
    )


def test_numpys_spans_of_time_and_complex_numbers_are_no_numbers():
    assert_all_refuse([(name, f) for name, f in FIELDS if f.name != "prob"], ODD_NUMBERS)


def test_numpys_spans_of_time_and_complex_numbers_are_no_probability():
    assert_all_refuse([(name, f) for name, f in FIELDS if f.name == "prob"], ODD_NUMBERS)


def test_a_truth_value_is_no_decay_rate():
    assert_all_refuse([(name, f) for name, f in FIELDS if f.name == "betas"], {"False": (False, 0.9)})


def test_a_masked_array_is_no_mask():
    masked = np.ma.masked_array(np.ones(3), [True, False, False])
    assert_all_refuse([(name, f) for name, f in FIELDS if f.name == "mask"], {"masked": masked})


def test_warmup_is_of_a_schedule_and_not_of_a_number():
    assert_all_refuse([(name, f) for name, f in FIELDS if f.name == "schedule"], {"a number": 0.1})


@pytest.mark.parametrize(
    ("inside", "ends", "says"),
    [
        (Interval(0, 1), (True, True), "in [0, 1]"),
        (Interval(0, 1, low_belongs=False), (False, True), "in (0, 1]"),
        (Interval(0, 1, high_belongs=False), (True, False), "in [0, 1)"),
        (Interval(0, 1, low_belongs=False, high_belongs=False), (False, False), "in (0, 1)"),
    ],
)
def test_the_ends_of_an_interval_belong_to_it_or_not(inside, ends, says):
    assert (inside.holds(np.array(0.0)), inside.holds(np.array(1.0))) == ends
    assert inside.holds(np.array([[0.3], [0.7]]))
    for outside in (-1e-9, 1 + 1e-9, math.nan):
        assert not inside.holds(np.array([[0.3], [outside]]))
    assert str(inside) == says


def test_only_an_interval_without_any_end_holds_infinity():
    assert Interval().holds(np.array([-math.inf, math.inf]))
    assert not Interval(0).holds(np.array(math.inf))
    assert not Interval(0, low_belongs=False).holds(np.array(math.inf))
    assert not FINITE.holds(np.array([0.0, -math.inf]))
    with pytest.raises(ValueError, match="lr must be finite and ≥ 0, got inf"):
        SGD(math.inf)
    assert [str(Interval()), str(Interval(0)), str(Interval(0, low_belongs=False))] == ["a real number", "≥ 0", "> 0"]


# --- what numbers become ---------------------------------------------------------------------------------------------

SWEPT_FIELDS = [
    (name, f) for name, f in FIELDS if f.type in ("Scalar", "Radius", "StepSize", "Scalar | None") and name in STEPPING
]


def path_and_state(optimizer, dtype="float32"):
    path, _, state = run(optimizer, start(dtype=dtype), batches(dtype=dtype))
    return [path, *(a for a in state.values() if isinstance(a, np.ndarray))]


def assert_same_path(one, other, dtype="float32"):
    for a, b in zip(path_and_state(one, dtype), path_and_state(other, dtype), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("name", "field"), SWEPT_FIELDS, ids=lambda a: getattr(a, "name", a))
def test_a_number_has_the_bits_of_the_same_number_swept(name, field):
    one, swept = made(name, **{field.name: 0.1}), made(name, **{field.name: np.array([[0.1], [0.1]])})
    assert_same_path(one, swept)


@pytest.mark.parametrize("name", STEPPING)
def test_copies_step_as_the_optimizer_does(name):
    optimizer = made(name)
    path_and_state(optimizer)  # so that it has met weights
    for copied in (
        copy.copy(optimizer),
        copy.deepcopy(optimizer),
        pickle.loads(pickle.dumps(optimizer)),
        dataclasses.replace(optimizer),
    ):
        assert_same_path(copied, made(name))
        assert repr(copied) == repr(optimizer)


def test_a_deep_copy_meets_weights_for_itself():
    optimizer = made("GSAM", rho=np.array([[0.1], [0.2]]))
    copied = copy.deepcopy(optimizer)
    assert copied.met.declared is copied
    assert copied.rho is not optimizer.rho
    assert copied.base.met.declared is copied.base


@pytest.mark.parametrize(("name", "field"), SWEPT_FIELDS, ids=lambda a: getattr(a, "name", a))
def test_a_field_that_is_replaced_counts(name, field):
    optimizer = made(name)
    path_and_state(optimizer)  # so that it has met weights
    assert_same_path(dataclasses.replace(optimizer, **{field.name: 0.1}), made(name, **{field.name: 0.1}))


@pytest.mark.parametrize("name", STEPPING)
def test_one_optimizer_meets_weights_of_several_precisions_and_backends(name, device):
    """A sweep in single precision, then in double, then on a device, then in single precision again."""
    rates = np.array([[0.05], [0.1]])
    base = SGD(rates, momentum=0.9)
    here = {f.name for f in dataclasses.fields(STEPPING[name])} & {"base", "optimizer", "lr"}
    swept = {field: rates if field == "lr" else base for field in here}
    optimizer = made(name, **swept)
    for dtype in ("float32", "float64", "float32"):
        assert_same_path(optimizer, made(name, **swept), dtype)
    expected, _, _ = run(optimizer, start(dtype="float32"), batches(dtype="float32"))
    with device.in_use():
        w, state = MODEL.init([0, 1], "float32"), None
        for batch in batches(dtype="float32"):
            batch = dataclasses.replace(
                batch, **{part: array_backend.asarray(getattr(batch, part)) for part in ("x", "y", "examples")}
            )
            w, state, _ = optimizer.step(w, optimizer.init(w) if state is None else state, batch)
        on_device = array_backend.asnumpy(w)
    np.testing.assert_allclose(on_device, expected[-1], rtol=1e-4, atol=1e-6)
    assert_same_path(optimizer, made(name, **swept))
