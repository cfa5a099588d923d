"""Losses made to break recording: what they give depends on something that a list of calls does not hold.

Each is made by a function that returns (loss, change): a loss (z, y) -> (), and a function of the number of the call that changes
what the loss depends on; None where that is the batch alone. A record has to give what tracing gives, or to be given up.
"""

import array
import collections
import collections.abc
import contextvars
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import itertools
import math
import operator
import os
import random
import statistics
import sys
import tempfile
import time
import types
import weakref
from pathlib import Path

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, primitive
from autograd.tracer import getval

MADE = {}
ALPHA, LIST, TABLE, ARRAY, COUNT = 0.0, [0.0, 0.0], {}, np.zeros(3), 0
SPACE, MODULE = types.SimpleNamespace(), types.ModuleType("settings")
RANDOM, GENERATOR, VARIABLE = random.Random(), np.random.default_rng(), contextvars.ContextVar("alpha")
ENDS = collections.deque(maxlen=2)


def reset():
    """Everything global as it is before a loss is used."""
    global ALPHA, COUNT
    ALPHA, COUNT = 0.5, 0
    LIST[:], ARRAY[:], TABLE["alpha"] = [0.5, 2.0], [0.5, 1.5, 2.5], 0.5
    SPACE.alpha = MODULE.alpha = Smooth.alpha = 0.5
    random.seed(0)
    RANDOM.seed(0)
    GENERATOR.bit_generator.state = np.random.default_rng(0).bit_generator.state
    VARIABLE.set(0.5)
    ENDS.extend([0.5, 0.6])


def loss(make):
    MADE[make.__name__] = make
    return make


def squares(z):
    return anp.sum(z**2)


# --- shapes and numbers that depend on data --------------------------------------------------------------------------


def on_batch(name, f):
    MADE[name] = lambda: (f, None)


on_batch("count_of_chosen", lambda z, y: squares(z) / y[y > 0].shape[0])
on_batch("sum_of_chosen", lambda z, y: squares(z) + anp.sum(y[y > 0]))
on_batch("mean_of_chosen", lambda z, y: squares(z) * anp.mean(y[y > 0]))
on_batch("chosen_rows", lambda z, y: squares(z[y > 0]))
on_batch("chosen_entries", lambda z, y: anp.sum(z[z > 0]))
on_batch("len_of_chosen", lambda z, y: squares(z) / len(y[y > 1]))
on_batch("size_of_chosen", lambda z, y: squares(z) * z[z > 0].size)
on_batch("where", lambda z, y: squares(z[anp.where(y > 0)[0]]))
on_batch("nonzero", lambda z, y: squares(z) * anp.nonzero(y)[0].shape[0])
on_batch("argwhere", lambda z, y: squares(z) * anp.argwhere(y > 0).shape[0])
on_batch("flatnonzero", lambda z, y: squares(z) * anp.flatnonzero(y).shape[0])
on_batch("unique", lambda z, y: squares(z) * anp.unique(y).shape[0])
on_batch("bincount", lambda z, y: squares(z) * anp.bincount(y).shape[0])
on_batch("compress", lambda z, y: squares(z) + anp.compress(y > 0, y).shape[0])
on_batch("extract", lambda z, y: squares(z) + anp.extract(y > 0, y).shape[0])
on_batch("trim_zeros", lambda z, y: squares(z) + anp.trim_zeros(y).shape[0])
on_batch("setdiff1d", lambda z, y: squares(z) + anp.setdiff1d(y, anp.array([0])).shape[0])
on_batch("repeat", lambda z, y: squares(z) + anp.repeat(anp.arange(len(y)), y).shape[0])
on_batch("python_bool", lambda z, y: squares(z) if anp.any(y > 1) else anp.sum(z))
on_batch("python_and", lambda z, y: squares(z) * ((anp.sum(z) > 0 and 2.0) or 1.0))
on_batch("python_max", lambda z, y: max(anp.sum(z), anp.sum(z**2)))
on_batch("python_float", lambda z, y: squares(z) * float(anp.sum(y)))
on_batch("python_int", lambda z, y: squares(z[: int(anp.max(y))]))
on_batch("item", lambda z, y: squares(z) * y.sum().item())
on_batch("tolist", lambda z, y: squares(z) * sum(y.tolist()))
on_batch("python_sum", lambda z, y: squares(z) * sum(y))
on_batch("python_sorted", lambda z, y: squares(z) * sorted(y)[-1])
on_batch("python_set", lambda z, y: squares(z) * len({int(k) for k in y}))
on_batch("range_of_a_value", lambda z, y: sum(squares(z) for _ in range(y[0])))
on_batch("index_by_value", lambda z, y: squares(z[:, y[0]]))
on_batch("index_by_pairs", lambda z, y: anp.sum(z[anp.arange(z.shape[0]), y] ** 2))
on_batch("a_list_by_value", lambda z, y: squares(z) * [1.0, 2.0, 3.0][y[0]])
on_batch("a_table_by_value", lambda z, y: squares(z) * {0: 1.0, 1: 2.0, 2: 3.0}[y[0]])
on_batch("getval", lambda z, y: squares(z) * float(np.sum(innermost(y))))
on_batch("behind_the_box", lambda z, y: squares(z) * float(np.sum(y._value if hasattr(y, "_value") else y)))
on_batch("getattr_behind", lambda z, y: squares(z) * float(np.sum(getattr(y, "_val" + "ue", y))))
on_batch("plain_numpy", lambda z, y: anp.sum(z**2) * np.sum(np.asarray(y)))
on_batch("plain_exp", lambda z, y: squares(z) * np.exp(y).sum())
on_batch("type_of_labels", lambda z, y: squares(z) * (2.0 if isinstance(y, np.ndarray) else 1.0) * anp.sum(y))
on_batch("text", lambda z, y: squares(z) * len(str(y)))
on_batch("allclose", lambda z, y: squares(z) * (2.0 if np.allclose(y, 1) else 1.0))
on_batch("equal", lambda z, y: squares(z) * (2.0 if np.array_equal(y, [1, 1, 1, 1]) else 1.0))
on_batch("while_it_is_small", lambda z, y: grown(z))
on_batch("piecewise", lambda z, y: anp.sum(anp.where(z > 0, z, 0.1 * z) ** 2))  # this one can be recorded
on_batch("argmax", lambda z, y: anp.sum(z[anp.arange(z.shape[0]), anp.argmax(z, axis=1)] ** 2))
on_batch("sort", lambda z, y: anp.sum(anp.sort(z, axis=1)[:, -1] ** 2))
on_batch(
    "hidden_reduce",
    lambda z, y: squares(z) * float(np.sum(functools.reduce(getattr, ["_value"] * hasattr(y, "_value"), y))),
)


def innermost(a):
    while hasattr(a, "_node"):
        a = getval(a)
    return a


def grown(z):
    total = anp.sum(z**2)
    while total < 10:
        total = 2 * total
    return total


# --- what Python reads ----------------------------------------------------------------------------------------------


@loss
def closed_over_number():
    alpha = 0.5

    def change(t):
        nonlocal alpha
        alpha = t / 7

    return (lambda z, y: alpha * squares(z)), change


@loss
def global_number():
    def change(t):
        global ALPHA
        ALPHA = t / 7

    return (lambda z, y: ALPHA * squares(z)), change


@loss
def entry_of_a_list():
    return (lambda z, y: LIST[0] * squares(z)), lambda t: operator.setitem(LIST, 0, t / 7)


@loss
def length_of_a_list():
    seen = []
    return (lambda z, y: (1 + len(seen)) * squares(z)), seen.append


@loss
def entry_of_a_dict():
    return (lambda z, y: TABLE["alpha"] * squares(z)), lambda t: TABLE.update(alpha=t / 7)


@loss
def new_entry_of_a_dict():
    table = {}
    return (lambda z, y: table.get("alpha", 0.5) * squares(z)), lambda t: table.update(alpha=t / 7)


@loss
def list_in_a_dict_in_a_tuple():
    inside = ({"a": [[0.5]]},)
    return (lambda z, y: inside[0]["a"][0][0] * squares(z)), lambda t: operator.setitem(inside[0]["a"][0], 0, t / 7)


@loss
def members_of_a_set():
    chosen = {0}
    return (lambda z, y: len(chosen) * squares(z)), chosen.add


@loss
def ends_of_a_deque():
    return (lambda z, y: ENDS[0] * squares(z)), lambda t: ENDS.append(t / 7)


@loss
def counter_of_collections():
    counts = collections.Counter(a=1)
    return (lambda z, y: counts["a"] * squares(z)), lambda t: counts.update("a")


@loss
def default_dict():
    table = collections.defaultdict(lambda: 0.5)
    return (lambda z, y: table["x"] * squares(z)), lambda t: table.update(x=t / 7)


@loss
def chain_map():
    inner = {"a": 0.5}
    chain = collections.ChainMap({}, inner)
    return (lambda z, y: chain["a"] * squares(z)), lambda t: inner.update(a=t / 7)


@loss
def mapping_proxy():
    inner = {"a": 0.5}
    proxy = types.MappingProxyType(inner)
    return (lambda z, y: proxy["a"] * squares(z)), lambda t: inner.update(a=t / 7)


@loss
def array_changed_in_place():
    return (lambda z, y: anp.sum(z * (ARRAY * 2))), lambda t: ARRAY.__setitem__(0, t / 7)


@loss
def array_read_as_number():
    a = np.array([0.5])
    return (lambda z, y: float(a[0]) * squares(z)), lambda t: a.fill(t / 7)


@loss
def array_rebound():
    a = np.ones(3)

    def change(t):
        nonlocal a
        a = np.full(3, t / 7)

    return (lambda z, y: anp.sum(z * a)), change


@loss
def view_of_a_changed_array():
    whole = np.ones(6)
    part = whole[::2]
    return (lambda z, y: anp.sum(z * (part + 0))), lambda t: whole.fill(t / 7)


@loss
def array_of_array():
    a = array.array("d", [0.5])
    return (lambda z, y: a[0] * squares(z)), lambda t: operator.setitem(a, 0, t / 7)


@loss
def bytes_that_change():
    a = bytearray(b"\1")
    return (lambda z, y: a[0] * squares(z)), lambda t: operator.setitem(a, 0, t)


@loss
def memory():
    a = bytearray(b"\1")
    view = memoryview(a)
    return (lambda z, y: view[0] * squares(z)), lambda t: operator.setitem(a, 0, t)


@loss
def array_of_objects():
    a = np.array([[0.5]], dtype=object)
    return (lambda z, y: a[0, 0] * squares(z)), lambda t: operator.setitem(a, (0, 0), t / 7)


@loss
def structured_array():
    a = np.zeros(1, dtype=[("alpha", float)])
    return (lambda z, y: (1 + a["alpha"][0]) * squares(z)), lambda t: operator.setitem(a["alpha"], 0, t / 7)


class Smooth:
    alpha = 0.5

    def __call__(self, z, y):
        return self.alpha * squares(z)

    def method(self, z, y):
        return self._factor() * squares(z)

    def _factor(self):
        return self.alpha

    @property
    def doubled(self):
        return 2 * self.alpha

    def through_property(self, z, y):
        return self.doubled * squares(z)

    @classmethod
    def of_class(cls, z, y):
        return cls.alpha * squares(z)

    @staticmethod
    def of_nothing(z, y):
        return Smooth.alpha * squares(z)


@loss
def attribute_of_a_callable():
    smooth = Smooth()
    smooth.alpha = 0.3
    return smooth, lambda t: setattr(smooth, "alpha", t / 7)


@loss
def attribute_that_hides_the_class_s():
    smooth = Smooth()
    return smooth, lambda t: setattr(smooth, "alpha", t / 7)


@loss
def bound_method():
    smooth = Smooth()
    return smooth.method, lambda t: setattr(smooth, "alpha", t / 7)


@loss
def property_of_an_attribute():
    smooth = Smooth()
    return smooth.through_property, lambda t: setattr(smooth, "alpha", t / 7)


@loss
def attribute_of_a_class():
    class Mine(Smooth):
        alpha = 0.5

    return Mine.of_class, lambda t: setattr(Mine, "alpha", t / 7)


@loss
def attribute_of_a_base():
    class Mine(Smooth):
        pass

    return Mine(), lambda t: setattr(Smooth, "alpha", t / 7)


@loss
def static_method():
    return Smooth.of_nothing, lambda t: setattr(Smooth, "alpha", t / 7)


@loss
def method_replaced():
    class Mine(Smooth):
        def _factor(self):
            return 0.5

    return Mine().method, lambda t: setattr(Mine, "_factor", lambda self: t / 7)


@loss
def slots():
    class Slotted:
        __slots__ = ("alpha",)

        def __call__(self, z, y):
            return self.alpha * squares(z)

    slotted = Slotted()
    slotted.alpha = 0.5
    return slotted, lambda t: setattr(slotted, "alpha", t / 7)


@loss
def getattr_by_name():
    smooth = Smooth()
    return (lambda z, y: getattr(smooth, "al" + "pha") * squares(z)), lambda t: setattr(smooth, "alpha", t / 7)


@loss
def vars_by_name():
    smooth = Smooth()
    smooth.beta = 0.5
    return (lambda z, y: vars(smooth)["beta"] * squares(z)), lambda t: setattr(smooth, "beta", t / 7)


@loss
def dict_of_an_object():
    smooth = Smooth()
    smooth.beta = 0.5
    return (lambda z, y: smooth.__dict__["beta"] * squares(z)), lambda t: setattr(smooth, "beta", t / 7)


@loss
def special_getattr():
    class Lazy:
        def __init__(self):
            self.table = {"alpha": 0.5}

        def __getattr__(self, name):
            return self.table[name]

    lazy = Lazy()
    return (lambda z, y: lazy.alpha * squares(z)), lambda t: lazy.table.update(alpha=t / 7)


@loss
def special_multiplication():
    class Factor:
        value = 0.5

        def __float__(self):
            return self.value

    factor = Factor()
    return (lambda z, y: float(factor) * squares(z)), lambda t: setattr(factor, "value", t / 7)


@loss
def object_made_inside():
    class Factor:
        start = 0.5

        def __init__(self):
            self.value = self.start

    return (lambda z, y: Factor().value * squares(z)), lambda t: setattr(Factor, "start", t / 7)


@loss
def namespace():
    return (lambda z, y: SPACE.alpha * squares(z)), lambda t: setattr(SPACE, "alpha", t / 7)


@loss
def module():
    return (lambda z, y: MODULE.alpha * squares(z)), lambda t: setattr(MODULE, "alpha", t / 7)


@loss
def named_tuple_of_lists():
    Pair = collections.namedtuple("Pair", "a b")
    pair = Pair([0.5], 1)
    return (lambda z, y: pair.a[0] * squares(z)), lambda t: operator.setitem(pair.a, 0, t / 7)


@loss
def list_with_attributes():
    class Lists(list):
        pass

    mine = Lists([1.0])
    mine.alpha = 0.5
    return (lambda z, y: mine.alpha * squares(z)), lambda t: setattr(mine, "alpha", t / 7)


@loss
def default_argument():
    settings = [0.5]

    def f(z, y, settings=settings):
        return settings[0] * squares(z)

    return f, lambda t: operator.setitem(settings, 0, t / 7)


@loss
def keyword_default():
    settings = {"a": 0.5}

    def f(z, y, *, settings=settings):
        return settings["a"] * squares(z)

    return f, lambda t: settings.update(a=t / 7)


@loss
def defaults_replaced():
    def f(z, y, alpha=0.5):
        return alpha * squares(z)

    return f, lambda t: setattr(f, "__defaults__", (t / 7,))


@loss
def code_replaced():
    def f(z, y):
        return 0.5 * squares(z)

    def g(z, y):
        return 0.7 * squares(z)

    return f, lambda t: setattr(f, "__code__", g.__code__)


@loss
def attribute_of_a_function():
    def f(z, y):
        return f.alpha * squares(z)

    f.alpha = 0.5
    return f, lambda t: setattr(f, "alpha", t / 7)


@loss
def helper_replaced():
    def helper(z):
        return 0.5 * squares(z)

    def change(t):
        nonlocal helper
        helper = lambda z: t / 7 * squares(z)  # noqa: E731

    return (lambda z, y: helper(z)), change


@loss
def helper_s_closure():
    table = [0.5]

    def helper(z):
        return table[0] * squares(z)

    return (lambda z, y: helper(z)), lambda t: operator.setitem(table, 0, t / 7)


@loss
def partial_keywords():
    f = functools.partial(lambda z, y, alpha: alpha * squares(z), alpha=0.5)
    return f, lambda t: f.keywords.update(alpha=t / 7)


@loss
def partial_of_a_list():
    table = [0.5]
    return functools.partial(lambda table, z, y: table[0] * squares(z), table), lambda t: operator.setitem(
        table, 0, t / 7
    )


@loss
def cached_helper():
    table = [0.5]

    @functools.cache
    def helper():
        return table[0]

    def change(t):
        table[0] = t / 7
        helper.cache_clear()

    return (lambda z, y: helper() * squares(z)), change


@loss
def cached_property():
    class Lazy:
        table = (0.5, 0.7)
        at = 0

        @functools.cached_property
        def alpha(self):
            return self.table[self.at]

    lazy = Lazy()

    def change(t):
        lazy.__dict__.pop("alpha", None)
        lazy.at = 1

    return (lambda z, y: lazy.alpha * squares(z)), change


@loss
def decorated():
    table = [0.5]

    def scaled(f):
        @functools.wraps(f)
        def g(*args):
            return table[0] * f(*args)

        return g

    return scaled(lambda z, y: squares(z)), lambda t: operator.setitem(table, 0, t / 7)


@loss
def inner_function():
    table = [0.5]

    def f(z, y):
        def inner():
            return [table[0] for _ in range(2)][1]

        return inner() * squares(z)

    return f, lambda t: operator.setitem(table, 0, t / 7)


@loss
def comprehension_of_globals():
    return (lambda z, y: sum([a for a in LIST if a]) * squares(z)), lambda t: operator.setitem(LIST, 1, t / 7)


@loss
def bound_get_of_a_dict():
    table = {"a": 0.5}
    get = table.get
    return (lambda z, y: get("a") * squares(z)), lambda t: table.update(a=t / 7)


@loss
def item_getter():
    table = [0.5]
    first = operator.itemgetter(0)
    return (lambda z, y: first(table) * squares(z)), lambda t: operator.setitem(table, 0, t / 7)


@loss
def attribute_getter():
    smooth = Smooth()
    get = operator.attrgetter("alpha")
    return (lambda z, y: get(smooth) * squares(z)), lambda t: setattr(smooth, "alpha", t / 7)


@loss
def method_caller():
    smooth = Smooth()
    call = operator.methodcaller("_factor")
    return (lambda z, y: call(smooth) * squares(z)), lambda t: setattr(smooth, "alpha", t / 7)


@loss
def weak_reference():
    smooth = Smooth()
    reference = weakref.ref(smooth)
    return (lambda z, y: reference().alpha * squares(z)), lambda t, keep=smooth: setattr(keep, "alpha", t / 7)


@loss
def context_variable():
    return (lambda z, y: VARIABLE.get() * squares(z)), lambda t: VARIABLE.set(t / 7)


@loss
def vectorized_function():
    table = [0.5]
    f = np.vectorize(lambda a: table[0] * a)
    return (lambda z, y: float(f(1.0)) * squares(z)), lambda t: operator.setitem(table, 0, t / 7)


@loss
def fraction():
    value = fractions.Fraction(1, 2)

    def change(t):
        nonlocal value
        value = fractions.Fraction(t, 7)

    return (lambda z, y: float(value) * squares(z)), change


@loss
def decimal_number():
    value = decimal.Decimal("0.5")

    def change(t):
        nonlocal value
        value = decimal.Decimal(t) / 7

    return (lambda z, y: float(value) * squares(z)), change


@loss
def member_of_an_enum():
    Kind = enum.Enum("Kind", "A B")
    kind = Kind.A

    def change(t):
        nonlocal kind
        kind = Kind.B

    return (lambda z, y: kind.value * squares(z)), change


@loss
def zero_and_minus_zero():
    zero = 0.0

    def change(t):
        nonlocal zero
        zero = -0.0

    return (lambda z, y: squares(z) * (math.copysign(1.0, zero) + 2)), change


@loss
def one_and_true():
    one = 1

    def change(t):
        nonlocal one
        one = True

    return (lambda z, y: squares(z) * (2.0 if one is True else 1.0)), change


@loss
def primitive_that_reads():
    table = [0.5]

    @primitive
    def scaled(x):
        return table[0] * x

    defvjp(scaled, lambda ans, x: lambda g: table[0] * g)
    return (lambda z, y: anp.sum(scaled(z))), lambda t: operator.setitem(table, 0, t / 7)


@loss
def derivative_that_reads():
    table = [0.5]

    @primitive
    def through(x):
        return np.sign(x)

    defvjp(through, lambda ans, x: lambda g: table[0] * g)
    return (lambda z, y: anp.sum(through(z))), lambda t: operator.setitem(table, 0, t / 7)


@loss
def property_of_a_metaclass():
    class Meta(type):
        value = 0.5

        @property
        def alpha(cls):
            return cls.value

    class Mine(metaclass=Meta):
        pass

    return (lambda z, y: Mine.alpha * squares(z)), lambda t: setattr(Meta, "value", t / 7)


@loss
def getattr_of_a_module():
    table, lazy = {"alpha": 0.5}, types.ModuleType("lazy")
    lazy.__getattr__ = lambda name: table[name]
    return (lambda z, y: lazy.alpha * squares(z)), lambda t: table.update(alpha=t / 7)


@loss
def another_class():
    class One:
        alpha = 0.5

    class Other:
        alpha = 0.7

    mine = One()
    return (lambda z, y: mine.alpha * squares(z)), lambda t: setattr(mine, "__class__", Other)


@loss
def number_of_subclasses():
    class Base:
        pass

    made = []
    return (
        lambda z, y: (1 + len(Base.__subclasses__())) * squares(z),
        lambda t: made.append(type("Made", (Base,), {})),
    )


@loss
def what_it_prints():
    class Printed:
        n = 1

        def __repr__(self):
            return "x" * self.n

    printed = Printed()
    return (lambda z, y: len(f"{printed!r}") * squares(z)), lambda t: setattr(printed, "n", t)


@loss
def what_it_equals():
    class Equal:
        n = 1

        def __eq__(self, other):
            return self.n == other

        __hash__ = None

    equal = Equal()
    return (lambda z, y: squares(z) * (2.0 if equal == 1 else 1.0)), lambda t: setattr(equal, "n", t)


@loss
def a_descriptor():
    class Descriptor:
        value = 0.5

        def __get__(self, instance, owner):
            return self.value

    class Mine:
        alpha = Descriptor()

    mine = Mine()
    return (lambda z, y: mine.alpha * squares(z)), lambda t: setattr(vars(Mine)["alpha"], "value", t / 7)


@loss
def a_mapping_of_its_own():
    class Table(collections.abc.Mapping):
        scale = 1.0

        def __len__(self):
            return 1

        def __iter__(self):
            return iter("a")

        def __getitem__(self, key):
            return self.scale

    table = Table()
    return (lambda z, y: table["a"] * squares(z)), lambda t: setattr(table, "scale", t / 7)


@loss
def a_module_by_name():
    sys.modules["breaking_settings"] = MODULE
    return (lambda z, y: sys.modules["breaking_settings"].alpha * squares(z)), lambda t: setattr(MODULE, "alpha", t / 7)


@loss
def a_partial_method():
    class Mine:
        table = (0.5, 0.7)
        at = 0

        def scaled(self, factor, z):
            return factor * self.table[self.at] * squares(z)

        twice = functools.partialmethod(scaled, 2)

    mine = Mine()
    return (lambda z, y: mine.twice(z)), lambda t: setattr(mine, "at", 1)


class Late:
    def alpha_of(self):
        return self.alpha if hasattr(self, "alpha") else 0.5


@loss
def attribute_that_comes_later():
    late = Late()
    return (lambda z, y: late.alpha_of() * squares(z)), lambda t: setattr(late, "alpha", t / 7)


@loss
def default_of_getattr():
    late = Late()
    return (lambda z, y: getattr(late, "beta", 0.5) * squares(z)), lambda t: setattr(late, "beta", t / 7)


@loss
def slot_that_is_filled_later():
    class Slotted:
        __slots__ = ("alpha",)

    slotted = Slotted()

    def f(z, y):
        try:
            return slotted.alpha * squares(z)
        except AttributeError:
            return 0.5 * squares(z)

    return f, lambda t: setattr(slotted, "alpha", t / 7)


@loss
def method_added_to_a_subclass():
    class Mine(Smooth):
        pass

    return Mine().method, lambda t: setattr(Mine, "_factor", lambda self: t / 7)


@dataclasses.dataclass
class Settings:
    alpha: float = 0.5


@loss
def settings_as_a_dict():
    mine = Settings()
    return (lambda z, y: dataclasses.asdict(mine)["alpha"] * squares(z)), lambda t: setattr(mine, "alpha", t / 7)


@loss
def settings_compared():
    mine = Settings()
    return (lambda z, y: squares(z) * (2.0 if mine == Settings() else 1.0)), lambda t: setattr(mine, "alpha", t / 7)


@loss
def settings_matched():
    mine = Settings()

    def f(z, y):
        match mine:
            case Settings(alpha=value):
                return value * squares(z)

    return f, lambda t: setattr(mine, "alpha", t / 7)


@loss
def settings_formatted():
    mine = Settings()
    return (lambda z, y: float(f"{mine.alpha}") * squares(z)), lambda t: setattr(mine, "alpha", t / 7)


@loss
def method_of_an_enum():
    table = [0.5]

    class Kind(enum.Enum):
        A = 1

        def factor(self):
            return table[0]

    kind = Kind.A
    return (lambda z, y: kind.factor() * squares(z)), lambda t: operator.setitem(table, 0, t / 7)


@loss
def shape_changed_in_place():
    a = np.arange(6.0).reshape(2, 3)

    def change(t):
        a.shape = (3, 2) if a.shape == (2, 3) else (2, 3)

    return (lambda z, y: squares(z) * a.shape[0] * float(a[1, 0])), change


@loss
def record_of_a_structured_array():
    a = np.zeros(1, dtype=[("alpha", float)])
    record = a[0]
    return (lambda z, y: (1 + record["alpha"]) * squares(z)), lambda t: operator.setitem(a["alpha"], 0, t / 7)


@loss
def ufunc_of_a_function():
    table = [0.5]
    f = np.frompyfunc(lambda a: table[0] * a, 1, 1)
    return (lambda z, y: float(f(1.0)) * squares(z)), lambda t: operator.setitem(table, 0, t / 7)


@loss
def number_of_ones_own_class():
    class Number(float):
        def __float__(self):
            return self.value

    number = Number(0.5)
    number.value = 0.5
    return (lambda z, y: float(number) * squares(z)), lambda t: setattr(number, "value", t / 7)


@loss
def derivative_replaced():
    @primitive
    def through(x):
        return np.sign(x)

    defvjp(through, lambda ans, x: lambda g: 0.5 * g)
    return (lambda z, y: anp.sum(through(z))), lambda t: defvjp(through, lambda ans, x: lambda g: t / 7 * g)


@loss
def refusal_that_is_caught():
    def f(z, y):
        try:
            if anp.max(z) > 1.5:
                return 3 * squares(z)
        except Exception:
            pass
        return squares(z)

    return f, None


# --- what changes by itself ------------------------------------------------------------------------------------------


@loss
def counter():
    class Counted:
        calls = 0

        def __call__(self, z, y):
            self.calls += 1
            return squares(z) * (2.0 if self.calls > 12 else 1.0)

    return Counted(), lambda t: None


@loss
def global_counter():
    def f(z, y):
        global COUNT
        COUNT += 1
        return squares(z) * (2.0 if COUNT > 12 else 1.0)

    return f, lambda t: None


@loss
def counter_in_a_list():
    calls = [0]

    def f(z, y):
        calls[0] += 1
        return squares(z) * (2.0 if calls[0] > 12 else 1.0)

    return f, lambda t: None


@loss
def counter_of_itertools():
    count = itertools.count()
    return (lambda z, y: squares(z) * (2.0 if next(count) > 12 else 1.0)), lambda t: None


@loss
def generator():
    factors = (2.0 if k > 12 else 1.0 for k in itertools.count())
    return (lambda z, y: squares(z) * next(factors)), lambda t: None


@loss
def iterator_of_a_list():
    factors = iter([1.0] * 12 + [2.0] * 100)
    return (lambda z, y: squares(z) * next(factors)), lambda t: None


@loss
def cycle():
    factors = itertools.cycle([1.0] * 12 + [2.0])
    return (lambda z, y: squares(z) * next(factors)), lambda t: None


@loss
def list_that_grows():
    seen = []

    def f(z, y):
        seen.append(None)
        return squares(z) * (2.0 if len(seen) > 12 else 1.0)

    return f, lambda t: None


@loss
def array_that_counts():
    calls = np.zeros(1)

    def f(z, y):
        calls[0] += 1
        return squares(z) * (2.0 if calls[0] > 12 else 1.0)

    return f, lambda t: None


@loss
def random_of_python():
    return (lambda z, y: squares(z) * (2.0 if random.random() > 0.9 else 1.0)), lambda t: None


@loss
def random_object():
    return (lambda z, y: squares(z) * (2.0 if RANDOM.random() > 0.9 else 1.0)), lambda t: None


@loss
def random_generator():
    return (lambda z, y: squares(z) * (2.0 if GENERATOR.random() > 0.9 else 1.0)), lambda t: None


@loss
def clock():
    start = time.time()
    return (lambda z, y: squares(z) * (2.0 if time.time() < start else 1.0)), lambda t: None


@loss
def clock_by_name():
    now = time.perf_counter
    start = now()
    return (lambda z, y: squares(z) * (2.0 if now() < start else 1.0)), lambda t: None


@loss
def today():
    return (lambda z, y: squares(z) * (2.0 if datetime.datetime.now().year > 9998 else 1.0)), lambda t: None


@loss
def environment():
    os.environ["MINISAM_TEST_ALPHA"] = "0.5"
    return (
        lambda z, y: squares(z) * float(os.environ["MINISAM_TEST_ALPHA"]),
        lambda t: os.environ.update(MINISAM_TEST_ALPHA=str(t / 7)),
    )


@loss
def environment_by_name():
    environ = os.environ
    environ["MINISAM_TEST_BETA"] = "0.5"
    return (
        lambda z, y: squares(z) * float(environ["MINISAM_TEST_BETA"]),
        lambda t: environ.update(MINISAM_TEST_BETA=str(t / 7)),
    )


@loss
def evaluated_text():
    return (lambda z, y: squares(z) * eval("ALPHA")), lambda t: globals().update(ALPHA=t / 7)


@loss
def globals_by_name():
    return (lambda z, y: squares(z) * globals()["ALPHA"]), lambda t: globals().update(ALPHA=t / 7)


@loss
def number_from_a_file():
    handle, path = tempfile.mkstemp(text=True)
    os.close(handle)

    def change(t):
        Path(path).write_text(str(t / 7))

    def f(z, y):
        with open(path) as text:
            return squares(z) * float(text.read())

    change(0)
    return f, change


@loss
def median_of_a_list():
    table = [0.5, 0.6]
    return (lambda z, y: statistics.median(table) * squares(z)), lambda t: operator.setitem(table, 0, t / 7)


@loss
def imported_inside():
    def f(z, y):
        import breaking_losses

        return breaking_losses.ALPHA * squares(z)

    return f, lambda t: globals().update(ALPHA=t / 7)


@loss
def imported_name_inside():
    def f(z, y):
        from breaking_losses import ALPHA as alpha

        return alpha * squares(z)

    return f, lambda t: globals().update(ALPHA=t / 7)
