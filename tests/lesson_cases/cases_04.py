"""Answers to the exercises of lesson 04: (check, answer, what the check says of it; None if it is right)."""

import check_04
import numpy as np
from numpy.linalg import norm


def in_place(W, d):
    d *= norm(W, axis=0)
    d /= norm(d, axis=0) / norm(W, axis=0)
    return d


def by_column(W, d):
    return np.stack([b * norm(a) / norm(b) for a, b in zip(W.T, d.T, strict=True)], axis=1)


CASES = [
    (check_04.at_worst, lambda h, rho: rho**2 * np.max(h) / 2, None),
    (check_04.at_worst, lambda h, rho: max(0.5 * one * rho * rho for one in h), None),
    (check_04.at_worst, lambda h, rho: np.sort(h)[-1] * rho**2 / 2, None),
    (check_04.at_worst, lambda h, rho: rho**2 / 2 * norm(h, np.inf), None),
    (check_04.at_worst, lambda h, rho: rho**2 * np.max(h), "a factor ½"),
    (check_04.at_worst, lambda h, rho: rho**2 * np.sum(h) / 2, "every direction at once"),
    (check_04.at_worst, lambda h, rho: rho * np.max(h) / 2, "square of the distance"),
    (check_04.at_worst, lambda h, rho: rho**2 * np.min(h) / 2, "that is the flattest direction"),
    (check_04.at_worst, lambda h, rho: rho**2 * h / 2, "stops with ValueError"),
    (check_04.at_worst, lambda h, rho: rho**2 * np.mean(h) / 2, "the mean over the directions"),
    (check_04.at_worst, lambda h, rho: rho**2 * np.median(h) / 2, "the middle one"),
    (check_04.at_worst, lambda h, rho: rho**2 * h[1] / 2, "off by up to"),
    (check_04.at_worst, lambda h, rho: 0.315, "off by up to"),
    (check_04.on_average, lambda h, sigma: sigma**2 * np.sum(h) / 2, None),
    (check_04.on_average, lambda h, sigma: sum(0.5 * one * sigma * sigma for one in h), None),
    (check_04.on_average, lambda h, sigma: sigma**2 * np.trace(np.diag(h)) / 2, None),
    (check_04.on_average, lambda h, sigma: sigma**2 * len(h) * np.mean(h) / 2, None),
    (check_04.on_average, lambda h, sigma: sigma**2 * np.sum(h), "a factor ½"),
    (check_04.on_average, lambda h, sigma: sigma**2 * np.mean(h) / 2, "the rises add up"),
    (check_04.on_average, lambda h, sigma: sigma**2 * np.max(h) / 2, "one direction alone"),
    (check_04.on_average, lambda h, sigma: sigma * np.sum(h) / 2, "σ is the standard deviation"),
    (check_04.on_average, lambda h, sigma: sigma**2 * np.min(h) / 2, "flattest direction alone"),
    (check_04.on_average, lambda h, sigma: 0, "does not make the rise 0"),
    (check_04.on_average, lambda h, sigma: sigma**2 * np.sum(h**2) / 2, "the curvature is not"),
    (check_04.on_average, lambda h, sigma: sigma**2 * norm(h) / 2, "not as lengths"),
    (check_04.on_average, lambda h, sigma: sigma**2 * h / 2, "stops with ValueError"),
    (check_04.normalised, lambda W, d: d * norm(W, axis=0) / norm(d, axis=0), None),
    (check_04.normalised, by_column, None),
    (check_04.normalised, lambda W, d: d * np.sqrt((W**2).sum(axis=0) / (d**2).sum(axis=0)), None),
    (check_04.normalised, lambda W, d: (d / norm(d, axis=0)) @ np.diag(norm(W, axis=0)), None),
    (check_04.normalised, lambda W, d: (d.T * norm(W, axis=1) / norm(d, axis=1)).T, "that went by rows"),
    (check_04.normalised, lambda W, d: d * norm(W) / norm(d), "one length for the whole matrix"),
    (check_04.normalised, lambda W, d: d / norm(d, axis=0), "the length 1"),
    (check_04.normalised, lambda W, d: d * norm(W, axis=0), "the length that the column of d has already"),
    (check_04.normalised, lambda W, d: W * norm(d, axis=0) / norm(W, axis=0), "the direction should stay d's"),
    (check_04.normalised, lambda W, d: d * norm(d, axis=0) / norm(W, axis=0), "the wrong way round"),
    (check_04.normalised, lambda W, d: d * (W**2).sum(axis=0) / (d**2).sum(axis=0), "a length is its root"),
    (check_04.normalised, lambda W, d: d, "nothing was scaled"),
    (check_04.normalised, lambda W, d: norm(W, axis=0) / norm(d, axis=0), "should have shape"),
    (check_04.normalised, in_place, None),
]
