"""The exercises of lesson 02."""

from itertools import pairwise

import numpy as np
from check import probe


def size(yours):
    points = [([64, 32, 10],), ([5, 7, 3, 2],)]

    def weights(sizes):
        return float(sum(i * o + o for i, o in pairwise(sizes)))

    mistakes = {
        "each layer has a bias as well, one number an output": lambda s: sum(i * o for i, o in pairwise(s)),
        "a layer from i inputs to o outputs has a matrix of i·o numbers": lambda s: sum(
            i + o + o for i, o in pairwise(s)
        ),
        "a matrix from i to o has i·o numbers, not i + o": lambda s: sum(i + o for i, o in pairwise(s)),
        "the input layer has no bias": lambda s: weights(s) + s[0],
        "a bias is one number an output, not one a layer": lambda s: sum(i * o + 1 for i, o in pairwise(s)),
        "a bias is one number an output, not one an input": lambda s: sum(i * o + i for i, o in pairwise(s)),
        "that is the number of units": lambda s: sum(s),
        "the layers' matrices are added, not multiplied with each other": lambda s: np.prod(s),
        "the first layer alone; add the others": lambda s: s[0] * s[1] + s[1],
    }
    return probe(yours, points, weights, {why: real(f) for why, f in mistakes.items()}, "number of weights")


def real(f):
    return lambda *point: float(f(*point))


def cross_entropy(yours):
    points = [
        (np.array([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]]), np.array([0, 2])),
        (np.array([[0.3, 1.2], [-0.7, 0.4], [1.9, -2.1]]), np.array([1, 0, 0])),
    ]

    def log_p(z, y):
        rows = np.arange(len(y))
        return z[rows, y] - np.log(np.exp(z).sum(axis=1))

    mistakes = {
        "the sign: a probable label should cost little": lambda z, y: log_p(z, y).mean(),
        "the mean over the batch, not the sum": lambda z, y: -log_p(z, y).sum(),
        "take the logarithm of the probability": lambda z, y: -np.exp(log_p(z, y)).mean(),
        "that is the probability of the label; the loss is −log of it": lambda z, y: np.exp(log_p(z, y)).mean(),
        "that is the logit of the label: it is no probability until it is divided by the sum over classes": lambda z, y: (
            -z[np.arange(len(y)), y].mean()
        ),
        "take the mean of the logarithms, not the logarithm of the mean": lambda z, y: (
            -np.log(np.exp(log_p(z, y)).mean())
        ),
        "the sum of e^z goes over the classes of one example, not over the batch": lambda z, y: (
            -(z[np.arange(len(y)), y] - np.log(np.exp(z).sum(axis=0))[y]).mean()
        ),
        "that is the mean over all classes; only the label counts": lambda z, y: (
            -(z - np.log(np.exp(z).sum(axis=1, keepdims=True))).mean()
        ),
        "in nats, with the natural logarithm": lambda z, y: -log_p(z, y).mean() / np.log(2),
    }
    return probe(yours, points, lambda z, y: -log_p(z, y).mean(), mistakes, "mean loss")


def sgd_step(yours):
    points = [
        (np.array([1.0, -2.0, 0.5]), np.array([0.5, 1.0, -4.0]), 0.1),
        (np.array([-0.3, 0.8, 1.7]), np.array([1.1, -0.6, 0.2]), 0.25),
    ]
    mistakes = {
        "that goes uphill": lambda w, g, lr: w + lr * g,
        "the step size is missing": lambda w, g, lr: w - g,
        "subtract from w": lambda w, g, lr: -lr * g,
        "that is the gradient times the step size; subtract it from w": lambda w, g, lr: lr * g,
        "the step size multiplies g alone": lambda w, g, lr: lr * (w - g),
        "the step is lr g, however long g is: do not divide by its length": lambda w, g, lr: (
            w - lr * g / np.linalg.norm(g)
        ),
        "that goes by the signs of g alone": lambda w, g, lr: w - lr * np.sign(g),
        "multiply by the step size": lambda w, g, lr: w - g / lr,
        "nothing has moved": lambda w, g, lr: w,
    }
    return probe(yours, points, lambda w, g, lr: w - lr * g, mistakes, "new weights")
