"""The exercises of lesson 10."""

import numpy as np
from check import at, judge


def examples(yours):
    points = [(1600.0, 64.0, 20.0, 2.0), (900.0, 48.0, 6.0, 3.0)]
    mistakes = {
        "each step takes per_step gradients: so there are fewer steps": lambda g, b, k, s: g * b / k,
        "a step sees a batch of examples, not one": lambda g, b, k, s: g / s / k,
        "that is how many are seen in all, counting repeats; divide by the passes": lambda g, b, k, s: g / s * b,
        "twice as many passes need half as many examples": lambda g, b, k, s: g / s * b * k,
        "a dearer step leaves fewer steps, not more": lambda g, b, k, s: g * s * b / k,
        "turn the fraction over": lambda g, b, k, s: s * k / (g * b),
        "that is the number of steps": lambda g, b, k, s: g / s,
    }

    def of_each(f):
        return np.array([f(*point) for point in points])

    right = of_each(lambda g, b, k, s: g / s * b / k)
    return judge(at(yours, points), right, {why: of_each(f) for why, f in mistakes.items()}, "number")


def entropy(yours):
    points = [
        (np.array([[0.5, 0.3, 0.2], [0.9, 0.04, 0.06]]), np.array([0.7, 0.3])),
        (np.array([[0.1, 0.9], [0.35, 0.65], [0.6, 0.4]]), np.array([0.2, 0.7, 0.1])),
    ]

    def rows(p):
        return -np.sum(p * np.log(p), axis=1)

    mistakes = {
        "log p is negative: the entropy is minus the sum": lambda p, s: -np.sum(s * rows(p)),
        "contexts that occur more often count more: weigh by share": lambda p, s: np.mean(rows(p)),
        "that is in bits; nats have the natural logarithm": lambda p, s: np.sum(s * rows(p)) / np.log(2),
        "surprises −log p have to be weighed by p, too": lambda p, s: np.sum(s * -np.log(p).mean(axis=1)),
        "share adds up to 1 already: sum, not mean": lambda p, s: np.mean(s * rows(p)),
        "that is the sum over the contexts; weigh it by share": lambda p, s: np.sum(rows(p)),
        "that is the entropy of the mean over the contexts; take the mean of the entropies": lambda p, s: rows(
            (s @ p)[None]
        )[0],
    }

    def of_each(f):
        return np.array([f(*point) for point in points])

    right = of_each(lambda p, s: np.sum(s * rows(p)))
    return judge(at(yours, points), right, {why: of_each(f) for why, f in mistakes.items()}, "entropy")


def perplexity(yours):
    points = [(np.log([2.0, 8.0, 5.0, 16.0]),), (np.array([0.3, 2.9, 0.1, 0.4, 1.2]),)]
    mistakes = {
        "first the mean of the losses, then the exponential": lambda x: np.mean(np.exp(x)),
        "the losses are in nats: the base is e": lambda x: 2 ** np.mean(x),
        "that is the perplexity of the whole text; the mean is a token's": lambda x: np.exp(np.sum(x)),
        "that is the loss; its exponential is asked": np.mean,
        "the mean of the losses, not the median": lambda x: np.exp(np.median(x)),
        "check the sign: that is the probability of a token": lambda x: np.exp(-np.mean(x)),
    }

    def of_each(f):
        return np.array([f(*point) for point in points])

    right = of_each(lambda x: np.exp(np.mean(x)))
    return judge(at(yours, points), right, {why: of_each(f) for why, f in mistakes.items()}, "perplexity")
