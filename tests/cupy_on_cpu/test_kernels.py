"""Kernels: the language, and the threads of a block."""

import cupy
import numpy as np
import pytest

from cupy_on_cpu import compiler


def kernel(source, name, **options):
    return cupy.RawKernel('extern "C" __global__ void ' + source, name, **options)


def test_threads_of_a_block_meet_and_share_memory():
    reverse = kernel(
        """reverse(const float* x, float* y) {
            extern __shared__ float part[];
            part[threadIdx.x] = x[blockIdx.x * blockDim.x + threadIdx.x];
            __syncthreads();
            y[blockIdx.x * blockDim.x + threadIdx.x] = part[blockDim.x - 1 - threadIdx.x];
        }""",
        "reverse",
    )
    x = cupy.arange(256, dtype="f4")
    y = cupy.empty_like(x)
    reverse((4,), (64,), (x, y), shared_mem=64 * 4)
    np.testing.assert_array_equal(y.get(), np.arange(256).reshape(4, 64)[:, ::-1].ravel())


def test_each_block_of_a_grid_of_three_axes_has_its_own_place():
    place = kernel(
        """place(int* y) {
            int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
            int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
            y[block * blockDim.x * blockDim.y * blockDim.z + thread] = block * 100 + thread;
        }""",
        "place",
    )
    y = cupy.zeros(24 * 6, "i4")
    place((2, 3, 4), (3, 1, 2), (y,))
    np.testing.assert_array_equal(y.get().reshape(24, 6), np.arange(24)[:, None] * 100 + np.arange(6))


def test_a_thread_that_ended_is_not_waited_for():
    half = kernel(
        "half(int* y) { if (threadIdx.x >= 16) return; __syncthreads(); y[threadIdx.x] = threadIdx.x; }", "half"
    )
    y = cupy.zeros(16, "i4")
    half((1,), (64,), (y,))
    np.testing.assert_array_equal(y.get(), np.arange(16))


def test_threads_that_wait_for_each_other_for_ever_are_an_error_and_not_a_hang(capfd):
    """Half a block waits at the block's barrier, the other half for the lanes of the first."""
    stuck = kernel(
        "stuck(int* y) { if (threadIdx.x & 1) __syncthreads(); else __syncwarp(); y[threadIdx.x] = 1; }", "stuck"
    )
    y = cupy.zeros(32, "i4")
    with pytest.raises(cupy.cuda.driver.CUDADriverError, match="LAUNCH_FAILED"):
        stuck((1,), (32,), (y,))
    assert "threads of stuck wait for each other" in capfd.readouterr().err
    total = kernel("after(int* y) { __syncthreads(); atomicAdd(y, 1); }", "after")
    total((2,), (32,), (y,))
    assert int(y[0]) == 64


def test_lanes_of_a_warp_read_each_other():
    total = kernel(
        """total(const int* x, int* y, unsigned* votes, int* others) {
            int v = x[blockIdx.x * 32 + threadIdx.x];
            unsigned odd = __ballot_sync(0xffffffff, v & 1);
            others[blockIdx.x * 32 + threadIdx.x] = __shfl_xor_sync(0xffffffff, v, 1);
            for (int step = 16; step; step /= 2) v += __shfl_down_sync(0xffffffff, v, step);
            if (threadIdx.x == 0) { y[blockIdx.x] = v; votes[blockIdx.x] = odd; }
        }""",
        "total",
    )
    x, y, votes, others = cupy.arange(96, dtype="i4"), cupy.zeros(3, "i4"), cupy.zeros(3, "u4"), cupy.zeros(96, "i4")
    total((3,), (32,), (x, y, votes, others))
    np.testing.assert_array_equal(y.get(), np.arange(96).reshape(3, 32).sum(1))
    np.testing.assert_array_equal(votes.get(), [0xAAAAAAAA] * 3)
    np.testing.assert_array_equal(others.get(), np.arange(96) ^ 1)


def test_a_block_counts_votes():
    count = kernel("votes(int* y) { int n = __syncthreads_count(threadIdx.x % 3 == 0); y[threadIdx.x] = n; }", "votes")
    y = cupy.zeros(10, "i4")
    count((2,), (10,), (y,))
    np.testing.assert_array_equal(y.get(), 4)


def test_a_template_has_its_instances():
    source = "template <class T> __global__ void twice(T* x) { x[threadIdx.x] *= 2; }"
    module = cupy.RawModule(code=source, name_expressions=["twice<float>", "twice<long long>"])
    for name, dtype in (("twice<float>", "f4"), ("twice<long long>", "i8")):
        x = cupy.arange(5, dtype=dtype)
        module.get_function(name)((1,), (5,), (x,))
        np.testing.assert_array_equal(x.get(), 2 * np.arange(5))


def test_what_does_not_compile_says_so():
    with pytest.raises(cupy.cuda.compiler.CompileException, match="nonsense"):
        kernel("wrong() { nonsense; }", "wrong")((1,), (1,), ())


def test_blocks_of_too_many_threads_are_refused():
    with pytest.raises(cupy.cuda.driver.CUDADriverError, match="INVALID_VALUE"):
        kernel("nothing() {}", "nothing")((1,), (2048,), ())


def test_fused_functions_run():
    @cupy.fuse()
    def root(x, y):
        return cupy.sqrt(x * x + y)

    x = np.linspace(0, 1, 7)
    np.testing.assert_allclose(root(cupy.asarray(x), cupy.asarray(x)).get(), np.sqrt(x * x + x))


def test_a_kernel_of_elements_by_users_runs():
    axpy = cupy.ElementwiseKernel("T x, raw T y, T a", "T z", "z = a * x + y[_ind.size() - 1 - i]", "axpy")
    x = cupy.arange(5.0)
    np.testing.assert_array_equal(axpy(x, x, 10).get(), 10 * np.arange(5) + np.arange(5)[::-1])


@pytest.mark.parametrize(
    ("source", "loop"),
    [
        ("CUPY_FOR(i, n) { x[i] = 1; }", True),
        ("CUPY_FOR(i, n) { x[i] = threadIdx.x; }", False),
        ("CUPY_FOR(i, n) { if (i) return; x[i] = 1; }", False),
        ("int i = blockIdx.x;", False),
    ],
)
def test_one_thread_does_the_work_of_all_only_in_loops_over_elements(source, loop):
    assert compiler.is_loop_over_elements(source) is loop
