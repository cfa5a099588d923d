"""A strict stand-in for CuPy: arrays that live on the CPU and behave as if they did not.

A `StrictArray` wraps a NumPy array and refuses what a device array refuses: silent conversion to NumPy, mixing with NumPy
arrays, an `out=` that is no device array of the result's dtype. What reads a value back (`float`, `bool`, `.get()`, …) works
and is counted in `crossings`. Code that runs on it, with no crossing in its inner loop, touches the device only through
protocols that CuPy has too.

Known differences from CuPy: nothing runs asynchronously; random numbers are NumPy's; memory order and BLAS are NumPy's, so
results have NumPy's bits; a function that NumPy has and CuPy lacks is not refused, except those in `MISSING`; an
overlapping `out=` is made safe as in NumPy; indices that are NumPy arrays are taken, as CuPy takes them by copying them.
"""

import operator
from types import SimpleNamespace

import numpy as np

from minisam import bridge
from minisam.array_backend import Backend

MISSING = {"vectorize", "frompyfunc", "nditer", "longdouble", "matrix", "memmap", "savetxt", "loadtxt"}
crossings = 0  # values read back to the host so far


def _crossed():
    global crossings
    crossings += 1


class StrictArray:
    """An array of the stand-in device."""

    __slots__ = ["a"]
    __array_priority__ = 100

    def __init__(self, a):
        self.a = a

    # --- what tells of it without reading it ---
    shape = property(lambda self: self.a.shape)
    ndim = property(lambda self: self.a.ndim)
    size = property(lambda self: self.a.size)
    dtype = property(lambda self: self.a.dtype)
    nbytes = property(lambda self: self.a.nbytes)
    strides = property(lambda self: self.a.strides)
    T = property(lambda self: StrictArray(self.a.T))

    def __len__(self):
        return len(self.a)

    def __repr__(self):
        return f"StrictArray({self.a!r})"

    # --- the ways back to the host, counted ---
    def get(self):
        _crossed()
        return self.a.copy()

    def item(self, *index):
        _crossed()
        return self.a.item(*index)

    def tolist(self):
        _crossed()
        return self.a.tolist()

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __index__(self):
        return operator.index(self.item())

    def __bool__(self):
        _crossed()
        return bool(self.a)

    # --- what a device array refuses ---
    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct one.")

    # --- the protocols ---
    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        if any(
            hasattr(type(i), "__array_ufunc__") and not isinstance(i, StrictArray | np.ndarray | np.generic)
            for i in inputs
        ):
            return NotImplemented  # an autograd box, which knows what to do
        call = getattr(ufunc, method)
        if out is None:
            return _wrap(call(*map(_device_value, inputs), **_device_values(kwargs)))
        (target,) = out
        if not isinstance(target, StrictArray):
            raise TypeError(f"out must be a device array, got {type(target).__name__}")
        result = call(*map(_device_value, inputs), **_device_values(kwargs))
        return _write(target, result)

    def __array_function__(self, function, types, args, kwargs):
        if not all(issubclass(t, StrictArray) for t in types):
            return NotImplemented
        return _call(function, args, kwargs)

    # --- indexing ---
    def __getitem__(self, index):
        return _wrap(self.a[_index(index)])

    def __setitem__(self, index, value):
        self.a[_index(index)] = _device_value(value)

    def __iter__(self):
        return (StrictArray(row) if isinstance(row, np.ndarray) else _wrap(row) for row in self.a)


def _forward(name):
    """A method of NumPy's arrays, on the device."""
    return lambda self, *args, **kwargs: _call(getattr(np.ndarray, name), (self, *args), kwargs)


METHODS = """
    all any argmax argmin argsort astype clip copy cumsum dot fill max mean min prod ravel repeat reshape round
    squeeze std sum swapaxes take trace transpose var view
"""
for name in METHODS.split():
    setattr(StrictArray, name, _forward(name))


def _binary(ufunc, swapped=False):
    def method(self, other):
        if hasattr(type(other), "__array_ufunc__") and not isinstance(other, StrictArray | np.ndarray | np.generic):
            return NotImplemented
        pair = (other, self) if swapped else (self, other)
        return _wrap(ufunc(*map(_device_value, pair)))

    return method


def _in_place(ufunc):
    def method(self, other):
        ufunc(self.a, _device_value(other), out=self.a)
        return self

    return method


for name, ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.mod,
    "pow": np.power,
    "matmul": np.matmul,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}.items():
    setattr(StrictArray, f"__{name}__", _binary(ufunc))
    setattr(StrictArray, f"__r{name}__", _binary(ufunc, swapped=True))
    setattr(StrictArray, f"__i{name}__", _in_place(ufunc))
for name, ufunc in {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}.items():
    setattr(StrictArray, f"__{name}__", _binary(ufunc))
StrictArray.__eq__ = _binary(np.equal)
StrictArray.__ne__ = _binary(np.not_equal)
StrictArray.__hash__ = None
StrictArray.__neg__ = lambda self: StrictArray(-self.a)
StrictArray.__pos__ = lambda self: StrictArray(+self.a)
StrictArray.__abs__ = lambda self: StrictArray(np.abs(self.a))
StrictArray.__invert__ = lambda self: StrictArray(~self.a)


def _device_value(value):
    """What a device function computes with: device arrays and scalars, and nothing that lives on the host."""
    if isinstance(value, StrictArray):
        return value.a
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {np.ndarray}: a NumPy array of shape {value.shape} meets device arrays")
    if isinstance(value, list | tuple):
        return type(value)(map(_device_value, value))
    return value


def _device_values(kwargs):
    return {name: _device_value(value) for name, value in kwargs.items()}


def _index(index):
    """Indices may live on the host: CuPy copies them over."""
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    return index.a if isinstance(index, StrictArray) else index


def _wrap(result):
    """Results stay on the device: those of reductions too, as arrays of no axes."""
    if isinstance(result, np.ndarray | np.generic):
        return StrictArray(np.asarray(result))
    if isinstance(result, list | tuple):
        return type(result)(*map(_wrap, result)) if hasattr(result, "_fields") else type(result)(map(_wrap, result))
    return result


def _write(target, result):
    result = np.asarray(result)
    if target.dtype != result.dtype:
        raise TypeError(f"output dtype {target.dtype} differs from the result's {result.dtype}")
    if target.shape != result.shape:
        raise ValueError(f"output shape {target.shape} differs from the result's {result.shape}")
    target.a[...] = result
    return target


def _call(function, args, kwargs):
    out = kwargs.pop("out", None)
    result = function(*map(_device_value, args), **_device_values(kwargs))
    if function is np.ndarray.fill or function is np.copyto:
        return None
    if out is None:
        return _wrap(result)
    if not isinstance(out, StrictArray):
        raise TypeError(f"out must be a device array, got {type(out).__name__}")
    return _write(out, result)


def _asarray(a, dtype=None, copy=None):
    """The way from the host to the device; a device array passes as it is."""
    if isinstance(a, StrictArray):
        return a if dtype is None or a.dtype == dtype else StrictArray(a.a.astype(dtype))
    if isinstance(a, list | tuple):
        a = [x.a if isinstance(x, StrictArray) else x for x in a]
    return StrictArray(np.array(a, dtype=dtype))


def _array(a, dtype=None, copy=True):
    return StrictArray(np.array(a.a if isinstance(a, StrictArray) else a, dtype=dtype))


class _Namespace:
    """NumPy's functions, on device arrays."""

    __name__ = "strict"
    ndarray = StrictArray
    asarray = staticmethod(_asarray)
    array = staticmethod(_array)
    ascontiguousarray = staticmethod(lambda a: StrictArray(np.ascontiguousarray(_device_value(a))))
    linalg = SimpleNamespace(norm=lambda a, *args, **kwargs: _call(np.linalg.norm, (a, *args), kwargs))
    random = SimpleNamespace(standard_normal=lambda size: StrictArray(np.random.default_rng().standard_normal(size)))

    def __getattr__(self, name):
        if name in MISSING:
            raise AttributeError(f"module 'strict' has no attribute {name!r}")
        function = getattr(np, name)
        if isinstance(function, np.ufunc):
            return _Ufunc(function)
        if isinstance(function, type) or not callable(function):
            return function
        return lambda *args, **kwargs: _call(function, args, kwargs)


class _Ufunc:
    """A ufunc with its methods, on device arrays."""

    def __init__(self, ufunc):
        self.ufunc = ufunc
        self.at = lambda a, *args: ufunc.at(_device_value(a), *map(_index, args))
        self.reduce = lambda a, **kwargs: _call(ufunc.reduce, (a,), kwargs)

    def __call__(self, *args, **kwargs):
        return _call(self.ufunc, args, kwargs)


xp = _Namespace()


def backend():
    """The loader for `array_backend.BACKENDS["strict"]`."""
    bridge.register(StrictArray)
    return Backend("strict", xp, lambda a: a.get() if isinstance(a, StrictArray) else np.asarray(a), lambda: None)
