"""The exercises of lesson 02."""

import numpy as np
from check import judge


def size(yours):
    sizes = [64, 32, 10]
    right = 64 * 32 + 32 + 32 * 10 + 10
    mistakes = {
        "each layer has a bias as well, one number an output": 64 * 32 + 32 * 10,
        "a layer from i inputs to o outputs has a matrix of i·o numbers": 64 + 32 + 32 + 10,
        "the input layer has no bias": right + 64,
    }
    return judge(yours(sizes), right, {why: float(wrong) for why, wrong in mistakes.items()}, "number of weights")


def cross_entropy(yours):
    z, y = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]]), np.array([0, 2])
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    picked = log_p[np.arange(2), y]
    mistakes = {
        "the sign: a probable label should cost little": picked.mean(),
        "the mean over the batch, not the sum": -picked.sum(),
        "take the logarithm of the probability": -np.exp(picked).mean(),
        "that is the logit of the label: it is no probability until it is divided by the sum over classes": -z[
            np.arange(2), y
        ].mean(),
    }
    return judge(yours(z, y), -picked.mean(), mistakes, "mean loss")


def sgd_step(yours):
    w, g, lr = np.array([1.0, -2.0, 0.5]), np.array([0.5, 1.0, -4.0]), 0.1
    mistakes = {
        "that goes uphill": w + lr * g,
        "the step size is missing": w - g,
        "subtract from w": -lr * g,
    }
    return judge(yours(w, g, lr), w - lr * g, mistakes, "new weights")
