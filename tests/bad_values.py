"""Values that an argument must not take, by its kind; and those that mean the same as a good one.

A kind is a function of the argument's good value. It returns label -> (value, what has to happen):

    BAD     the call has to be refused
    SAME    the value means the same as the good one: the call gives the same result, or refuses it
    FINE    another good value: nothing is said of the result
"""

import datetime
import decimal
import fractions
import math

import numpy as np

BAD, SAME, FINE = "bad", "same", "fine"
MASKED = np.ma.array([0.5, 0.25], mask=[True, False])

OBJECTS = {
    "text": "0.5",
    "bytes": b"1",
    "None": None,
    "a Decimal": decimal.Decimal(1),
    "a Fraction": fractions.Fraction(1, 2),
    "a complex number": 1j,
    "NumPy's date": np.datetime64("2020-01-01"),
    "NumPy's duration": np.timedelta64(1, "D"),
    "a date": datetime.date(2020, 1, 1),
    "an object": object(),
    "a dict": {},
    "a set": {1},
    "a ragged list": [[0.1], [0.1, 0.2]],
    "a list of text": ["a", "b"],
    "a type": int,
    "an array of text": np.array(["a", "b"]),
    "an array of objects": np.array([None, 1.0], dtype=object),
    "a complex array": np.array([[1j]]),
    "a masked array": MASKED,
    "an array of dates": np.array([["2020-01-01"]], dtype="datetime64[D]"),
    "an empty array": np.zeros(0),
    "a structured array": np.zeros(2, dtype=[("a", "f4")]),
}


def bad(values, without=()):
    return {label: (value, BAD) for label, value in values.items() if label not in without}


# --- numbers ---------------------------------------------------------------------------------------------------------


def number(low=0.0, high=math.inf, open_low=False, open_high=False, swept=True, optional=False, infinite=False):
    """A real number of an interval; where it is swept, also an array (..., 1)."""

    def values(good):
        found = bad(OBJECTS, without=["None"] if optional else [])
        found |= bad({"True": True, "NumPy's True": np.True_, "NaN": math.nan, "NumPy's NaN": np.float32("nan")})
        found |= bad(
            {"(2,)": np.full(2, 0.5), "(1, 2)": np.full((1, 2), 0.5), "an array with NaN": np.array([[math.nan]])}
        )
        found |= bad({} if infinite else {"∞": math.inf, "an array with ∞": np.array([[math.inf]])})
        found |= bad({"below": low - 1, "an array below": np.array([[low - 1.0]])} if low > -math.inf else {})
        found |= bad({"above": high + 1} if high < math.inf else {})
        found |= bad({"the low end": low} if open_low else {}) | bad({"the high end": high} if open_high else {})
        if good is not None and np.ndim(good) == 0 and not callable(good):
            found |= {"NumPy's number": (np.float64(good), SAME), "a number in float32": (np.float32(good), SAME)}
            found |= {"an array ()": (np.array(float(good)), SAME)}
            found |= {} if swept else bad({"(1,)": np.full(1, float(good)), "(2, 1)": np.full((2, 1), float(good))})
        return found

    return values


share = number(high=1.0)
plain = number(swept=False)
plain_share = number(high=1.0, swept=False)
positive = number(open_low=True, swept=False)
real = number(low=-math.inf, swept=False)


def order(good):
    """p of a norm."""
    return number(low=1.0, swept=False, infinite=True)(good)


def count(least=1, most=None, optional=False):
    """A whole number."""

    def values(good):
        found = bad(OBJECTS, without=["None"] if optional else [])
        found |= bad({"True": True, "NaN": math.nan, "∞": math.inf, "2.5": 2.5, "3.0": 3.0, "-1": -1, "-10": -10})
        found |= bad({"NumPy's 2.5": np.float64(2.5), "[3]": [3], "an array (1,)": np.array([3]), "10³⁰": 10**30})
        found |= bad({"below": least - 1}) | (bad({"above": most + 1}) if most is not None else {})
        return found | {"NumPy's whole number": (np.int32(good), SAME), "NumPy's int64": (np.int64(good), SAME)}

    return values


seed = count(0)


def random_seed(good):
    """A seed, or an array (..., 1) of them."""
    found = {key: case for key, case in seed(good).items() if key not in ("3.0", "an array (1,)", "[3]")}
    return found | bad({"(2,)": np.array([1, 2]), "halves": np.array([[0.5]]), "negative": np.array([[-1], [2]])})


def seeds(good):
    """A seed, or a sequence of them."""
    found = {key: case for key, case in seed(good).items() if key not in ("an array (1,)", "[3]")}
    return found | bad({"halves": [0.5, 1.5], "negative": [-1, 2], "no seed": [], "truth values": [True, False]})


def truth(good):
    found = bad(OBJECTS) | bad({"1": 1, "0": 0, "NaN": math.nan, "yes": "yes", "an array": np.array([True, False])})
    return found | {"NumPy's truth value": (np.bool_(good), SAME)}


def mask_or_truth(good):
    """True, False, or an array (n,) of them."""
    found = {key: case for key, case in truth(good).items() if key != "an array"}
    return found | bad({"(2,)": np.array([True, False]), "numbers": np.array([1.0, 2.0])})


def choice(good):
    """A name of a few."""
    found = bad(OBJECTS, without=["None"] if good is None else [])
    return found | bad(
        {"another name": "another", "a number": 3, "": "", "a list": [good], "in capitals": f"{good}".upper()}
    )


def word(good):
    """A text that is free, such as a label."""
    return bad(OBJECTS, without=["text", "bytes", "None"] if good is None else ["text"]) | bad(
        {"a number": 3, "NaN": math.nan}
    )


# --- arrays ----------------------------------------------------------------------------------------------------------


def array(ndim=None, kinds="f", fixed=True, empty=False, finite=False, optional=False, last=None):
    """An array of floats ("f") or whole numbers ("i"); `fixed` if its last axis has to meet another argument's."""

    def values(good):
        good = np.asarray(good if good is not None else np.full(4, 0.5))
        found = bad(OBJECTS, without=["None"] if optional else [])
        found |= bad({"a number": 0.5, "True": True, "a name": "weights", "a function": abs})
        found |= bad({"complex": good * 1j, "objects": good.astype(object), "texts": good.astype(str)})
        found |= bad({"masked": np.ma.array(good, mask=np.zeros(good.shape))})
        found |= bad({"dates": good.astype("int64").astype("datetime64[D]"), "truth values": good > 0})
        found |= bad({"a list of objects": [object()] * 4})
        found |= bad({} if empty else {"nothing": good[..., :0]})
        if ndim is not None:
            found |= bad({"an axis less": good.reshape(good.shape[1:] if good.ndim == 0 else -1)} if ndim > 1 else {})
        found |= bad({"a column more": np.concatenate([good, good[..., :1]], axis=-1)} if fixed and good.ndim else {})
        if kinds == "i":
            found |= bad({"floats": good.astype("float64"), "halves": good + 0.5, "NaN": good * math.nan})
            found |= (
                {"uint8": (good.astype("uint8"), SAME), "int16": (good.astype("int16"), SAME)}
                if good.min() >= 0
                else {}
            )
        if finite:
            found |= bad({"NaN": good * math.nan, "∞": good + math.inf})
        found |= {"big-endian": (good.astype(good.dtype.newbyteorder(">")), SAME), "a list": (good.tolist(), SAME)}
        found |= {"read-only": (read_only(good), SAME), "every other": (np.repeat(good, 2, axis=-1)[..., ::2], SAME)}
        return found | {"in Fortran's order": (np.asfortranarray(good), SAME)}

    return values


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


weights = array()
free = array(fixed=False)
labels = array(kinds="i")


def sizes(good):
    """A sequence of counts."""
    found = bad(OBJECTS) | bad(
        {"a number": 3, "True": True, "NaN": [math.nan] * len(good), "∞": [math.inf] * len(good)}
    )
    found |= bad({"halves": [n + 0.9 for n in good], "negative": [-n for n in good], "zeros": [0] * len(good)})
    found |= bad(
        {"truth values": [True] * len(good), "texts": [str(n) for n in good], "none": [], "floats": [4.0] * len(good)}
    )
    return found | {"an array": (np.array(good), SAME), "NumPy's numbers": ([np.int64(n) for n in good], SAME)}


# --- objects ---------------------------------------------------------------------------------------------------------


def thing(*others):
    """An object of a kind: an optimizer, a model, data."""

    def values(good):
        found = bad(OBJECTS) | bad({"a number": 3, "True": True, "a name": "sgd", "a function": abs, "a list": [good]})
        return found | bad({f"other {k}": other for k, other in enumerate(others)})

    return values


def optional(kind):
    """The kind, and None."""

    def values(good):
        return {label: case for label, case in kind(good).items() if label != "None"}

    return values


def function(arguments, result=True):
    """A function of so many arguments."""
    too_many = {
        0: lambda a: a,
        1: lambda a, b: a,
        2: lambda a, b, c: a,
        3: lambda a, b, c, d: a,
    }[arguments]

    def values(good):
        found = bad(OBJECTS, without=["a type"]) | bad({"a number": 3, "True": True, "a name": "mse", "a list": [good]})
        found |= bad({"too many arguments": too_many})
        found |= bad({"none": lambda: 0} if arguments else {})
        results = {"None": None, "text": "a", "an object": object(), "a dict": {}, "complex": 1j}
        return found | bad({f"returns {label}": lambda *_, r=r: r for label, r in results.items()} if result else {})

    return values


def path(good):
    """A file that is written."""
    found = bad({"a number": 3.5, "None": None, "an object": object(), "a list": [good], "a dict": {}, "True": True})
    return found | bad({"a missing folder": "/nowhere/at/all/a.npz", "a folder": "/tmp", "": "", "a NUL": "/tmp/a\0b"})


def mapping(*bad_entries):
    """A mapping of labels to something."""

    def values(good):
        label = next(iter(good))
        found = bad(OBJECTS) | bad({"a number": 3, "True": True, "a list": [good], "a name": "runs", "a function": abs})
        entries = [None, 3, "text", object(), {}, [], *bad_entries]
        return found | bad({f"an entry {k}": {label: entry} for k, entry in enumerate(entries)})

    return values
