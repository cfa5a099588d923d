"""The exercises of lesson 09."""

import numpy as np
from check import at, judge


def same_as(yours):
    points = [
        (np.array([3.0, 4.5]), np.array([0.5, -1.0]), np.array([[1.0, 2.0, 0.3], [-0.7, 1.0, -1.0]])),
        (np.array([-0.2, 0.9]), np.array([0.1, 0.4]), np.array([[0.6, -1.1, 2.0], [0.2, 0.5, -0.4]])),
    ]
    mistakes = {
        "x ε has to be δ W, yours is ‖x‖² times that: divide by x @ x": lambda x, d, W: np.outer(x, d @ W),
        "divide by ‖x‖², not by ‖x‖: x stands in it twice": lambda x, d, W: np.outer(x, d @ W) / np.linalg.norm(x),
        "x ε has to be δ W: the column is x, the row is what is missing, δ W": lambda x, d, W: (
            np.outer(d, x @ W) / (x @ x)
        ),
        "(x + δ)(W + ε) is something else: the input is x on the right": lambda x, d, W: (
            np.outer(x + d, d @ W) / ((x + d) @ (x + d))
        ),
        "x ε is δ W, so what is missing is + δ W": lambda x, d, W: -np.outer(x, d @ W) / (x @ x),
        "x ε is δ W there too, but a smaller ε does: spread it over the rows as x": lambda x, d, W: np.outer(
            [1 / x[0], 0.0], d @ W
        ),
    }

    def of_each(f):
        return np.array([f(*point) for point in points])

    right = of_each(lambda x, d, W: np.outer(x, d @ W) / (x @ x))
    return judge(at(yours, points), right, {why: of_each(f) for why, f in mistakes.items()}, "ε")


def relative_error(yours):
    points = [
        (
            np.array([[2.0, 4.0, 6.5], [10.0, 30.0, 50.0], [3.0, 1.0, 7.0]]),
            np.array([[4.0, 4.0, 8.0], [20.0, 30.0, 41.0], [1.0, 2.0, 2.5]]),
        ),
        (
            np.array([[1.0, 9.0], [20.0, 25.0], [3.0, 5.0], [40.0, 8.0]]),
            np.array([[2.0, 7.0], [35.0, 30.0], [1.5, 2.0], [44.0, 9.0]]),
        ),
    ]
    mistakes = {
        "so the hard kinds count most: take the share kind by kind, then the mean": lambda e, b: e.sum() / b.sum(),
        "sum over the severities first, then divide": lambda e, b: np.mean(e / b),
        "the severities are axis 1": lambda e, b: np.mean(e.sum(axis=0) / b.sum(axis=0)),
        "turn the fraction over: the baseline is below": lambda e, b: np.mean(b.sum(axis=1) / e.sum(axis=1)),
        "the mean over the kinds, not the median": lambda e, b: np.median(e.sum(axis=1) / b.sum(axis=1)),
        "that is the sum over the kinds; take the mean": lambda e, b: np.sum(e.sum(axis=1) / b.sum(axis=1)),
        "that is how much larger it is; the share itself is asked": lambda e, b: np.mean(e.sum(1) / b.sum(1)) - 1,
    }

    def of_each(f):
        return np.array([f(*point) for point in points])

    right = of_each(lambda e, b: np.mean(e.sum(axis=1) / b.sum(axis=1)))
    return judge(at(yours, points), right, {why: of_each(f) for why, f in mistakes.items()}, "error")


def overlap(yours):
    a, b, c, d, e = [0.1, 0.5, 0.0], [0.5, 0.1, 0.0], [0.1, 0.5, 1.0], [0.3, 0.3, 0.0], [-0.1, 0.5, 0.0]
    points = [
        (np.array([a, b, c, d, a]), np.array([c, a, e, a])),  # a, c, a
        (np.array([b, d, e]), np.array([a, b, c, c, b, c, c])),  # b
        (np.array([a, c, d, b, e, d, e]), np.array([[0.1, 0.3, 0.0], [0.5, 0.5, 0.5]])),  # none
    ]

    def entries(x, seen):
        return np.isin(x, seen).mean()

    mistakes = {
        "the share of rows, not of single numbers: a row has been seen if all of it stands in one row": entries,
        "each number may stand in another row; all of a row has to stand in one": lambda x, s: (
            np.isin(x, s).all(axis=1).mean()
        ),
        "one number in common is no row": lambda x, s: (x[:, None] == s).any(axis=(1, 2)).mean(),
        "that is the share of the seen rows; of those of the test": lambda x, s: (
            (s[:, None] == x).all(-1).any(1).mean()
        ),
        "a test row that has been seen twice counts once": lambda x, s: (x[:, None] == s).all(axis=-1).sum() / len(x),
        "that is their number; the share is asked": lambda x, s: (x[:, None] == s).all(axis=-1).any(axis=1).sum(),
        "that is the share of new ones; of those that have been seen": lambda x, s: (
            1 - (x[:, None] == s).all(axis=-1).any(axis=1).mean()
        ),
        "the same row at another place has been seen, too": lambda x, s: (
            (x[: len(s)] == s[: len(x)]).all(axis=1).sum() / len(x)
        ),
        "a row that stands twice in the test counts twice": lambda x, s: (
            len(set(map(tuple, x)) & set(map(tuple, s))) / len(x)
        ),
    }

    def of_each(f):
        return np.array([f(*point) for point in points])

    right = of_each(lambda x, s: (x[:, None] == s).all(axis=-1).any(axis=1).mean())
    return judge(at(yours, points), right, {why: of_each(f) for why, f in mistakes.items()}, "share")
