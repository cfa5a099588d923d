"""Our kernel for products of matrices: NumPy's numbers for every layout, and room for it in CUDA graphs."""

import numpy as np
import pytest

from minisam import array_backend

pytestmark = pytest.mark.gpu
RNG = np.random.default_rng(0)
SHAPES = {
    "one tile": ((5, 7), (7, 3)),
    "several tiles": ((33, 40), (40, 19)),
    "a long sum of few numbers": ((3, 5000), (5000, 2)),
    "a long sum that parts do not divide": ((3, 2, 4099), (3, 4099, 5)),
    "an empty sum": ((3, 0), (0, 2)),
    "no rows": ((0, 3), (3, 2)),
    "stacks": ((3, 4, 5), (3, 5, 6)),
    "a shared operand": ((3, 4, 5), (5, 6)),
    "stacks that broadcast": ((2, 1, 3, 4), (5, 4, 2)),
    "three stacks that broadcast": ((2, 1, 3, 4, 5), (1, 3, 1, 5, 4)),
    "four stacks that broadcast": ((2, 1, 2, 1, 3, 4), (1, 3, 1, 2, 4, 3)),
    "vectors": ((6,), (6,)),
    "a vector first": ((6,), (2, 6, 3)),
    "a vector second": ((2, 4, 6), (6,)),
}


@pytest.fixture(autouse=True)
def _on_the_device():
    with array_backend.use("cupy"):
        yield


def pair(shapes, dtype):
    return [RNG.standard_normal(shape).astype(dtype) for shape in shapes]


def assert_close(made, expected):
    made = array_backend.asnumpy(made)
    assert (made.shape, made.dtype) == (np.shape(expected), np.asarray(expected).dtype)
    bound = 1e-13 if expected.dtype == np.float64 else 1e-5
    np.testing.assert_allclose(made, expected, rtol=bound, atol=bound * np.abs(expected).max(initial=0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SHAPES)
def test_products_are_numpys(name, dtype):
    from minisam.array_backend.products import matmul

    a, b = pair(SHAPES[name], dtype)
    expected = np.matmul(a, b)
    on_device = [array_backend.asarray(x) for x in (a, b)]
    assert_close(matmul(*on_device), expected)
    out = array_backend.xp().full(expected.shape, np.nan, dtype)
    assert matmul(*on_device, out=out) is out
    assert_close(out, expected)


LAYOUTS = {
    "transposed": lambda x: x.swapaxes(-1, -2).copy().swapaxes(-1, -2),
    "in Fortran's order": lambda x: array_backend.xp().asfortranarray(x),
    "every other": lambda x: array_backend.xp().repeat(x, 2, axis=-1)[..., ::2],
    "reversed": lambda x: x[..., ::-1, :].copy()[..., ::-1, :],
    "spread": lambda x: array_backend.xp().broadcast_to(x[..., :1, :1], x.shape),
}


@pytest.mark.parametrize("of_b", LAYOUTS)
@pytest.mark.parametrize("of_a", LAYOUTS)
def test_operands_are_read_where_they_lie(of_a, of_b):
    from minisam.array_backend.products import matmul

    a, b = [array_backend.asarray(x) for x in pair(((2, 18, 21), (2, 21, 17)), "float64")]
    a, b = LAYOUTS[of_a](a), LAYOUTS[of_b](b)
    out = array_backend.xp().full((17, 2, 18), np.nan).transpose(1, 2, 0)
    assert_close(matmul(a, b, out=out), np.matmul(array_backend.asnumpy(a), array_backend.asnumpy(b)))


def test_out_may_be_an_operand_or_of_another_dtype():
    from minisam.array_backend.products import matmul

    a, b = pair(((4, 4), (4, 4)), "float64")
    x, y = array_backend.asarray(a), array_backend.asarray(b)
    narrow = array_backend.xp().empty((4, 4), "float32")
    matmul(x, y, out=narrow)
    np.testing.assert_allclose(array_backend.asnumpy(narrow), a @ b, rtol=1e-5)
    assert_close(matmul(x, y.astype("float32"), out=x), a @ b.astype("float32"))


CONTRACTIONS = {
    "dot": lambda xp, a, b: xp.dot(a, b[:5]),
    "dot of a stack": lambda xp, a, b: xp.dot(a[None] * a[:2, :1, None], b[:5]),
    "dot of a vector": lambda xp, a, b: xp.dot(a, b[0, :5]),
    "inner": lambda xp, a, b: xp.inner(a, b[:, :5]),
    "inner with a number": lambda xp, a, b: xp.inner(a, b[0, 0]),
    "tensordot": lambda xp, a, b: xp.tensordot(a, b, ([0], [0])),
    "tensordot of both axes": lambda xp, a, b: xp.tensordot(a, b[:, :5], ((1, 0), (1, 0))),
    "tensordot of none": lambda xp, a, b: xp.tensordot(a, b[0], 0),
    "einsum": lambda xp, a, b: xp.einsum("ij,ik->jk", a, b),
}


@pytest.mark.parametrize("name", CONTRACTIONS)
def test_contractions_are_numpys_and_can_be_captured(name):
    import cupy

    from minisam.array_backend.products import without_cublas

    a, b = pair(((6, 5), (6, 7)), "float64")
    x, y = array_backend.asarray(a), array_backend.asarray(b)
    expected = CONTRACTIONS[name](np, a, b)
    with without_cublas(), cupy.cuda.Stream(non_blocking=True) as stream:
        CONTRACTIONS[name](np, x, y)
        stream.begin_capture()
        made = CONTRACTIONS[name](np, x, y)
        graph = stream.end_capture()
        graph.launch(stream)
        stream.synchronize()
    assert_close(made, expected)


def test_afterwards_products_are_cupys_again():
    import cupy

    from minisam.array_backend import products

    def failing():
        with products.without_cublas():
            assert cupy.matmul is products.matmul
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert not any(getattr(cupy, name) is ours for name, ours in products.OURS.items())


@pytest.mark.parametrize(
    ("a", "b", "error", "says"),
    [
        ((2, 3), (2, 3), ValueError, r"matmul takes a \(..., m, k\) and b \(..., k, n\), got \(2, 3\) and \(2, 3\)"),
        ((), (2, 3), ValueError, r"matmul takes a \(..., m, k\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(a, b, error, says):
    from minisam.array_backend.products import matmul

    with pytest.raises(error, match=says):
        matmul(*[array_backend.asarray(x) for x in pair((a, b), "float64")])


def test_axes_that_do_not_fit_are_refused():
    from minisam.array_backend.products import tensordot

    a, b = [array_backend.asarray(x) for x in pair(((2, 3), (3, 2)), "float64")]
    with pytest.raises(ValueError, match=r"same lengths in a and b, got \[0, 1\] of \(2, 3\) and \[0, 1\] of \(3, 2\)"):
        tensordot(a, b, 2)


def test_other_dtypes_are_refused():
    from minisam.array_backend.products import matmul

    with pytest.raises(TypeError, match="must be of float32 or float64, got int64 and int8"):
        matmul(array_backend.xp().ones((2, 2), "int64"), array_backend.xp().ones((2, 2), "int8"))
