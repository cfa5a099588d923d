"""The exercises of lesson 08."""

import numpy as np
from check import at, judge, say


def by_heart(yours):
    points = [
        (
            np.array([3, 1, 7, 0, 5, 8, 2, 6, 4]),
            np.array([3, 1, 4, 1, 5, 9, 2, 6, 5]),
            np.array([True, False, True, False, False, True, False, True, True]),
        ),
        (
            np.array([2, 2, 0, 7, 7, 1, 9]),
            np.array([2, 8, 0, 7, 3, 1, 9]),
            np.array([True, True, False, True, False, True, False]),
        ),
    ]
    mistakes = {
        "that is the share of all labels that it gives back; ask only where flipped is true": lambda p, g, f: (
            p == g
        ).mean(),
        "divide by the number of lies, not by that of all examples": lambda p, g, f: ((p == g) & f).mean(),
        "that is the share of true labels that it gives back; ask about the lies": lambda p, g, f: (
            p[~f] == g[~f]
        ).mean(),
        "that is their number; the share of them is asked": lambda p, g, f: ((p == g) & f).sum(),
        "that is the share of labels that are lies; which of them does the network repeat?": lambda p, g, f: f.mean(),
        "of what it gives back, that is the share of lies; of the lies, what share does it give back?": lambda p, g, f: (
            f[p == g].mean()
        ),
        "that is the share of lies that it does not repeat": lambda p, g, f: (p[f] != g[f]).mean(),
    }

    def of_each(f):
        return np.array([f(*point) for point in points])

    right = of_each(lambda p, g, f: (p[f] == g[f]).mean())
    return judge(at(yours, points), right, {why: of_each(f) for why, f in mistakes.items()}, "share")


# --- makers of labels, for the test that the learner writes -------------------------------------------------------------


def hit(y, rate, seed):
    """A generator, and which labels become lies."""
    rng = np.random.default_rng(seed)
    return rng, rng.permutation(len(y))[: round(rate * len(y))]


def honest(y, rate, seed, away=lambda rng, m: rng.integers(1, 10, m)):
    """Labels as promised; with another `away`, the class moves by another draw."""
    rng, some = hit(y, rate, seed)
    given = y.copy()
    given[some] = (given[some] + away(rng, len(some))) % 10
    return given


def drawn_again(y, rate, seed):
    """As promised, too: draws a class until it is another."""
    rng, some = hit(y, rate, seed + 1)
    given = y.copy()
    while len(same := some[given[some] == y[some]]):
        given[same] = rng.integers(0, 10, len(same))
    return given


def into_y(y, rate, seed):
    y[:] = honest(y, rate, seed)
    return y


def never_nought(y, rate, seed):
    given = honest(y, rate, seed)
    lie = given != y
    given[lie & (given == 0)] = np.where(y[lie & (given == 0)] == 1, 2, 1)
    return given


KEEP = {"the offset": honest, "the one that draws again": drawn_again}
BREAK = {
    "it draws from all ten classes, so that some of the lies are true": lambda y, rate, seed: honest(
        y, rate, seed, lambda rng, m: rng.integers(0, 10, m)
    ),
    "it always takes the next class": lambda y, rate, seed: honest(y, rate, seed, lambda rng, m: np.ones(m, dtype=int)),
    "it gives half as many lies": lambda y, rate, seed: honest(y, rate / 2, seed),
    "it gives no lies": lambda y, rate, seed: y.copy(),
    "it writes into y, so that the truth is lost": into_y,
    "its lies are never a 0": never_nought,
}


def is_broken(yours):
    """A test of makers of wrong labels, which is to tell those that keep the promise from those that break it."""
    for makes, makers in ((False, KEEP), (True, BREAK)):
        for name, make in makers.items():
            try:
                answer = yours(make)
            except Exception as error:
                return say(f"not quite: on one of the functions your test stops with {type(error).__name__}: {error}")
            if answer is Ellipsis or answer is None:
                return say("· not yet: return True or False instead of `...`")
            if not isinstance(answer, (bool, np.bool_, int)):
                return say(f"not quite: your test should return True or False, got {answer!r}")
            if bool(answer) != makes:
                return say(
                    f"not quite: your test lets one pass: {name}"
                    if makes
                    else f"not quite: your test accuses one that keeps the promise, {name}"
                )
    return say("✓ right")


def factor(yours):
    points = [(np.array([-2.0, 0.3, 3.0]), 0.5), (np.array([1.1, -0.4, 0.7]), 1.3)]
    z, shift = np.array([point[0] for point in points]), np.array([[0.5], [1.3]])

    def sigma(t):
        return 1 / (1 + np.exp(-t))

    right = sigma(shift - z) / sigma(-z)
    mistakes = {
        "SAM looks uphill, where the margin is z − shift, not z + shift": sigma(-z - shift) / sigma(-z),
        "that is how much SAM weighs it; divide by what SGD does": sigma(shift - z),
        "that is how much less SGD weighs it: turn the fraction over": 1 / right,
        "the weight is σ(−z), large for small margins, not σ(z)": sigma(z - shift) / sigma(z),
        "that is the limit for large margins; for each margin the factor is another": np.exp(shift) + 0 * z,
        "that is how much more it weighs; how many times as much is asked": sigma(shift - z) - sigma(-z),
    }
    return judge(at(yours, points), right, mistakes, "factor")
