"""The arrays on which the calls of calls.py are tried, in several layouts of memory: a call must not depend on its."""

import numpy as np

_rng = np.random.default_rng(0)
_matrix, _whole = _rng.standard_normal((4, 5)), _rng.integers(-9, 9, (4, 5))
ARRAYS = {
    "f8": _matrix,
    "f4": _matrix.astype("f4"),
    "f2": _matrix.astype("f2"),
    "c16": _matrix + 1j * _matrix[::-1],
    "c8": (_matrix + 1j * _matrix[::-1]).astype("c8"),
    "i4": _whole.astype("i4"),
    "i8": _whole.astype("i8"),
    "u1": _rng.integers(0, 255, (4, 5)).astype("u1"),
    "b": _matrix > 0,
    "positive": abs(_matrix) + 0.1,
    "nan": np.where(np.arange(5) == 1, np.nan, _matrix),
    "row": _rng.standard_normal(5),
    "box": _rng.standard_normal((3, 4, 5)),
}


def _strided(a):
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    return wide


# name -> (what NumPy keeps, the view of it that equals the array)
LAYOUTS = {
    "in order of C": (np.ascontiguousarray, lambda a: a),
    "in order of Fortran": (np.asfortranarray, lambda a: a),
    "every other entry": (_strided, lambda a: a[..., ::2]),
    "backwards": (lambda a: np.ascontiguousarray(a[::-1]), lambda a: a[::-1]),
}


def laid_out(layout, xp=np):
    """The arrays in a layout, on a device if `xp` is CuPy."""
    kept, view = LAYOUTS[layout]
    return {name: view(xp.asarray(kept(a), order="K")) for name, a in ARRAYS.items()}
