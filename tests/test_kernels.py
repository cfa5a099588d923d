"""Kernels of our own give NumPy's numbers, for every layout and size of numbers."""

from functools import partial

import numpy as np
import pytest

from minisam import array_backend, cross_entropy, vectors
from minisam.autodiff import value_and_grad

pytestmark = pytest.mark.gpu
RNG = np.random.default_rng(0)
ROUNDING = {"float32": 1e-6, "float64": 1e-14}


@pytest.fixture(autouse=True)
def _on_the_device():
    with array_backend.use("cupy"):
        yield


def both(f, *arrays, dtype, **keywords):
    """f on NumPy's arrays, and on the device's."""
    with array_backend.use("numpy"):
        there = f(*arrays, **keywords)
    here = array_backend.asnumpy(f(*map(array_backend.asarray, arrays), **keywords))
    assert (here.shape, here.dtype) == (there.shape, np.dtype(dtype))
    return here, there


# --- norms -----------------------------------------------------------------------------------------------------------

VECTORS = {
    "short": RNG.standard_normal(7),
    "of one entry": RNG.standard_normal((3, 1)),
    "long": RNG.standard_normal((2, 3, 5000)),
    "zero": np.zeros((2, 9)),
    "not a number": np.where(np.arange(600) == 499, np.nan, RNG.standard_normal((2, 600))),
    "infinite": np.where(np.arange(600) == 499, -np.inf, RNG.standard_normal((2, 600))),
}


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("name", VECTORS)
def test_a_norm_is_numpys(name, dtype):
    here, there = both(vectors.norm, VECTORS[name].astype(dtype), dtype=dtype)
    np.testing.assert_allclose(here, there, rtol=10 * ROUNDING[dtype])


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("size", ["tiny", "subnormal", "huge"])
def test_no_square_overflows_or_vanishes(size, dtype):
    info = np.finfo(dtype)
    scale = {"tiny": info.tiny * 8, "subnormal": info.smallest_subnormal * 64, "huge": info.max / 16}[size]
    a = np.full(100, scale, dtype)
    here, _ = both(vectors.norm, a, dtype=dtype)
    assert here[0] == 10 * a[0]  # √100 times the entry


def test_a_norm_above_the_largest_float_is_infinite():
    here, _ = both(vectors.norm, np.full(4, np.finfo("float32").max), dtype="float32")
    assert here[0] == np.inf


def test_a_norm_of_vectors_that_do_not_lie_in_a_row():
    a = RNG.standard_normal((40, 5)).T
    here, there = both(vectors.norm, a, dtype="float64")
    np.testing.assert_allclose(here, there, rtol=1e-14)
    a = np.broadcast_to(RNG.standard_normal(9), (4, 9))
    here, there = both(vectors.norm, a, dtype="float64")
    np.testing.assert_allclose(here, there, rtol=1e-14)


# --- cross-entropy ---------------------------------------------------------------------------------------------------

LOGITS = {
    "one batch": ((6, 4), (6,)),
    "many examples": ((700, 3), (700,)),
    "one class": ((5, 1), (5,)),
    "replicas of a shared batch": ((2, 3, 6, 4), (6,)),
    "replicas with labels of their own": ((3, 6, 4), (3, 6)),
}


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("name", LOGITS)
def test_a_cross_entropy_and_its_slopes_are_numpys(name, smoothing, dtype):
    of_logits, of_labels = LOGITS[name]
    z = (3 * RNG.standard_normal(of_logits)).astype(dtype)
    labels = RNG.integers(0, of_logits[-1], of_labels)
    for kind in ("int64", "int32", "int8", "uint64", "uint16", "uint8"):
        ends = []
        for backend in ("numpy", "cupy"):
            with array_backend.use(backend):
                y = array_backend.asarray(labels.astype(kind))
                loss = partial(of_flat, of_logits[-2:], y, smoothing)
                w = array_backend.asarray(z.reshape(*of_logits[:-2], -1))
                ends.append([array_backend.asnumpy(a) for a in value_and_grad(loss, recorded=False)(w)])
        for there, here in zip(*ends, strict=True):
            assert (here.shape, here.dtype) == (there.shape, there.dtype)
            np.testing.assert_allclose(here, there, rtol=20 * ROUNDING[dtype], atol=2 * ROUNDING[dtype])


def of_flat(shape, labels, smoothing, w):
    return cross_entropy(w.reshape(*w.shape[:-1], *shape), labels, smoothing)


def test_logits_that_lie_otherwise_and_large_ones():
    z = np.asfortranarray(RNG.standard_normal((6, 4))) * np.array([[1], [1e3], [-1e3], [1e-3], [0], [7e2]])
    here, there = both(lambda z, y: cross_entropy(z, y), z, np.array([0, 1, 2, 3, 0, 1]), dtype="float64")
    np.testing.assert_allclose(here, there, rtol=1e-13)
    here, there = both(lambda z, y: cross_entropy(z[::-1, ::-1], y), z, np.array([0, 1, 2, 3, 0, 1]), dtype="float64")
    np.testing.assert_allclose(here, there, rtol=1e-13)


@pytest.mark.parametrize(
    ("label", "dtype"),
    [(-1, "int64"), (3, "int8"), (10**6, "int32"), (200, "uint8"), (3, "uint32"), (2**63 + 1, "uint64")],
)
def test_a_label_that_is_no_class_makes_the_loss_no_number(label, dtype):
    """The host would have to wait for the labels to refuse them; and no memory is read that is not the logits'."""
    z, labels = array_backend.xp().zeros((2, 3)), array_backend.asarray(np.array([0, label], dtype))
    loss, g = value_and_grad(lambda z: cross_entropy(z.reshape(2, 3), labels), recorded=False)(z.reshape(-1))
    assert np.isnan(array_backend.asnumpy(loss))
    assert np.isnan(array_backend.asnumpy(g)[3:]).all()


# --- copies ----------------------------------------------------------------------------------------------------------


def test_copies_of_any_number_of_arrays():
    from minisam.array_backend.kernels import AT_ONCE, copies

    xp = array_backend.xp()
    arrays = [
        RNG.integers(0, 99, n).astype(t) for n in (1, 3, 5000) for t in ("int8", "int16", "float32", "float64", "bool")
    ]
    arrays += [RNG.standard_normal((3, 4)), np.float32(3), np.zeros(0)]
    assert len(arrays) > AT_ONCE
    sources = [array_backend.asarray(a) for a in arrays]
    sources.append(sources[0].view()[...])
    sources += [
        xp.arange(10, dtype="int8")[1:6],
        xp.arange(12.0).reshape(3, 4).T,
    ]  # at an odd address, in another order
    targets = [xp.full_like(a, 1) for a in sources]
    copies(targets, sources)
    for target, source in zip(targets, sources, strict=True):
        np.testing.assert_array_equal(array_backend.asnumpy(target), array_backend.asnumpy(source))
    targets = [xp.zeros(3, dtype="float64"), xp.zeros((2, 3))]
    copies(targets, [xp.arange(3), xp.arange(3.0)])  # other dtypes and shapes are converted as by assignment
    assert [float(a.sum()) for a in targets] == [3, 6]
