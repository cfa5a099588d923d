"""The exercises of lesson 10."""

import numpy as np
from check import judge


def passes(yours):
    steps, batch, n = 300, 64, 1200
    mistakes = {
        "a step sees a batch of examples, not one": steps / n,
        "that is how many are seen in all, counting repeats; divide by n": steps * batch,
        "turn the fraction over": n / (steps * batch),
        "that is the number of steps in a pass": n / batch,
    }
    return judge(yours(steps, batch, n), 16.0, mistakes, "number")


def entropy(yours):
    p = np.array([[0.5, 0.25, 0.25], [0.9, 0.05, 0.05]])
    share = np.array([0.75, 0.25])
    rows = -np.sum(p * np.log(p), axis=1)
    mistakes = {
        "log p is negative: the entropy is minus the sum": -np.sum(share * rows),
        "contexts that occur more often count more: weigh by share": np.mean(rows),
        "that is in bits; nats have the natural logarithm": np.sum(share * rows) / np.log(2),
        "surprises −log p have to be weighed by p, too": np.sum(share * -np.log(p).mean(axis=1)),
        "share adds up to 1 already: sum, not mean": np.mean(share * rows),
    }
    return judge(yours(p, share), np.sum(share * rows), mistakes, "entropy")


def perplexity(yours):
    losses = np.log([2.0, 8.0, 4.0, 16.0])
    mistakes = {
        "first the mean of the losses, then the exponential": np.mean(np.exp(losses)),
        "the losses are in nats: the base is e": 2 ** np.mean(losses),
        "that is the perplexity of the whole text; the mean is a character's": np.exp(np.sum(losses)),
        "that is the loss; its exponential is asked": np.mean(losses),
    }
    return judge(yours(losses), np.exp(np.mean(losses)), mistakes, "perplexity")
