"""The exercises of lesson 16."""

import numpy as np
from check import judge


def part_of_the_way(yours):
    g, rho, u = np.array([3.0, -4.0]), 0.5, 0.3
    right = 2 * u * rho * g / 5
    mistakes = {
        "so it is ρ/2 long in the mean, for u is ½ in the mean; SAM's is ρ long": right / 2,
        "how steep it is should not matter: did you normalise?": 2 * u * rho * g,
        "that is SAM: u should say which part of the way": rho * g / 5,
        "that is downhill": -right,
    }
    return judge(yours(g, rho, u), right, mistakes, "perturbation")


def fair_epochs(yours):
    epochs, evaluations = 50.0, 3.0
    mistakes = {
        "with equal epochs the variant has been given more gradients": epochs,
        "SGD is the one that may go on for longer": epochs / evaluations,
        "a step of SGD spends one gradient, a step of the variant all of its `evaluations`": epochs * (evaluations - 1),
    }
    return judge(yours(epochs, evaluations), epochs * evaluations, mistakes, "number of epochs")


def lower_end(yours):
    d, t = np.array([0.5, 1.5, -0.25, 1.0]), 3.182
    error = d.std(ddof=1) / np.sqrt(len(d))
    mistakes = {
        "that is how far single seeds scatter; the mean of n of them scatters √n times less": d.mean()
        - t * d.std(ddof=1),
        "the mean itself was estimated from these n numbers: divide by n − 1, ddof=1": d.mean()
        - t * d.std() / np.sqrt(len(d)),
        "that is the upper end": d.mean() + t * error,
        "that is one standard error; t of them make the interval": d.mean() - error,
    }
    return judge(yours(d, t), d.mean() - t * error, mistakes, "lower end")
