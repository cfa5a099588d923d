"""The switch."""

import os
import subprocess
import sys
import threading
import types

import numpy as np
import pytest
import strict

from minisam import array_backend


@pytest.fixture(autouse=True)
def _with_strict(monkeypatch):
    monkeypatch.setitem(array_backend.BACKENDS, "strict", strict.backend)
    monkeypatch.setattr(array_backend, "in_use", None)
    monkeypatch.delenv("MINISAM_BACKEND", raising=False)


def test_numpy_is_the_default():
    assert array_backend.name() == "numpy"
    assert array_backend.xp() is np
    array_backend.synchronize()


def test_use_switches_at_once():
    array_backend.use("strict")
    assert array_backend.name() == "strict"
    assert array_backend.xp() is strict.xp


def test_as_a_context_manager_it_restores_the_former_one():
    with array_backend.use("strict"):
        with array_backend.use("numpy"):
            assert array_backend.name() == "numpy"
        assert array_backend.name() == "strict"
    assert array_backend.name() == "numpy"


def test_it_restores_after_an_error_too():
    with pytest.raises(KeyError), array_backend.use("strict"):
        raise KeyError
    assert array_backend.name() == "numpy"


def test_another_thread_switches_for_itself_alone():
    """Two threads, each in a block of its own, whose ends cross; and one that follows the main thread."""
    seen, entered, left = {}, threading.Barrier(2, timeout=20), threading.Barrier(2, timeout=20)

    def work(name):
        with array_backend.use(name):
            entered.wait()
            seen[name] = array_backend.name()
            left.wait()
        seen["after", name] = array_backend.name()

    with array_backend.use("strict"):
        in_turn(*(threading.Thread(target=work, args=(name,)) for name in ("numpy", "strict")))
        in_turn(threading.Thread(target=lambda: seen.update(follows=array_backend.name())))
    assert seen == {
        "numpy": "numpy",
        "strict": "strict",
        ("after", "numpy"): "strict",
        ("after", "strict"): "strict",
        "follows": "strict",
    }
    assert array_backend.name() == "numpy"


def in_turn(*threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_failed_switch_changes_nothing():
    array_backend.use("strict")
    with pytest.raises(ValueError, match="'numpy'"):
        array_backend.use("torch")
    assert array_backend.name() == "strict"


def test_arrays_cross_over_and_back():
    a = np.arange(3.0)
    assert array_backend.asnumpy(a) is a
    with array_backend.use("strict"):
        there = array_backend.asarray(a, dtype="float32")
        assert isinstance(there, strict.StrictArray)
        assert there.dtype == np.float32
        assert array_backend.asarray(there) is there
        np.testing.assert_array_equal(array_backend.asnumpy(there), a)
    np.testing.assert_array_equal(array_backend.asnumpy([1, 2]), [1, 2])


def test_an_unknown_name_lists_the_choices():
    with pytest.raises(ValueError, match="backend must be one of 'numpy', 'cupy', 'strict', got 'torch'"):
        array_backend.use("torch")


def test_a_missing_cupy_is_one_line_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(array_backend.BackendError) as error:
        array_backend.use("cupy")
    assert str(error.value) == (
        "backend 'cupy' is not usable: the package cupy is missing; "
        "pip install 'minisam[cuda13]', or 'minisam[cuda12]' for a CUDA 12 driver"
    )


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("cudaErrorInsufficientDriver: too old", "the NVIDIA driver is missing or too old; install a current one"),
        ("cudaErrorNoDevice: no device", "there is no NVIDIA device, or CUDA_VISIBLE_DEVICES hides it"),
        ("cudaErrorUnknown: broken", "the NVIDIA device does not work"),
    ],
)
def test_cupy_without_a_device_is_one_line_that_says_what_is_missing(error, says, monkeypatch):
    message = why_not(monkeypatch, fake_cupy(zeros=error))
    assert message.startswith(f"backend 'cupy' is not usable: {says}")
    assert message.endswith(f"(cupy 14.2.0: {error})")


class Zeros:
    """An array of a CuPy without a compiler, unless it is told to have one."""

    def __init__(self, kernels):
        self.kernels = kernels

    def __add__(self, other):
        if self.kernels:
            raise RuntimeError(self.kernels)


def fake_cupy(version="14.2.0", zeros=None, kernels=None, products=None, sorting=None):
    """A CuPy, parts of which raise these errors."""

    def failing(error, result=None):
        def call(*args):
            if error:
                raise RuntimeError(error)
            return result

        return call

    cupy = types.SimpleNamespace(zeros=failing(zeros, Zeros(kernels)), matmul=failing(products), sort=failing(sorting))
    cupy.__version__ = version
    return cupy


def why_not(monkeypatch, cupy):
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(array_backend.BackendError) as raised:
        array_backend.use("cupy")
    assert array_backend.name() == "numpy"
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"kernels": "failed to load libnvrtc.so.12:\n  no such file"}, "NVRTC, which compiles kernels,"),
        ({"products": "libcublas.so.12: cannot open"}, "cuBLAS, which multiplies matrices,"),
        ({"sorting": "no kernel image"}, "Thrust, which sorts,"),
    ],
)
def test_a_missing_library_is_named_and_where_to_get_it(broken, says, monkeypatch):
    message = why_not(monkeypatch, fake_cupy(**broken))
    assert message.startswith(
        f"backend 'cupy' is not usable: {says} is missing or broken; pip install 'cupy-cuda13x[ctk]'"
    )
    assert "'cupy-cuda12x[ctk]' for a CUDA 12 driver" in message
    assert message.endswith(f"(cupy 14.2.0: {' '.join(*[error.split() for error in broken.values()])})")


def test_an_old_cupy_is_refused(monkeypatch):
    message = why_not(monkeypatch, fake_cupy("13.6.0"))
    assert message.startswith(
        "backend 'cupy' is not usable: CuPy must be 14 or newer, got 13.6.0; pip install --upgrade"
    )


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_the_environment_names_the_first_backend():
    ask = "from minisam import array_backend; print(array_backend.name())"
    assert python(ask, MINISAM_BACKEND="numpy").stdout == "numpy\n"
    wrong = python(ask, MINISAM_BACKEND="torch")
    assert "backend must be one of 'numpy', 'cupy', got 'torch'" in wrong.stderr


def test_the_import_is_light():
    heavy = "{'matplotlib', 'sklearn', 'scipy', 'cupy', 'tqdm', 'IPython'}"
    assert python(f"import minisam, sys; print(sorted({heavy} & set(sys.modules)))").stdout == "[]\n"
