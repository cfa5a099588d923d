"""The exercises of lesson 15."""

import numpy as np
from check import judge, say


def runs(yours):
    sweep, seeds = {"rho": [0, 0.1, 0.2], "lr": [0.05, 0.1]}, [0, 1, 2, 3]
    mistakes = {
        "every value of one goes with every value of the other: multiply": 3.0 + 2 + 4,
        "each combination is trained from every seed": 3.0 * 2,
        "`len(sweep)` counts names; count the values of each": 2.0 * 4,
    }
    return judge(yours(sweep, seeds), 24.0, mistakes, "number of runs")


def along_first_axis(yours):
    values = np.array([0.0, 0.1, 0.2])
    answer = yours(values)
    shapes = {
        (3,): "so they would go along the last axis, that of the weights: each weight a ρ of its own",
        (3, 1): "so they would go along the seeds: there are three axes behind that of ρ",
        (3, 1, 1): "so they would go along lr: seeds and weights are two axes more, and lr is one",
        (1, 3, 1, 1): "so they would go along lr, the second axis",
    }
    if np.shape(answer) in shapes:
        return say(f"not quite: {shapes[np.shape(answer)]}")
    return judge(answer, values.reshape(3, 1, 1, 1), {}, "array of ρ")


def speed_up(yours):
    R, a, b = 8.0, 90.0, 10.0
    mistakes = {
        "that is how many times as long one run takes; turn it round": (a + R * b) / (R * (a + b)),
        "one after the other, it is R times a + b": (a + b) / (a + R * b),
        "only if b were nothing: the work grows with R": R,
        "together, a is paid once, and b R times": R * (a + b) / (R * a + b),
    }
    return judge(yours(R, a, b), R * (a + b) / (a + R * b), mistakes, "speed-up")
