"""Answers to the exercises of lesson 04: (check, answer, what the check says of it; None if it is right)."""

import check_04
import numpy as np
from numpy.linalg import norm

CASES = [
    (check_04.at_worst, lambda h, rho: rho**2 * np.max(h) / 2, None),
    (check_04.at_worst, lambda h, rho: rho**2 * np.max(h), "a factor ½"),
    (check_04.at_worst, lambda h, rho: rho**2 * np.sum(h) / 2, "every direction at once"),
    (check_04.at_worst, lambda h, rho: rho * np.max(h) / 2, "square of the distance"),
    (check_04.at_worst, lambda h, rho: rho**2 * np.min(h) / 2, "that is the flattest direction"),
    (check_04.at_worst, lambda h, rho: rho**2 * h / 2, "should have shape ()"),
    (check_04.at_worst, lambda h, rho: rho**2 * np.mean(h) / 2, "the mean over the directions"),
    (check_04.on_average, lambda h, sigma: sigma**2 * np.sum(h) / 2, None),
    (check_04.on_average, lambda h, sigma: sigma**2 * np.sum(h), "a factor ½"),
    (check_04.on_average, lambda h, sigma: sigma**2 * np.mean(h) / 2, "the rises add up"),
    (check_04.on_average, lambda h, sigma: sigma**2 * np.max(h) / 2, "one direction alone"),
    (check_04.on_average, lambda h, sigma: sigma * np.sum(h) / 2, "σ is the standard deviation"),
    (check_04.on_average, lambda h, sigma: sigma**2 * h / 2, "should have shape ()"),
    (check_04.normalised, lambda W, d: d * norm(W, axis=0) / norm(d, axis=0), None),
    (check_04.normalised, lambda W, d: (d.T * norm(W, axis=1) / norm(d, axis=1)).T, "that went by rows"),
    (check_04.normalised, lambda W, d: d * norm(W) / norm(d), "one length for the whole matrix"),
    (check_04.normalised, lambda W, d: d / norm(d, axis=0), "the length 1"),
    (check_04.normalised, lambda W, d: d * norm(W, axis=0), "the length that the column of d has already"),
    (check_04.normalised, lambda W, d: W * norm(d, axis=0) / norm(W, axis=0), "the direction should stay d's"),
]
