"""Answers to the exercises of lesson 12: (check, answer, what the check says of it; None if it is right)."""

import check_12
import numpy as np
from sklearn.metrics import balanced_accuracy_score


def adaptive(g, w, rho, outside=2, inside=1):
    T = np.abs(w)
    return rho * T**outside * g / np.linalg.norm(T**inside * g)


def in_units(g, w, rho):
    g *= abs(w)
    g /= np.sqrt(g @ g)
    return g * rho * abs(w)


def across(a, b):
    return a - (a @ b) / (b @ b) * b


def projected(g, g_adv, alpha):
    unit = g_adv / np.linalg.norm(g_adv)
    return g_adv - alpha * (np.eye(len(g)) - np.outer(unit, unit)) @ g


def recalls(p, y):
    return [np.mean(p[y == c] == c) for c in np.unique(y)]


def by_weights(p, y):
    v = 1 / np.bincount(y, minlength=1)[y]
    return np.sum(v * (p == y)) / np.sum(v)


def by_table(p, y):
    table = np.zeros((4, 4))
    np.add.at(table, (y, p), 1)
    there = table.sum(axis=1) > 0
    return np.mean(np.diag(table)[there] / table.sum(axis=1)[there])


def precision(p, y):
    return np.mean([np.mean(y[p == c] == c) for c in np.unique(y)])


CASES = [
    (check_12.adaptive, adaptive, None),
    (check_12.adaptive, in_units, None),
    (check_12.adaptive, lambda g, w, rho: rho * w * w * g / np.sqrt(np.sum((w * g) ** 2)), None),
    (check_12.adaptive, lambda g, w, rho: np.diag(w**2) @ g * rho / np.linalg.norm(w * g), None),
    (check_12.adaptive, lambda *a: adaptive(*a, outside=1), "one factor |w| is missing"),
    (check_12.adaptive, lambda *a: adaptive(*a, inside=0), "divide by ‖Tg‖"),
    (check_12.adaptive, lambda *a: adaptive(*a, outside=0, inside=0), "that is SAM's"),
    (check_12.adaptive, lambda g, w, rho: rho * w * abs(w) * g / np.linalg.norm(w * g), "its sign would turn"),
    (check_12.adaptive, lambda *a: adaptive(*a, inside=2), "only one is inside"),
    (check_12.adaptive, lambda *a: -adaptive(*a), "off by up to"),
    (check_12.adaptive, lambda *a: adaptive(*a) / a[2], "off by up to"),
    (check_12.adaptive, lambda g, w, rho: rho * w**2 * np.sign(g), "off by up to"),
    (check_12.adaptive, lambda g, w, rho: rho, "should have shape"),
    (check_12.surrogate_gap_direction, lambda g, g_adv, alpha: g_adv - alpha * across(g, g_adv), None),
    (check_12.surrogate_gap_direction, projected, None),
    (check_12.surrogate_gap_direction, lambda g, a, al: a - al * g + al * (g @ a) * a / (a @ a), None),
    (check_12.surrogate_gap_direction, lambda g, a, al: list((1 + al * (g @ a) / (a @ a)) * a - al * g), None),
    (
        check_12.surrogate_gap_direction,
        lambda g, g_adv, alpha: g_adv - alpha * (g - across(g, g_adv)),
        "the part *across*",
    ),
    (check_12.surrogate_gap_direction, lambda g, g_adv, alpha: g_adv + alpha * across(g, g_adv), "subtract"),
    (check_12.surrogate_gap_direction, lambda g, g_adv, alpha: g_adv - alpha * across(g_adv, g), "split g, not g_adv"),
    (check_12.surrogate_gap_direction, lambda g, g_adv, alpha: g_adv, "that is SAM"),
    (check_12.surrogate_gap_direction, lambda g, g_adv, alpha: g_adv - across(g, g_adv), "α times"),
    (check_12.surrogate_gap_direction, lambda g, a, al: a - al * g * [0, 1, 0], "off by up to"),
    (check_12.surrogate_gap_direction, lambda g, a, al: a - al * g, "off by up to"),
    (check_12.surrogate_gap_direction, lambda g, a, al: a - al * (g - (g @ a) * a), "off by up to"),
    (check_12.fair_score, lambda p, y: np.mean(recalls(p, y)), None),
    (check_12.fair_score, lambda p, y: balanced_accuracy_score(y, p), None),
    (check_12.fair_score, by_weights, None),
    (check_12.fair_score, by_table, None),
    (check_12.fair_score, lambda p, y: np.mean(p == y), "in which a frequent class counts for more"),
    (check_12.fair_score, precision, "said* to be c"),
    (check_12.fair_score, lambda p, y: sum(recalls(p, y)), "not the sum"),
    (check_12.fair_score, lambda p, y: np.median(recalls(p, y)), "not the median"),
    (check_12.fair_score, lambda p, y: min(recalls(p, y)), "not the worst"),
    (check_12.fair_score, lambda p, y: np.mean([np.sum((p == c) & (y == c)) for c in np.unique(y)]), "divide the hits"),
    (check_12.fair_score, lambda p, y: sum(recalls(p, y)) / 10, "not over ten"),
    (check_12.fair_score, lambda p, y: 1 - np.mean(recalls(p, y)), "off by up to"),
    (check_12.fair_score, recalls, "should have shape"),
    (check_12.fair_score, lambda p, y: 0.7, "off by up to"),
]
