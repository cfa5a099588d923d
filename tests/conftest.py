"""How the tests run."""

import os
import sys

import devices
import pytest
from hypothesis import Phase, settings

# The matrices here are small: threads would only wait for each other, for minutes where other processes want the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("minisam", deadline=None, print_blob=True)
settings.register_profile("any-example", settings.get_profile("minisam"), phases=[Phase.explicit, Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "minisam"))


@pytest.fixture(params=devices.NAMES)
def device(request):
    """Once the stand-in, and once CuPy; the test says when it is in use."""
    with devices.known():
        yield devices.Device(request.param)


@pytest.fixture(autouse=True)
def _gpu_or_skip(request):
    """Tests marked gpu run where CuPy finds a device."""
    if request.node.get_closest_marker("gpu"):
        from minisam import array_backend

        try:
            array_backend.BACKENDS["cupy"]()
        except array_backend.BackendError as error:
            pytest.skip(str(error))


@pytest.fixture(autouse=True)
def _blas_has_its_threads_again():
    """What limits BLAS ends with the test."""
    yield
    blas = sys.modules.get("minisam.blas")
    assert blas is None or not blas.inside


def pytest_terminal_summary(terminalreporter):
    """Elsewhere one line says why they did not."""
    reasons = [report.longrepr[2] for report in terminalreporter.getreports("skipped")]
    unusable = [reason for reason in reasons if "backend 'cupy' is not usable" in reason]
    if unusable:
        terminalreporter.write_line(f"{len(unusable)} tests need a GPU and did not run: {unusable[0]}")
    for reason in sorted({reason for reason in reasons if "did not run" in reason}):
        terminalreporter.write_line(reason)
