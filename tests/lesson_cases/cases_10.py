"""Answers to the exercises of lesson 10: (check, answer, what the check says of it; None if it is right)."""

import check_10
import numpy as np


def rows(p):
    return -np.sum(p * np.log(p), axis=1)


CASES = [
    (check_10.passes, lambda steps, batch, n: steps * batch / n, None),
    (check_10.passes, lambda steps, batch, n: steps / n, "sees a batch of examples"),
    (check_10.passes, lambda steps, batch, n: steps * batch, "divide by n"),
    (check_10.passes, lambda steps, batch, n: n / (steps * batch), "turn the fraction over"),
    (check_10.passes, lambda steps, batch, n: n / batch, "steps in a pass"),
    (check_10.entropy, lambda p, s: np.sum(s * rows(p)), None),
    (check_10.entropy, lambda p, s: -np.sum(s * rows(p)), "log p is negative"),
    (check_10.entropy, lambda p, s: np.mean(rows(p)), "weigh by share"),
    (check_10.entropy, lambda p, s: np.sum(s * rows(p)) / np.log(2), "in bits"),
    (check_10.entropy, lambda p, s: np.sum(s * -np.log(p).mean(1)), "weighed by p"),
    (check_10.entropy, lambda p, s: np.mean(s * rows(p)), "sum, not mean"),
    (check_10.perplexity, lambda losses: np.exp(np.mean(losses)), None),
    (check_10.perplexity, lambda losses: np.mean(np.exp(losses)), "first the mean"),
    (check_10.perplexity, lambda losses: 2 ** np.mean(losses), "the base is e"),
    (check_10.perplexity, lambda losses: np.exp(np.sum(losses)), "the whole text"),
    (check_10.perplexity, lambda losses: np.mean(losses), "that is the loss"),
]
