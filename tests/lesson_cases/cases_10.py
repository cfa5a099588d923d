"""Answers to the exercises of lesson 10: (check, answer, what the check says of it; None if it is right)."""

import check_10
import numpy as np


def rows(p):
    return -np.sum(p * np.log(p), axis=1)


def by_loop(p, share):
    return -sum(s * sum(x * np.log(x) for x in row) for row, s in zip(p, share, strict=True))


def in_place(losses):
    losses /= len(losses)
    return np.exp(losses.sum())


def twice(gradients, batch, passes, per_step):
    return gradients / 2 * batch / passes


CASES = [
    (check_10.examples, lambda g, b, k, s: g / s * b / k, None),
    (check_10.examples, lambda g, b, k, s: g * b / (k * s), None),
    (check_10.examples, lambda g, b, k, s: int(g // s) * b // k, None),
    (check_10.examples, lambda g, b, k, s: np.exp(np.log([g, b]).sum() - np.log([k, s]).sum()), None),
    (check_10.examples, lambda g, b, k, s: g * b / k, "takes per_step gradients"),
    (check_10.examples, lambda g, b, k, s: g / s / k, "sees a batch of examples"),
    (check_10.examples, lambda g, b, k, s: g / s * b, "divide by the passes"),
    (check_10.examples, lambda g, b, k, s: g / s * b * k, "half as many examples"),
    (check_10.examples, lambda g, b, k, s: g * s * b / k, "a dearer step"),
    (check_10.examples, lambda g, b, k, s: k * s / (g * b), "turn the fraction over"),
    (check_10.examples, lambda g, b, k, s: g / s, "number of steps"),
    (check_10.examples, twice, "off by up to"),
    (check_10.examples, lambda g, b, k, s: 2560, "off by up to"),
    (check_10.examples, lambda g, b, k, s: [g / s * b / k], "should have shape"),
    (check_10.entropy, lambda p, s: np.sum(s * rows(p)), None),
    (check_10.entropy, by_loop, None),
    (check_10.entropy, lambda p, s: s @ rows(p), None),
    (check_10.entropy, lambda p, s: np.average(-(p * np.log(p)).sum(1), weights=s), None),
    (check_10.entropy, lambda p, s: np.sum(s[:, None] * p * np.log(1 / p)), None),
    (check_10.entropy, lambda p, s: -np.sum(s * rows(p)), "log p is negative"),
    (check_10.entropy, lambda p, s: np.mean(rows(p)), "weigh by share"),
    (check_10.entropy, lambda p, s: np.sum(s * rows(p)) / np.log(2), "in bits"),
    (check_10.entropy, lambda p, s: np.sum(s * -np.log(p).mean(1)), "weighed by p"),
    (check_10.entropy, lambda p, s: np.mean(s * rows(p)), "sum, not mean"),
    (check_10.entropy, lambda p, s: np.sum(rows(p)), "sum over the contexts"),
    (check_10.entropy, lambda p, s: rows((s @ p)[None])[0], "mean of the entropies"),
    (check_10.entropy, lambda p, s: np.log(p.shape[1]), "off by up to"),
    (check_10.entropy, lambda p, s: rows(p)[0], "off by up to"),
    (check_10.perplexity, lambda losses: np.exp(np.mean(losses)), None),
    (check_10.perplexity, in_place, None),
    (check_10.perplexity, lambda losses: np.prod(np.exp(losses)) ** (1 / len(losses)), None),
    (check_10.perplexity, lambda losses: 1 / np.exp(-losses.mean()), None),
    (check_10.perplexity, lambda losses: np.mean(np.exp(losses)), "first the mean"),
    (check_10.perplexity, lambda losses: 2 ** np.mean(losses), "the base is e"),
    (check_10.perplexity, lambda losses: np.exp(np.sum(losses)), "the whole text"),
    (check_10.perplexity, lambda losses: np.mean(losses), "that is the loss"),
    (check_10.perplexity, lambda losses: np.exp(np.median(losses)), "not the median"),
    (check_10.perplexity, lambda losses: np.exp(-np.mean(losses)), "check the sign"),
    (check_10.perplexity, lambda losses: np.exp(losses.sum() / 4), "off by up to"),
    (check_10.perplexity, lambda losses: 8.0, "off by up to"),
    (check_10.perplexity, lambda losses: np.exp(losses[0]), "off by up to"),
]
