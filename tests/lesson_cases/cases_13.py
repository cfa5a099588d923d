"""Answers to the exercises of lesson 13: (check, answer, what the check says of it; None if it is right)."""

import check_13
import numpy as np


def edge(lr, rho, g, sign=1, one=1, two=2):
    return g / (2 * rho) * (sign * np.sqrt(1 + 4 * two * rho / (lr * g)) - one)


def drift(lr, h, slope, rho, reach=2, half=2):
    return -lr / half * slope * (reach * rho / (2 - lr * h)) ** 2


CASES = [
    (check_13.bounce, lambda lr, h, rho: lr * h * rho / (2 - lr * h), None),
    (check_13.bounce, lambda lr, h, rho: rho, "where SAM looks"),
    (check_13.bounce, lambda lr, h, rho: lr * h * rho / 2, "small step"),
    (check_13.bounce, lambda lr, h, rho: lr * h * rho / (2 + lr * h), "check the sign"),
    (check_13.bounce, lambda lr, h, rho: 0.0, "SGD settles"),
    (check_13.bounce, lambda lr, h, rho: lr * h * rho / (1 - lr * h), "has to be −c"),
    (check_13.drift, drift, None),
    (check_13.drift, lambda *a: -drift(*a), "downhill"),
    (check_13.drift, lambda *a: drift(*a, half=1), "the factor ½"),
    (check_13.drift, lambda lr, h, slope, rho: drift(lr, h, slope, rho, reach=lr * h), "the slope at w;"),
    (check_13.drift, lambda lr, h, slope, rho: -lr / 2 * slope * rho**2, "small η h"),
    (check_13.drift, lambda lr, h, slope, rho: -lr * slope * rho / (2 - lr * h), "with x²"),
    (check_13.drift, lambda lr, h, slope, rho: drift(lr, h, h, rho), "how h changes"),
    (check_13.edge, edge, None),
    (check_13.edge, lambda lr, rho, g: 2 / lr + 0 * g, "edge of gradient descent"),
    (check_13.edge, lambda *a: edge(*a, sign=-1), "the positive one"),
    (check_13.edge, lambda *a: edge(*a, one=-1), "minus 1"),
    (check_13.edge, lambda *a: edge(*a, two=1), "is 2, not 1"),
    (check_13.edge, lambda lr, rho, g: edge(lr, rho, g) * rho**2 / g**2, "divide by 2a"),
]
