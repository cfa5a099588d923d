"""Answers to the exercises of lesson 00: (check, answer, what the check says of it; None if it is right)."""

import check_00
import numpy as np


def one_by_one(w, rho):
    return [one + rho if one > 0 else one - rho for one in w]


def in_place(w, rho):
    w += rho * np.sign(w)
    return w


CASES = [
    (check_00.bowl, lambda h, w: h * w**2 / 2, None),
    (check_00.bowl, lambda h, w: 0.5 * h * w * w, None),
    (check_00.bowl, lambda h, w: [h / 2 * one**2 for one in w], None),
    (check_00.bowl, lambda h, w: np.square(w) * (h / 2), None),
    (check_00.bowl, lambda h, w: h * w**2, "half is missing"),
    (check_00.bowl, lambda h, w: h * w, "that is the gradient"),
    (check_00.bowl, lambda h, w: h**2 * w / 2, "square w, and not h"),
    (check_00.bowl, lambda h, w: (h * w) ** 2 / 2, "h stands outside"),
    (check_00.bowl, lambda h, w: w**2 / 2, "curvature h is missing"),
    (check_00.bowl, lambda h, w: -h * w**2 / 2, "open at the top"),
    (check_00.bowl, lambda h, w: np.sum(h * w**2 / 2), "should have shape"),
    (check_00.bowl, lambda h, w: np.array([6.0, 2.535]), "off by up to"),
    (check_00.bowl, lambda h, w: "h w²/2", "should be numbers"),
    (check_00.gradients, lambda n: 2 * n, None),
    (check_00.gradients, lambda n: n + n, None),
    (check_00.gradients, lambda n: sum(2 for _ in range(int(n))), None),
    (check_00.gradients, lambda n: n * (1 + 1.0), None),
    (check_00.gradients, lambda n: n, "that is SGD"),
    (check_00.gradients, lambda n: 3 * n, "needs no third"),
    (check_00.gradients, lambda n: n + 1, "in every step, not once"),
    (check_00.gradients, lambda n: 2, "for one step"),
    (check_00.gradients, lambda n: n / 2, "not less"),
    (check_00.gradients, lambda n: n**2, "costs the same"),
    (check_00.gradients, lambda n: 2 * n - 2, "count the last one"),
    (check_00.gradients, lambda n: 200, "off by up to"),
    (check_00.gradients, lambda n: "twice as many", "should be numbers"),
    (check_00.uphill, lambda w, rho: w + rho * np.sign(w), None),
    (check_00.uphill, lambda w, rho: w + rho * w / np.abs(w), None),
    (check_00.uphill, one_by_one, None),
    (check_00.uphill, in_place, None),
    (check_00.uphill, lambda w, rho: w + rho, "left of the minimum"),
    (check_00.uphill, lambda w, rho: w - rho * np.sign(w), "that is downhill"),
    (check_00.uphill, lambda w, rho: w + rho * w, "divide the gradient by its size"),
    (check_00.uphill, lambda w, rho: rho * np.sign(w), "ε alone"),
    (check_00.uphill, lambda w, rho: w + np.sign(w), "one away from w"),
    (check_00.uphill, lambda w, rho: w + rho * w / np.linalg.norm(w), "norm of all"),
    (check_00.uphill, lambda w, rho: w, "where it stands"),
    (check_00.uphill, lambda w, rho: w + 2 * rho * np.sign(w), "looks 2ρ far"),
    (check_00.uphill, lambda w, rho: w + 0.3 * np.sign(w), "off by up to"),
]
