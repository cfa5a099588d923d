"""autograd.numpy's whole public surface on a device: right, to the second derivative, or refused by one clear error."""

import json
import subprocess
import sys

import autograd_calls
import numpy as np
import pytest
import strict
from autograd_calls import CALLS, ONCE, REFUSED, V, W, derivatives

from minisam import array_backend, value_and_grad

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning", "ignore::DeprecationWarning")
REFUSED_CALLS = {call: name for name, calls in REFUSED.items() for call in calls}


@pytest.fixture(params=["strict", pytest.param("cupy", marks=pytest.mark.gpu)])
def device(request, monkeypatch):
    monkeypatch.setitem(array_backend.BACKENDS, "strict", strict.backend)
    with array_backend.use(request.param):
        yield array_backend.asarray(W), array_backend.asarray(V)


def unless_the_device_lacks_it(compute):
    """The result; a test device that executes CuPy on a CPU has no cuSOLVER and no cuFFT to speak of."""
    try:
        return compute()
    except Exception as error:
        if "NOT_SUPPORTED" in str(error):
            pytest.skip(f"the device has no such library: {type(error).__name__}: {error}")
        raise


@pytest.mark.parametrize("name", [name for name in CALLS if name not in REFUSED_CALLS])
def test_the_derivatives_are_numpys(name, device):
    computed = unless_the_device_lacks_it(lambda: derivatives(name, *device))
    assert all(isinstance(a, array_backend.xp().ndarray) for a in computed)
    computed = [array_backend.asnumpy(a) for a in computed]
    with array_backend.use("numpy"):
        expected = derivatives(name, W, V)
    for a, b in zip(computed, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * np.abs(b).max())


@pytest.mark.parametrize("name", REFUSED_CALLS)
def test_what_is_not_there_is_refused_by_name(name, device):
    with pytest.raises(NotImplementedError, match=rf"autograd.numpy.{REFUSED_CALLS[name]} cannot be differentiated"):
        unless_the_device_lacks_it(lambda: value_and_grad(autograd_calls.loss(name), recorded=False)(device[0]))


def test_no_public_function_is_left_out():
    public, reached = autograd_calls.public(), autograd_calls.reached()
    assert [name for name, f in public.items() if f not in reached] == []
    assert len(REFUSED) <= 0.05 * len(public)
    assert set(ONCE) <= CALLS.keys()


def test_on_numpy_autograd_gives_the_bits_that_it_gives_without_our_rules():
    """In reverse and in forward mode; what it refuses, it refuses by the same words."""
    strict.backend()
    code = (
        f"import json, sys, warnings; warnings.simplefilter('ignore'); sys.path[:0] = {sys.path!r}\n"
        "import autograd_calls; from minisam.array_backend import device_arrays\n"
        "assert not device_arrays.DEVICE_TYPES; print(json.dumps(autograd_calls.bits()))"
    )
    alone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(json.dumps(autograd_calls.bits())) == json.loads(alone.stdout)
