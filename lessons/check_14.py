"""The exercises of lesson 14."""

import numpy as np
from check import at, judge, sorts


def factors(yours):
    points = [(4.0,), (0.3,)]
    mistakes = {
        "the bias b0 stands inside the relu: it has to grow with W0 x": lambda c: [c, 1, 1 / c, 1],
        "b1 comes after the second layer has made up for c: leave it": lambda c: [c, c, 1 / c, 1 / c],
        "the second layer has to divide what the first multiplied": lambda c: [c, c, c, 1],
        "W0 should become c W0": lambda c: [1 / c, 1 / c, c, 1],
        "that is the same network": lambda c: [1, 1, 1, 1],
        "that is the square: a linear layer passes a factor on as it is": lambda c: [c, c, 1 / c**2, 1],
    }
    wrong = {why: np.array([f(*point) for point in points]) for why, f in mistakes.items()}
    return judge(at(yours, points), np.array([[c, c, 1 / c, 1] for (c,) in points]), wrong, "factors")


def curvature(yours):
    points = [(6.0, 3.0), (0.7, 0.4)]
    h, c = np.array(points).T
    mistakes = {
        "the loss is the same at c w: moving c w by ε is moving w by ε/c, and the rise goes with the square": h / c,
        "along a weight that is c times as large, everything is c times as wide: flatter, not sharper": h * c**2,
        "a larger weight is a wider landscape; and the rise goes with the square of the distance": h * c,
        "the function of the input stays; its dependence on this weight does not": h,
    }
    return judge(at(yours, points), h / c**2, mistakes, "curvature")


MEASURES = {  # name: (measure, whether it stays the same, what a test that is wrong about it has overlooked)
    "max h": (lambda h, w: np.max(h), False, "it does not even look at w: rescale h as well as w"),
    "Σ h": (lambda h, w: np.sum(h), False, "it does not even look at w: rescale h as well as w"),
    "max h w²": (lambda h, w: np.max(h * w**2), True, "a weight that becomes c w gets the curvature h/c²"),
    "Σ h w²": (lambda h, w: np.sum(h * w**2), True, "a weight that becomes c w gets the curvature h/c²"),
    "max h · max w²": (lambda h, w: np.max(h) * np.max(w**2), False, "one factor for all weights does not show it"),
    "Σ h · Σ w²": (lambda h, w: np.sum(h) * np.sum(w**2), False, "one factor for all weights does not show it"),
    "h₀ w₁²": (lambda h, w: h[0] * w[1] ** 2, False, "each weight needs a factor of its own"),
    "h₁ w₂²": (lambda h, w: h[1] * w[2] ** 2, False, "each weight needs a factor of its own"),
    "max h |w|": (lambda h, w: np.max(h * np.abs(w)), False, "a factor −1 changes nothing: take others"),
}


def cannot_be_fooled(yours):
    h, w = np.array([3.0, 0.5, 1.7, 0.2]), np.array([0.4, -2.0, 1.3, 0.9])
    cases = []
    for name, (measure, is_same, why) in MEASURES.items():
        can = "cannot be fooled" if is_same else "can be fooled"
        cases.append((is_same, f"{name} {can}, and your test says otherwise: {why}", (measure, h, w)))
    return sorts(yours, cases)
