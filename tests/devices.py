"""The devices on which tests run the library: a stand-in, and CuPy, which a GPU or tests/cupy_on_cpu executes.

The fixture `device` in conftest.py runs a test once on each; on CuPy it is marked `gpu`.
"""

import contextlib
import sys

import cupy_on_cpu
import numpy as np
import pytest
import strict

from minisam import array_backend

NAMES = ["strict", pytest.param("cupy", marks=pytest.mark.gpu)]


class Device:
    """A backend of minisam whose arrays are not NumPy's.

    Attributes
    ----------
    rtol : float
        How far float64 may be from NumPy's, relatively: the stand-in computes with NumPy, CuPy adds up in another order.
    """

    def __init__(self, name):
        self.name, self.rtol = name, 1e-12 if name == "strict" else 1e-9

    def in_use(self):
        return array_backend.use(self.name)

    def python(self):
        """The command that runs a program where the device is, as this process does."""
        return [sys.executable, *(["-m", "cupy_on_cpu"] if cupy_on_cpu.is_installed() else [])]

    @contextlib.contextmanager
    def counted(self):
        """A function that says how many values have been read back to the host in the block so far."""
        if self.name == "strict":
            before = strict.crossings
            yield lambda: strict.crossings - before
        elif cupy_on_cpu.is_installed():
            with cupy_on_cpu.counting("d2h") as count:
                yield count
        else:
            pytest.skip("a GPU does not tell what is read back")

    def assert_close(self, found, expected, **tolerances):
        """Equal bit for bit on the stand-in."""
        found = array_backend.asnumpy(found)
        if self.name == "strict":
            np.testing.assert_array_equal(found, expected)
        else:
            np.testing.assert_allclose(found, expected, **tolerances)


@contextlib.contextmanager
def known():
    """A block in which the stand-in can be chosen by its name."""
    array_backend.BACKENDS["strict"] = strict.backend
    try:
        yield
    finally:
        del array_backend.BACKENDS["strict"]
