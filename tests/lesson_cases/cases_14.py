"""Answers to the exercises of lesson 14: (check, answer, what the check says of it; None if it is right)."""

import check_14
import numpy as np

CASES = [
    (check_14.factors, lambda c: np.array([c, c, 1 / c, 1]), None),
    (check_14.factors, lambda c: np.array([c, 1, 1 / c, 1]), "inside the relu"),
    (check_14.factors, lambda c: np.array([c, c, 1 / c, 1 / c]), "leave it"),
    (check_14.factors, lambda c: np.array([c, c, c, 1]), "has to divide"),
    (check_14.factors, lambda c: np.array([1 / c, 1 / c, c, 1]), "should become c W0"),
    (check_14.curvature, lambda h, c: h / c**2, None),
    (check_14.curvature, lambda h, c: h / c, "moving w by ε/c"),
    (check_14.curvature, lambda h, c: h * c**2, "flatter, not sharper"),
    (check_14.curvature, lambda h, c: h * c, "a wider landscape"),
    (check_14.curvature, lambda h, c: h, "its dependence on this weight"),
    (check_14.adaptive_worst, lambda h, w, rho: rho**2 * np.max(h * w**2) / 2, None),
    (check_14.adaptive_worst, lambda h, w, rho: rho**2 * np.max(h) / 2, "the ordinary ball"),
    (check_14.adaptive_worst, lambda h, w, rho: rho**2 * np.max(h * w**2), "a factor ½"),
    (check_14.adaptive_worst, lambda h, w, rho: rho**2 * np.max(h * abs(w)) / 2, "with its square"),
    (check_14.adaptive_worst, lambda h, w, rho: rho**2 * np.sum(h * w**2) / 2, "one ball for all"),
    (check_14.adaptive_worst, lambda h, w, rho: rho**2 * max(h) * max(w**2) / 2, "one and the same direction"),
]
