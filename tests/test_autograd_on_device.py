"""autograd.numpy on a device: the numbers of NumPy, and nothing read back."""

import autograd.numpy as anp
import numpy as np
import pytest
import strict
from autograd import grad
from autograd.extend import vspace

from minisam import array_backend, check_grad, hvp, mlp, value_and_grad

W = np.random.default_rng(0).standard_normal(12)
V = np.cos(W)


def eye():
    return array_backend.asarray(np.eye(3))


TABLE = {
    "add": lambda a: anp.sum(a + a),
    "add a number": lambda a: anp.sum(2.0 + a),
    "subtract": lambda a: anp.sum((1.0 - a) * (a - 2)),
    "multiply": lambda a: anp.sum(a * a * a),
    "divide": lambda a: anp.sum(a / (2 + a * a)),
    "divide a number": lambda a: anp.sum(1 / (2 + a * a)),
    "pow": lambda a: anp.sum(a**3),
    "power": lambda a: anp.sum(anp.power(2 + a * a, a)),
    "power of a number": lambda a: anp.sum(2.0**a),
    "negative": lambda a: anp.sum(-a * a),
    "abs": lambda a: anp.sum(anp.abs(a) * a),
    "abs()": lambda a: anp.sum(abs(a) * a),
    "exp": lambda a: anp.sum(anp.exp(a)),
    "exp2": lambda a: anp.sum(anp.exp2(a)),
    "expm1": lambda a: anp.sum(anp.expm1(a)),
    "log": lambda a: anp.sum(anp.log(2 + a * a)),
    "log2": lambda a: anp.sum(anp.log2(2 + a * a)),
    "log10": lambda a: anp.sum(anp.log10(2 + a * a)),
    "log1p": lambda a: anp.sum(anp.log1p(a * a)),
    "sin": lambda a: anp.sum(anp.sin(a)),
    "cos": lambda a: anp.sum(anp.cos(a)),
    "tan": lambda a: anp.sum(anp.tan(a / 4)),
    "arcsin": lambda a: anp.sum(anp.arcsin(a / 9)),
    "arccos": lambda a: anp.sum(anp.arccos(a / 9)),
    "arctan": lambda a: anp.sum(anp.arctan(a)),
    "sinh": lambda a: anp.sum(anp.sinh(a)),
    "cosh": lambda a: anp.sum(anp.cosh(a)),
    "tanh": lambda a: anp.sum(anp.tanh(a)),
    "arcsinh": lambda a: anp.sum(anp.arcsinh(a)),
    "arccosh": lambda a: anp.sum(anp.arccosh(2 + a * a)),
    "arctanh": lambda a: anp.sum(anp.arctanh(a / 9)),
    "sqrt": lambda a: anp.sum(anp.sqrt(2 + a * a)),
    "square": lambda a: anp.sum(anp.square(a)),
    "reciprocal": lambda a: anp.sum(anp.reciprocal(2 + a * a)),
    "sign": lambda a: anp.sum(anp.sign(a) * a * a),
    "maximum": lambda a: anp.sum(anp.maximum(a, 0.1) * a),
    "minimum": lambda a: anp.sum(anp.minimum(a, a * a)),
    "fmax": lambda a: anp.sum(anp.fmax(a, 0.1) * a),
    "logaddexp": lambda a: anp.sum(anp.logaddexp(a, a * a)),
    "logaddexp2": lambda a: anp.sum(anp.logaddexp2(a, a * a)),
    "arctan2": lambda a: anp.sum(anp.arctan2(a, 2 + a * a)),
    "sinc": lambda a: anp.sum(anp.sinc(a)),
    "clip": lambda a: anp.sum(anp.clip(a, -1, 1) * a),
    "where": lambda a: anp.sum(anp.where(a > 0, a * a, anp.sin(a))),
    "sum": lambda a: anp.sum(a) ** 2,
    "sum of columns": lambda a: anp.sum(anp.sum(a, axis=0) ** 2),
    "sum, kept axes": lambda a: anp.sum(anp.sum(a, axis=-1, keepdims=True) ** 2 * a),
    "sum over axes": lambda a: anp.sum(a, axis=(0, 1)) ** 2,
    "sum, the method": lambda a: (a * a).sum(axis=1).sum(),
    "mean": lambda a: anp.mean(a * a, axis=0).sum(),
    "mean, the method": lambda a: (a * a).mean(),
    "prod": lambda a: anp.prod(a),
    "prod of rows": lambda a: anp.sum(anp.prod(a, axis=1)),
    "var": lambda a: anp.var(a),
    "var of columns": lambda a: anp.sum(anp.var(a, axis=0, ddof=1) * a[0]),
    "std": lambda a: anp.std(a),
    "std of rows": lambda a: anp.sum(anp.std(a, axis=1)),
    "max": lambda a: anp.max(a) ** 2,
    "max of rows": lambda a: anp.sum(anp.max(a * a, axis=1)),
    "max, kept axes": lambda a: anp.sum(a * anp.max(a, axis=0, keepdims=True)),
    "min of rows": lambda a: anp.sum(anp.min(a, axis=1) ** 2),
    "amax": lambda a: anp.amax(a) ** 2,
    "cumsum": lambda a: anp.sum(anp.cumsum(a, axis=0) ** 2),
    "norm": lambda a: anp.linalg.norm(a),
    "norm of rows": lambda a: anp.sum(anp.linalg.norm(a, axis=1)),
    "3-norm": lambda a: anp.linalg.norm(anp.ravel(a), 3),
    "reshape": lambda a: anp.sum(anp.reshape(a, (3, 4))[1] ** 2),
    "reshape, the method": lambda a: anp.sum(a.reshape(-1)[2:5] ** 2),
    "ravel": lambda a: anp.sum(anp.ravel(a)[::2] ** 2),
    ".T": lambda a: anp.sum((a.T @ a) ** 2),
    "transpose": lambda a: anp.sum(anp.transpose(a)[0] ** 2),
    "swapaxes": lambda a: anp.sum(anp.swapaxes(a, 0, 1)[1] ** 2),
    "moveaxis": lambda a: anp.sum(anp.moveaxis(a, 0, 1)[1] ** 2),
    "rollaxis": lambda a: anp.sum(anp.rollaxis(a, 1)[1] ** 2),
    "expand_dims": lambda a: anp.sum(anp.expand_dims(a, 0) ** 2),
    "squeeze": lambda a: anp.sum(anp.squeeze(a[:, :1]) ** 2),
    "roll": lambda a: anp.sum(anp.roll(a, 1, 0) * a),
    "repeat": lambda a: anp.sum(anp.repeat(a, 2, axis=0) ** 2),
    "concatenate": lambda a: anp.sum(anp.concatenate([a, a * a], axis=1) ** 2),
    "stack": lambda a: anp.sum(anp.stack([a, a * a]) ** 2),
    "vstack": lambda a: anp.sum(anp.vstack([a, a * a]) ** 2),
    "hstack": lambda a: anp.sum(anp.hstack([a, a * a]) ** 2),
    "append": lambda a: anp.sum(anp.append(a, a * a, axis=0) ** 2),
    "split": lambda a: anp.sum(anp.split(a, 2)[1] ** 2),
    "array_split": lambda a: anp.sum(anp.array_split(a, 3, axis=0)[0] ** 2),
    "flipud": lambda a: anp.sum(anp.flipud(a) * a),
    "fliplr": lambda a: anp.sum(anp.fliplr(a) * a),
    "rot90": lambda a: anp.sum(anp.rot90(a)[0] ** 2),
    "pad": lambda a: anp.sum(anp.pad(a, 1, mode="constant") ** 2),
    "diag": lambda a: anp.sum(anp.diag(a[:3]) ** 2),
    "trace": lambda a: anp.trace(a @ a.T) ** 2,
    "tril": lambda a: anp.sum(anp.tril(a) ** 2),
    "triu": lambda a: anp.sum(anp.triu(a) ** 2),
    "atleast_2d": lambda a: anp.sum(anp.atleast_2d(a[0]) ** 2),
    "array of entries": lambda a: anp.sum(anp.array([a[0, 0], a[1, 1]]) ** 2),
    "zeros_like": lambda a: anp.sum(anp.zeros_like(a) + anp.ones_like(a) * a * a),
    "a row": lambda a: anp.sum(a[1] ** 2),
    "an entry": lambda a: a[1, 2] ** 2,
    "a slice": lambda a: anp.sum(a[1:3, ::-1] ** 2),
    "ellipsis": lambda a: anp.sum(a[..., 1] ** 2),
    "newaxis": lambda a: anp.sum(a[:, None, :] ** 2),
    "rows by an array": lambda a: anp.sum(a[np.array([0, 2, 2])] ** 2),
    "entries by arrays": lambda a: anp.sum(a[np.array([0, 2]), np.array([1, 1])] ** 2),
    "rows by a list": lambda a: anp.sum(a[[0, 2, 2]] ** 2),
    "diff": lambda a: anp.sum(anp.diff(a, axis=0) ** 2),
    "sort": lambda a: anp.sum(anp.sort(anp.ravel(a)) * np.arange(12.0).tolist()[3]),
    "dot": lambda a: anp.sum(anp.dot(a.T, a) ** 2),
    "dot, matrix and vector": lambda a: anp.sum(anp.dot(a, a[0]) ** 2),
    "dot of vectors": lambda a: anp.dot(a[0], a[1]) ** 2,
    "matmul": lambda a: anp.sum(anp.matmul(a, a.T) ** 2),
    "@": lambda a: anp.sum((a @ a.T) ** 2),
    "matmul, a stack": lambda a: anp.sum(anp.matmul(anp.stack([a, a]), a.T) ** 2),
    "matmul, matrix and vector": lambda a: anp.sum(anp.matmul(a, a[0]) ** 2),
    "matmul, vector and matrix": lambda a: anp.sum(anp.matmul(a[:, 0], a) ** 2),
    "inner": lambda a: anp.sum(anp.inner(a, a) ** 2),
    "outer": lambda a: anp.sum(anp.outer(a[0], a[1]) ** 2),
    "tensordot": lambda a: anp.sum(anp.tensordot(a, a, axes=([0], [0])) ** 2),
    "tensordot, all axes": lambda a: anp.tensordot(a, a, axes=2) ** 2,
    "kron": lambda a: anp.sum(anp.kron(a[:2, :2], a[:2, :2]) ** 2),
    "einsum": lambda a: anp.sum(anp.einsum("ij,kj->ik", a, a) ** 2),
    "einsum, all summed": lambda a: anp.einsum("ij,ij->", a, a) ** 2,
    "einsum, batched": lambda a: anp.sum(anp.einsum("bij,bjk->bik", anp.stack([a, a]), anp.stack([a.T, a.T])) ** 2),
    "einsum, one operand": lambda a: anp.sum(anp.einsum("ij->j", a) ** 2),
    "cross": lambda a: anp.sum(anp.cross(a[0], a[1]) ** 2),
    "inv": lambda a: anp.sum(anp.linalg.inv(a.T @ a + 3 * eye())),
    "det": lambda a: anp.linalg.det(a.T @ a),
    "solve": lambda a: anp.sum(anp.linalg.solve(a.T @ a + 3 * eye(), a[0]) ** 2),
    "slogdet": lambda a: anp.linalg.slogdet(a.T @ a + 3 * eye())[1],
    "tensordot, two axes": lambda a: anp.sum(anp.tensordot(anp.stack([a, a * a]), a.T, axes=([2, 1], [0, 1])) ** 2),
    "dot of a stack": lambda a: anp.sum(anp.dot(anp.stack([a, a * a]), a.T) ** 2),
    "dot with a number": lambda a: anp.sum(anp.dot(a, a[0, 0])),
    "matmul of a stack and a row": lambda a: anp.sum(anp.matmul(anp.stack([a, a * a]), a[0]) ** 2),
    "matmul of a row and a stack": lambda a: anp.sum(anp.matmul(a[:, 0], anp.stack([a, a * a])) ** 2),
    "einsum, an ellipsis": lambda a: anp.sum(anp.einsum("...ij,kj->...ik", anp.stack([a, a * a]), a) ** 2),
    "einsum, three operands": lambda a: anp.sum(anp.einsum("ij,kj,kl->il", a, a, a) ** 2),
    "einsum, no arrow": lambda a: anp.sum(anp.einsum("ij,jk", a, a.T) ** 2),
    "einsum, a sum in one operand": lambda a: anp.sum(anp.einsum("ij,kl->il", a, a) ** 2),
    "transpose, axes": lambda a: anp.sum(anp.transpose(anp.stack([a, a * a]), (2, 0, 1))[1] ** 2),
    "where, a number": lambda a: anp.sum(anp.where(a > 0, a * a, 1.0)),
    "nan_to_num": lambda a: anp.sum(anp.nan_to_num(a) * a),
    "mod": lambda a: anp.sum(anp.mod(a, 5.0) * a),
    "gradient": lambda a: anp.sum(anp.gradient(a, axis=0) ** 2),
    "einsum, lists": lambda a: anp.sum(anp.einsum(a, [0, 1], a, [2, 1], [0, 2]) ** 2),
}
FAILS = {
    "einsum, an index twice": (
        lambda a: anp.sum(anp.einsum("ii->i", a[:3]) ** 2),
        "on a device the gradient of einsum takes no index twice in one operand, got 'ii'",
    ),
    "sort of more axes": (
        lambda a: anp.sum(anp.sort(a, axis=0) * a),
        "the gradient of sort takes arrays of one axis",
    ),
    "partition of more axes": (
        lambda a: anp.sum(anp.partition(a, 1, axis=0) * a),
        "the gradient of partition takes arrays of one axis",
    ),
    "gradient with spacing": (
        lambda a: anp.sum(anp.gradient(a, 0.5, axis=0) * a),
        "the gradient of gradient takes no argument but axis",
    ),
    "make_diagonal": (
        lambda a: anp.sum(anp.make_diagonal(a)),
        "make_diagonal takes offset=0, axis1=-1, axis2=-2",
    ),
}


def derivatives(name, w, v):
    """Value, gradient and Hessian times v of an entry of the table."""

    def loss(w):
        return TABLE[name](anp.reshape(w, (4, 3)))

    value, g = value_and_grad(loss, recorded=False)(w)
    return value, g, hvp(loss, recorded=False)(w, v)


@pytest.fixture(params=["strict", pytest.param("cupy", marks=pytest.mark.gpu)])
def device(request, monkeypatch):
    monkeypatch.setitem(array_backend.BACKENDS, "strict", strict.backend)
    with array_backend.use(request.param):
        yield array_backend.asarray(W), array_backend.asarray(V)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of autograd's own rules
@pytest.mark.parametrize("name", TABLE)
def test_first_and_second_derivatives_are_numpys_and_nothing_is_read_back(name, device):
    before = strict.crossings
    computed = derivatives(name, *device)
    assert strict.crossings == before
    assert all(isinstance(a, array_backend.xp().ndarray) for a in computed)
    computed = [array_backend.asnumpy(a) for a in computed]
    with array_backend.use("numpy"):
        expected = derivatives(name, W, V)
    for a, b in zip(computed, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12 * np.abs(b).max())


@pytest.mark.parametrize("name", ["dot", "where", "einsum, an ellipsis", "matmul, a stack", "rows by an array"])
def test_recorded_it_is_the_same(name, device):
    def loss(w):
        return TABLE[name](anp.reshape(w, (4, 3)))

    for replayed, eager in ((value_and_grad(loss), value_and_grad(loss, recorded=False)),):
        replayed(device[0])
        for a, b in zip(replayed(device[1]), eager(device[1]), strict=True):
            np.testing.assert_allclose(a.get(), b.get(), rtol=0 if strict.backend().xp is array_backend.xp() else 1e-12)


@pytest.mark.parametrize("name", FAILS)
def test_what_is_not_restated_fails_with_an_error(name, device):
    loss, says = FAILS[name]
    with pytest.raises(NotImplementedError, match=says):
        value_and_grad(lambda w: loss(anp.reshape(w, (4, 3))), recorded=False)(device[0])


def test_the_vector_space_of_a_device_array_lives_on_the_device(device):
    space = vspace(device[0])
    zeros, ones, basis = space.zeros(), space.ones(), list(space.standard_basis())
    for a in (zeros, ones, *basis, space.randn()):
        assert isinstance(a, array_backend.xp().ndarray)
        assert (a.shape, a.dtype) == (W.shape, W.dtype)
    np.testing.assert_array_equal(np.stack([a.get() for a in basis]), np.eye(12))
    assert float(space.inner_prod(device[0], ones)) == pytest.approx(W.sum())


def test_autograds_own_gradient_adds_up_what_was_taken(device):
    """It adds the gradient of each index to the sum of those before."""

    def loss(w):
        return anp.sum(w[2:5] ** 2) + anp.sum(w[:4] ** 3) + w[3] + anp.sum(w[np.array([3, 3])] ** 2)

    np.testing.assert_allclose(array_backend.asnumpy(grad(loss)(device[0])), grad(loss)(W), rtol=1e-12)


def test_a_boxed_and_a_bare_device_array_meet_in_any_order(device):
    w, c = device
    for loss in (lambda w: anp.sum(w * c), lambda w: anp.sum(c * w), lambda w: anp.sum(anp.multiply(c, w))):
        assert check_grad(loss, w) < 1e-8


def test_host_and_device_do_not_mix(device):
    with pytest.raises(TypeError, match=r"NumPy array|numpy\.ndarray"):
        value_and_grad(lambda w: anp.sum(w * V), recorded=False)(device[0])
    model = mlp((3, 2))
    x, y = np.ones((4, 3)), np.array([0, 1, 1, 0])
    w, on_device = model.init(0, "float64"), array_backend.asarray
    for batch in ((x, on_device(y)), (on_device(x), y)):
        with pytest.raises(TypeError, match=r"array of the backend in use \((strict|cupy)\), got ndarray; .*asarray"):
            value_and_grad(model)(w, *batch)
