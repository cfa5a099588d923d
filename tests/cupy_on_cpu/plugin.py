"""For pytest: `-p cupy_on_cpu.plugin` installs the device before any test imports CuPy."""

import pytest

from . import build
from .install import Unusable, install

unusable = None
try:
    install()
except Unusable as error:
    unusable = error


def pytest_configure():
    if unusable:
        pytest.exit(f"the tests on CuPy are skipped: {unusable}", returncode=0)


def pytest_report_header():
    import cupy

    return f"CuPy {cupy.__version__} on the CPU; its kernels are kept in {build.CACHE}"
