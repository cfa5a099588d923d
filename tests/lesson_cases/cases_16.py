"""Answers to the exercises of lesson 16: (check, answer, what the check says of it; None if it is right)."""

import statistics

import check_16
import numpy as np
from scipy import stats


def unit(g):
    return g / np.linalg.norm(g)


def error(d, ddof=1):
    return d.std(ddof=ddof) / np.sqrt(len(d))


def in_place(g, rho, u):
    g *= 2 * u * rho / np.sqrt(g @ g)
    return g


def ray(g, rho, u):
    return 2 * u * rho * unit(g)


def near(a, b):
    return np.abs(a - b).max() < 1e-9


CASES = [
    (check_16.part_of_the_way, ray, None),
    (check_16.part_of_the_way, in_place, None),
    (check_16.part_of_the_way, lambda g, rho, u: list(u * rho * 2 / np.sum(g**2) ** 0.5 * g), None),
    (check_16.part_of_the_way, lambda g, rho, u: rho * g / np.hypot(*g) * u + u * rho * unit(g), None),
    (check_16.part_of_the_way, lambda g, rho, u: u * rho * unit(g), "its mean length is ρ/2"),
    (check_16.part_of_the_way, lambda g, rho, u: 2 * u * rho * g, "did you normalise"),
    (check_16.part_of_the_way, lambda g, rho, u: rho * unit(g), "that is SAM"),
    (check_16.part_of_the_way, lambda g, rho, u: -ray(g, rho, u), "that is downhill"),
    (check_16.part_of_the_way, lambda g, rho, u: 2 * u * rho * g / 5, "off by up to"),
    (check_16.part_of_the_way, lambda g, rho, u: 2 * u * rho * np.sign(g), "off by up to"),
    (check_16.part_of_the_way, lambda g, rho, u: 0.3 * unit(g), "off by up to"),
    (check_16.part_of_the_way, lambda g, rho, u: 2 * u * rho, "should have shape"),
    (check_16.part_of_the_way, lambda g, rho, u: "uphill", "should be numbers"),
    (check_16.as_meant, lambda g, eps, rho, u, n: near(eps, ray(g, rho, u)) and n == 2, None),
    (check_16.as_meant, lambda g, eps, rho, u, n: np.allclose(eps, ray(g, rho, u)) * (n == 2), None),
    (
        check_16.as_meant,
        lambda g, eps, rho, u, n: not (abs(eps - ray(g, rho, u)) > 1e-12).any() and n < 3 and n > 1,
        None,
    ),
    (
        check_16.as_meant,
        lambda g, eps, rho, u, n: (
            n == 2 and abs(eps @ g - 2 * u * rho * np.sqrt(g @ g)) + abs((eps @ eps) ** 0.5 - 2 * u * rho) < 1e-9
        ),
        None,
    ),
    (check_16.as_meant, lambda g, eps, rho, u, n: True, "downhill passes"),
    (check_16.as_meant, lambda g, eps, rho, u, n: False, "does not pass"),
    (check_16.as_meant, lambda g, eps, rho, u, n: eps @ g > 0, "uphill, but not along g passes"),
    (check_16.as_meant, lambda g, eps, rho, u, n: np.isclose((eps @ eps) ** 0.5, 2 * u * rho), "downhill passes"),
    (check_16.as_meant, lambda g, eps, rho, u, n: near(eps, ray(g, rho, u)), "four gradients passes"),
    (check_16.as_meant, lambda g, eps, rho, u, n: near(eps, ray(g, rho, u)) and n < 4, "one gradient passes"),
    (
        check_16.as_meant,
        lambda g, eps, rho, u, n: near(unit(g), eps / max(1e-9, np.sqrt(eps @ eps))),
        "half as far passes",
    ),
    (check_16.as_meant, lambda g, eps, rho, u, n: n == 2, "downhill passes"),
    (check_16.as_meant, lambda g, eps, rho, u, n: near(eps, rho * unit(g)) and n == 2, "does not pass"),
    (check_16.lower_end, lambda d, t: d.mean() - t * error(d), None),
    (check_16.lower_end, lambda d, t: stats.t.interval(0.95, len(d) - 1, d.mean(), stats.sem(d))[0], None),
    (check_16.lower_end, lambda d, t: statistics.mean(d) - t * statistics.stdev(d) / len(d) ** 0.5, None),
    (check_16.lower_end, lambda d, t: stats.ttest_1samp(d, 0).confidence_interval(0.95).low, None),
    (check_16.lower_end, lambda d, t: d.mean() - t * d.std(ddof=1), "√n times less"),
    (check_16.lower_end, lambda d, t: d.mean() - t * error(d, ddof=0), "ddof=1"),
    (check_16.lower_end, lambda d, t: d.mean() + t * error(d), "upper end"),
    (check_16.lower_end, lambda d, t: d.mean() - error(d), "one standard error"),
    (check_16.lower_end, lambda d, t: np.median(d) - t * error(d), "not around the median"),
    (check_16.lower_end, lambda d, t: t * error(d), "the half-width"),
    (check_16.lower_end, lambda d, t: d.mean() - 2.26 * error(d), "off by up to"),
    (check_16.lower_end, lambda d, t: d.mean() - t * d.std(ddof=1) / 2, "off by up to"),
    (check_16.lower_end, lambda d, t: d.min(), "off by up to"),
]
