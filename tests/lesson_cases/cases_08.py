"""Answers to the exercises of lesson 08: (check, answer, what the check says of it; None if it is right)."""

import check_08
import numpy as np


def sigma(t):
    return 1 / (1 + np.exp(-t))


def by_loop(predicted, given, flipped):
    lies = [(p, g) for p, g, f in zip(predicted, given, flipped, strict=True) if f]
    return sum(p == g for p, g in lies) / len(lies)


def in_place(predicted, given, flipped):
    predicted -= given
    return 1 - np.count_nonzero(predicted[flipped]) / flipped.sum()


def finds(kept=True, share=True, every=True, y=None, rate=0.4, tolerance=0.01):
    """A test that looks at some of what is promised."""
    truth = np.arange(20_000) % 10 if y is None else y

    def is_broken(make):
        given_to = truth.copy()
        given = make(given_to, rate, 7)
        lie = given != truth
        pairs = np.bincount(10 * truth[lie] + given[lie], minlength=100).reshape(10, 10)
        broken = kept and not np.array_equal(given_to, truth)
        broken |= share and abs(lie.mean() - rate) > tolerance
        return broken or (every and (pairs[~np.eye(10, dtype=bool)] == 0).any())

    return is_broken


def after_the_fact(make):
    y = np.arange(20_000) % 10
    return finds(kept=False)(make) or np.mean(make(y, 0.4, 1) != y) < 0.39  # what is lost is seen as no lies at all


def by_offsets(make):
    y = np.random.default_rng(0).integers(0, 10, 30_000)
    truth = list(y)
    given = make(y, 0.3, 2)
    table = {a: set(given[(np.array(truth) == a) & (given != a)]) for a in range(10)}
    lies = sum(a != b for a, b in zip(truth, given, strict=True))
    return list(y) != truth or lies != 9000 or any(len(seen) < 9 for seen in table.values())


CASES = [
    (check_08.by_heart, lambda p, g, f: np.mean(p[f] == g[f]), None),
    (check_08.by_heart, by_loop, None),
    (check_08.by_heart, in_place, None),
    (check_08.by_heart, lambda p, g, f: np.average(p == g, weights=f), None),
    (check_08.by_heart, lambda p, g, f: np.mean(p == g), "only where flipped"),
    (check_08.by_heart, lambda p, g, f: np.mean((p == g) & f), "divide by the number of lies"),
    (check_08.by_heart, lambda p, g, f: np.mean(p[~f] == g[~f]), "ask about the lies"),
    (check_08.by_heart, lambda p, g, f: np.sum(p[f] == g[f]), "that is their number"),
    (check_08.by_heart, lambda p, g, f: f.mean(), "share of labels that are lies"),
    (check_08.by_heart, lambda p, g, f: f[p == g].mean(), "of the lies, what share"),
    (check_08.by_heart, lambda p, g, f: np.mean(p[f] != g[f]), "does not repeat"),
    (check_08.by_heart, lambda p, g, f: np.median(p[f] == g[f]), "off by up to"),
    (check_08.by_heart, lambda p, g, f: 0.5, "off by up to"),
    (check_08.by_heart, lambda p, g, f: np.ones(3), "should have shape"),
    (check_08.is_broken, finds(), None),
    (check_08.is_broken, by_offsets, None),
    (check_08.is_broken, after_the_fact, None),
    (check_08.is_broken, lambda make: int(finds(rate=0.7)(make)), None),
    (check_08.is_broken, finds(y=np.random.default_rng(1).integers(0, 10, 50_000)), None),
    (check_08.is_broken, lambda make: True, "keeps the promise"),
    (check_08.is_broken, lambda make: False, "all ten classes"),
    (check_08.is_broken, lambda make: "broken", "True or False"),
    (check_08.is_broken, finds(kept=False, share=False), "all ten classes"),
    (check_08.is_broken, finds(tolerance=0.05), "all ten classes"),
    (check_08.is_broken, finds(every=False), "always takes the next class"),
    (check_08.is_broken, finds(share=False), "all ten classes"),
    (check_08.is_broken, finds(y=np.zeros(1000, dtype=int), every=False), "next class"),
    (check_08.is_broken, finds(tolerance=1e-9, y=np.arange(300) % 10), "keeps the promise"),
    (check_08.is_broken, lambda make: make(np.arange(10), 0.4), "stops with TypeError"),
    (check_08.factor, lambda z, s: sigma(s - z) / sigma(-z), None),
    (check_08.factor, lambda z, s: (1 + np.exp(z)) / (1 + np.exp(z - s)), None),
    (check_08.factor, lambda z, s: [sigma(s - a) / sigma(-a) for a in z], None),
    (check_08.factor, lambda z, s: np.exp(np.logaddexp(0, z) - np.logaddexp(0, z - s)), None),
    (check_08.factor, lambda z, s: sigma(-z - s) / sigma(-z), "SAM looks uphill"),
    (check_08.factor, lambda z, s: sigma(s - z), "divide by what SGD does"),
    (check_08.factor, lambda z, s: sigma(-z) / sigma(s - z), "turn the fraction over"),
    (check_08.factor, lambda z, s: sigma(z - s) / sigma(z), "large for small margins"),
    (check_08.factor, lambda z, s: np.exp(s) + 0 * z, "limit for large margins"),
    (check_08.factor, lambda z, s: sigma(s - z) - sigma(-z), "how many times as much"),
    (check_08.factor, lambda z, s: sigma(0.5 - z) / sigma(-z), "off by up to"),
    (check_08.factor, lambda z, s: 1 + s * z, "off by up to"),
    (check_08.factor, lambda z, s: np.exp(s), "should have shape"),
]
