"""A strict stand-in for CuPy: arrays that live on the CPU and behave as if they did not.

A `StrictArray` wraps a NumPy array and refuses what a device array refuses: silent conversion to NumPy, mixing with NumPy
arrays, an `out=` that is no device array of the result's dtype. What reads a value back (`float`, `bool`, `.get()`, …) works
and is counted in `crossings`. Code that runs on it, with no crossing in its inner loop, touches the device only through
protocols that CuPy has too.

Known differences from CuPy (14.2):

- Stricter: `out=` needs the result's very dtype, where CuPy casts within a kind; `zeros_like` and others want a device array.
- More lenient: lists go where CuPy wants arrays, but for operators, ufuncs and assignment; keywords that a CuPy function
  lacks are taken, but for those of `_refuse_keywords`; tensordot takes lists of axes of arrays that have none; an
  overlapping `out=` is made safe; an index array out of bounds raises, where CuPy wraps it around; writing twice to one
  place in an assignment has NumPy's order.
- Reads that CuPy makes inside are counted only for boolean masks.
- Nothing runs asynchronously. Random numbers, memory order and BLAS are NumPy's, so results have NumPy's bits.
"""

from types import SimpleNamespace

import numpy as np

from minisam.array_backend import Backend, autograd_on_device

# what numpy has and cupy has not, as far as it is about numbers
MISSING = """
    asmatrix block bmat clongdouble einsum_path emath errstate frompyfunc geomspace histogram_bin_edges insert longdouble
    ma matrix matvec memmap nanpercentile nanquantile ndenumerate nditer nested_iters object_ polyder polydiv polyint rec
    recarray seterr spacing unstack vecdot vecmat
"""
MISSING = set(MISSING.split())
LINALG = "cholesky cond det eig eigh eigvals eigvalsh inv lstsq matrix_power matrix_rank norm pinv qr slogdet solve svd"
REDUCTIONS = set(["sum", "prod", "mean", "max", "min", "all", "any", "std", "var"])  # functions and methods
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
        if ufunc.__name__ in MISSING:
            return NotImplemented
        call = getattr(ufunc, method)
        if method == "at":
            target, index, *values = inputs
            return call(_operand(target), _index(index), *map(_operand, values))
        if out is None:
            return _wrap(call(*map(_operand, inputs), **_device_values(kwargs)))
        (target,) = out
        if not isinstance(target, StrictArray):
            raise TypeError(f"out must be a device array, got {type(target).__name__}")
        return _write(target, call(*map(_operand, inputs), **_device_values(kwargs)))

    def __array_function__(self, function, types, args, kwargs):
        if not all(issubclass(t, StrictArray) for t in types) or function.__name__ in MISSING:
            return NotImplemented
        return _call(function, args, kwargs)

    # --- indexing ---
    def __getitem__(self, index):
        index = _index(index)
        if any(np.asarray(i).dtype == bool for i in (index if isinstance(index, tuple) else (index,))):
            _crossed()  # the size of the result stands on the device
        result = self.a[index]
        if isinstance(result, np.generic):  # on a device, one element is a view as well
            result = self.a[(*index, ...) if isinstance(index, tuple) else (index, ...)]
        return StrictArray(result)

    def __setitem__(self, index, value):
        self.a[_index(index)] = _operand(value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))


def _forward(name):
    """A method of NumPy's arrays, on the device."""
    return lambda self, *args, **kwargs: _call(getattr(np.ndarray, name), (self, *args), kwargs)


METHODS = """
    all any argmax argmin argsort astype clip copy cumsum diagonal dot fill flatten max mean min prod ravel repeat reshape
    round squeeze std sum swapaxes take trace transpose var view
"""
for name in METHODS.split():
    setattr(StrictArray, name, _forward(name))


def _binary(ufunc, swapped=False):
    def method(self, other):
        if hasattr(type(other), "__array_ufunc__") and not isinstance(other, StrictArray | np.ndarray | np.generic):
            return NotImplemented
        pair = (other, self) if swapped else (self, other)
        return _wrap(ufunc(*map(_operand, pair)))

    return method


def _in_place(ufunc):
    def method(self, other):
        ufunc(self.a, _operand(other), out=self.a)
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


def _operand(value):
    """What a device kernel computes with: arrays and scalars, no lists."""
    if isinstance(value, list | tuple):
        raise TypeError(f"Unsupported type {type(value)}")
    return _device_value(value)


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


def _refuse_keywords(name, kwargs):
    """What NumPy takes and CuPy does not."""
    refused = {"where", "initial"} if name in REDUCTIONS else {"out"} if name == "einsum" else set()
    if kwargs.keys() & refused:
        raise TypeError(f"{name}() got an unexpected keyword argument: {', '.join(kwargs)}")
    if name in ("reshape", "ravel") and kwargs.get("order", "C") is None:
        raise TypeError(f"{name}() takes order='C', 'F' or 'A', got None")


def _call(function, args, kwargs):
    _refuse_keywords(function.__name__, kwargs)
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
    return _array(a, dtype)


def _array(a, dtype=None, copy=True, ndmin=0):
    """A new device array; the one place that takes NumPy arrays."""
    if isinstance(a, list | tuple):
        a = [x.a if isinstance(x, StrictArray) else x for x in a]
    return StrictArray(np.array(a.a if isinstance(a, StrictArray) else a, dtype=dtype, ndmin=ndmin))


def _on_device(function):
    return lambda *args, **kwargs: _call(function, args, kwargs)


class _Namespace:
    """NumPy's functions, on device arrays."""

    __name__ = "strict"
    ndarray = StrictArray
    asarray = staticmethod(_asarray)
    array = staticmethod(_array)
    ascontiguousarray = staticmethod(lambda a: StrictArray(np.ascontiguousarray(_device_value(a))))
    linalg = SimpleNamespace(**{name: _on_device(getattr(np.linalg, name)) for name in LINALG.split()})
    random = SimpleNamespace(standard_normal=lambda size: StrictArray(np.random.default_rng().standard_normal(size)))

    def __getattr__(self, name):
        if name in MISSING:
            raise AttributeError(f"module 'strict' has no attribute {name!r}")
        function = getattr(np, name)
        if isinstance(function, np.ufunc):
            return _Ufunc(function)
        if isinstance(function, type) or not callable(function):
            return function
        return _on_device(function)


class _Ufunc:
    """A ufunc with its methods, on device arrays."""

    def __init__(self, ufunc):
        self.ufunc = ufunc
        self.at = lambda a, index, *values: ufunc.at(_operand(a), _index(index), *map(_operand, values))
        self.reduce = lambda a, **kwargs: _call(ufunc.reduce, (a,), kwargs)

    def __call__(self, *args, **kwargs):
        for argument in args:
            _operand(argument)  # refuses what is none
        return _call(self.ufunc, args, kwargs)


xp = _Namespace()


def backend():
    """The loader for `array_backend.BACKENDS["strict"]`."""
    autograd_on_device.register(StrictArray, xp)
    return Backend("strict", xp, lambda a: a.get() if isinstance(a, StrictArray) else np.asarray(a), lambda: None)
