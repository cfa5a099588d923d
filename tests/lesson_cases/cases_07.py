"""Answers to the exercises of lesson 07: (check, answer, what the check says of it; None if it is right)."""

import check_07
import numpy as np


def paired(a, b, t):
    d = a - b
    return np.array([d.mean(), t * d.std(ddof=1) / np.sqrt(len(d))])


def unpaired(a, b, t):
    return np.array([(a - b).mean(), t * np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))])


CASES = [
    (check_07.spent, lambda n, b, e, k: n // b * e * k, None),
    (check_07.spent, lambda n, b, e, k: n // b * e, "takes per_step gradients"),
    (check_07.spent, lambda n, b, e, k: n / b * e * k, "only full batches count"),
    (check_07.spent, lambda n, b, e, k: -(-n // b) * e * k, "round down"),
    (check_07.spent, lambda n, b, e, k: n * e * k, "of a batch, not of an example"),
    (check_07.spent, lambda n, b, e, k: n // b * k, "that is one epoch"),
    (check_07.report, lambda v, t: t[np.argmax(v)], None),
    (check_07.report, lambda v, t: t.max(), "chosen on the test data"),
    (check_07.report, lambda v, t: v.max(), "so flatters"),
    (check_07.report, lambda v, t: t.mean(), "mean over the settings"),
    (check_07.report, lambda v, t: v[np.argmax(t)], "choose by validation"),
    (check_07.paired, paired, None),
    (check_07.paired, unpaired, "not in pairs"),
    (check_07.paired, lambda a, b, t: np.array([(a - b).mean(), t * (a - b).std(ddof=1)]), "√10 smaller"),
    (check_07.paired, lambda a, b, t: np.array([(a - b).mean(), t * (a - b).std() / np.sqrt(10)]), "ddof=1"),
    (check_07.paired, lambda a, b, t: paired(a, b, 1.0), "standard error"),
    (check_07.paired, lambda a, b, t: paired(b, a, t), "not b − a"),
]
