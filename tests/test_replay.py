"""A recorded computation is the eager one, bit for bit; what cannot be recorded is found out."""

import functools
import gc
import sys
import threading
import tracemalloc
import warnings
from pathlib import Path

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.core import primitive_vjps
from hypothesis import given, settings
from hypothesis import strategies as st

import minisam
from minisam import SAM, SGD, Adam, hvp, mlp, mse, value_and_grad
from minisam.autodiff import memory, records, replay
from minisam.autodiff.compare import close
from minisam.autodiff.program import Program
from minisam.sam import Quadratic
from minisam.types import Evaluated, statistics_of

LARGE = 200_000  # weights, of which a record is bound anew at each replay
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


LAYOUTS = {
    "the same for all": lambda a, lead: np.broadcast_to(a, (*lead, *a.shape)),
    "the same along an axis": lambda a, lead: np.broadcast_to(a, (lead[0], *a.shape)),
    "reversed": lambda a, lead: a[..., ::-1],
    "every second": lambda a, lead: np.repeat(a, 2, axis=-1)[..., ::2],
    "columns": lambda a, lead: np.asfortranarray(a),
    "windows": lambda a, lead: np.lib.stride_tricks.sliding_window_view(a.ravel(), a.shape[-1])[: len(a)],
}


@pytest.mark.parametrize("m", [1, 5])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_record_adds_up_in_the_order_of_its_inputs_layout(layout, m):
    """NumPy and BLAS add up in orders that depend on strides; a copy in another layout gives other bits."""
    model, lead = mlp((20, 100, 1)), (3, 10)
    rng = np.random.default_rng(0)
    own = (10,) if layout == "the same along an axis" else ()
    x = LAYOUTS[layout](rng.standard_normal((*own, m, 20)).astype("float32"), lead)
    w = model.init(np.arange(30).reshape(lead), "float32")
    y = rng.standard_normal((*x.shape[:-1], 1)).astype("float32")
    replayed, eager = (value_and_grad(model, mse, recorded=recorded) for recorded in (True, False))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = replayed(w, x, y)
    assert same(first, eager(w, x, y))
    assert same(replayed(-w, 2 * x, y), eager(-w, 2 * x, y))
    assert same(replayed(-w, x, y), eager(-w, x, y))


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
        value = w
        while not isinstance(value, np.ndarray):
            value = functools.reduce(getattr, ["_value"], value)
        return anp.sum(w**2 * (value > 0), axis=-1)

    f = value_and_grad(masked)
    with pytest.warns(UserWarning, match="other numbers"):
        f(np.array([1.0, -2.0]))
    assert f(np.array([-1.0, 2.0]))[0] == 4


def test_randomness_inside_the_loss_is_found_out():
    f = value_and_grad(lambda w: anp.sum(w * np.random.standard_normal(3), axis=-1))  # noqa: NPY002
    with pytest.warns(UserWarning, match="it calls random, which may read anything"):
        f(np.ones(3))
    assert f(np.ones(3))[0] != f(np.ones(3))[0]


def test_the_comparison_can_be_left_out():
    def noisy(w):
        return anp.sum(w * np.random.standard_normal(3), axis=-1)  # noqa: NPY002

    f = value_and_grad(noisy, check=False)
    f(np.ones(3))
    assert f(np.ones(3))[0] == f(np.ones(3))[0]  # what was drawn for the record


def test_an_error_of_the_loss_is_the_eager_error_and_leaves_nothing_behind():
    model = mlp([3, 2])
    f = value_and_grad(model)
    with pytest.raises(ValueError, match="x must have shape"):
        f(model.init(0), np.ones((4, 5), "float32"), np.zeros(4, int))
    loss, _ = f(model.init(0), np.ones((4, 3), "float32"), np.zeros(4, int))
    assert np.isfinite(loss)


# --- bound batches ---------------------------------------------------------------------------------------------------


def batch_of(sizes, m, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, sizes[0])).astype("float32"), rng.integers(0, sizes[-1], m)


@pytest.mark.parametrize(
    "sizes", [(3, 5, 2), (3, LARGE // 6, 2)]
)  # small arrays are copied, large ones read where they lie
@pytest.mark.parametrize("recorded", [True, False])
def test_a_bound_batch_gives_what_the_function_gives(sizes, recorded):
    model = mlp(sizes)
    f, eager = value_and_grad(model, recorded=recorded), value_and_grad(model, recorded=False)
    batches = [batch_of(sizes, 4, seed) for seed in range(2)]
    bound = [f.on(*batch) for batch in batches]
    for dtype in ("float32", "float64"):
        for seeds in (0, [1, 2]):
            w = model.init(seeds, dtype)
            for _ in range(2):  # the batches take turns in one record
                for g, batch in zip(bound, batches, strict=True):
                    assert same(g(w), eager(w, *batch))
                    assert same(f(-w, *batch), eager(-w, *batch))
    with pytest.raises(TypeError, match="w must be an array"):
        bound[0]([1.0])


def test_a_product_with_the_hessian_binds_a_batch_too():
    model, (x, y) = mlp([3, 5, 2], "tanh"), batch_of([3, 5, 2], 4)
    f, w = hvp(model), model.init(0)
    g = f.on(x, y)
    for v in (w, np.cos(w)):
        assert np.array_equal(g(w, v), hvp(model, recorded=False)(w, v, x, y))


def test_a_bound_batch_is_copied_once(monkeypatch):
    model, (x, y) = mlp([3, 5, 2]), batch_of([3, 5, 2], 4)
    f, w = value_and_grad(model), model.init(0)
    made = []
    monkeypatch.setattr(records, "COMPARED", (100, 100))
    plain = records.Fixed.__init__
    monkeypatch.setattr(records.Fixed, "__init__", lambda self, *a: made.append(self) or plain(self, *a))
    g = f.on(x, y)
    g(w)
    (record,) = made
    for buffer in record.batch:
        buffer[...] = 1
    copied = f(w, x + 1, y)  # another batch is
    assert same(copied, f(w, x + 1, y))
    right = g(w)
    for buffer in record.batch:
        buffer[...] = 1
    assert not same(g(w), right)  # this one still lies there: it was not copied again


def test_changed_arrays_are_bound_anew():
    """A bound batch belongs to its function; the function of everything remembers nothing of it."""
    model, (x, y) = mlp([3, 5, 2]), batch_of([3, 5, 2], 4)
    f, eager, w = value_and_grad(model), value_and_grad(model, recorded=False), model.init(0)
    f.on(x, y)(w)
    for _ in range(3):
        x += 1
        assert same(f.on(x, y)(w), eager(w, x, y))
        x += 1
        assert same(f(w, x, y), eager(w, x, y))


def test_a_batch_is_found_again_after_its_record_was_dropped(monkeypatch):
    monkeypatch.setattr(memory, "CACHED", 1)
    model, (x, y) = mlp([3, 5, 2]), batch_of([3, 5, 2], 4)
    g, eager = value_and_grad(model).on(x, y), value_and_grad(model, recorded=False)
    for _ in range(2):
        for seeds in (0, [0, 1]):
            assert same(g(model.init(seeds)), eager(model.init(seeds), x, y))


def test_a_batch_that_failed_is_not_taken_for_one_that_is_held():
    model, (x, y) = mlp([3, 5, 2]), batch_of([3, 5, 2], 4)
    f, eager, w = value_and_grad(model), value_and_grad(model, recorded=False), model.init(0)
    good, bad = f.on(x, y), f.on(x + 1, y + 5)
    good(w)
    for _ in range(2):
        with pytest.raises(ValueError, match="labels must be in 0 … 1"):
            bad(w)
        assert same(good(w), eager(w, x, y))


def test_a_product_with_the_hessian_of_a_recorded_function():
    """Boxes pass through a bound batch to the trace of whoever differentiates."""
    w, v = np.random.default_rng(0).standard_normal((2, 3))
    bound = value_and_grad(lambda w, a: anp.sum(a * w**3, axis=-1)).on(np.ones(3))
    bound(w)
    product = hvp(lambda w: bound(w)[0], recorded=False)(w, v)
    np.testing.assert_allclose(product, 6 * w * v, rtol=1e-14)


def test_batch_norm_s_statistics_come_with_the_result():
    model = minisam.models.resnet((4,), (1, 8, 8), 3)
    rng = np.random.default_rng(0)
    x, y, w = rng.standard_normal((5, 64)).astype("float32"), rng.integers(0, 3, 5), model.init(0)
    for f in (value_and_grad(model), value_and_grad(model, recorded=False)):
        for result in (f(w, x, y), f.on(x, y)(w), f.on(x, y)(2 * w)):
            loss, g = result
            assert isinstance(result, Evaluated)
            assert (loss.shape, g.shape, len(result)) == ((), w.shape, 2)
            assert {k: a.shape for k, a in statistics_of(result).items()} == model.running
    assert not np.array_equal(*(next(iter(statistics_of(f.on(x, y)(s * w)).values())) for s in (1, 2)))
    plain = value_and_grad(mlp([64, 3]))(mlp([64, 3]).init(0), x, y)
    assert type(plain) is tuple
    assert statistics_of(plain) == {}


def test_a_replayed_gradient_is_few_python_calls():
    """The bound batch, the replay, the loss with its slope, its check of the labels."""
    sizes = (2, 32, 32, 2)
    model, package = mlp(sizes), str(Path(minisam.__file__).parent)
    g, w = value_and_grad(model).on(*batch_of(sizes, 64)), model.init(0)
    g(w)
    seen = []

    def profile(frame, event, argument):
        if event == "call" and frame.f_code.co_filename.startswith(package):
            seen.append(Path(frame.f_code.co_filename).name)

    sys.setprofile(profile)
    try:
        g(w)
    finally:
        sys.setprofile(None)
    assert seen == ["replay.py", "records.py"] + ["losses.py"] * 2


# --- records and buffers ---------------------------------------------------------------------------------------------


def test_results_belong_to_the_caller():
    f = value_and_grad(Quadratic(np.eye(3)))
    w = np.array([1.0, 2.0, 3.0])
    f(w)  # traced; from here on replayed
    loss, g = f(w)
    f(2 * w)
    assert loss == 7
    np.testing.assert_array_equal(g, w)
    g += 1
    np.testing.assert_array_equal(f(w)[1], w)


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
    for _ in range(records.COMPARED[0] + 1):
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
    for _ in range(records.COMPARED[0] + 1):
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
    plain = replay.Program.__init__
    monkeypatch.setattr(replay.Program, "__init__", lambda self, *a: made.append(1) or plain(self, *a))
    monkeypatch.setattr(memory, "CACHED", 3)
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

    others = x + 1, y[::-1]
    right_on_others = [eager(w, *others) for w in ws]
    bound, bound_to_others = replayed.on(x, y), replayed.on(*others)

    def work(k):
        for _ in range(100):
            results = replayed(ws[k], x, y), bound(ws[k]), bound_to_others(ws[k])
            if not all(map(same, results, (right[k], right[k], right_on_others[k]))):
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


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_a_call_overwrites_is_the_array_that_it_reads(activation):
    """Not another view of it, which CuPy's elementwise functions copy first."""
    model, overwriting = mlp((3, 4, 5, 2), activation), 0
    for f in (value_and_grad(model), hvp(model)):
        w, x, y = model.init([0, 1]), np.ones((6, 3), "float32"), np.zeros(6, int)
        inputs = (w,) * f.points + (x, y)
        program = Program(f.body, f.split, inputs)
        for call in program.bind(inputs, program.results)[0]:
            out = getattr(call, "keywords", {}).get("out")
            if out is not None and isinstance(call.func, np.ufunc):
                seen = [a for a in call.args if np.may_share_memory(a, out)]
                assert all(a is out for a in seen)
                overwriting += len(seen)
    assert overwriting


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


def test_what_formulas_keep_goes_with_the_model():
    """Temporaries and results of the arithmetic of steps, several times the size of the weights."""
    gc.collect()
    tracemalloc.start()
    try:
        model = mlp((256, 1300, 2))
        f, optimizer, w = value_and_grad(model), SAM(Adam(0.01)), model.init(0)
        x, y = batch_of((256, 1300, 2), 64)
        state = optimizer.init(w)
        for _ in range(3):
            w, state, info = optimizer.step(w, state, f.on(x, y))
        weights, held = w.nbytes, tracemalloc.get_traced_memory()[0]
        assert held > 10 * weights
        del model, f, w, state, info
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < weights
    finally:
        tracemalloc.stop()


def test_records_are_kept_up_to_a_number_of_bytes(monkeypatch):
    f = value_and_grad(cubes)
    sizes = [50_000, 60_000, 70_000]
    for n in sizes:
        f(np.ones(n))
    per_weight = f.cache.nbytes() / sum(sizes)
    monkeypatch.setattr(memory, "BYTES", 140_000 * per_weight)
    f(np.ones(65_000))
    assert [record.nbytes / per_weight for record in f.cache.records.values()] == pytest.approx(
        [70_000, 65_000], rel=1e-3
    )
    monkeypatch.setattr(memory, "BYTES", 1)
    f(np.ones(61_000))
    assert len(f.cache.records) == 1  # the one in use


def test_first_traces_in_many_threads_at_once_are_all_recorded():
    """Threads that take turns after every few instructions: autograd's tracer has one state for all of them."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    model, failures = mlp([3, 4, 2]), []
    x, y = batch_of([3, 4, 2], 8)
    right = value_and_grad(model, recorded=False)(model.init(0), x, y)

    def first(f):
        if not same(f(model.init(0), x, y), right):
            failures.append("other numbers")
        failures.extend(f.failures)

    try:
        for shared in [value_and_grad(model), None] * 10:
            functions = [shared or value_and_grad(model) for _ in range(8)]
            threads = [threading.Thread(target=first, args=(f,)) for f in functions]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not failures


def test_autograd_itself_is_as_before():
    import autograd

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert autograd.grad(lambda a: a**2 if a > 1 else a)(3.0) == 6.0


def test_a_gradient_that_is_gone_leaves_nothing_behind():
    """autograd keeps the derivatives of all primitives for ever."""
    before = len(primitive_vjps)
    value_and_grad(mlp((3, 4, 2)))(mlp((3, 4, 2)).init(0), np.eye(5, 3), np.zeros(5, dtype=int))
    assert len(primitive_vjps) == before


def test_numbers_are_compared_also_beside_some_that_are_not_finite():
    right = np.array([np.inf, np.nan, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert close(right + 1e-12, right)
        assert not close(right + 1e-3, right)
