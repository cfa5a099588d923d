"""What the device asks of CuPy and of the machine."""

import uuid

import cupy
import pytest

from cupy_on_cpu import Unusable, build, compiler, install, runtime


def test_our_runtime_functions_have_the_signatures_of_cupys():
    assert len(runtime.table()) > 60
    assert all(signature.endswith(")") for signature, _ in runtime.table().values())


def test_a_cupy_with_other_signatures_is_refused_in_one_sentence():
    theirs = {name: signature for name, (signature, _) in runtime.table().items()}
    runtime.check(theirs, runtime.table())
    with pytest.raises(
        ImportError, match=r"knows the tables of CuPy 14\.2, not those of .*runtime\.malloc is 'missing'"
    ):
        runtime.check(theirs | {"malloc": "missing"}, runtime.table())
    with pytest.raises(
        ImportError, match=r"its runtime\.memcpy is 'PyObject\*\(int\)', and was 'PyObject\*\(intptr_t,"
    ):
        runtime.check(theirs | {"memcpy": "PyObject *(int)"}, runtime.table())


@pytest.mark.parametrize(
    ("cythons", "plain"),
    [
        ("PyObject *(int __pyx_skip_dispatch)", "PyObject*(int)"),
        (
            "intptr_t (size_t, int __pyx_skip_dispatch, struct __pyx_opt_args_3a_b *__pyx_optional_args)",
            "intptr_t(size_t,int,optional)",
        ),
        ("struct __pyx_obj_13cupy_Pointer *(intptr_t, int __pyx_skip_dispatch)", "PyObject*(intptr_t,int)"),
    ],
)
def test_signatures_are_read_without_what_cython_adds(cythons, plain):
    assert runtime.plain(cythons) == plain


def test_a_machine_without_a_compiler_is_told_what_is_missing(monkeypatch):
    monkeypatch.setattr(build, "COMPILER", "no-such-compiler")
    with pytest.raises(Unusable, match="needs no-such-compiler"):
        install.__globals__["_check"]()


def test_cupy_must_not_be_imported_before():
    with pytest.raises(ImportError, match="before CuPy"):
        install.__globals__["_check"]()


def test_a_kernel_is_compiled_once_and_then_found():
    source = f'extern "C" __global__ void once(int* x) {{ *x = 3; }}  // {uuid.uuid4()}'
    before = len(compiler.compiled)
    for _ in range(2):
        x = cupy.zeros(1, "i4")
        cupy.RawModule(code=source).get_function("once")((1,), (1,), (x,))
        assert int(x[0]) == 3
        cupy.clear_memo()
    assert len(compiler.compiled) == before + 1


def test_what_is_not_there_says_so(capfd):
    with pytest.raises(cupy.cuda.cufft.CuFFTError):
        cupy.fft.fft(cupy.ones(4))
    assert "cufft" in capfd.readouterr().err
