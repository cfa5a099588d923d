"""Calls that CuPy's users make, each a function of the namespace (numpy or cupy) and of the arrays of arrays.py, by name."""

import numpy as np


def _named(name, *keys):
    return lambda xp, a: getattr(xp, name)(*[a[key] for key in keys])


UNARY = """
    negative absolute sign sqrt square exp expm1 log log1p log2 log10 sin cos tan sinh cosh tanh arcsinh reciprocal floor ceil
    rint trunc isnan isinf isfinite signbit cbrt exp2 degrees radians fabs
"""
BINARY = """
    add subtract multiply divide maximum minimum power arctan2 hypot fmax fmin copysign fmod logaddexp less equal not_equal
    greater_equal floor_divide remainder nextafter
"""
OF_INTEGERS = """
    add subtract multiply maximum minimum less bitwise_and bitwise_or bitwise_xor left_shift floor_divide remainder gcd
"""
OF_COMPLEX = "negative absolute sqrt exp log sin cos tanh conjugate square real imag angle"


def elementwise():
    for name in UNARY.split():
        real = "positive" if name in ("sqrt", "log", "log1p", "log2", "log10") else "f8"
        yield f"{name}(f8)", _named(name, real)
        yield f"{name}(f4)", lambda xp, a, name=name, real=real: getattr(xp, name)(a[real].astype("f4"))
    for name in ["arcsin", "arccos", "arctan", "arctanh"]:
        yield f"{name}(f8)", lambda xp, a, name=name: getattr(xp, name)(a["f8"] / 4)
    for name in OF_COMPLEX.split():
        yield f"{name}(c16)", _named(name, "c16")
    for name in BINARY.split():
        yield f"{name}, broadcast", lambda xp, a, name=name: getattr(xp, name)(a["positive"], abs(a["row"]) + 0.2)
    for name in OF_INTEGERS.split():
        yield f"{name}, integers", lambda xp, a, name=name: getattr(xp, name)(a["i8"], xp.abs(a["i4"]) + 1)
    for name in ["logical_and", "logical_or", "logical_xor"]:
        yield name, lambda xp, a, name=name: getattr(xp, name)(a["b"], a["i4"] > 2)


def reductions():
    for name in ["sum", "prod", "max", "min", "mean", "var", "std", "argmax", "argmin", "any", "all"]:
        for axis in (None, 0, 1, -1, (0, 2)):
            if axis == (0, 2) and name.startswith("arg"):
                continue
            for kept in (False, True):
                yield (
                    f"{name}, axis={axis}, keepdims={kept}",
                    lambda xp, a, name=name, axis=axis, kept=kept: getattr(a["box"], name)(axis=axis, keepdims=kept),
                )
    for name in ["sum", "prod", "max", "min", "mean"]:
        yield f"{name}(i4)", lambda xp, a, name=name: getattr(a["i4"], name)(axis=0)
        yield f"{name}(f4)", lambda xp, a, name=name: getattr(a["f4"], name)()
    for name in ["sum", "mean", "prod"]:
        yield f"{name}(c16)", lambda xp, a, name=name: getattr(a["c16"], name)(axis=1)
    for name in ["nansum", "nanmean", "nanmax", "nanmin", "nanargmax", "nanvar", "nanstd", "nanmedian"]:
        yield name, lambda xp, a, name=name: getattr(xp, name)(a["nan"], axis=1)


REDUCING = {
    "sum, dtype": lambda xp, a: a["f4"].sum(axis=0, dtype="f8"),
    "sum, out": lambda xp, a: a["f8"].sum(axis=0, out=xp.zeros(5)),
    "max, out": lambda xp, a: a["f8"].max(axis=1, out=xp.zeros(4)),
    "var, ddof": lambda xp, a: a["f8"].var(axis=0, ddof=1),
    "sum(f2)": lambda xp, a: a["f2"].sum(axis=0),
    "sum(u1)": lambda xp, a: a["u1"].sum(axis=1),
    "sum(b)": lambda xp, a: a["b"].sum(),
    "sum of nothing": lambda xp, a: xp.zeros((0, 3)).sum(axis=0),
    "sum of many": lambda xp, a: xp.arange(100000.0).reshape(100, 1000).sum(axis=0),
    "sum of many(f4)": lambda xp, a: xp.ones(100000, "f4").sum(),
    "argmax of many": lambda xp, a: (xp.arange(10000) * 7919 % 10007).argmax(),
    "max of many, transposed": lambda xp, a: (xp.arange(10000.0).reshape(100, 100) % 7).T.max(axis=1),
    "cumsum": lambda xp, a: xp.cumsum(a["f8"]),
    "cumsum, axis": lambda xp, a: xp.cumsum(a["box"], axis=1),
    "cumsum(i4)": lambda xp, a: xp.cumsum(a["i4"], axis=1),
    "cumsum of many": lambda xp, a: xp.cumsum(xp.arange(5000)),
    "cumprod": lambda xp, a: xp.cumprod(a["f8"], axis=0),
    "count_nonzero": lambda xp, a: xp.count_nonzero(a["i4"], axis=0),
    "norm": lambda xp, a: xp.linalg.norm(a["f8"]),
    "norm, axis": lambda xp, a: xp.linalg.norm(a["box"], axis=2, keepdims=True),
    "norm, ord=1": lambda xp, a: xp.linalg.norm(a["f8"], ord=1),
    "norm, ord=inf": lambda xp, a: xp.linalg.norm(a["row"], ord=np.inf),
    "norm(c16)": lambda xp, a: xp.linalg.norm(a["c16"]),
    "average": lambda xp, a: xp.average(a["f8"], axis=1, weights=abs(a["row"])),
    "median": lambda xp, a: xp.median(a["f8"], axis=1),
    "percentile": lambda xp, a: xp.percentile(a["f8"], 30, axis=0),
    "quantile": lambda xp, a: xp.quantile(a["f8"], 0.7),
    "ptp": lambda xp, a: xp.ptp(a["f8"], axis=0),
    "cov": lambda xp, a: xp.cov(a["f8"]),
    "corrcoef": lambda xp, a: xp.corrcoef(a["f8"]),
    "trace": lambda xp, a: xp.trace(a["f8"][:, :4]),
    "allclose": lambda xp, a: xp.allclose(a["f8"], a["f8"] + 1e-12),
    "array_equal": lambda xp, a: xp.array_equal(a["f8"], a["positive"]),
    "histogram": lambda xp, a: xp.histogram(a["f8"], bins=5)[0],
    "bincount": lambda xp, a: xp.bincount(abs(a["i4"]).ravel()),
    "trapezoid": lambda xp, a: xp.trapezoid(a["row"]),
}

INDEXING = {
    "a row": lambda xp, a: a["box"][1] + 0,
    "an entry": lambda xp, a: a["box"][1, 2, 3] + 0,
    "slices": lambda xp, a: a["box"][::-1, 1:3, ::2] + 0,
    "ellipsis": lambda xp, a: a["box"][..., 0] * 2,
    "newaxis": lambda xp, a: a["f8"][:, None] * a["row"][None, None],
    "integers": lambda xp, a: a["box"][xp.asarray([0, 2]), :, xp.asarray([1, 4])],
    "pairs": lambda xp, a: a["f8"][xp.arange(4), xp.asarray([0, 1, 2, 1])],
    "negative integers": lambda xp, a: a["f8"][xp.asarray([-1, -2])],
    "a mask": lambda xp, a: a["f8"][a["b"]],
    "a mask of rows": lambda xp, a: a["f8"][a["b"][:, 0]],
    "take": lambda xp, a: xp.take(a["box"], xp.asarray([0, 2, 2]), axis=2),
    "take_along_axis": lambda xp, a: xp.take_along_axis(a["f8"], xp.argsort(a["f8"], axis=1), axis=1),
    "where": lambda xp, a: xp.where(a["b"], a["f8"], a["row"]),
    "where of integers": lambda xp, a: xp.where(a["b"], a["i4"], 0),
    "where, one argument": lambda xp, a: xp.where(a["b"])[1],
    "nonzero": lambda xp, a: a["i4"].nonzero()[0],
    "clip": lambda xp, a: xp.clip(a["f8"], -0.5, 0.5),
    "clip by arrays": lambda xp, a: xp.clip(a["f8"], -abs(a["row"]), 1),
    "select": lambda xp, a: xp.select([a["b"]], [a["f8"]], 0.0),
    "unravel_index": lambda xp, a: xp.unravel_index(xp.asarray([3, 7]), (3, 4))[1],
    "diag of a matrix": lambda xp, a: xp.diag(a["f8"][:, :4]),
    "diag of a row": lambda xp, a: xp.diag(a["row"]),
    "tril": lambda xp, a: xp.tril(a["f8"]),
    "triu": lambda xp, a: xp.triu(a["f8"], 1),
}

SHAPES = {
    "concatenate": lambda xp, a: xp.concatenate([a["f8"], a["f4"], a["i4"]], axis=1),
    "stack": lambda xp, a: xp.stack([a["f8"], a["positive"]], axis=1),
    "vstack": lambda xp, a: xp.vstack([a["f8"], a["row"]]),
    "tile": lambda xp, a: xp.tile(a["f8"], (2, 1)),
    "repeat": lambda xp, a: xp.repeat(a["f8"], 2, axis=1),
    "roll": lambda xp, a: xp.roll(a["box"], 1, axis=1),
    "flip": lambda xp, a: xp.flip(a["box"], 1),
    "pad": lambda xp, a: xp.pad(a["f8"], 1),
    "transpose": lambda xp, a: xp.ascontiguousarray(a["box"].transpose(2, 0, 1)),
    "moveaxis": lambda xp, a: xp.moveaxis(a["box"], 0, -1) * 1,
    "swapaxes": lambda xp, a: a["box"].swapaxes(0, 2).copy(),
    "split": lambda xp, a: xp.split(a["f8"], 2)[1],
    "broadcast_to": lambda xp, a: xp.broadcast_to(a["row"], (3, 5)) * 1,
    "ravel": lambda xp, a: a["box"].ravel(),
    "ravel, order=F": lambda xp, a: a["f8"].ravel("F"),
    "reshape": lambda xp, a: a["box"].reshape(5, -1),
    "reshape, order=F": lambda xp, a: a["f8"].reshape((5, 4), order="F"),
    "squeeze": lambda xp, a: a["f8"][:, :1].squeeze(),
    "meshgrid": lambda xp, a: xp.meshgrid(a["row"], xp.arange(3))[1],
    "diff": lambda xp, a: xp.diff(a["f8"], axis=0),
    "linspace": lambda xp, a: xp.linspace(0, 1, 7),
    "logspace": lambda xp, a: xp.logspace(0, 1, 5),
    "arange": lambda xp, a: xp.arange(3, 20, 4),
    "eye": lambda xp, a: xp.eye(4, 5, 1),
    "identity": lambda xp, a: xp.identity(3),
    "tri": lambda xp, a: xp.tri(4),
    "full": lambda xp, a: xp.full((2, 3), 7, "i4"),
    "ones_like": lambda xp, a: xp.ones_like(a["f4"]),
    "copy of the transpose": lambda xp, a: a["f8"].T.copy(),
    "view": lambda xp, a: xp.ascontiguousarray(a["f8"]).view("i8"),
}

DTYPES = {
    **{f"f8 as {to}": lambda xp, a, to=to: a["f8"].astype(to) for to in ("f2", "f4", "c16", "i4", "i8")},
    **{f"{of} as f8": lambda xp, a, of=of: a[of].astype("f8") for of in ("f2", "f4", "i4", "u1", "b")},
    "i4 as b": lambda xp, a: a["i4"].astype(bool),
    "f4 + f8": lambda xp, a: a["f4"] + a["f8"],
    "f4 + i4": lambda xp, a: a["f4"] + a["i4"],
    "f4 + a number": lambda xp, a: a["f4"] + 1.5,
    "f4 + a double": lambda xp, a: a["f4"] + np.float64(1.5),
    "i4 + a number": lambda xp, a: a["i4"] + 1.5,
    "i4 / i4": lambda xp, a: a["i4"] / (abs(a["i4"]) + 1),
    "u1 wraps": lambda xp, a: a["u1"] + a["u1"],
    "b + b": lambda xp, a: a["b"] + a["b"],
    "arithmetic(f2)": lambda xp, a: a["f2"] * a["f2"] + 1,
    "exp(f2)": lambda xp, a: xp.exp(a["f2"]),
    "c8 * c8": lambda xp, a: a["c8"] * a["c8"],
    "an array of no axes": lambda xp, a: xp.asarray(3.0) * 2 + a["row"][0],
}

PRODUCTS = {
    **{f"matrix @ matrix({d})": lambda xp, a, d=d: a[d] @ a[d].T for d in ("f2", "f4", "f8", "c8", "c16", "i4")},
    **{f"transposed @ matrix({d})": lambda xp, a, d=d: a[d].T @ a[d] for d in ("f4", "f8", "c16")},
    **{f"boxes({d})": lambda xp, a, d=d: (b := a["box"].astype(d)) @ b.swapaxes(1, 2) for d in ("f2", "f4", "f8")},
    "matrix @ row": lambda xp, a: a["f8"] @ a["row"],
    "row @ matrix": lambda xp, a: a["row"] @ a["f8"].T,
    "row @ row": lambda xp, a: a["row"] @ a["row"],
    "box @ matrix": lambda xp, a: a["box"] @ a["f8"].T,
    "boxes, broadcast": lambda xp, a: a["box"][:, None] @ a["box"].swapaxes(1, 2)[None],
    "box @ row": lambda xp, a: a["box"] @ a["row"],
    "matmul, out": lambda xp, a: xp.matmul(a["f8"], a["f8"].T, out=xp.zeros((4, 4))),
    "matmul, out in order of Fortran": lambda xp, a: xp.matmul(a["f8"], a["f8"].T, out=xp.zeros((4, 4), order="F")),
    "adjoint": lambda xp, a: a["c16"] @ a["c16"].T.conj(),
    "every other row and column": lambda xp, a: a["f8"][::2, ::2] @ a["f8"][::2, ::2].T,
    "of nothing": lambda xp, a: a["f8"][:, :0] @ a["f8"][:, :0].T,
    "dot": lambda xp, a: xp.dot(a["f8"], a["row"]),
    "vdot": lambda xp, a: xp.vdot(a["c16"][0], a["c16"][1]),
    "inner": lambda xp, a: xp.inner(a["f8"], a["positive"]),
    "outer": lambda xp, a: xp.outer(a["row"], a["row"]),
    "kron": lambda xp, a: xp.kron(a["f8"], a["row"]),
    "cross": lambda xp, a: xp.cross(a["f8"][:, :3], a["positive"][:, :3]),
    "tensordot, two axes": lambda xp, a: xp.tensordot(a["box"], a["box"], axes=([1, 2], [1, 2])),
    "tensordot, one axis": lambda xp, a: xp.tensordot(a["box"], a["f8"].T, axes=1),
    "einsum, batched": lambda xp, a: xp.einsum("bij,bkj->bik", a["box"], a["box"]),
    "einsum, matrix and row": lambda xp, a: xp.einsum("ij,j->i", a["f8"], a["row"]),
    "einsum, one operand": lambda xp, a: xp.einsum("bij->bj", a["box"]),
    "einsum, three operands": lambda xp, a: xp.einsum("bij,ij,j->b", a["box"], a["f8"], a["row"]),
    "inv": lambda xp, a: xp.linalg.inv(a["f8"] @ a["f8"].T + xp.eye(4)),
    "inv of boxes": lambda xp, a: xp.linalg.inv(a["box"] @ a["box"].swapaxes(1, 2) + xp.eye(4)),
    "solve": lambda xp, a: xp.linalg.solve(a["f8"] @ a["f8"].T + xp.eye(4), a["f8"][:, 0]),
    "det": lambda xp, a: xp.linalg.det(a["box"] @ a["box"].swapaxes(1, 2)),
    "slogdet": lambda xp, a: xp.linalg.slogdet(a["f8"] @ a["f8"].T)[1],
}

SORTING = {
    "sort": lambda xp, a: xp.sort(a["box"], axis=1),
    "sort, flat": lambda xp, a: xp.sort(a["i4"], axis=None),
    "sort(f4)": lambda xp, a: xp.sort(a["f4"]),
    "sort with NaN": lambda xp, a: xp.sort(a["nan"], axis=1),
    "argsort": lambda xp, a: xp.argsort(a["f8"], axis=1),
    "argsort, first axis": lambda xp, a: xp.argsort(a["f8"], axis=0),
    "lexsort": lambda xp, a: xp.lexsort(xp.stack([a["row"], -a["row"]])),
    "partition": lambda xp, a: xp.sort(xp.partition(a["row"], 2)),
    "unique": lambda xp, a: xp.unique(a["i4"]),
    "searchsorted": lambda xp, a: xp.searchsorted(xp.sort(a["row"]), a["f8"]),
    "digitize": lambda xp, a: xp.digitize(a["row"], xp.asarray([-1.0, 0.0, 1.0])),
}

OTHERS = {
    "maximum.at(f4)": lambda xp, a: (z := a["f4"].copy(), xp.maximum.at(z, xp.asarray([0, 0, 3]), 0.5))[0],
    "add, out": lambda xp, a: xp.add(a["f8"], 1, out=xp.zeros((4, 5))),
    "add, out of lower precision": lambda xp, a: xp.add(a["f8"], 1, out=xp.zeros((4, 5), "f4")),
    "add, out with strides": lambda xp, a: xp.add(a["f8"], 1, out=xp.zeros((4, 10))[:, ::2]),
    "isclose": lambda xp, a: xp.isclose(a["f8"], a["f8"] + 1e-9),
    "round": lambda xp, a: xp.round(a["f8"], 2),
    "divmod": lambda xp, a: xp.divmod(a["i4"], 3)[1],
    "modf": lambda xp, a: xp.modf(a["f8"])[0],
    "frexp": lambda xp, a: xp.frexp(a["f8"])[0],
    "ldexp": lambda xp, a: xp.ldexp(a["f8"], a["i4"]),
    "nan_to_num": lambda xp, a: xp.nan_to_num(a["nan"]),
    "interp": lambda xp, a: xp.interp(a["row"].copy(), xp.arange(3.0), xp.arange(3.0) ** 2),
    "apply_along_axis": lambda xp, a: xp.apply_along_axis(lambda v: v.sum(), 1, a["f8"]),
    "packbits": lambda xp, a: xp.packbits(a["b"]),
    "sinc": lambda xp, a: xp.sinc(a["row"]),
    "i0": lambda xp, a: xp.i0(a["row"]),
    "gradient": lambda xp, a: xp.gradient(a["row"]),
}

CHANGES = {  # of an array z, equal to a["f8"]
    "z[1:3] = 0": lambda xp, a, z: z.__setitem__(slice(1, 3), 0),
    "z[rows, columns] = row": lambda xp, a, z: z.__setitem__(
        (xp.asarray([0, 2]), xp.asarray([1, 1])), xp.asarray([5.0, 6.0])
    ),
    "z[mask] = -1": lambda xp, a, z: z.__setitem__(a["b"], -1),
    "z[2] = row": lambda xp, a, z: z.__setitem__(2, a["row"]),
    "z[...] = whole numbers": lambda xp, a, z: z.__setitem__(..., a["i4"]),
    "z += row": lambda xp, a, z: z.__iadd__(a["row"]),
    "z *= z": lambda xp, a, z: xp.multiply(z, z, out=z),
    "z.T += 1": lambda xp, a, z: z.T.__iadd__(1),
    "z[1:] = z[:-1]": lambda xp, a, z: z.__setitem__(slice(1, None), z[:-1].copy()),
    "add.at rows": lambda xp, a, z: xp.add.at(z, xp.asarray([0, 0, 3]), 1.0),
    "add.at entries": lambda xp, a, z: xp.add.at(
        z, (xp.asarray([0, 0, 3]), xp.asarray([1, 1, 2])), xp.asarray([1.0, 2.0, 3.0])
    ),
    "put": lambda xp, a, z: xp.put(z, xp.asarray([0, 7]), xp.asarray([9.0, 8.0])),
    "copyto": lambda xp, a, z: xp.copyto(z, a["row"]),
    "fill": lambda xp, a, z: z.fill(3),
    "sort in place": lambda xp, a, z: z.sort(),
    "fill_diagonal": lambda xp, a, z: xp.fill_diagonal(z, 4),
    "putmask": lambda xp, a, z: xp.putmask(z, a["b"], a["positive"]),
}


def _changed(change):
    def call(xp, a):
        z = a["f8"].copy(order="C")
        change(xp, a, z)
        return z

    return call


CALLS = {
    **dict(elementwise()),
    **dict(reductions()),
    **REDUCING,
    **INDEXING,
    **SHAPES,
    **DTYPES,
    **PRODUCTS,
    **SORTING,
    **OTHERS,
    **{name: _changed(change) for name, change in CHANGES.items()},
}
