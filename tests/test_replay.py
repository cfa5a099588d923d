"""A recorded computation is the eager one, bit for bit; what cannot be recorded is found out."""

import gc
import threading
import tracemalloc
import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minisam
from minisam import SAM, SGD, Adam, hvp, mlp, mse, value_and_grad
from minisam.autodiff import replay as record
from minisam.sam import Quadratic

ACTIVATIONS = ["relu", "tanh", "gelu"]


def same(a, b):
    return all(np.array_equal(p, q, equal_nan=True) and p.dtype == q.dtype for p, q in zip(a, b, strict=True))


@st.composite
def problems(draw):
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    lead = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    own_batch = draw(st.booleans())
    m = draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    model = mlp(sizes, draw(st.sampled_from(ACTIVATIONS)))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    w = model.init(np.arange(np.prod(lead, dtype=int)).reshape(lead), dtype)
    batch = lead if own_batch else ()
    x = rng.standard_normal((*batch, m, sizes[0])).astype(dtype)
    y = rng.integers(0, sizes[-1], (*batch, m))
    return model, w, x, y


@settings(max_examples=40)
@given(problems(), st.sampled_from([0.0, 0.1]))
def test_a_recorded_gradient_is_the_eager_one_bit_for_bit(problem, smoothing):
    model, w, x, y = problem

    def loss(z, y):
        return minisam.cross_entropy(z, y, smoothing)

    replayed, eager = value_and_grad(model, loss), value_and_grad(model, loss, recorded=False)
    for scale in (1.0, -0.3, 2.0):
        assert same(replayed(scale * w, x, y), eager(scale * w, x, y))
        x, y = x[..., ::-1, :] + 1, y[..., ::-1]


@settings(max_examples=25)
@given(problems())
def test_a_recorded_hessian_vector_product_is_the_eager_one_bit_for_bit(problem):
    model, w, x, y = problem
    replayed, eager = hvp(model), hvp(model, recorded=False)
    for scale in (1.0, -0.3):
        v = np.cos(scale * w)
        assert np.array_equal(replayed(scale * w, v, x, y), eager(scale * w, v, x, y))


def test_a_recorded_regression_is_the_eager_one_bit_for_bit():
    rng = np.random.default_rng(0)
    model, x, y = mlp([3, 8, 2], "tanh"), rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    w = model.init([0, 1], "float64")
    for _ in range(2):
        assert same(value_and_grad(model, mse)(w, x, y), value_and_grad(model, mse, recorded=False)(w, x, y))


LANDSCAPES = {
    "quadratic": Quadratic(np.diag([1.0, 2.0, 3.0]), np.ones(3)),
    "indexing": lambda w: w[..., 0] ** 2 * w[..., 1] + anp.sin(w[..., 2]) * w[..., 0],
    "slices added": lambda w: anp.sum(w[..., 1:] * w[..., :-1] + w[..., :1], axis=-1),
    "a power and a norm": lambda w: anp.sum(anp.abs(w) ** 3, axis=-1) + anp.sqrt(1 + anp.sum(w**2, axis=-1)),
    "stacking": lambda w: anp.sum(anp.concatenate([w, w**2], axis=-1) ** 2, axis=-1),
    "the weights twice": lambda w: anp.sum(w * w + w, axis=-1) * anp.sum(w, axis=-1),
    "reductions": lambda w: anp.max(w, axis=-1) * anp.mean(w, -1) + np.sum(w * w, axis=-1) - anp.var(w, axis=-1),
    "a constant": lambda w: 0.0 * w[..., 0] + 3.0,
    "a transpose": lambda w: anp.sum(anp.swapaxes(anp.reshape(w, (*w.shape[:-1], 3, 1)), -1, -2)[..., 0, :] ** 2, -1),
}


@pytest.mark.parametrize("name", LANDSCAPES)
@pytest.mark.parametrize("lead", [(), (4,)])
def test_recorded_landscapes_are_the_eager_ones_bit_for_bit(name, lead):
    landscape = LANDSCAPES[name]
    replayed, eager = value_and_grad(landscape), value_and_grad(landscape, recorded=False)
    rng = np.random.default_rng(1)
    for _ in range(3):
        w, v = rng.standard_normal((2, *lead, 3))
        assert same(replayed(w), eager(w))
        assert np.array_equal(hvp(landscape)(w, v), hvp(landscape, recorded=False)(w, v))


# --- what cannot be recorded -----------------------------------------------------------------------------------------


def test_control_flow_that_depends_on_a_value_is_found_out_and_said_once():
    def kinked(w):
        total = anp.sum(w**2, axis=-1)
        return total if total > 1 else 3 * total

    f = value_and_grad(kinked)
    large, small = np.array([2.0, 0.0]), np.array([0.2, 0.0])
    with pytest.warns(UserWarning, match="value_and_grad cannot be recorded.*control flow depends on a value"):
        loss, g = f(large)
    assert loss == 4
    np.testing.assert_array_equal(g, [4, 0])
    loss, g = f(small)  # no second warning: warnings are errors here
    np.testing.assert_allclose([loss, *g], [0.12, 1.2, 0])


def test_hidden_control_flow_is_found_out_by_comparison():
    def masked(w):
        from autograd.tracer import getval

        value = getval(w)
        while hasattr(value, "_value"):
            value = value._value
        return anp.sum(w**2 * (np.asarray(value) > 0), axis=-1)

    f = value_and_grad(masked)
    with pytest.warns(UserWarning, match="other numbers"):
        f(np.array([1.0, -2.0]))
    assert f(np.array([-1.0, 2.0]))[0] == 4


def test_randomness_inside_the_loss_is_found_out():
    rng = np.random.default_rng(0)
    f = value_and_grad(lambda w: anp.sum(w * rng.standard_normal(3), axis=-1))
    with pytest.warns(UserWarning, match="other numbers"):
        f(np.ones(3))
    assert f(np.ones(3))[0] != f(np.ones(3))[0]


def test_the_comparison_can_be_left_out():
    calls = []

    def counted(w):
        calls.append(1)
        return anp.sum(w**2, axis=-1)

    value_and_grad(counted, check=False)(np.ones(2))
    unchecked = len(calls)
    calls.clear()
    value_and_grad(counted)(np.ones(2))
    assert unchecked < len(calls)


def test_an_error_of_the_loss_is_the_eager_error_and_leaves_nothing_behind():
    model = mlp([3, 2])
    f = value_and_grad(model)
    with pytest.raises(ValueError, match="x must have shape"):
        f(model.init(0), np.ones((4, 5), "float32"), np.zeros(4, int))
    loss, _ = f(model.init(0), np.ones((4, 3), "float32"), np.zeros(4, int))
    assert np.isfinite(loss)


# --- records and buffers ---------------------------------------------------------------------------------------------


def test_results_belong_to_the_caller():
    f = value_and_grad(Quadratic(np.eye(3)))
    w = np.array([1.0, 2.0, 3.0])
    loss, g = f(w)
    f(2 * w)
    assert loss == 7
    np.testing.assert_array_equal(g, w)
    g += 1
    np.testing.assert_array_equal(f(w)[1], w)


LARGE = 200_000  # weights, of which a record is bound anew at each replay


def cubes(w):
    return anp.sum(w**3, axis=-1)


def test_large_arrays_are_not_copied():
    """The same bits from arrays as they come: other memory orders, views, precisions."""
    replayed, eager = value_and_grad(cubes), value_and_grad(cubes, recorded=False)
    rng = np.random.default_rng(6)
    w = rng.standard_normal((2, LARGE))
    for a in (w, w[::-1], np.asfortranarray(w), w[:, ::2], w.astype("float32"), np.broadcast_to(w[0], w.shape)):
        before = a.copy()
        assert same(replayed(a), eager(a))
        np.testing.assert_array_equal(a, before)


def test_large_results_belong_to_the_caller():
    f = value_and_grad(cubes)
    w = np.linspace(-1, 1, LARGE)
    kept = [f(scale * w) for scale in range(1, 12)]
    rows = [f(scale * w)[1][5:10] for scale in range(1, 12)]  # views, and nobody holds the whole
    for scale, (loss, g), row in zip(range(1, 12), kept, rows, strict=True):
        right = value_and_grad(cubes, recorded=False)(scale * w)
        assert same((loss, g), right)
        np.testing.assert_array_equal(row, right[1][5:10])
    kept[0][1][:] = 0
    assert same(f(w), value_and_grad(cubes, recorded=False)(w))


def test_large_results_are_handed_out_again():
    f = value_and_grad(cubes)
    w = np.linspace(-1, 1, LARGE)
    f(w)
    tracemalloc.start()
    try:
        for _ in range(5):
            f(w)
        assert tracemalloc.get_traced_memory()[1] < w.nbytes / 10
    finally:
        tracemalloc.stop()


def test_what_the_caller_keeps_is_let_go():
    """A record holds no more than a few arrays, however many it has handed out."""
    f = value_and_grad(cubes)
    w = np.linspace(-1, 1, LARGE)
    f(w)
    tracemalloc.start()
    try:
        kept = [f(w) for _ in range(20)]
        kept.clear()
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 5 * w.nbytes
    finally:
        tracemalloc.stop()


def test_optimizers_leave_kept_weights_alone():
    """Every w of a large net's run, kept, is what it was."""
    model = mlp([256, 1100, 10])
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((8, 256)).astype("float32"), rng.integers(0, 10, 8)
    for optimizer in (SAM(SGD(0.1, momentum=0.9)), SAM(Adam(0.01)), SGD(0.1, momentum=0.9, nesterov=True)):
        runs = []
        for recorded in (True, False):
            f = value_and_grad(model, recorded=recorded)
            w = model.init(0)
            state, kept = optimizer.init(w), []
            for _ in range(8):
                before = [w.copy(), *(np.copy(a) for a in state.values())]
                after, new_state, info = optimizer.step(w, state, lambda w: f(w, x, y))  # noqa: B023
                assert same([w, *map(np.asarray, state.values())], before)
                w, state = after, new_state
                kept += [w, *new_state.values(), info["loss"]]
            runs.append(kept)
        assert same(*(map(np.asarray, kept) for kept in runs))


def test_shapes_and_dtypes_have_records_of_their_own_up_to_a_bound(monkeypatch):
    made = []
    plain = record.Record.__init__
    monkeypatch.setattr(record.Record, "__init__", lambda self, *a: made.append(1) or plain(self, *a))
    monkeypatch.setattr(record, "CACHED", 3)
    f = value_and_grad(lambda w: anp.sum(w**2, axis=-1))
    for n in (1, 2, 3, 2, 3, 1):
        f(np.ones(n))
    assert len(made) == 3
    assert f(np.ones(2, "float32"))[1].dtype == np.float32  # a fourth: the record for n = 2 makes room
    f(np.ones(3))
    f(np.ones(1))
    assert len(made) == 4
    f(np.ones(2))
    assert len(made) == 5


def test_records_run_interleaved():
    rng = np.random.default_rng(2)
    models = [mlp([3, 5, 2]), mlp([3, 5, 5, 2], "gelu")]
    replayed = [value_and_grad(m) for m in models]
    eager = [value_and_grad(m, recorded=False) for m in models]
    for k in range(6):
        i, m = k % 2, 3 + k % 3
        x, y = rng.standard_normal((m, 3)).astype("float32"), rng.integers(0, 2, m)
        w = models[i].init(k)
        assert same(replayed[i](w, x, y), eager[i](w, x, y))


def test_a_recorded_function_inside_another_is_recorded_with_it():
    inner = value_and_grad(lambda w: anp.sum(w**3, axis=-1))

    def norm_of_gradient(w):
        return anp.sum(3 * w**2, axis=-1) + float(inner(np.ones(2))[0])

    w = np.array([1.0, 2.0])
    for _ in range(2):
        assert value_and_grad(norm_of_gradient)(w)[0] == 17


def test_threads_do_not_share_buffers():
    rng = np.random.default_rng(3)
    model = mlp([4, 32, 3])
    x, y = rng.standard_normal((64, 4)).astype("float32"), rng.integers(0, 3, 64)
    replayed, eager = value_and_grad(model), value_and_grad(model, recorded=False)
    ws = [model.init(seed) for seed in range(4)]
    right = [eager(w, x, y) for w in ws]
    wrong = []

    def work(k):
        for _ in range(200):
            if not same(replayed(ws[k], x, y), right[k]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_buffers_are_used_again():
    """Once recorded, what a record holds and a replay adds stays within 1.5 times of eager's peak."""
    model = mlp([8, 64, 64, 64, 64, 64, 8])
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((256, 8)).astype("float32"), rng.integers(0, 8, 256)
    w = model.init(0)

    def peak(recorded):
        f = value_and_grad(model, recorded=recorded)
        tracemalloc.start()
        try:
            f(w, x, y)
            gc.collect()
            tracemalloc.reset_peak()
            f(w, x, y)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(False)  # everything is imported and made once
    assert peak(True) <= 1.5 * peak(False)


@pytest.mark.parametrize(("sizes", "count"), [((2, 32, 32, 2), 1000), ((256, 1100, 2), 20)])
def test_a_recorded_run_of_sam_does_not_grow(sizes, count):
    model = mlp(sizes)
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((64, sizes[0])).astype("float32"), rng.integers(0, 2, 64)
    f, optimizer = value_and_grad(model), SAM(SGD(0.01, momentum=0.9))
    w = model.init(0)
    state = optimizer.init(w)

    def steps(count, w, state):
        for _ in range(count):
            w, state, _ = optimizer.step(w, state, lambda w: f(w, x, y))
        return w, state

    tracemalloc.start()
    try:
        for _ in range(2):  # fills Python's own lists of free objects; then with w and state in hand, as below
            w, state = steps(count, w, state)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        w, state = steps(count, w, state)
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert now - before < 4096
    assert peak - before < 64 * 1024


def test_autograd_itself_is_as_before():
    import autograd

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert autograd.grad(lambda a: a**2 if a > 1 else a)(3.0) == 6.0
