"""Kernels of our own, each for what would otherwise be a dozen launches: a norm, the cross-entropy, copies of several arrays.

Truths: tests/test_kernels.py (against NumPy: shapes, layouts, dtypes, sizes of numbers).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from ..types import Array
from .products import NUMBERS, steps

THREADS = 256
MOST = 2**20  # entries of a vector that one block adds up


@functools.cache
def kernel(name: str, source: str, dtype: str = "d") -> Any:
    """The kernel of this name; `number` stands for the dtype."""
    import cupy

    return cupy.RawKernel(f"typedef {NUMBERS[dtype]} number;\n{source}", name)


def is_cupys(a: Any) -> bool:
    return type(a).__module__.partition(".")[0] == "cupy"


# --- ‖a‖₂ ------------------------------------------------------------------------------------------------------------

NORM = """
extern "C" __global__ void norm(const number* a, number* length, long long n) {  // a block for each vector
    __shared__ double shared[256];
    const int thread = threadIdx.x;
    a += blockIdx.x * n;
    double largest = 0;
    bool is_number = true;
    for (long long i = thread; i < n; i += 256) {
        const double size = fabs((double)a[i]);
        is_number = is_number && size == size;
        largest = size > largest ? size : largest;
    }
    shared[thread] = is_number ? largest : NAN;
    for (int half = 128; half > 0; half /= 2) {
        __syncthreads();
        if (thread < half) {
            const double one = shared[thread], other = shared[thread + half];
            shared[thread] = one != one || one > other ? one : other;
        }
    }
    __syncthreads();
    largest = shared[0];
    int exponent;
    frexp(largest, &exponent);  // entries are divided by a power of two, so that no square overflows or vanishes
    const bool is_ordinary = largest > 0 && largest < INFINITY;
    double sum = 0;
    for (long long i = thread; i < n && is_ordinary; i += 256) {
        const double entry = ldexp((double)a[i], -exponent);
        sum += entry * entry;
    }
    __syncthreads();
    shared[thread] = sum;
    for (int half = 128; half > 0; half /= 2) {
        __syncthreads();
        if (thread < half) shared[thread] += shared[thread + half];
    }
    if (thread == 0) length[blockIdx.x] = (number)(is_ordinary ? ldexp(sqrt(shared[0]), exponent) : largest);
}
"""


def norm(a: Array, out: Array = None) -> Array:
    """‖a‖₂ over the last axis, added up in double precision: (..., n) -> (..., 1)."""
    import cupy

    made = cupy.empty((*a.shape[:-1], 1), a.dtype) if out is None or not out.flags.c_contiguous else out
    kernel("norm", NORM, a.dtype.char)((made.size,), (THREADS,), (cupy.ascontiguousarray(a), made, a.shape[-1]))
    if out is None or made is out:
        return made
    out[...] = made
    return out


def has_norm(a: Array) -> bool:
    """Whether the kernel takes this array."""
    return is_cupys(a) and a.dtype.char in NUMBERS and 0 < a.shape[-1] <= MOST and a.size > 0


# --- cross-entropy ---------------------------------------------------------------------------------------------------

CROSS_ENTROPY = """
extern "C" __global__ void cross_entropy(  // a thread for each example; out holds its loss, and then its c slopes
    const number* z, const label* labels, number* out, long long examples, long long m, long long c, double smoothing,
    long long z_of_lead, long long z_of_example, long long z_of_class, long long labels_of_lead, long long labels_of_example
) {
    const long long i = blockIdx.x * 256LL + threadIdx.x;
    if (i >= examples) return;
    const long long lead = i / m, example = i % m;
    z += lead * z_of_lead + example * z_of_example;
    const long long y = labels[lead * labels_of_lead + example * labels_of_example];
    number* loss = out + lead * (1 + c) * m + example;
    number largest = z[0], mean = 0, total = 0;
    for (long long k = 0; k < c; ++k) {
        const number one = z[k * z_of_class];
        largest = largest != largest || largest > one ? largest : one;
    }
    for (long long k = 0; k < c; ++k) {
        const number less = z[k * z_of_class] - largest;  // no exponential overflows
        mean += less / c;
        total += loss[(1 + k) * m] = exp(less);
    }
    const bool is_class = y >= 0 && y < c;  // the host does not look: the loss of any other label is no number
    const number at_label = is_class ? z[y * z_of_class] - largest : NAN, share = 1 - smoothing;
    *loss = log(total) - (smoothing ? share * at_label + (number)smoothing * mean : at_label);
    for (long long k = 0; k < c; ++k)
        loss[(1 + k) * m] = is_class ? (loss[(1 + k) * m] / total - (k == y ? share : 0) - (number)(smoothing / c)) / m : NAN;
}
"""
INTEGERS = {"b": "signed char", "h": "short", "i": "int", "l": "long long", "q": "long long"}
INTEGERS |= {char.upper(): f"unsigned {name.removeprefix('signed ')}" for char, name in INTEGERS.items()}


def cross_entropy(z: Array, labels: Array, smoothing: float, out: Array) -> None:
    """Of each example its loss, and the slopes (p − t)/m: logits z (..., m, c), labels (..., m) -> out (..., 1 + c, m)."""
    import cupy

    *lead, m, c = z.shape
    z, labels = z.reshape(math.prod(lead), m, c), cupy.broadcast_to(labels, (*lead, m)).reshape(math.prod(lead), m)
    source = f"typedef {INTEGERS[labels.dtype.char]} label;\n{CROSS_ENTROPY}"
    examples = math.prod(lead) * m
    sizes = [examples, m, c, float(smoothing), *steps(z), *steps(labels)]
    kernel("cross_entropy", source, z.dtype.char)((-(-examples // THREADS),), (THREADS,), (z, labels, out, *sizes))


def has_cross_entropy(z: Array, labels: Array) -> bool:
    """Whether the kernel takes these arrays."""
    if not (is_cupys(z) and is_cupys(labels)):
        return False
    return z.dtype.char in NUMBERS and labels.dtype.char in INTEGERS and labels.size > 0


# --- copies ----------------------------------------------------------------------------------------------------------

AT_ONCE = 12
COPIES = (
    """
static __device__ void copy(char* to, const char* from, long long n, long long first, long long step) {
    if (((size_t)to | (size_t)from | n) % 4 == 0)
        for (long long k = first; k < n / 4; k += step) ((int*)to)[k] = ((const int*)from)[k];
    else
        for (long long k = first; k < n; k += step) to[k] = from[k];
}
extern "C" __global__ void copies("""
    + ", ".join(f"char* to{i}, const char* from{i}, long long n{i}" for i in range(AT_ONCE))
    + """) {  // n bytes of several arrays; the second axis of the grid counts the arrays
    const long long first = blockIdx.x * 256LL + threadIdx.x, step = gridDim.x * 256LL;
    switch (blockIdx.y) {
"""
    + "".join(f"    case {i}: copy(to{i}, from{i}, n{i}, first, step); break;\n" for i in range(AT_ONCE))
    + "    }\n}\n"
)


def copies(targets: Sequence[Array], sources: Sequence[Array]) -> None:
    """Copy each source into its target, many in one launch, where they lie in memory in the same way."""
    alike = []
    for target, source in zip(targets, sources, strict=True):
        if (
            (target.dtype, target.shape) == (source.dtype, source.shape)
            and target.flags.c_contiguous
            and source.flags.c_contiguous
        ):
            alike.append((target, source))
        else:
            target[...] = source
    for first in range(0, len(alike), AT_ONCE):
        some = alike[first : first + AT_ONCE]
        given = [x for target, source in some for x in (target, source, target.nbytes)]
        given += [given[0], given[1], 0] * (AT_ONCE - len(some))
        blocks = min(-(-max(target.nbytes for target, _ in some) // THREADS), 1024)
        kernel("copies", COPIES)((max(blocks, 1), len(some)), (THREADS,), tuple(given))
