"""Answers to the exercises of lesson 15: (check, answer, what the check says of it; None if it is right)."""

import math

import check_15
import numpy as np


def lengths(sweep, seeds):
    return [*map(len, sweep.values()), len(seeds)]


CASES = [
    (check_15.runs, lambda sweep, seeds: math.prod(lengths(sweep, seeds)), None),
    (check_15.runs, lambda sweep, seeds: sum(lengths(sweep, seeds)), "multiply"),
    (check_15.runs, lambda sweep, seeds: math.prod(lengths(sweep, [0])), "from every seed"),
    (check_15.runs, lambda sweep, seeds: len(sweep) * len(seeds), "counts names"),
    (check_15.along_first_axis, lambda values: np.reshape(values, (-1, 1, 1, 1)), None),
    (check_15.along_first_axis, lambda values: values, "that of the weights"),
    (check_15.along_first_axis, lambda values: values[:, None], "along the seeds"),
    (check_15.along_first_axis, lambda values: values[:, None, None], "would go along lr"),
    (check_15.along_first_axis, lambda values: values[None, :, None, None], "the second axis"),
    (check_15.speed_up, lambda R, a, b: R * (a + b) / (a + R * b), None),
    (check_15.speed_up, lambda R, a, b: (a + R * b) / (R * (a + b)), "turn it round"),
    (check_15.speed_up, lambda R, a, b: (a + b) / (a + R * b), "R times a + b"),
    (check_15.speed_up, lambda R, a, b: R, "only if b were nothing"),
    (check_15.speed_up, lambda R, a, b: R * (a + b) / (R * a + b), "a is paid once"),
]
