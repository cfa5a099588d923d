"""The exercises of lesson 09."""

import numpy as np
from check import judge


def same_as(yours):
    x, delta, W = np.array([3.0, 4.0]), np.array([0.5, -1.0]), np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]])
    right = np.outer(x, delta @ W) / 25
    mistakes = {
        "x ε has to be δ W, yours is ‖x‖² times that: divide by x @ x": np.outer(x, delta @ W),
        "divide by ‖x‖², not by ‖x‖: x stands in it twice": np.outer(x, delta @ W) / 5,
        "x ε has to be δ W: the column is x, the row is what is missing, δ W": np.outer(delta, x @ W) / 25,
        "(x + δ)(W + ε) is something else: the input is x on the right": np.outer(x + delta, delta @ W)
        / ((x + delta) @ (x + delta)),
    }
    return judge(yours(x, delta, W), right, mistakes, "ε")


def relative_error(yours):
    errors = np.array([[2.0, 4.0, 6.0], [10.0, 30.0, 50.0]])
    baseline = np.array([[4.0, 4.0, 8.0], [20.0, 30.0, 40.0]])
    mistakes = {
        "so the hard kinds count most: take the share kind by kind, then the mean": errors.sum() / baseline.sum(),
        "sum over the severities first, then divide": np.mean(errors / baseline),
        "the severities are axis 1": np.mean(errors.sum(axis=0) / baseline.sum(axis=0)),
        "turn the fraction over: the baseline is below": np.mean(baseline.sum(axis=1) / errors.sum(axis=1)),
    }
    return judge(yours(errors, baseline), np.mean(errors.sum(axis=1) / baseline.sum(axis=1)), mistakes, "error")


def turn(yours):
    x, degrees = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, -1.0]]), 30.0

    def turned(a):
        return x @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])

    right = turned(np.pi / 6)
    mistakes = {
        "that is clockwise: (1, 0) has to go up. Points are rows here, so the matrix is transposed": turned(-np.pi / 6),
        "np.cos takes radians: 180 degrees are π": turned(degrees),
        "that changes lengths: the two sines have opposite signs": x
        @ np.array([[np.cos(np.pi / 6), np.sin(np.pi / 6)], [np.sin(np.pi / 6), np.cos(np.pi / 6)]]),
    }
    return judge(yours(x, degrees), right, mistakes, "points")
