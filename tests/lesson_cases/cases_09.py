"""Answers to the exercises of lesson 09: (check, answer, what the check says of it; None if it is right)."""

import check_09
import numpy as np


def turn(x, a, last=1):
    return x @ np.array([[np.cos(a), np.sin(a)], [-last * np.sin(a), np.cos(a)]])


CASES = [
    (check_09.same_as, lambda x, d, W: np.outer(x, d @ W) / (x @ x), None),
    (check_09.same_as, lambda x, d, W: np.outer(x, d @ W), "divide by x @ x"),
    (check_09.same_as, lambda x, d, W: np.outer(x, d @ W) / np.linalg.norm(x), "not by ‖x‖"),
    (check_09.same_as, lambda x, d, W: np.outer(d, x @ W) / (x @ x), "the column is x"),
    (check_09.same_as, lambda x, d, W: np.outer(x + d, d @ W) / ((x + d) @ (x + d)), "something else"),
    (check_09.relative_error, lambda e, b: np.mean(e.sum(1) / b.sum(1)), None),
    (check_09.relative_error, lambda e, b: e.sum() / b.sum(), "hard kinds count most"),
    (check_09.relative_error, lambda e, b: np.mean(e / b), "sum over the severities first"),
    (check_09.relative_error, lambda e, b: np.mean(e.sum(0) / b.sum(0)), "axis 1"),
    (check_09.relative_error, lambda e, b: np.mean(b.sum(1) / e.sum(1)), "turn the fraction over"),
    (check_09.turn, lambda x, d: turn(x, np.deg2rad(d)), None),
    (check_09.turn, lambda x, d: turn(x, -np.deg2rad(d)), "that is clockwise"),
    (check_09.turn, lambda x, d: turn(x, d), "takes radians"),
    (check_09.turn, lambda x, d: turn(x, np.deg2rad(d), -1), "changes lengths"),
]
