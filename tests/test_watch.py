"""What a loss reads besides its inputs: a record never gives the numbers of before."""

import collections
import datetime
import functools
import itertools
import time
import warnings

import autograd.numpy as anp
import breaking_losses
import numpy as np
import pytest

from minisam import SAM, SGD, batch, cross_entropy, mlp, mse, train, value_and_grad
from minisam.autodiff import records, replay
from minisam.autodiff.reads import MANY
from minisam.autodiff.tape import CannotRecord
from minisam.autodiff.watch import Watch
from minisam.batch import BatchLoss
from minisam.sam import Quadratic

MODEL = mlp([2, 3])
W = MODEL.init(0, dtype="float64")
X = np.random.default_rng(0).standard_normal((4, 2))
LABELS = [[1, 2, 0, 1], [0, 0, 0, 2], [1, 1, 1, 1], [2, 0, 1, 0], [0, 0, 1, 1], [2, 2, 2, 2]]


@pytest.mark.parametrize("name", breaking_losses.MADE)
@pytest.mark.filterwarnings("ignore")
def test_a_record_gives_what_tracing_gives_or_is_given_up(name):
    assert results(name, recorded=True) == results(name, recorded=False)


def results(name, recorded):
    """24 results or types of errors, bit for bit, while weights and batch change, and what the loss depends on."""
    breaking_losses.reset()
    loss, change = breaking_losses.MADE[name]()
    f, seen = value_and_grad(MODEL, loss, recorded=recorded), []
    for t in range(24):
        if change and t and t % 3 == 0:
            change(t)
        try:
            value, g = f(W * (1 + t % 4), (-1) ** t * X, np.array(LABELS[t // 2 % len(LABELS)]))
            seen.append((float(value).hex(), g.tobytes()))
        except Exception as error:
            seen.append(type(error))
    return seen


# --- what is said, and when ------------------------------------------------------------------------------------------


def test_what_changes_again_and_again_is_named_and_no_longer_recorded():
    class Smooth:
        alpha = 0.1

        def __call__(self, z, y):
            return cross_entropy(z, y, label_smoothing=self.alpha)

    smooth, y = Smooth(), np.array(LABELS[0])
    f, eager = value_and_grad(MODEL, smooth), value_and_grad(MODEL, smooth, recorded=False)
    for t in range(replay.CHANGES + 1):
        smooth.alpha = t / 20
        assert f(W, X, y)[0] == eager(W, X, y)[0]
    smooth.alpha = 0.5
    with pytest.warns(UserWarning, match=r"cannot be recorded.*reads loss.alpha, which changes again and again"):
        assert f(W, X, y)[0] == eager(W, X, y)[0]
    smooth.alpha = 0.6
    assert f(W, X, y)[0] == eager(W, X, y)[0]  # no second warning: warnings are errors here


def test_a_number_made_anew_with_the_same_value_is_no_change():
    class Smooth:
        alpha = 0.1

        def __call__(self, z, y):
            return self.alpha * cross_entropy(z, y)

    smooth, y = Smooth(), np.array(LABELS[0])
    smooth.alpha = 0.1
    f = value_and_grad(MODEL, smooth)
    f(W, X, y)
    (record,) = f.cache.records.values()
    for _ in range(10):
        smooth.alpha = float("0.1")
        f(W, X, y)
    assert [*f.cache.records.values()] == [record]
    assert not f.changes


def test_a_change_now_and_then_makes_a_new_record():
    table = {"alpha": 0.1}
    f = value_and_grad(MODEL, lambda z, y: table["alpha"] * cross_entropy(z, y))
    loss, _ = f(W, X, np.array(LABELS[0]))
    table["alpha"] = 0.2
    assert f(W, X, np.array(LABELS[0]))[0] == pytest.approx(2 * loss, rel=1e-15)
    assert len(f.cache.records) == 1
    assert not f.failures


def test_a_training_calls_a_loss_that_counts_as_often_as_without_records():
    class Counted:
        calls = 0

        def __call__(self, z, y):
            self.calls += 1
            return cross_entropy(z, y)

    counted = Counted()
    x, y = np.tile(X, (4, 1)), np.tile(LABELS[0], 4)
    with pytest.warns(UserWarning, match=r"it changes .*calls, which it reads"):
        train(MODEL, (x, y), SGD(0.1), 3, 8, loss=counted, progress=False)
    assert counted.calls >= 3 * 2


def test_losses_of_the_library_need_no_look_at_all():
    for loss in (cross_entropy, mse):
        assert Watch(value_and_grad(MODEL, loss).body).is_empty()
        for kind, near in itertools.product(("plain", "mixed", "weighted"), (False, True)):
            assert Watch(BatchLoss(MODEL, loss).gradient(kind, near).body).is_empty()


def test_arrays_of_a_landscape_are_watched():
    landscape = Quadratic(np.eye(2))
    f = value_and_grad(landscape)
    assert f(np.ones(2))[0] == 1
    landscape.H[:] = 2 * np.eye(2)
    assert f(np.ones(2))[0] == 2
    assert not f.failures


def test_large_arrays_are_watched_only_if_they_cannot_be_written_to():
    large = np.ones(200_000)
    with pytest.raises(CannotRecord, match=r"1,600,000 bytes.*large.flags.writeable = False"):
        Watch(lambda z, y: large[0] * z)
    large.flags.writeable = False
    Watch(lambda z, y: large[0] * z)


def test_changes_between_many_replays_do_not_end_recording():
    table, y = {"alpha": 0.1}, np.array(LABELS[0])
    f = value_and_grad(MODEL, lambda z, y: table["alpha"] * cross_entropy(z, y))
    for t in range(60):
        table["alpha"] = 0.1 + t // 6
        f(W, X, y)
    assert not f.failures


@pytest.mark.parametrize("value", [collections.namedtuple("C", "k")(2.0), {"k": 2.0, "started": datetime.date.today()}])
def test_plain_settings_are_recorded(value):
    f = value_and_grad(MODEL, lambda z, y: (value["k"] if isinstance(value, dict) else value.k) * cross_entropy(z, y))
    f(W, X, np.array(LABELS[0]))
    assert f.cache.records


def test_more_than_can_be_looked_at_is_not_recorded():
    many = [[k] for k in range(MANY)]
    with pytest.raises(CannotRecord, match="can read more than"):
        Watch(lambda z, y: len(many) * z)


def test_rows_that_are_chosen_by_a_condition_are_not_recorded():
    f = value_and_grad(MODEL, lambda z, y: anp.sum(z[y > 0]))
    with pytest.warns(UserWarning, match="the shape of a result of __getitem__ depends on a value"):
        f(W, X, np.array(LABELS[0]))


def test_what_hides_its_state_is_named():
    rng = np.random.default_rng(0)
    with pytest.raises(CannotRecord, match="it reads rng, a Generator, whose state cannot be seen"):
        Watch(lambda z, y: z * rng.random())
    with pytest.raises(CannotRecord, match="it asks the module time"):
        Watch(lambda z, y: z * time.time())


# --- later comparisons -----------------------------------------------------------------------------------------------


def test_a_record_is_compared_with_tracing_in_the_course_of_a_training(monkeypatch):
    """What no one can see: a setting of another library, whose code is taken to stay as it is."""
    factor = {"is": 1.0}
    monkeypatch.setattr(np, "hidden", lambda: factor["is"], raising=False)
    f, y = value_and_grad(MODEL, lambda z, y: np.hidden() * cross_entropy(z, y)), np.array(LABELS[0])
    for _ in range(1 + records.COMPARED[0]):
        f(W, X, y)
    factor["is"] = 2.0
    for _ in range(records.COMPARED[1] - 1):
        f(W, X, y)
    with pytest.raises(RuntimeError, match="now gives other numbers than the function itself"):
        f(W, X, y)


def test_comparisons_become_rare(monkeypatch):
    f, y, traced = value_and_grad(MODEL), np.array(LABELS[0]), []
    f(W, X, y)
    monkeypatch.setattr(
        replay.Computation, "traced", lambda f, *a, old=replay.Computation.traced: traced.append(1) or old(f, *a)
    )
    first, second = records.COMPARED
    for _ in range(first + second + 2 * second):
        f(W, X, y)
    assert len(traced) == 3


def test_infinite_results_are_no_difference(monkeypatch):
    """Where tracing gives infinity, rounding decides what is infinite and what is NaN; the training stops for another reason."""
    f = value_and_grad(lambda w: anp.sum(w**2))
    for _ in range(records.COMPARED[0] + 1):
        with np.errstate(over="ignore"):
            assert np.isinf(f(np.full(2, 1e200))[0])


def test_other_batches_are_tried_without_a_warning():
    """With the opposite of every input, the logarithm is of a negative number."""
    f = value_and_grad(MODEL, lambda z, y: -anp.mean(anp.log(y) * z))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(W, X, np.full((4, 3), 0.5))
    assert not f.failures


def test_a_loss_that_refuses_other_batches_is_recorded_all_the_same():
    def strict(z, y):
        if isinstance(y, np.ndarray) and (y < 0).any():
            raise ValueError("negative")
        return anp.mean((z - y) ** 2)

    f = value_and_grad(MODEL, strict)
    f(W, X, np.full((4, 3), 0.5))
    assert len(f.cache.records) == 1


def test_a_result_whose_shape_changed_is_traced(monkeypatch):
    """A primitive of the user's whose shape depends on a value: one warning, no wrong number, no error."""
    from autograd.extend import defvjp, primitive

    @primitive
    def longer(x):
        return x if x.sum() > -1e6 else x[:1]

    defvjp(longer, lambda ans, x: lambda g: anp.ones_like(x) * anp.sum(g) / g.shape[0])
    f = value_and_grad(lambda w: anp.sum(longer(w)) ** 2)
    assert f(np.ones(3))[0] == 9
    with pytest.warns(UserWarning, match=r"shape of a result of longer was \(3,\) and is now \(1,\)"):
        assert f(np.full(3, -1e7))[0] == 1e14
    assert f(np.ones(3))[0] == 9


def test_a_training_follows_a_loss_that_changes_between_epochs(monkeypatch):
    """The smoothing is raised before every epoch; the weights are those of a training that is traced throughout."""

    def weights(recorded):
        smooth = {"alpha": 0.0}

        def raised(t):
            smooth["alpha"] = t // 2 / 10
            return 0.1

        monkeypatch.setattr(batch, "value_and_grad", lambda *of: value_and_grad(*of, recorded=recorded))
        loss = lambda z, y: cross_entropy(z, y, label_smoothing=smooth["alpha"])  # noqa: E731
        data = np.tile(X, (4, 1)), np.tile(LABELS[0], 4)
        return train(MODEL, data, SAM(SGD(raised)), 3, 8, loss=loss, progress=False).w

    assert np.array_equal(weights(True), weights(False))


def test_other_labels_show_what_depends_on_them():
    """A count that hides from the trace, and is the same in the two first batches."""
    count = lambda y: int(np.sum(functools.reduce(getattr, ["_value"] * hasattr(y, "_node"), y) > 0))  # noqa: E731
    f, y = value_and_grad(MODEL, lambda z, y: count(y) * cross_entropy(z, y)), np.array([2, 1, 2, 2])
    with pytest.warns(UserWarning, match="replayed, it gives other numbers"):
        f(W, X, y)
    loss, _ = f(W, X, np.array([2, 2, 2, 2]))
    assert (
        loss
        == value_and_grad(MODEL, lambda z, y: count(y) * cross_entropy(z, y), recorded=False)(W, X, np.array([2] * 4))[
            0
        ]
    )
