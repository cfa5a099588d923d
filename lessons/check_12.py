"""The exercises of lesson 12."""

import numpy as np
from check import at, judge


def adaptive(yours):
    points = [
        (np.array([3.0, -4.0, 1.0]), np.array([-2.0, 0.5, 0.7]), 0.5),
        (np.array([-0.3, 0.1, 0.8]), np.array([0.2, 3.0, -1.0]), 0.07),
    ]
    g, w = (np.array([point[k] for point in points]) for k in (0, 1))
    T, rho = np.abs(w), np.array([[0.5], [0.07]])

    def length(a):
        return np.linalg.norm(a, axis=1, keepdims=True)

    mistakes = {
        "one factor |w| is missing: δ = ρ Tg/‖Tg‖ is the step in units of |w|, and ε = Tδ": rho * T * g / length(T * g),
        "the length is measured in units of |w|: divide by ‖Tg‖, not by ‖g‖": rho * T**2 * g / length(g),
        "that is SAM's: where does the size of the weights come in?": rho * g / length(g),
        "a weight's size is |w|; its sign would turn the step around": rho * w * T * g / length(T * g),
        "the two factors T are both outside the norm, and only one is inside": rho * T**2 * g / length(T**2 * g),
    }
    return judge(at(yours, points), rho * T**2 * g / length(T * g), mistakes, "perturbation")


def surrogate_gap_direction(yours):
    points = [
        (np.array([1.0, 2.0, -0.5]), np.array([2.0, 0.3, 1.1]), 0.5),
        (np.array([-0.7, 0.2, 3.0]), np.array([0.4, -1.5, 1.0]), 0.3),
    ]
    g, g_adv = (np.array([point[k] for point in points]) for k in (0, 1))
    alpha = np.array([[0.5], [0.3]])

    def along(a, b):
        return np.sum(a * b, axis=1, keepdims=True) * b / np.sum(b * b, axis=1, keepdims=True)

    across = g - along(g, g_adv)
    mistakes = {
        "take off the part *across* g_adv; the part along it lowers the loss there": g_adv - alpha * along(g, g_adv),
        "that adds g⊥, and makes the gap larger: subtract": g_adv + alpha * across,
        "split g, not g_adv: g⊥ is orthogonal to g_adv": g_adv - alpha * (g_adv - along(g_adv, g)),
        "that is SAM, α = 0": g_adv,
        "α times g⊥": g_adv - across,
    }
    return judge(at(yours, points), g_adv - alpha * across, mistakes, "direction")


def fair_score(yours):
    labels = [np.array([0, 0, 0, 0, 0, 1, 1, 2]), np.array([3, 1, 1, 3, 3, 3, 1, 3, 1, 3, 0])]
    guesses = [np.array([0, 0, 0, 1, 2, 1, 0, 2]), np.array([3, 1, 3, 3, 3, 0, 1, 3, 3, 1, 0])]
    points = list(zip(guesses, labels, strict=True))

    def of_each(f):
        return np.array([f(guess, y) for guess, y in points])

    def shares(guess, y, by):
        return [np.mean(guess[by == c] == y[by == c]) for c in np.unique(y)]

    def hits(guess, y):
        return [np.sum((guess == c) & (y == c)) for c in np.unique(y)]

    mistakes = {
        "that is the accuracy, in which a frequent class counts for more": of_each(lambda p, y: np.mean(p == y)),
        "that is the share of those *said* to be c: take the examples that *are* c": of_each(
            lambda p, y: np.mean(shares(p, y, by=p))
        ),
        "every class counts the same: take the mean over the classes, not the sum": of_each(
            lambda p, y: np.sum(shares(p, y, by=y))
        ),
        "the mean over the classes, not the median: each has to count": of_each(
            lambda p, y: np.median(shares(p, y, by=y))
        ),
        "the mean over the classes, not the worst of them": of_each(lambda p, y: np.min(shares(p, y, by=y))),
        "divide the hits of each class by the number of its examples": of_each(lambda p, y: np.mean(hits(p, y))),
        "average over the classes that are there, not over ten": of_each(lambda p, y: np.sum(shares(p, y, by=y)) / 10),
    }
    return judge(at(yours, points), of_each(lambda p, y: np.mean(shares(p, y, by=y))), mistakes, "score")
