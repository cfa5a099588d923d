"""CuPy's numbers on the device are NumPy's: every call of the table in calls.py, in every layout of arrays.py."""

import cupy
import numpy as np
import pytest

from cupy_on_cpu.arrays import LAYOUTS, laid_out
from cupy_on_cpu.calls import CALLS

ON_HOST = {layout: laid_out(layout) for layout in LAYOUTS}
ON_DEVICE = {layout: laid_out(layout, cupy) for layout in LAYOUTS}
ROUNDINGS = 128  # relative to the largest entry


def test_the_table_is_large():
    assert len(CALLS) >= 400


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_arrays_lie_as_said(layout):
    for name, a in ON_DEVICE[layout].items():
        assert a.strides == ON_HOST[layout][name].strides


@pytest.mark.filterwarnings("ignore")  # NumPy's of overflow, CuPy's of slow calls
@pytest.mark.parametrize("name", CALLS)
def test_the_numbers_are_numpys(name):
    for layout in LAYOUTS:
        expected = np.asarray(CALLS[name](np, ON_HOST[layout]))
        found = cupy.asnumpy(CALLS[name](cupy, ON_DEVICE[layout]))
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype), layout
        if expected.dtype.kind in "fc":
            rtol = ROUNDINGS * np.finfo(expected.dtype).eps
            size = np.abs(expected[np.isfinite(expected)]).max(initial=0)
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * float(size), err_msg=layout)
        else:
            np.testing.assert_array_equal(found, expected, err_msg=layout)


def test_a_fault_of_cupy_is_kept():
    """Its atomicMax of doubles calls `fmaxf` (cupy/_core/include/cupy/atomics.cuh), which rounds to single precision."""
    z = cupy.asarray([0.0])
    cupy.maximum.at(z, cupy.asarray([0]), 1 / 3)
    assert float(z[0]) == float(np.float32(1 / 3))
