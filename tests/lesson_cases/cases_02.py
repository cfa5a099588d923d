"""Answers to the exercises of lesson 02: (check, answer, what the check says of it; None if it is right)."""

from itertools import pairwise

import check_02
import numpy as np


def log_p(z):
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


CASES = [
    (check_02.size, lambda s: sum(i * o + o for i, o in pairwise(s)), None),
    (check_02.size, lambda s: sum(i * o for i, o in pairwise(s)), "has a bias as well"),
    (check_02.size, lambda s: sum(i + o for i, o in pairwise(s)), "a matrix of i·o numbers"),
    (check_02.size, lambda s: sum(i * o + o for i, o in pairwise(s)) + s[0], "input layer has no bias"),
    (check_02.cross_entropy, lambda z, y: -log_p(z)[range(2), y].mean(), None),
    (check_02.cross_entropy, lambda z, y: log_p(z)[range(2), y].mean(), "the sign"),
    (check_02.cross_entropy, lambda z, y: -log_p(z)[range(2), y].sum(), "not the sum"),
    (check_02.cross_entropy, lambda z, y: -np.exp(log_p(z))[range(2), y].mean(), "take the logarithm"),
    (check_02.cross_entropy, lambda z, y: -z[range(2), y].mean(), "no probability until"),
    (check_02.sgd_step, lambda w, g, lr: w - lr * g, None),
    (check_02.sgd_step, lambda w, g, lr: w + lr * g, "uphill"),
    (check_02.sgd_step, lambda w, g, lr: w - g, "step size is missing"),
    (check_02.sgd_step, lambda w, g, lr: -lr * g, "subtract from w"),
]
