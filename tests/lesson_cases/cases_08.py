"""Answers to the exercises of lesson 08: (check, answer, what the check says of it; None if it is right)."""

import check_08
import numpy as np


def sigma(t):
    return 1 / (1 + np.exp(-t))


CASES = [
    (check_08.by_heart, lambda p, g, f: np.mean(p[f] == g[f]), None),
    (check_08.by_heart, lambda p, g, f: np.mean(p == g), "only where flipped"),
    (check_08.by_heart, lambda p, g, f: np.mean((p == g) & f), "divide by the number of lies"),
    (check_08.by_heart, lambda p, g, f: np.mean(p[~f] == g[~f]), "ask about the lies"),
    (check_08.by_heart, lambda p, g, f: np.sum(p[f] == g[f]), "that is their number"),
    (check_08.seeming, lambda a, r: a * (1 - r) + (1 - a) * r / 9, None),
    (check_08.seeming, lambda a, r: a * (1 - r), "may be what the lie says"),
    (check_08.seeming, lambda a, r: a * (1 - r) + (1 - a) * r, "only once in 9 times"),
    (check_08.seeming, lambda a, r: a * (1 - r) + (1 - a) * r / 10, "9 classes to lie with"),
    (check_08.seeming, lambda a, r: a - r, "the two shares multiply"),
    (check_08.factor, lambda z, s: sigma(s - z) / sigma(-z), None),
    (check_08.factor, lambda z, s: sigma(-z - s) / sigma(-z), "SAM looks uphill"),
    (check_08.factor, lambda z, s: sigma(s - z), "divide by what SGD does"),
    (check_08.factor, lambda z, s: sigma(-z) / sigma(s - z), "turn the fraction over"),
    (check_08.factor, lambda z, s: sigma(z - s) / sigma(z), "large for small margins"),
]
