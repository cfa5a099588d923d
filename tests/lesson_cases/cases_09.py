"""Answers to the exercises of lesson 09: (check, answer, what the check says of it; None if it is right)."""

import check_09
import numpy as np


def in_place(x, d, W):
    x /= x @ x
    return x[:, None] * (d @ W)


def by_loop(errors, baseline):
    return sum(sum(e) / sum(b) for e, b in zip(errors, baseline, strict=True)) / len(errors)


def both(x, s):
    return (x[:, None] == s).all(axis=-1)


def by_bytes(x, s):
    seen = {row.tobytes() for row in s}
    return sum(row.tobytes() in seen for row in x) / len(x)


def by_lists(x, s):
    return np.mean([row in s.tolist() for row in x.tolist()])


def by_distance(x, s):
    return np.mean([np.linalg.norm(s - row, axis=1).min() < 1e-9 for row in x])


CASES = [
    (check_09.same_as, lambda x, d, W: np.outer(x, d @ W) / (x @ x), None),
    (check_09.same_as, in_place, None),
    (check_09.same_as, lambda x, d, W: np.linalg.pinv(x[None]) @ (d @ W)[None], None),
    (check_09.same_as, lambda x, d, W: x[:, None] / np.sum(x**2) * ((x + d) @ W - x @ W), None),
    (check_09.same_as, lambda x, d, W: np.outer(x, d @ W), "divide by x @ x"),
    (check_09.same_as, lambda x, d, W: np.outer(x, d @ W) / np.linalg.norm(x), "not by ‖x‖"),
    (check_09.same_as, lambda x, d, W: np.outer(d, x @ W) / (x @ x), "the column is x"),
    (check_09.same_as, lambda x, d, W: np.outer(x + d, d @ W) / ((x + d) @ (x + d)), "something else"),
    (check_09.same_as, lambda x, d, W: -np.outer(x, d @ W) / (x @ x), "+ δ W"),
    (check_09.same_as, lambda x, d, W: np.outer([1 / x[0], 0], d @ W), "a smaller ε does"),
    (check_09.same_as, lambda x, d, W: np.outer(d @ W, x) / (x @ x), "should have shape"),
    (check_09.same_as, lambda x, d, W: 0 * W, "off by up to"),
    (check_09.same_as, lambda x, d, W: np.outer(x, d @ W) / 29.25, "off by up to"),
    (check_09.same_as, lambda x, d, W: d @ W, "should have shape"),
    (check_09.relative_error, lambda e, b: np.mean(e.sum(1) / b.sum(1)), None),
    (check_09.relative_error, by_loop, None),
    (check_09.relative_error, lambda e, b: np.mean(e.mean(axis=-1) / b.mean(axis=-1)), None),
    (check_09.relative_error, lambda e, b: (e.sum(1, keepdims=True) / b.sum(1, keepdims=True)).mean(), None),
    (check_09.relative_error, lambda e, b: e.sum() / b.sum(), "hard kinds count most"),
    (check_09.relative_error, lambda e, b: np.mean(e / b), "sum over the severities first"),
    (check_09.relative_error, lambda e, b: np.mean(e.sum(0) / b.sum(0)), "axis 1"),
    (check_09.relative_error, lambda e, b: np.mean(b.sum(1) / e.sum(1)), "turn the fraction over"),
    (check_09.relative_error, lambda e, b: np.median(e.sum(1) / b.sum(1)), "not the median"),
    (check_09.relative_error, lambda e, b: np.sum(e.sum(1) / b.sum(1)), "take the mean"),
    (check_09.relative_error, lambda e, b: np.mean(e.sum(1) / b.sum(1)) - 1, "the share itself"),
    (check_09.relative_error, lambda e, b: 1.0, "off by up to"),
    (check_09.relative_error, lambda e, b: np.mean(e.max(1) / b.max(1)), "off by up to"),
    (check_09.relative_error, lambda e, b: np.sum(e.sum(1) / b.sum(1)) / 3, "off by up to"),
    (check_09.overlap, lambda x, s: both(x, s).any(axis=1).mean(), None),
    (check_09.overlap, by_bytes, None),
    (check_09.overlap, by_lists, None),
    (check_09.overlap, by_distance, None),
    (check_09.overlap, lambda x, s: np.isin(x, s).mean(), "not of single numbers"),
    (check_09.overlap, lambda x, s: np.isin(x, s).all(axis=1).mean(), "in another row"),
    (check_09.overlap, lambda x, s: (x[:, None] == s).any(axis=(1, 2)).mean(), "one number in common"),
    (check_09.overlap, lambda x, s: both(s, x).any(axis=1).mean(), "share of the seen rows"),
    (check_09.overlap, lambda x, s: both(x, s).sum() / len(x), "seen twice counts once"),
    (check_09.overlap, lambda x, s: both(x, s).any(axis=1).sum(), "that is their number"),
    (check_09.overlap, lambda x, s: 1 - both(x, s).any(axis=1).mean(), "share of new ones"),
    (check_09.overlap, lambda x, s: len({*map(tuple, x)} & {*map(tuple, s)}) / len(x), "counts twice"),
    (check_09.overlap, lambda x, s: both(x, s).any(axis=1).mean() > 0, "off by up to"),
    (check_09.overlap, lambda x, s: 0.6, "off by up to"),
    (check_09.overlap, lambda x, s: np.isin(np.round(x.sum(1), 9), np.round(s.sum(1), 9)).mean(), "off by up to"),
]
