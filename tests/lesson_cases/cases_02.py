"""Answers to the exercises of lesson 02: (check, answer, what the check says of it; None if it is right)."""

from itertools import pairwise

import check_02
import numpy as np
from scipy.special import log_softmax


def log_p(z):
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def of_labels(z, y):
    return log_p(z)[np.arange(len(y)), y]


def shifted(z, y):
    z = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y])


def by_hot(z, y):
    return -(np.eye(z.shape[1])[y] * log_p(z)).sum() / len(y)


def layer_by_layer(sizes):
    n = 0
    for k in range(1, len(sizes)):
        n += (sizes[k - 1] + 1) * sizes[k]
    return n


def in_place(w, g, lr):
    w -= lr * g
    return w


CASES = [
    (check_02.size, lambda s: sum(i * o + o for i, o in pairwise(s)), None),
    (check_02.size, layer_by_layer, None),
    (check_02.size, lambda s: np.dot(np.array(s[:-1]) + 1, s[1:]), None),
    (check_02.size, lambda s: float(sum(a * b for a, b in pairwise(s)) + sum(s[1:])), None),
    (check_02.size, lambda s: sum(i * o for i, o in pairwise(s)), "has a bias as well"),
    (check_02.size, lambda s: sum(i + o for i, o in pairwise(s)), "not i + o"),
    (check_02.size, lambda s: sum(i + o + o for i, o in pairwise(s)), "a matrix of i·o numbers"),
    (check_02.size, lambda s: sum(i * o + o for i, o in pairwise(s)) + s[0], "input layer has no bias"),
    (check_02.size, lambda s: sum(i * o + 1 for i, o in pairwise(s)), "not one a layer"),
    (check_02.size, lambda s: sum(i * o + i for i, o in pairwise(s)), "not one an input"),
    (check_02.size, lambda s: sum(s), "number of units"),
    (check_02.size, lambda s: np.prod(s), "not multiplied"),
    (check_02.size, lambda s: 2410, "off by up to"),
    (check_02.cross_entropy, lambda z, y: -of_labels(z, y).mean(), None),
    (check_02.cross_entropy, shifted, None),
    (check_02.cross_entropy, by_hot, None),
    (check_02.cross_entropy, lambda z, y: -log_softmax(z, axis=1)[range(len(y)), y].mean(), None),
    (check_02.cross_entropy, lambda z, y: of_labels(z, y).mean(), "the sign"),
    (check_02.cross_entropy, lambda z, y: -of_labels(z, y).sum(), "not the sum"),
    (check_02.cross_entropy, lambda z, y: -np.exp(of_labels(z, y)).mean(), "take the logarithm"),
    (check_02.cross_entropy, lambda z, y: np.exp(of_labels(z, y)).mean(), "the loss is −log of it"),
    (check_02.cross_entropy, lambda z, y: -z[range(len(y)), y].mean(), "no probability until"),
    (check_02.cross_entropy, lambda z, y: -np.log(np.exp(of_labels(z, y)).mean()), "not the logarithm of the mean"),
    (check_02.cross_entropy, lambda z, y: -log_p(z).mean(), "only the label counts"),
    (check_02.cross_entropy, lambda z, y: -np.median(of_labels(z, y)), "off by up to"),
    (check_02.cross_entropy, lambda z, y: -of_labels(z, y)[0], "off by up to"),
    (check_02.cross_entropy, lambda z, y: -log_p(z)[:, y].mean(), "off by up to"),
    (check_02.sgd_step, lambda w, g, lr: w - lr * g, None),
    (check_02.sgd_step, in_place, None),
    (check_02.sgd_step, lambda w, g, lr: np.add(w, -lr * g), None),
    (check_02.sgd_step, lambda w, g, lr: [a - lr * b for a, b in zip(w, g, strict=True)], None),
    (check_02.sgd_step, lambda w, g, lr: w + lr * g, "uphill"),
    (check_02.sgd_step, lambda w, g, lr: w - g, "step size is missing"),
    (check_02.sgd_step, lambda w, g, lr: -lr * g, "subtract from w"),
    (check_02.sgd_step, lambda w, g, lr: lr * g, "subtract it from w"),
    (check_02.sgd_step, lambda w, g, lr: lr * (w - g), "multiplies g alone"),
    (check_02.sgd_step, lambda w, g, lr: w - lr * g / np.linalg.norm(g), "however long g is"),
    (check_02.sgd_step, lambda w, g, lr: w - lr * np.sign(g), "by the signs"),
    (check_02.sgd_step, lambda w, g, lr: w - 0.1 * g, "off by up to"),
    (check_02.sgd_step, lambda w, g, lr: w, "nothing has moved"),
]
