"""Answers to the exercises of lesson 13: (check, answer, what the check says of it; None if it is right)."""

import check_13
import numpy as np
from numpy.polynomial import Polynomial


def drift(lr, h, slope, rho, reach=2, half=2):
    return -lr / half * slope * (reach * rho / (2 - lr * h)) ** 2


def by_steps(lr, h, rho):
    c = 1.0
    for _ in range(2000):
        c = abs(c - lr * h * (c + rho))
    return c


def factor(lam, lr, rho, size):
    return 1 - lr * (lam + rho * lam**2 / size)


def by_roots(lam, lr, rho, size):
    roots = Polynomial([-2 / lr, 1, rho / size]).roots()
    return abs(lam - max(roots)) < 1e-9 * lam


def by_a_step(lam, lr, rho, size):
    d = size / lam if lam > 0 else np.nan
    return np.allclose(d - lr * lam * (d + rho), -d)


CASES = [
    (check_13.bounce, lambda lr, h, rho: lr * h * rho / (2 - lr * h), None),
    (check_13.bounce, lambda lr, h, rho: rho / (2 / (lr * h) - 1), None),
    (check_13.bounce, by_steps, None),
    (check_13.bounce, lambda lr, h, rho: np.linalg.solve([[2 - lr * h]], [lr * h * rho])[0], None),
    (check_13.bounce, lambda lr, h, rho: rho, "where SAM looks"),
    (check_13.bounce, lambda lr, h, rho: lr * h * rho / 2, "small step"),
    (check_13.bounce, lambda lr, h, rho: lr * h * rho / (2 + lr * h), "check the sign"),
    (check_13.bounce, lambda lr, h, rho: 0.0, "SGD settles"),
    (check_13.bounce, lambda lr, h, rho: lr * h * rho / (1 - lr * h), "has to be −c"),
    (check_13.bounce, lambda lr, h, rho: -lr * h * rho / (2 - lr * h), "not negative"),
    (check_13.bounce, lambda lr, h, rho: 0.05, "off by up to"),
    (check_13.bounce, lambda lr, h, rho: lr * h / (2 - lr * h), "off by up to"),
    (check_13.bounce, lambda lr, h, rho: 0.4 * rho / 1.6, "off by up to"),
    (check_13.drift, drift, None),
    (check_13.drift, lambda lr, h, slope, rho: -2 * lr * slope * rho**2 / (2 - lr * h) ** 2, None),
    (check_13.drift, lambda lr, h, slope, rho: -lr * slope / 2 * (rho + lr * h * rho / (2 - lr * h)) ** 2, None),
    (check_13.drift, lambda lr, h, slope, rho: -lr * slope * np.square(rho / (1 - lr * h / 2)) / 2, None),
    (check_13.drift, lambda *a: -drift(*a), "downhill"),
    (check_13.drift, lambda *a: drift(*a, half=1), "the factor ½"),
    (check_13.drift, lambda lr, h, slope, rho: drift(lr, h, slope, rho, reach=lr * h), "the slope at w;"),
    (check_13.drift, lambda lr, h, slope, rho: -lr / 2 * slope * rho**2, "small η h"),
    (check_13.drift, lambda lr, h, slope, rho: -lr * slope * rho / (2 - lr * h), "with x²"),
    (check_13.drift, lambda lr, h, slope, rho: drift(lr, h, h, rho), "how h changes"),
    (check_13.drift, lambda lr, h, slope, rho: drift(lr, h, abs(slope), rho), "off by up to"),
    (check_13.drift, lambda lr, h, slope, rho: drift(lr, h, slope, rho) / lr, "off by up to"),
    (check_13.drift, lambda lr, h, slope, rho: drift(0.1, h, slope, rho), "off by up to"),
    (check_13.is_edge, lambda *a: a[0] > 0 and np.isclose(factor(*a), -1), None),
    (check_13.is_edge, by_roots, None),
    (check_13.is_edge, by_a_step, None),
    (check_13.is_edge, lambda *a: float(abs(factor(*a) + 1) < 1e-6 and a[0] >= 0), None),
    (check_13.is_edge, lambda *a: np.isclose(factor(*a), -1), "a negative λ"),
    (check_13.is_edge, lambda *a: factor(*a) <= -1 + 1e-9, "2/η"),
    (check_13.is_edge, lambda *a: a[0] > 0 and factor(*a) < -0.999999, "2/η"),
    (check_13.is_edge, lambda *a: a[0] > 0 and np.isclose(factor(*a), 0), "the edge itself does not pass"),
    (check_13.is_edge, lambda lam, lr, rho, size: np.isclose(lam, 2 / lr), "the edge itself does not pass"),
    (check_13.is_edge, lambda *a: a[0] > 0 and abs(factor(*a) + 1) < 0.05, "1% above"),
    (check_13.is_edge, lambda *a: True, "2/η"),
    (check_13.is_edge, lambda *a: False, "the edge itself does not pass"),
    (
        check_13.is_edge,
        lambda lam, lr, rho, size: lam > 0 and np.isclose(lr * (lam + rho * lam / size), 2),
        "does not pass",
    ),
]
