"""The public surface of autograd.numpy, as calls: each function on an array a (4, 3), in the ways in which it is called.

What is right is what autograd gives on NumPy. `reached` says which functions the calls reach, to see that none is left out.
"""

import autograd.numpy as anp
import numpy as np
from autograd.core import VJPNode, make_jvp, primitive_vjps
from autograd.tracer import new_box, notrace_primitives, trace_stack

from minisam import array_backend, hvp, value_and_grad

W = np.random.default_rng(0).standard_normal(12)
V = np.cos(W)


def square(a):
    """A matrix with a diagonal of its own size, well conditioned and not symmetric."""
    return anp.dot(a.T, a) + 0.1 * a[:3] + 3 * array_backend.asarray(np.eye(3))


def symmetric(a):
    return anp.dot(a.T, a) + array_backend.asarray(np.diag([3.0, 5.0, 8.0]))


def functions(names, place=anp):
    """Pairs of a name and the function of that name."""
    return [(name, getattr(place, name)) for name in names.split()]


def elementwise():
    """Functions of one argument on arrays in their domain, and of two with arrays and numbers on both sides."""
    calls = {}
    for into, names in (
        (
            lambda a: a,
            """abs absolute fabs negative exp exp2 expm1 sin cos arctan atan sinh cosh tanh arcsinh asinh square sinc deg2rad
            radians degrees rad2deg nan_to_num real imag conj conjugate angle real_if_close""",
        ),
        (lambda a: a / 9, "arcsin asin arccos acos arctanh atanh tan"),
        (lambda a: 2 + a * a, "log log2 log10 log1p arccosh acosh sqrt reciprocal"),
    ):
        for name, f in functions(names):
            calls[name] = lambda a, f=f, into=into: f(into(a)) + a
    for name, f in functions(
        """add subtract multiply divide true_divide maximum minimum fmax fmin logaddexp logaddexp2 mod remainder power pow
        arctan2 atan2 hypot"""
    ):
        calls[f"{name}, broadcast"] = lambda a, f=f: f(2 + a * a, 1 + a[0] * a[0])
        calls[f"{name}, a number second"] = lambda a, f=f: f(2 + a * a, 1.5)
        calls[f"{name}, a number first"] = lambda a, f=f: f(1.5, 2 + a * a)
    return calls


def constant():
    """Functions without a gradient, as factors."""
    calls = {}
    for name, f in functions(
        """floor ceil round rint around trunc sign isfinite isinf isnan isneginf isposinf iscomplex isreal zeros_like ones_like
        logical_not argsort fix"""
    ):
        calls[name] = lambda a, f=f: f(3 * a) * a
    for name, f in functions(
        "greater greater_equal less less_equal equal not_equal logical_and logical_or logical_xor floor_divide isclose"
    ):
        calls[name] = lambda a, f=f: f(a, 2 * a[0] - 0.3) * a
    for name, f in functions("all any argmax argmin count_nonzero"):
        calls[name] = lambda a, f=f: f(a * (a > 0.1), axis=1)[:, None] * a
    return calls | {
        "argpartition": lambda a: a[0][anp.argpartition(a[0], 1)],
        "argwhere": lambda a: anp.argwhere(a) * a[:1, :2],
        "nonzero": lambda a: a[anp.nonzero(a)],
        "flatnonzero": lambda a: anp.ravel(a)[anp.flatnonzero(a)],
        "searchsorted": lambda a: anp.searchsorted(anp.sort(a[0]), a[1]) * a[2],
        "allclose": lambda a: float(anp.allclose(a, a)) * a,
        "array_equal": lambda a: float(anp.array_equal(a, a)) * a,
        "array_equiv": lambda a: float(anp.array_equiv(a, a)) * a,
        "ndim, shape, size": lambda a: anp.ndim(a) * anp.shape(a)[0] * anp.size(a) * a,
        "iscomplexobj, isscalar, result_type": lambda a: a * anp.iscomplexobj(a) + a * anp.isscalar(a) + a,
        "full_like": lambda a: anp.full_like(a, 2.0) * a,
        "empty_like": lambda a: a * anp.empty_like(a).shape[0],
    }


REDUCTIONS = {
    f"{name}, {label}": lambda a, f=f, k=keywords: f(2 + a * a, **k)
    for name, f in functions("sum mean prod max min amax amin std var")
    for label, keywords in {
        "all": {},
        "axis 0": {"axis": 0},
        "the last axis": {"axis": -1},
        "both axes": {"axis": (0, 1)},
        "kept": {"axis": 1, "keepdims": True},
        "all, kept": {"keepdims": True},
    }.items()
    if (name, label) != ("prod", "both axes")  # autograd takes no axes there
}

SHAPES = {
    "astype": lambda a: anp.astype(a, "float32").astype("float64") * a,
    "atleast_1d": lambda a: anp.atleast_1d(a[0, 0]),
    "atleast_2d": lambda a: anp.atleast_2d(a[0]),
    "atleast_3d": lambda a: anp.atleast_3d(a),
    "broadcast_to": lambda a: anp.broadcast_to(a[:, :1], (4, 5)) * a[0, 1],
    "cumsum": lambda a: anp.cumsum(a),
    "cumsum, axis 0": lambda a: anp.cumsum(a, axis=0),
    "cumsum, axis 1": lambda a: anp.cumsum(a, 1),
    "clip": lambda a: anp.clip(a, -0.5, 0.5) * a,
    "diag": lambda a: anp.diag(a[:3]),
    "diag of a vector": lambda a: anp.diag(a[0]),
    "diag, beside": lambda a: anp.diag(a[0], 1),
    "diagonal": lambda a: anp.diagonal(a[:3], axis1=-1, axis2=-2),
    "make_diagonal": lambda a: anp.make_diagonal(a, 0, -1, -2),
    "diff": lambda a: anp.diff(a),
    "diff, twice": lambda a: anp.diff(a, n=2, axis=0),
    "expand_dims": lambda a: anp.expand_dims(a, 1),
    "flips": lambda a: anp.flipud(a) * anp.fliplr(a),
    "gradient": lambda a: anp.gradient(a, axis=0),
    "gradient, both": lambda a: anp.gradient(anp.concatenate([a, a * a, a], axis=1)[:, :4])[1],
    "moveaxis": lambda a: anp.moveaxis(a[None], 0, 2) * a[0, 0],
    "pad": lambda a: anp.pad(a, ((1, 0), (2, 1)), mode="constant"),
    "pad, a number": lambda a: anp.pad(a, 1, mode="constant"),
    "permute_dims": lambda a: anp.permute_dims(a, (1, 0)),
    "ravel": lambda a: anp.ravel(a),
    "ravel, the method": lambda a: a.ravel()[2:7],
    "flatten": lambda a: a.flatten()[2:7],
    "repeat": lambda a: anp.repeat(a, 3, axis=1),
    "repeat, flat": lambda a: anp.repeat(a, 2),
    "reshape": lambda a: anp.reshape(a, (2, 6)),
    "reshape, in Fortran's order": lambda a: anp.reshape(a, (2, 6), order="F") * a[0, 0],
    "ravel, in Fortran's order": lambda a: anp.ravel(a, order="F")[:5],
    "reshape, the method": lambda a: a.reshape(2, 6),
    "roll": lambda a: anp.roll(a, 1, axis=0) * a,
    "roll, flat": lambda a: anp.roll(a, 2) * a,
    "rollaxis": lambda a: anp.rollaxis(a[None], 1),
    "rot90": lambda a: anp.rot90(a),
    "squeeze": lambda a: anp.squeeze(a[:, None]),
    "squeeze, an axis": lambda a: anp.squeeze(a[:, None], axis=1),
    "splits": lambda a: anp.split(a, 2)[1] * anp.array_split(a, 2)[0],
    "split, an axis": lambda a: anp.split(a, 3, axis=1)[1],
    "hsplit": lambda a: anp.hsplit(a, 3)[2],
    "vsplit": lambda a: anp.vsplit(a, 2)[0],
    "dsplit": lambda a: anp.dsplit(a[None], 3)[1],
    "swapaxes": lambda a: anp.swapaxes(a, 0, 1),
    "tile": lambda a: anp.tile(a, (2, 1)),
    "tile, a number": lambda a: anp.tile(a[0], 3),
    "transpose": lambda a: anp.transpose(a[None] * a[0], (1, 2, 0)),
    "triangles": lambda a: anp.tril(a) + anp.triu(a, 1) * a,
    "trace": lambda a: anp.trace(anp.dot(a, a.T), offset=1),
    "full": lambda a: anp.full((2, 3), a[0, 1]),
    "linspace": lambda a: anp.linspace(a[0, 0], a[1, 1], 5),
    "array": lambda a: anp.array([[a[0, 0], a[1, 1]], [a[2, 2], a[3, 0]]]),
    "array of rows": lambda a: anp.array([a[0], a[1] * a[2]]),
    "array of an array": lambda a: anp.array(a, ndmin=3),
    "append": lambda a: anp.append(a, a[0]),
    "append, an axis": lambda a: anp.append(a, a * a, axis=1),
    "concatenate": lambda a: anp.concatenate([a, a[:2], a * a]),
    "concatenate, an axis": lambda a: anp.concatenate((a, a[:, :1]), axis=-1),
    "concatenate_args": lambda a: anp.concatenate_args(0, a, a * a),
    "stack": lambda a: anp.stack([a, a * a], axis=-1),
    "vstack": lambda a: anp.vstack([a[0], a[1] * a[2]]),
    "hstack": lambda a: anp.hstack([a[0], a[1]]),
    "hstack, matrices": lambda a: anp.hstack([a, a * a]),
    "column_stack": lambda a: anp.column_stack([a[0], a[1] * a[2]]),
    "row_stack": lambda a: anp.row_stack([a[0], a[1] * a[2]]),
    "where": lambda a: anp.where(a > 0, a, a * a),
    "where, numbers": lambda a: anp.where(a > 0, a, 1.0) * anp.where(a > 0, 2.0, a),
    "where, broadcast": lambda a: anp.where(a > 0, a[0] + 0 * a, a),
    "select": lambda a: anp.select([a > 0.5, a > 0], [a * a, a]),
}

INDICES = {
    "a row": lambda a: a[1],
    "a row from behind": lambda a: a[-1],
    "an entry": lambda a: a[1, 2],
    "slices": lambda a: a[1:3, ::-1],
    "an ellipsis": lambda a: a[..., 1],
    "a new axis": lambda a: a[:, None, :],
    "a slice": lambda a: a[1:],
    "rows, an array": lambda a: a[np.array([0, 2, 2])],
    "rows, an array of the device": lambda a: a[array_backend.asarray(np.array([0, 2, 2]))],
    "rows, a list": lambda a: a[[0, 2, 2]],
    "columns, a list": lambda a: a[:, [0, 2, 2]],
    "entries": lambda a: a[np.array([0, 2, 0]), np.array([1, 1, 1])],
    "an array and a number": lambda a: a[np.array([0, 2, 0]), 1],
    "a mask": lambda a: a[array_backend.asarray(W.reshape(4, 3) > 0)],
    "a mask, boxed": lambda a: a[a > 0],
    "a list of slices": lambda a: a[(slice(1, 3), slice(None))],
    "a number of NumPy": lambda a: a[np.int64(2)],
}

ORDERS = {
    "sort": lambda a: anp.sort(a[:, 0]) * a[:, 1],
    "partition": lambda a: anp.partition(a[:, 0], 2) * a[0, 0],
    "norms": lambda a: anp.linalg.norm(a, axis=1),
    "norm": lambda a: anp.linalg.norm(a),
    "norm, a vector": lambda a: anp.linalg.norm(a[0], 3),
    "norm of matrices": lambda a: anp.linalg.norm(a[None] * a[0, 0], axis=(1, 2)),
}

PRODUCTS = {
    "dot": lambda a: anp.dot(a, a.T),
    "dot, the transposed": lambda a: anp.dot(a.T, a[:, 0]),
    "dot of vectors": lambda a: anp.dot(a[0], a[1]),
    "dot with a number": lambda a: anp.dot(a, 2.0) + anp.dot(a[0, 0], a),
    "dot of stacks": lambda a: anp.dot(a[None] * a[0], a[None].swapaxes(1, 2)),
    "inner": lambda a: anp.inner(a, a[:2]),
    "inner of vectors": lambda a: anp.inner(a[0], a[1]),
    "inner with a number": lambda a: anp.inner(a, a[0, 0]),
    "outer": lambda a: anp.outer(a[0], a[:, 1]),
    "matmul": lambda a: anp.matmul(a, a.T),
    "matmul of stacks": lambda a: anp.matmul(a[None] * a[:2, :1, None], a.T),
    "@": lambda a: a @ a.T + (a.T @ a)[0, 0],
    "matmul of vectors": lambda a: anp.matmul(a[0], a[1]),
    "matmul, a vector first": lambda a: anp.matmul(a[:, 0], a),
    "matmul, a vector second": lambda a: anp.matmul(a, a[0]),
    "tensordot": lambda a: anp.tensordot(a, a, axes=([0], [0])),
    "tensordot, tuples": lambda a: anp.tensordot(a, a, axes=((1,), (1,))),
    "tensordot, numbers": lambda a: anp.tensordot(a, a, axes=(1, 1)),
    "tensordot, none": lambda a: anp.tensordot(a, a[0], axes=0),
    "tensordot, all": lambda a: anp.tensordot(a, a * a),
    "tensordot, arrays of no axis": lambda a: anp.tensordot(a[0, 0], a, axes=0) + anp.tensordot(a, a[0, 0], axes=0),
    "tensordot, two axes": lambda a: anp.tensordot(a[None] * a[0], a.T, axes=([2, 1], [0, 1])),
    "kron": lambda a: anp.kron(a[:2], a[1:]),
    "kron of vectors": lambda a: anp.kron(a[0], a[1]),
    "cross": lambda a: anp.cross(a, a[:1] * a),
    "einsum": lambda a: anp.einsum("ij,kj->ik", a, a),
    "einsum, one operand": lambda a: anp.einsum("ij->j", a),
    "einsum, transposed": lambda a: anp.einsum("ij->ji", a),
    "einsum, no arrow": lambda a: anp.einsum("ij,jk", a, a.T),
    "einsum, batched": lambda a: anp.einsum("bij,bjk->bik", a[None], a.T[None]),
    "einsum, an ellipsis": lambda a: anp.einsum("...j,kj->...k", a, a),
    "einsum, three": lambda a: anp.einsum("ij,kj,kl->il", a, a, a),
    "einsum, outer": lambda a: anp.einsum("i,j->ij", a[0], a[:, 1]),
    "einsum, lists": lambda a: anp.einsum(a, [0, 1], a, [2, 1], [0, 2]),
}

LINALG = {
    "inv": lambda a: anp.linalg.inv(square(a)),
    "det": lambda a: anp.linalg.det(square(a)),
    "slogdet": lambda a: anp.linalg.slogdet(square(a))[1],
    "solve": lambda a: anp.linalg.solve(square(a), a[0]),
    "solve, columns": lambda a: anp.linalg.solve(square(a), a.T),
}
DECOMPOSITIONS = {
    "pinv": lambda a: anp.linalg.pinv(a),
    "cholesky": lambda a: anp.linalg.cholesky(symmetric(a)),
    "eigh": lambda a: anp.linalg.eigh(square(a))[0],
    "eigh, vectors": lambda a: anp.linalg.eigh(square(a))[1] ** 2,
    "eigh, the upper triangle": lambda a: anp.linalg.eigh(square(a), UPLO="U")[0],
    "svd": lambda a: anp.linalg.svd(a, full_matrices=False)[1],
    "svd, values alone": lambda a: anp.linalg.svd(a, compute_uv=False),
    "eig": lambda a: anp.real(anp.linalg.eig(square(a))[0]),
    "nuclear norm": lambda a: anp.linalg.norm(a, "nuc"),
}
FOURIER = {
    **{
        name: lambda a, f=f: f(a[:4, :2] * a[0, 0])
        for name, f in functions("fft ifft rfft fft2 ifft2 rfft2 fftn ifftn rfftn fftshift ifftshift", anp.fft)
    },
    **{name: lambda a, f=f: f(a[:, :2] + 0j, 2) for name, f in functions("irfft", anp.fft)},
    **{name: lambda a, f=f: f(a[:, :2] + 0j, (4, 2)) for name, f in functions("irfft2 irfftn", anp.fft)},
    "truncate_pad": lambda a: anp.fft.truncate_pad(a, (2, 5)),
}
COMPLEX = {
    "real and imag": lambda a: anp.real(a * (1 + 2j)) * anp.imag(anp.exp(1j * a)),
    "conj": lambda a: anp.conj(a * 1j + a * a),
    "abs": lambda a: anp.abs(a + 1j * a * a),
    "angle": lambda a: anp.angle(a + 1j * a * a),
    "real_if_close": lambda a: anp.real_if_close(a * (1 + 0j)),
    "dot": lambda a: anp.dot(a * 1j + 1, a.T + 2j),
    "sum": lambda a: anp.sum(anp.exp(1j * a), axis=0),
    "var": lambda a: anp.var(anp.exp(1j * a), axis=0),
}
METHODS = {
    name: lambda a, name=name, args=args: getattr(a, name)(*args)
    for name, args in {
        "clip": (-0.5, 0.5),
        "cumsum": (0,),
        "max": (1,),
        "mean": (0,),
        "min": (1,),
        "prod": (1,),
        "repeat": (2, 0),
        "squeeze": (),
        "std": (0,),
        "sum": (0,),
        "swapaxes": (0, 1),
        "trace": (),
        "transpose": (),
        "var": (1,),
    }.items()
}

GROUPS = {
    "elementwise": elementwise(),
    "constant": constant(),
    "reductions": REDUCTIONS,
    "shapes": SHAPES,
    "indices": INDICES,
    "orders": ORDERS,
    "products": PRODUCTS,
    "linear algebra": LINALG,
    "decompositions": DECOMPOSITIONS,
    "Fourier": FOURIER,
    "complex": COMPLEX,
    "methods": METHODS,
}


CALLS = {f"{group}: {name}": call for group, calls in GROUPS.items() for name, call in calls.items()}
REFUSED = {  # functions with derivatives on NumPy only, and their calls
    "linalg.svd": ["decompositions: svd", "decompositions: svd, values alone"],
    "linalg.eig": ["decompositions: eig"],
    **{f"fft.{name}": [f"Fourier: {name}"] for name in ("rfft", "rfft2", "rfftn", "irfft", "irfft2", "irfftn")},
}
ONCE = [  # calls with a first derivative only: autograd fails at the second on NumPy as well, or it needs a refused function
    "shapes: tile",
    "shapes: tile, a number",
    "decompositions: eigh",
    "decompositions: eigh, vectors",
    "decompositions: eigh, the upper triangle",
    "decompositions: nuclear norm",
]


def loss(name):
    """Σ |entries|² of what a call returns, as a function of the flat vector w."""

    def total(w):
        made = CALLS[name](anp.reshape(w, (4, 3)))
        return anp.sum(anp.real(made * anp.conj(made)))

    return total


def derivatives(name, w, v):
    """Value, gradient and, but for those of `ONCE`, the Hessian times v."""
    value, g = value_and_grad(loss(name), recorded=False)(w)
    return [value, g] if name in ONCE else [value, g, hvp(loss(name), recorded=False)(w, v)]


def bits():
    """The bits of all these on NumPy, and of the derivative in forward mode; or what was raised."""
    return {
        name: (_hex(lambda n=name: derivatives(n, W, V)), _hex(lambda n=name: make_jvp(loss(n), W)(V)))
        for name in CALLS
    }


def _hex(compute):
    try:
        return [np.asarray(a).tobytes().hex() for a in compute()]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def public():
    """The public functions that autograd differentiates or knows to be constant, by name; not those that look at shapes only."""
    known = {*primitive_vjps, *notrace_primitives[VJPNode]} - {anp.ndim, anp.shape, anp.result_type, anp.iscomplexobj}
    places = {"": anp, "linalg.": anp.linalg, "fft.": anp.fft}
    found = {f: prefix + name for prefix, place in places.items() for name, f in vars(place).items() if _is(f, known)}
    return {name: f for f, name in found.items()}


def _is(f, known):
    return callable(f) and getattr(f, "__hash__", None) is not None and f in known


def reached():
    """The functions that the calls reach."""
    seen = set()

    class Noted(VJPNode):
        __slots__ = []

        def __init__(self, value, fun, *rest):
            seen.add(fun)
            super().__init__(value, fun, *rest)

    class Constant(set):
        def __contains__(self, fun):
            seen.add(fun)
            return fun in notrace_primitives[VJPNode]

    notrace_primitives[Noted] = Constant()
    for name in CALLS:
        with trace_stack.new_trace() as level:
            loss(name)(new_box(W, level, Noted.new_root()))
    return seen
