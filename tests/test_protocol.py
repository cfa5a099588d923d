"""What every optimizer must satisfy, on NumPy and on CuPy."""

import copy
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from protocol import EXAMPLES, MODEL, OPTIMIZERS, READS_BACK

from minisam import BatchLoss, array_backend, batch, train, value_and_grad, whole_step
from minisam import sam as family
from minisam.autodiff import records

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((EXAMPLES, 4)).astype("float32"), RNG.integers(0, 3, EXAMPLES)
LOSSES = BatchLoss(MODEL)


@pytest.fixture(params=["numpy", pytest.param("cupy", marks=pytest.mark.gpu)])
def backend(request):
    with array_backend.use(request.param):
        yield request.param


@pytest.fixture(params=OPTIMIZERS)
def optimizer(request, backend):
    return OPTIMIZERS[request.param]()


def equal(a, b):
    np.testing.assert_array_equal(array_backend.asnumpy(a), array_backend.asnumpy(b))


def equal_but_for_order(a, b):
    """Bit for bit; but a device adds up in another order where the shapes or the calls differ."""
    if array_backend.name() == "numpy":
        equal(a, b)
    else:
        np.testing.assert_allclose(array_backend.asnumpy(a), array_backend.asnumpy(b), rtol=1e-4, atol=1e-6)


def loss_on(x=X, y=Y, losses=LOSSES):
    return losses.on(*map(array_backend.asarray, (x, y, np.arange(EXAMPLES))))


def run(optimizer, w, steps=5, loss_and_grad=None):
    loss_and_grad = loss_and_grad or loss_on()
    state = optimizer.init(w)
    for _ in range(steps):
        w, state, info = optimizer.step(w, state, loss_and_grad)
    return w, state, info


def test_every_variant_is_here():
    kinds = [kind for name, kind in vars(family).items() if isinstance(kind, type) and hasattr(kind, "step")]
    here = {type(make()) for make in OPTIMIZERS.values()}
    assert {kind.__name__ for kind in kinds} - {kind.__name__ for kind in here} == {
        "Composed",
        "Rule",
        "Sometimes",
        "Variant",
    }


def test_inputs_stay_as_they_were(optimizer):
    w, state, _ = run(optimizer, MODEL.init(0), steps=2)
    before = w.copy(), copy.deepcopy(state)
    optimizer.step(w, state, loss_on())
    equal(w, before[0])
    assert state.keys() == before[1].keys()
    for key in state:
        equal(state[key], before[1][key])


def test_the_state_is_data(optimizer):
    w, state, _ = run(optimizer, MODEL.init(0), steps=2)
    assert all(isinstance(value, int | array_backend.xp().ndarray) for value in state.values())
    one, _, _ = optimizer.step(w, state, loss_on())
    other, _, _ = optimizer.step(w.copy(), copy.deepcopy(state), loss_on())
    equal(one, other)


def test_a_resumed_training_ends_with_the_same_bits(optimizer, tmp_path):
    settings = {"optimizer": optimizer, "batch_size": 4, "progress": False}
    at_once = train(MODEL, (X, Y), **settings, epochs=3)
    train(MODEL, (X, Y), **settings, epochs=1, checkpoint=tmp_path / "run.npz")
    resumed = train(MODEL, (X, Y), **settings, epochs=3, checkpoint=tmp_path / "run.npz")
    equal(resumed.w, at_once.w)
    equal(resumed.history["evaluations"], at_once.history["evaluations"])


def test_it_does_not_matter_whether_the_gradient_is_recorded(optimizer, monkeypatch):
    expected, _, _ = run(optimizer, MODEL.init(0))
    monkeypatch.setattr(batch, "value_and_grad", partial(value_and_grad, recorded=False))
    found, _, _ = run(optimizer, MODEL.init(0), loss_and_grad=loss_on(losses=BatchLoss(MODEL)))
    equal_but_for_order(found, expected)


def test_replicas_are_separate_runs(optimizer):
    together, _, told = run(optimizer, MODEL.init([0, 1, 2]))
    for k in range(3):
        alone, _, told_alone = run(optimizer, MODEL.init(k))
        equal_but_for_order(together[k], alone)
        for key in ("loss", "grad_norm"):
            equal_but_for_order(told[key][k], told_alone[key])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lead", [(), (3,)])
def test_dtype_and_shapes_are_kept(optimizer, dtype, lead):
    w = MODEL.init(list(range(3)) if lead else 0, dtype)
    after, state, info = run(optimizer, w, loss_and_grad=loss_on(X.astype(dtype)))
    assert after.dtype == dtype
    assert after.shape == w.shape
    assert all(a.dtype == dtype for a in state.values() if not isinstance(a, int) and a.dtype.kind == "f")
    for key in info.keys() - {"evaluations"}:
        assert info[key].shape == lead
        assert info[key].dtype == dtype


class Counted(BatchLoss):
    """Counts the gradients that are computed, in shares of the whole batch."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.taken = []

    def gradient(self, *kind, **named):
        f = super().gradient(*kind, **named)

        def counted(w, x, *batch):
            self.taken.append(Fraction(x.shape[-2], EXAMPLES))
            return f(w, x, *batch)

        counted.on = lambda *batch: lambda w: counted(w, *batch)
        return counted


def test_evaluations_are_the_gradients_taken(optimizer):
    losses, w = Counted(MODEL), MODEL.init(0)
    f, state = loss_on(losses=losses), optimizer.init(w)
    for _ in range(6):
        before = sum(losses.taken)
        w, state, info = optimizer.step(w, state, f)
        assert info["evaluations"] == sum(losses.taken) - before


def test_the_loss_goes_down(optimizer):
    w = MODEL.init(0)
    assert loss_on()(run(optimizer, w, steps=10)[0])[0] < loss_on()(w)[0]


class Flat(BatchLoss):
    """No gradient anywhere."""

    def gradient(self, *kind, **named):
        def flat(w, *batch):
            return 0 * w[..., 0], 0 * w

        flat.on = lambda *batch: flat
        return flat


def test_at_a_zero_gradient_everything_stays_finite(optimizer):
    w, state, info = run(
        optimizer, array_backend.asarray(np.zeros(MODEL.size)), loss_and_grad=loss_on(losses=Flat(MODEL))
    )
    for a in (w, *state.values(), *info.values()):
        assert np.isfinite(a).all()
    equal(w, 0)


def test_the_same_seed_gives_the_same_bits(optimizer):
    equal(run(optimizer, MODEL.init(0))[0], run(optimizer, MODEL.init(0))[0])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_on_a_device_it_has_the_same_numbers(name, device):
    """In double precision: LookSAM, for one, divides by what rounding has left of a small difference."""
    expected, _, _ = run(OPTIMIZERS[name](), MODEL.init([0, 1], "float64"))
    with device.in_use():
        w, _, _ = run(OPTIMIZERS[name](), MODEL.init([0, 1], "float64"))
        np.testing.assert_allclose(array_backend.asnumpy(w), expected, rtol=device.rtol, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_on_a_device_it_reads_nothing_back(name, device, monkeypatch):
    monkeypatch.setattr(records, "COMPARED", (10**6, 10**6))  # later comparisons with tracing look as well
    with device.in_use(), device.counted() as crossings:
        optimizer = OPTIMIZERS[name]()
        f, w = loss_on(losses=BatchLoss(MODEL)), MODEL.init([0, 1])
        run(optimizer, w, steps=whole_step.PLAIN + 2, loss_and_grad=f)  # records are compared once, which reads back
        before = crossings()
        run(optimizer, w, loss_and_grad=f)
        assert crossings() - before == READS_BACK.get(name, 0) * 5
