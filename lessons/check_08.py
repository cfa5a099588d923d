"""The exercises of lesson 08."""

import numpy as np
from check import judge


def by_heart(yours):
    given = np.array([3, 1, 4, 1, 5, 9, 2, 6])
    flipped = np.array([True, False, True, False, False, True, False, True])
    predicted = np.array([3, 1, 7, 0, 5, 8, 2, 6])
    mistakes = {
        "that is the share of all labels that it gives back; ask only where flipped is true": 5 / 8,
        "divide by the number of lies, not by that of all examples": 2 / 8,
        "that is the share of true labels that it gives back; ask about the lies": 3 / 4,
        "that is their number; the share of them is asked": 2.0,
    }
    return judge(yours(predicted, given, flipped), 0.5, mistakes, "share")


def seeming(yours):
    a, r = 0.9, 0.45
    mistakes = {
        "a wrong answer may be what the lie says: add (1 − a) r / 9": a * (1 - r),
        "a wrong answer meets the lie only once in 9 times": a * (1 - r) + (1 - a) * r,
        "there are 9 classes to lie with, as the true one is no lie": a * (1 - r) + (1 - a) * r / 10,
        "what is right and told truly: the two shares multiply": a - r,
    }
    return judge(yours(a, r), a * (1 - r) + (1 - a) * r / 9, mistakes, "accuracy")


def factor(yours):
    z, shift = np.array([-2.0, 0.0, 3.0]), 0.5

    def sigma(t):
        return 1 / (1 + np.exp(-t))

    right = sigma(shift - z) / sigma(-z)
    mistakes = {
        "SAM looks uphill, where the margin is z − shift, not z + shift": sigma(-z - shift) / sigma(-z),
        "that is how much SAM weighs it; divide by what SGD does": sigma(shift - z),
        "that is how much less SGD weighs it: turn the fraction over": 1 / right,
        "the weight is σ(−z), large for small margins, not σ(z)": sigma(z - shift) / sigma(z),
    }
    return judge(yours(z, shift), right, mistakes, "factor")
