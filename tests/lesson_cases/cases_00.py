"""Answers to the exercises of lesson 00: (check, answer, what the check says of it; None if it is right)."""

import check_00
import numpy as np

CASES = [
    (check_00.bowl, lambda h, w: h * w**2 / 2, None),
    (check_00.bowl, lambda h, w: h * w**2, "half is missing"),
    (check_00.bowl, lambda h, w: h * w, "that is the gradient"),
    (check_00.bowl, lambda h, w: h**2 * w / 2, "square w, and not h"),
    (check_00.gradients, lambda n: 2 * n, None),
    (check_00.gradients, lambda n: n, "that is SGD"),
    (check_00.gradients, lambda n: 3 * n, "needs no third"),
    (check_00.gradients, lambda n: n + 1, "in every step, not once"),
    (check_00.uphill, lambda w, rho: w + rho * np.sign(w), None),
    (check_00.uphill, lambda w, rho: w + rho, "left of the minimum"),
    (check_00.uphill, lambda w, rho: w - rho * np.sign(w), "that is downhill"),
    (check_00.uphill, lambda w, rho: w + rho * w, "divide the gradient by its size"),
]
