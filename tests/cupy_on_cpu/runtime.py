"""CUDA's runtime. It is linked into CuPy's module `runtime`, whose functions the others call through a table of pointers.

The table (`__pyx_capi__`, Cython's) holds each function under its name with its signature. We put ours in place of CuPy's, for
compiled modules and for Python. Signatures must agree: with another one, CuPy's modules would call ours with the wrong arguments.
"""

import ctypes
import re

from . import build

CTYPES = {
    "int": ctypes.c_int,
    "unsignedint": ctypes.c_uint,
    "size_t": ctypes.c_size_t,
    "intptr_t": ctypes.c_ssize_t,
    "float": ctypes.c_float,
    "cudaMemcpyKind": ctypes.c_int,
    "PyObject*": ctypes.py_object,
    "optional": ctypes.c_void_p,
}
_kept = []  # what C points to


def replace():
    """Put our functions in place of CuPy's. Must run before CuPy's other modules are imported, which copy the pointers."""
    from cupy_backends.cuda.api import runtime

    name_of, new = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_New
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    theirs = {name: name_of(capsule) for name, capsule in runtime.__pyx_capi__.items()}
    ours = table()
    check({name: signature.decode() for name, signature in theirs.items()}, ours)
    for name, (signature, address) in ours.items():
        _kept.append(theirs[name])
        runtime.__pyx_capi__[name] = new(address, theirs[name], None)
        setattr(runtime, name, _callable(signature, address))


def table():
    """Our functions: name -> (signature, address)."""
    name, signature, address = ctypes.c_char_p(), ctypes.c_char_p(), ctypes.c_void_p()
    entries = {}
    for i in range(build.device().cupy_on_cpu_entries()):
        places = ctypes.byref(name), ctypes.byref(signature), ctypes.byref(address)
        build.device().cupy_on_cpu_entry(ctypes.c_size_t(i), *places)
        entries[name.value.decode()] = plain(signature.value.decode()), address.value
    return entries


def plain(signature):
    """A signature without what Cython adds and with what matters to a call."""
    signature = re.sub(r"struct \w+ \*__pyx_optional_args", "optional", signature)
    signature = re.sub(r"struct __pyx_obj_\w+ \*", "PyObject *", signature)
    return signature.replace("__pyx_skip_dispatch", "").replace(" ", "")


def check(theirs, ours):
    """Raise an ImportError unless CuPy's table has each of our functions, with our signature."""
    for name, (signature, _) in ours.items():
        found = plain(theirs.get(name, "missing"))
        if found != signature:
            import cupy_backends.cuda.api.runtime as runtime

            raise ImportError(
                f"cupy_on_cpu knows the tables of CuPy 14.2, not those of {runtime.__file__}: "
                f"its runtime.{name} is {found!r}, and was {signature!r}"
            )


def _callable(signature, address):
    """The function for Python, which leaves out Cython's arguments."""
    result, arguments = re.fullmatch(r"(.*)\((.*)\)", signature).groups()
    names = [] if arguments == "void" else arguments.split(",")
    call = ctypes.PYFUNCTYPE(CTYPES[result], *[CTYPES[name] for name in names])(address)
    hidden = [None, 0] if "optional" in names else [0]
    given = max(len(names) - len(hidden), 0)
    hidden = hidden[::-1] if names else []
    _kept.append(call)
    return lambda *arguments: call(*arguments[:given], *hidden)
