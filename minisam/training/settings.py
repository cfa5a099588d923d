"""Settings of a training as plain data, by which two trainings are told apart in any process.

Of a function of your own, its code counts, and all that it reads besides its arguments: defaults, the variables that it closes
over, global names. Its code is the compiled one, so it is another function in another version of Python. Of an object, its
type and its attributes count; the code of a class does not. Functions of this library, and those that a function imports from
elsewhere, are known by their names.

Truths: tests/test_settings.py.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from ..array_backend import asnumpy
from ..autodiff.reads import attributes_of, global_names, is_of_python
from ..autodiff.tape import package
from ..types import Array

LIBRARY = package(__name__)
LONG = 1000  # entries of an array from which on its fingerprint stands for it


def text(name: str, setting: object) -> str:
    """A setting as a JSON text that is the same in every process, with no addresses and nothing abbreviated.

    Raises a TypeError if the setting holds something that cannot be told apart from others, such as a generator.
    """
    try:
        return json.dumps(plain(setting))
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"{name} must be made of what a checkpoint can compare: {error}") from error


def plain(value: Any, within: tuple[int, ...] = ()) -> Any:
    """A setting as plain data: arrays become lists; objects, {their type: their attributes}; `within` are those around it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (type, ModuleType)):
        return name_of(value)
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        a = asnumpy(value)
        return a.tolist() if a.size < LONG else {"array": [a.dtype.str, list(a.shape), fingerprint([a])]}
    if id(value) in within:
        return "itself"
    inner = (*within, id(value))
    if isinstance(value, dict):
        return {str(key): plain(entry, inner) for key, entry in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [plain(entry, inner) for entry in value]
    if isinstance(value, partial):
        return {"partial": plain([value.func, value.args, value.keywords], inner)}
    if isinstance(value, MethodType):
        return {"method": [value.__name__, plain(value.__self__, inner)]}
    if isinstance(value, FunctionType) and package_of(value) != LIBRARY:
        return {"function": name_of(value), "code": code_of(value.__code__), "reads": plain(reads(value), inner)}
    if is_named(value):
        return name_of(value)
    return {name_of(type(value)): plain(attributes(value), inner)}


def is_named(value: Any) -> bool:
    """Whether this is a function or a class."""
    return callable(value) and hasattr(value, "__qualname__")


def package_of(value: Any) -> str:
    """The name of the package that a function or class is from."""
    return package(getattr(value, "__module__", None))


def name_of(value: Any) -> str:
    """The name of a module, function or class; a class of this library is known without its module, which may change."""
    if isinstance(value, ModuleType):
        return value.__name__
    known = isinstance(value, type) and package_of(value) == LIBRARY
    return value.__qualname__ if known else f"{value.__module__}.{value.__qualname__}"


def attributes(value: Any) -> Any:
    """What an object holds: of a dataclass, the fields that are settings; what it prints, if it has no attributes."""
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value) if counts(f)}
    if is_of_python(type(value)):
        return attributes_of(value)
    printed = repr(value)
    if re.search(" at 0x", printed):
        raise TypeError(f"{printed} has no attributes by which it can be told from others")
    return printed


def counts(f: Field[Any]) -> bool:
    """Whether a field of a dataclass is a setting: one that the object is made from, and that it shows."""
    return f.init and f.repr


# --- functions -------------------------------------------------------------------------------------------------------


def reads(f: FunctionType) -> dict[str, Any]:
    """What a function reads besides its arguments: defaults, the variables that it closes over, and global names."""
    closed = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
    names = sorted(global_names(f.__code__) & f.__globals__.keys())
    return {
        "defaults": [f.__defaults__, f.__kwdefaults__],
        "closure": {name: cell.cell_contents for name, cell in closed},
        "globals": {name: imported(f.__globals__[name], package_of(f)) for name in names},
    }


def imported(value: Any, package: str) -> Any:
    """The value; or the name of a function or class that this package has from another."""
    return name_of(value) if is_named(value) and package_of(value) != package else value


def code_of(code: CodeType) -> str:
    """A short text that differs when the code of a function does; where it stands does not matter."""
    parts = [code.co_code.hex(), constants(code), code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def constants(code: CodeType) -> list[str]:
    """The constants of a function as text; a set is sorted, since its order is another in each process."""
    made = {CodeType: code_of, frozenset: lambda values: repr(sorted(map(repr, values)))}
    return [made.get(type(constant), repr)(constant) for constant in code.co_consts]


# --- other versions --------------------------------------------------------------------------------------------------


def completed(there: object, here: object) -> object:
    """The plain data of a file for the setting `here`; a field that the file lacks, since it is newer, has its default."""
    name = name_of(type(here))
    names = ([name], [type(here).__qualname__])  # which earlier formats write
    if not is_dataclass(here) or not isinstance(there, dict) or list(there) not in names:
        return there
    (known,), settings = there.values(), {}
    for f in fields(here):
        value = known.pop(f.name, MISSING)
        if counts(f):
            default = f.default if f.default_factory is MISSING else f.default_factory()
            settings[f.name] = plain(default) if value is MISSING else completed(value, getattr(here, f.name))
    return {name: settings | {key: value for key, value in known.items() if not key.startswith("_")}}


def fingerprint(arrays: Sequence[Array]) -> str:
    """A short text that differs when the numbers of the arrays differ."""
    sha256 = hashlib.sha256()
    for a in arrays:
        sha256.update(asnumpy(a).tobytes())
    return sha256.hexdigest()[:16]
