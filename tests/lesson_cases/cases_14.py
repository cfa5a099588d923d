"""Answers to the exercises of lesson 14: (check, answer, what the check says of it; None if it is right)."""

import check_14
import numpy as np


def same_after(c, of_h=True, times=None):
    """A test of a measure with these factors, for each weight."""

    def test(measure, h, w):
        factor = np.resize(c, len(w)) if times is None else times(w)
        return np.isclose(measure(h / factor**2 if of_h else h, factor * w), measure(h, w))

    return test


def drawn(measure, h, w):
    c = np.exp(np.random.default_rng(3).standard_normal(len(h)))
    return float(abs(measure(h / c**2, c * w) / measure(h, w) - 1) < 1e-6)


def many_times(measure, h, w):
    factors = [np.random.default_rng(k).uniform(0.1, 3, len(h)) for k in range(5)]
    return all(abs(measure(h / c**2, w * c) - measure(h, w)) < 1e-9 for c in factors)


CASES = [
    (check_14.factors, lambda c: np.array([c, c, 1 / c, 1]), None),
    (check_14.factors, lambda c: [c, c, c**-1.0, 1.0], None),
    (check_14.factors, lambda c: (c, c, 1 / c, c / c), None),
    (check_14.factors, lambda c: np.exp(np.log(c) * np.array([1, 1, -1, 0])), None),
    (check_14.factors, lambda c: np.array([c, 1, 1 / c, 1]), "inside the relu"),
    (check_14.factors, lambda c: np.array([c, c, 1 / c, 1 / c]), "leave it"),
    (check_14.factors, lambda c: np.array([c, c, c, 1]), "has to divide"),
    (check_14.factors, lambda c: np.array([1 / c, 1 / c, c, 1]), "should become c W0"),
    (check_14.factors, lambda c: np.ones(4), "the same network"),
    (check_14.factors, lambda c: [c, c, c**-2, 1], "the square"),
    (check_14.factors, lambda c: [4, 4, 0.25, 1], "off by up to"),
    (check_14.factors, lambda c: [c, 1 / c], "should have shape"),
    (check_14.factors, lambda c: ["c", "c", "1/c", "1"], "should be numbers"),
    (check_14.curvature, lambda h, c: h / c**2, None),
    (check_14.curvature, lambda h, c: h * c**-2, None),
    (check_14.curvature, lambda h, c: (np.sqrt(h) / c) ** 2, None),
    (check_14.curvature, lambda h, c: h / c / c, None),
    (check_14.curvature, lambda h, c: h / c, "moving w by ε/c"),
    (check_14.curvature, lambda h, c: h * c**2, "flatter, not sharper"),
    (check_14.curvature, lambda h, c: h * c, "a wider landscape"),
    (check_14.curvature, lambda h, c: h, "its dependence on this weight"),
    (check_14.curvature, lambda h, c: h / 2**c, "off by up to"),
    (check_14.curvature, lambda h, c: -h / c**2, "off by up to"),
    (check_14.curvature, lambda h, c: 6 / 9, "off by up to"),
    (check_14.curvature, lambda h, c: h / (2 * c), "off by up to"),
    (check_14.cannot_be_fooled, same_after([1.5, 0.7, 2.0]), None),
    (check_14.cannot_be_fooled, same_after([0.5, 2.0, 3.0, 7.0]), None),
    (check_14.cannot_be_fooled, drawn, None),
    (check_14.cannot_be_fooled, many_times, None),
    (check_14.cannot_be_fooled, lambda measure, h, w: True, "max h can be fooled"),
    (check_14.cannot_be_fooled, lambda measure, h, w: False, "max h w² cannot be fooled"),
    (check_14.cannot_be_fooled, same_after([2.0]), "max h · max w² can be fooled"),
    (check_14.cannot_be_fooled, same_after([1.0]), "max h can be fooled"),
    (check_14.cannot_be_fooled, same_after([-1.0, 1.0]), "max h can be fooled"),
    (check_14.cannot_be_fooled, same_after([1.5, 0.7, 2.0], of_h=False), "max h can be fooled"),
    (check_14.cannot_be_fooled, same_after([2.0, 1.0, 1.0, 1.0]), "can be fooled"),
    (
        check_14.cannot_be_fooled,
        lambda measure, h, w: np.isclose(measure(h, 2 * w), measure(h, w)),
        "max h can be fooled",
    ),
]
