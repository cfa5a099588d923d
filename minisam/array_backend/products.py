"""Products of matrices by a kernel of our own, for CUDA graphs: cuBLAS cannot be called while a stream captures.

The kernel takes operands with any strides, so that transposed and broadcast ones are read where they lie, and writes where it
is told. A block of 8 × 8 threads computes a tile of 16 × 16 numbers, four a thread, from tiles of the operands, 64 deep, in
shared memory.

Truths: tests/test_products.py (against NumPy: shapes, layouts, stacks, dtypes).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy

from ..types import Array, Axes

TILE = 16
FEW, LONG = 64, 1024  # a product of fewer tiles than FEW is summed in parts of at least LONG numbers, side by side
MOST = 65_535  # blocks along the second and third axis of a grid
NUMBERS = {"f": "float", "d": "double"}
SOURCE = """
extern "C" __global__ void product(
    const number* a, const number* b, number* c, long long m, long long n, long long k, long long part,
    long long am, long long ak, long long bk, long long bn, long long cm, long long cn,
    long long parts, long long outer, long long inner,  // stacks of products: parts of one sum, and two leading axes
    long long a1, long long a2, long long b1, long long b2, long long c0, long long c1, long long c2
) {
    __shared__ number left[16][65], right[64][17];
    const int y = threadIdx.y, x = threadIdx.x;
    const bool a_in_rows = ak <= am, b_in_rows = bn <= bk;  // neighbouring threads read neighbouring numbers
    const int ay = a_in_rows ? y : x, ax = a_in_rows ? x : y, by = b_in_rows ? y : x, bx = b_in_rows ? x : y;
    const long long row = blockIdx.x * 16LL;
    for (long long z = blockIdx.z; z < parts * outer * inner; z += gridDim.z)
    for (long long column = blockIdx.y * 16LL; column < n; column += gridDim.y * 16LL) {
        const long long i0 = z / (outer * inner), i1 = z / inner % outer, i2 = z % inner;
        const number *A = a + i1 * a1 + i2 * a2, *B = b + i1 * b1 + i2 * b2;
        number *C = c + i0 * c0 + i1 * c1 + i2 * c2;
        const long long first = i0 * part, last = first + part < k ? first + part : k;
        number total[2][2] = {};
        for (long long p = first; p < last; p += 64) {
            for (int q = 0; q < 64; q += 8)
            for (int h = 0; h < 16; h += 8) {
                const long long i = row + h + ay, j = column + h + bx, in_a = p + q + ax, in_b = p + q + by;
                left[h + ay][q + ax] = i < m && in_a < last ? A[i * am + in_a * ak] : number(0);
                right[q + by][h + bx] = in_b < last && j < n ? B[in_b * bk + j * bn] : number(0);
            }
            __syncthreads();
            number sum[2][2] = {};  // a sum of sums rounds less
            for (int q = 0; q < 64; ++q)
            for (int i = 0; i < 2; ++i)
            for (int j = 0; j < 2; ++j) sum[i][j] += left[y + 8 * i][q] * right[q][x + 8 * j];
            for (int i = 0; i < 4; ++i) total[i / 2][i % 2] += sum[i / 2][i % 2];
            __syncthreads();
        }
        for (long long i = y; i < 16 && row + i < m; i += 8)
        for (long long j = x; j < 16 && column + j < n; j += 8) C[(row + i) * cm + (column + j) * cn] = total[i / 8][j / 8];
    }
}
"""


# --- as NumPy's functions ------------------------------------------------------------------------------------------------


def matmul(a: Array, b: Array, out: Array = None) -> Array:
    """numpy.matmul of device arrays, in float32 or float64."""
    import cupy

    dtype = numpy.result_type(a.dtype, b.dtype)
    if dtype.char not in NUMBERS:
        raise TypeError(f"a product in a CUDA graph must be of float32 or float64, got {a.dtype} and {b.dtype}")
    left, right = a[None, :] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b
    if a.ndim == 0 or b.ndim == 0 or left.shape[-1] != right.shape[-2]:
        raise ValueError(f"matmul takes a (..., m, k) and b (..., k, n), got {a.shape} and {b.shape}")
    lead = numpy.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    dropped = tuple(axis for axis, operand in ((-2, a), (-1, b)) if operand.ndim == 1)
    direct = out is not None and out.dtype == dtype and not any(cupy.may_share_memory(out, x) for x in (a, b))
    made = out if direct else cupy.empty((*lead, *left.shape[-2:-1], *right.shape[-1:]), dtype).squeeze(dropped)
    _multiply(cupy.expand_dims(made, dropped), left.astype(dtype, copy=False), right.astype(dtype, copy=False))
    if out is None or direct:
        return made
    out[...] = made
    return out


def dot(a: Array, b: Array, out: Array = None) -> Array:
    """numpy.dot."""
    made = tensordot(a, b, (-1, -2)) if b.ndim > 1 else matmul(a, b)
    if out is None:
        return made
    out[...] = made
    return out


def inner(a: Array, b: Array) -> Array:
    """numpy.inner."""
    return tensordot(a, b, (-1, -1)) if a.ndim and b.ndim else a * b


def tensordot(a: Array, b: Array, axes: Any = 2) -> Array:
    """numpy.tensordot."""
    if isinstance(axes, int):
        axes = range(a.ndim - axes, a.ndim), range(axes)
    of_a, of_b = (_normal(some, x.ndim) for some, x in zip(axes, (a, b), strict=True))
    if [a.shape[axis] for axis in of_a] != [b.shape[axis] for axis in of_b]:
        raise ValueError(f"axes must have the same lengths in a and b, got {of_a} of {a.shape} and {of_b} of {b.shape}")
    free_a, free_b = ([axis for axis in range(x.ndim) if axis not in of] for x, of in ((a, of_a), (b, of_b)))
    shape = [*(a.shape[axis] for axis in free_a), *(b.shape[axis] for axis in free_b)]
    k = math.prod(a.shape[axis] for axis in of_a)
    left = a.transpose(free_a + of_a).reshape(math.prod(a.shape[axis] for axis in free_a), k)
    right = b.transpose(of_b + free_b).reshape(k, math.prod(b.shape[axis] for axis in free_b))
    return matmul(left, right).reshape(shape)


def _normal(axes: Axes, ndim: int) -> list[int]:
    return [axis % ndim for axis in ([axes] if isinstance(axes, int) else axes or ())]


# --- the launches ----------------------------------------------------------------------------------------------------


def _multiply(c: Array, a: Array, b: Array) -> None:
    """c (..., m, n) = a b, all of one dtype; the leading axes of a and b broadcast."""
    import cupy

    lead, (m, k), n = c.shape[:-2], a.shape[-2:], b.shape[-1]
    if c.shape[-2:] != (m, n):
        raise ValueError(f"out must have the shape (..., {m}, {n}) of the product, got {c.shape}")
    if not c.size:
        return
    a, b = cupy.broadcast_to(a, (*lead, m, k)), cupy.broadcast_to(b, (*lead, k, n))
    parts = min(FEW // (_tiles(m) * _tiles(n) * math.prod(lead)), k // LONG)
    if parts < 2:
        _launch(c[None], a, b, part=max(k, 1))
        return
    sums = cupy.empty((parts, *c.shape), c.dtype)
    _launch(sums, a, b, part=-(-k // parts))
    _multiply(c[..., None, :], cupy.ones((1, parts), c.dtype), cupy.moveaxis(sums, 0, -2))


def _launch(c: Array, a: Array, b: Array, part: int) -> None:
    """c (parts, ..., m, n): part i sums over `part` numbers from i·part on. One launch for two leading axes, as they merge."""
    axes = merged(c.shape[1:-2], [steps(a)[:-2], steps(b)[:-2], steps(c)[1:-2]])
    if len(axes) > 2:
        for i in range(a.shape[0]):
            _launch(c[:, i], a[i], b[i], part)
        return
    outer, inner = [(1, 0, 0, 0)] * (2 - len(axes)) + axes
    parts, (m, k), n = c.shape[0], a.shape[-2:], b.shape[-1]
    grid = _tiles(m), min(_tiles(n), MOST), min(parts * outer[0] * inner[0], MOST)
    of_matrices = [step for x in (a, b, c) for step in steps(x)[-2:]]
    of_stacks = [outer[1], inner[1], outer[2], inner[2], steps(c)[0], outer[3], inner[3]]
    sizes = [m, n, k, part, *of_matrices, parts, outer[0], inner[0], *of_stacks]
    _kernel(c.dtype.char)(grid, (TILE // 2, TILE // 2), (a, b, c, *sizes))


@functools.cache
def _kernel(dtype: str) -> Any:
    import cupy

    return cupy.RawKernel(f"typedef {NUMBERS[dtype]} number;\n{SOURCE}", "product")


def _tiles(n: int) -> int:
    return -(-n // TILE)


def steps(x: Array) -> list[int]:
    """The strides, in numbers."""
    return [stride // x.itemsize for stride in x.strides]


def merged(shape: Sequence[int], strides: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """(length, stride in each array) of each axis; neighbours that are like one axis in all arrays become one."""
    axes: list[tuple[int, ...]] = []
    for n, *own in zip(shape, *strides, strict=True):
        if axes and all(before == n * step for before, step in zip(axes[-1][1:], own, strict=True)):
            axes[-1] = (axes[-1][0] * n, *own)
        elif n > 1:
            axes.append((n, *own))
    return axes


# --- in captures -----------------------------------------------------------------------------------------------------

OURS: dict[str, Callable[..., Array]] = {"matmul": matmul, "dot": dot, "inner": inner, "tensordot": tensordot}


@contextmanager
def without_cublas() -> Iterator[None]:
    """Within this block NumPy's and CuPy's functions for products, einsum among them, launch our kernel.

    They look up these names in the module cupy at every call. Operators (`a @ b`) and methods (`a.dot(b)`) of CuPy's arrays do
    not.
    """
    import cupy

    theirs = {name: getattr(cupy, name) for name in OURS}
    try:
        for name, function in OURS.items():
            setattr(cupy, name, function)
        yield
    finally:
        for name, function in theirs.items():
            setattr(cupy, name, function)
