"""The exercises of lesson 14."""

import numpy as np
from check import judge


def factors(yours):
    c = 4.0
    mistakes = {
        "the bias b0 stands inside the relu: it has to grow with W0 x": np.array([c, 1, 1 / c, 1]),
        "b1 comes after the second layer has made up for c: leave it": np.array([c, c, 1 / c, 1 / c]),
        "the second layer has to divide what the first multiplied": np.array([c, c, c, 1]),
        "W0 should become c W0": np.array([1 / c, 1 / c, c, 1]),
        "that is the same network": np.ones(4),
        "that is the square: a linear layer passes a factor on as it is": np.array([c, c, 1 / c**2, 1]),
    }
    return judge(yours(c), np.array([c, c, 1 / c, 1]), mistakes, "factors")


def curvature(yours):
    h, c = 6.0, 2.0
    mistakes = {
        "the loss is the same at c w: moving c w by ε is moving w by ε/c, and the rise goes with the square": h / c,
        "along a weight that is c times as large, everything is c times as wide: flatter, not sharper": h * c**2,
        "a larger weight is a wider landscape; and the rise goes with the square of the distance": h * c,
        "the function of the input stays; its dependence on this weight does not": h,
    }
    return judge(yours(h, c), h / c**2, mistakes, "curvature")


def adaptive_worst(yours):
    h, w, rho = np.array([8.0, 0.5, 1.5]), np.array([0.5, -3.0, 2.0]), 0.1
    mistakes = {
        "that is the ordinary ball; here a weight may move by ρ|w|": rho**2 * np.max(h) / 2,
        "the loss has a factor ½": rho**2 * np.max(h * w**2),
        "εᵢ is up to ρ|wᵢ|, and the rise goes with its square: w²": rho**2 * np.max(h * np.abs(w)) / 2,
        "one ball for all weights: only one of them can take all of ρ": rho**2 * np.sum(h * w**2) / 2,
        "the worst curvature and the largest weight need not be of one and the same direction": rho**2
        * np.max(h)
        * np.max(w**2)
        / 2,
    }
    return judge(yours(h, w, rho), rho**2 * np.max(h * w**2) / 2, mistakes, "rise")
