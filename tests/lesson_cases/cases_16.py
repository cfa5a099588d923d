"""Answers to the exercises of lesson 16: (check, answer, what the check says of it; None if it is right)."""

import check_16
import numpy as np


def unit(g):
    return g / np.linalg.norm(g)


def error(d, ddof=1):
    return d.std(ddof=ddof) / np.sqrt(len(d))


CASES = [
    (check_16.part_of_the_way, lambda g, rho, u: 2 * u * rho * unit(g), None),
    (check_16.part_of_the_way, lambda g, rho, u: u * rho * unit(g), "ρ/2 long in the mean"),
    (check_16.part_of_the_way, lambda g, rho, u: 2 * u * rho * g, "did you normalise"),
    (check_16.part_of_the_way, lambda g, rho, u: rho * unit(g), "that is SAM"),
    (check_16.part_of_the_way, lambda g, rho, u: -2 * u * rho * unit(g), "that is downhill"),
    (check_16.fair_epochs, lambda epochs, evaluations: epochs * evaluations, None),
    (check_16.fair_epochs, lambda epochs, evaluations: epochs, "has been given more gradients"),
    (check_16.fair_epochs, lambda epochs, evaluations: epochs / evaluations, "SGD is the one"),
    (check_16.fair_epochs, lambda epochs, evaluations: epochs * (evaluations - 1), "spends one gradient"),
    (check_16.lower_end, lambda d, t: d.mean() - t * error(d), None),
    (check_16.lower_end, lambda d, t: d.mean() - t * d.std(ddof=1), "√n times less"),
    (check_16.lower_end, lambda d, t: d.mean() - t * error(d, ddof=0), "ddof=1"),
    (check_16.lower_end, lambda d, t: d.mean() + t * error(d), "upper end"),
    (check_16.lower_end, lambda d, t: d.mean() - error(d), "one standard error"),
]
