"""The exercises of lesson 04."""

import numpy as np
from check import judge


def at_worst(yours):
    h, rho = np.array([2.0, 7.0, 4.0]), 0.3
    mistakes = {
        "the loss has a factor ½": rho**2 * 7.0,
        "that is all of ρ along every direction at once: then ‖ε‖ is longer than ρ": rho**2 * h.sum() / 2,
        "the curvature counts the square of the distance": rho * 7.0 / 2,
        "that is the flattest direction; the worst is the steepest": rho**2 * h.min() / 2,
        "that is the mean over the directions; this is the worst case": rho**2 * h.mean() / 2,
    }
    return judge(yours(h, rho), rho**2 * 7.0 / 2, mistakes, "rise")


def on_average(yours):
    h, sigma = np.array([2.0, 7.0, 4.0]), 0.3
    mistakes = {
        "the loss has a factor ½": sigma**2 * h.sum(),
        "every direction has its own ε of variance σ²: the rises add up": sigma**2 * h.mean() / 2,
        "that is one direction alone": sigma**2 * h.max() / 2,
        "σ is the standard deviation; ε² has the mean σ²": sigma * h.sum() / 2,
    }
    return judge(yours(h, sigma), sigma**2 * h.sum() / 2, mistakes, "rise")


def normalised(yours):
    rng = np.random.default_rng(0)
    W, d = rng.standard_normal((2, 3, 2))

    def length(a, axis=0):
        return np.linalg.norm(a, axis=axis, keepdims=True)

    mistakes = {
        "a filter is a column of W, what one output unit sees; that went by rows": d * length(W, 1) / length(d, 1),
        "every filter has its own length; that is one length for the whole matrix": d
        * length(W, None)
        / length(d, None),
        "now each column has the length 1: multiply by that of W's": d / length(d),
        "divide by the length that the column of d has already": d * length(W),
        "that is W's direction with d's length; the direction should stay d's": W * length(d) / length(W),
    }
    return judge(yours(W, d), d * length(W) / length(d), mistakes, "direction")
