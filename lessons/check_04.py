"""The exercises of lesson 04."""

import numpy as np
from check import probe


def at_worst(yours):
    points = [(np.array([2.0, 7.0, 4.0]), 0.3), (np.array([3.1, 0.4, 1.6, 0.2]), 0.7)]
    mistakes = {
        "the loss has a factor ½": lambda h, rho: rho**2 * h.max(),
        "that is all of ρ along every direction at once: then ‖ε‖ is longer than ρ": lambda h, rho: (
            rho**2 * h.sum() / 2
        ),
        "the curvature counts the square of the distance": lambda h, rho: rho * h.max() / 2,
        "that is the flattest direction; the worst is the steepest": lambda h, rho: rho**2 * h.min() / 2,
        "that is the mean over the directions; this is the worst case": lambda h, rho: rho**2 * h.mean() / 2,
        "that is the middle one of the directions": lambda h, rho: rho**2 * np.median(h) / 2,
        "that is for one place in the list; which direction is the steepest?": lambda h, rho: rho**2 * h[0] / 2,
        "the distance is squared, the curvature is not": lambda h, rho: rho**2 * h.max() ** 2 / 2,
        "that is the slope at the rim; how far has the loss risen?": lambda h, rho: rho * h.max(),
        "one step along all directions alike is not the worst: go along the steepest alone": lambda h, rho: (
            rho**2 * np.sqrt((h**2).sum()) / 2
        ),
    }
    return probe(yours, points, lambda h, rho: rho**2 * h.max() / 2, mistakes, "rise")


def on_average(yours):
    points = [(np.array([2.0, 7.0, 4.0]), 0.3), (np.array([3.1, 0.4, 1.6, 0.2]), 0.7)]
    mistakes = {
        "the loss has a factor ½": lambda h, sigma: sigma**2 * h.sum(),
        "every direction has its own ε of variance σ²: the rises add up": lambda h, sigma: sigma**2 * h.mean() / 2,
        "that is one direction alone": lambda h, sigma: sigma**2 * h.max() / 2,
        "σ is the standard deviation; ε² has the mean σ²": lambda h, sigma: sigma * h.sum() / 2,
        "that is the flattest direction alone": lambda h, sigma: sigma**2 * h.min() / 2,
        "ε is squared, so its mean 0 does not make the rise 0": lambda h, sigma: 0.0,
        "εᵢ is squared, the curvature is not": lambda h, sigma: sigma**2 * (h**2).sum() / 2,
        "the mean of ε² is σ², not of ε⁴": lambda h, sigma: sigma**4 * h.sum() / 2,
        "the curvatures add up as they are, not as lengths": lambda h, sigma: sigma**2 * np.sqrt((h**2).sum()) / 2,
    }
    return probe(yours, points, lambda h, sigma: sigma**2 * h.sum() / 2, mistakes, "rise")


def normalised(yours):
    rng = np.random.default_rng(0)
    points = [tuple(rng.standard_normal((2, 3, 2))) for _ in range(2)]

    def length(a, axis=0):
        return np.linalg.norm(a, axis=axis, keepdims=True)

    mistakes = {
        "a filter is a column of W, what one output unit sees; that went by rows": lambda W, d: (
            d * length(W, 1) / length(d, 1)
        ),
        "every filter has its own length; that is one length for the whole matrix": lambda W, d: (
            d * length(W, None) / length(d, None)
        ),
        "now each column has the length 1: multiply by that of W's": lambda W, d: d / length(d),
        "divide by the length that the column of d has already": lambda W, d: d * length(W),
        "that is W's direction with d's length; the direction should stay d's": lambda W, d: W * length(d) / length(W),
        "the wrong way round: W's length has to multiply": lambda W, d: d * length(d) / length(W),
        "that is the sum of squares; a length is its root": lambda W, d: d * length(W) ** 2 / length(d) ** 2,
        "a length is the root of the sum of squares, not the largest entry": lambda W, d: (
            d * np.abs(W).max(axis=0) / np.abs(d).max(axis=0)
        ),
        "nothing was scaled": lambda W, d: d,
    }
    return probe(yours, points, lambda W, d: d * length(W) / length(d), mistakes, "direction")
