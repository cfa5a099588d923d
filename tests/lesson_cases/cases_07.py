"""Answers to the exercises of lesson 07: (check, answer, what the check says of it; None if it is right)."""

import check_07
import numpy as np


def by_loop(n, batch, epochs, per_step):
    return sum(per_step for _ in range(epochs) for first in range(0, n, batch) if first + batch <= n)


def referee(settings, tuned, reported, chosen, grids, share_a_unit=lambda a, b: set(a) & set(b), at_rim=None):
    at_rim = at_rim or (lambda lr, grid: lr in (min(grid), max(grid)))
    if len(set(settings)) > 1:
        return "settings"
    if share_a_unit(tuned, reported):
        return "units"
    return "rim" if any(map(at_rim, chosen, grids)) else "fair"


def in_another_order(settings, tuned, reported, chosen, grids):
    if any(sorted(grid).index(lr) in (0, len(grid) - 1) for lr, grid in zip(chosen, grids, strict=True)):
        return "rim"
    if not set(tuned).isdisjoint(reported):
        return "Units"
    return np.str_("settings") if max(settings) != min(settings) else "fair"


def only(word):
    """A referee that never says one of the words."""
    return lambda *comparison: "fair" if referee(*comparison) == word else referee(*comparison)


def with_ends(settings, tuned, reported, chosen, grids):
    return referee(settings, tuned, reported, chosen, grids, at_rim=lambda lr, grid: lr in (grid[0], grid[-1]))


def with_same_units(settings, tuned, reported, chosen, grids):
    return referee(settings, tuned, reported, chosen, grids, lambda a, b: set(a) == set(b))


def with_largest(settings, tuned, reported, chosen, grids):
    return referee(settings, tuned, reported, chosen, grids, at_rim=lambda lr, grid: lr == max(grid))


def of_two(settings, tuned, reported, chosen, grids):
    return referee(settings[:2], tuned, reported, chosen[:2], grids[:2])


CASES = [
    (check_07.spent, lambda n, b, e, k: n // b * e * k, None),
    (check_07.spent, by_loop, None),
    (check_07.spent, lambda n, b, e, k: k * e * int(n / b), None),
    (check_07.spent, lambda n, b, e, k: np.floor(n / b) * e * k, None),
    (check_07.spent, lambda n, b, e, k: (n - n % b) / b * e * k, None),
    (check_07.spent, lambda n, b, e, k: n // b * e, "takes per_step gradients"),
    (check_07.spent, lambda n, b, e, k: n / b * e * k, "1190 examples make 11"),
    (check_07.spent, lambda n, b, e, k: -(-n // b) * e * k, "round down"),
    (check_07.spent, lambda n, b, e, k: round(n / b) * e * k, "rounds to the nearest"),
    (check_07.spent, lambda n, b, e, k: n * e // b * k, "in each pass"),
    (check_07.spent, lambda n, b, e, k: n * e * k, "of a batch, not of an example"),
    (check_07.spent, lambda n, b, e, k: n // b * k, "that is one epoch"),
    (check_07.spent, lambda n, b, e, k: n // b * e * 2, "off by up to"),
    (check_07.spent, lambda n, b, e, k: 66, "off by up to"),
    (check_07.spent, lambda n, b, e, k: "66", "off by up to"),
    (check_07.report, lambda v, t: t[np.argmax(v)], None),
    (check_07.report, lambda v, t: dict(zip(v, t, strict=True))[max(v)], None),
    (check_07.report, lambda v, t: t[v == v.max()].item(), None),
    (check_07.report, lambda v, t: t[np.argsort(v)[-1]], None),
    (check_07.report, lambda v, t: t.max(), "chosen on the test data"),
    (check_07.report, lambda v, t: v.max(), "so flatters"),
    (check_07.report, lambda v, t: t[(v + t).argmax()], "had a say"),
    (check_07.report, lambda v, t: t.mean(), "mean over the settings"),
    (check_07.report, lambda v, t: v[np.argmax(t)], "choose by validation"),
    (check_07.report, lambda v, t: t[np.argmin(v)], "worst setting"),
    (check_07.report, lambda v, t: t[1], "off by up to"),
    (check_07.report, lambda v, t: np.median(t), "off by up to"),
    (check_07.report, lambda v, t: 91.0, "off by up to"),
    (check_07.report, lambda v, t: t[(v * t).argmax()], "had a say"),
    (check_07.referee, referee, None),
    (check_07.referee, in_another_order, None),
    (check_07.referee, lambda *c: f" {referee(*c).upper()} ", None),
    (check_07.referee, lambda s, t, r, c, g: referee(list(s), np.array(t), np.array(r), c, g), None),
    (check_07.referee, lambda *c: "fair", "had 9 settings"),
    (check_07.referee, lambda *c: "units", "as many settings"),
    (check_07.referee, lambda *c: True, "as many settings"),
    (check_07.referee, only("settings"), "had 9 settings"),
    (check_07.referee, only("units"), "by which it chose"),
    (check_07.referee, only("rim"), "smallest of its grid"),
    (check_07.referee, with_same_units, "one is enough"),
    (check_07.referee, with_ends, "smallest of its grid"),
    (check_07.referee, with_largest, "smallest of its grid"),
    (check_07.referee, of_two, "third method had 6"),
    (check_07.referee, lambda s, t, r, c, g: referee(s, t, r, c, g)[0], "as many settings"),
    (check_07.referee, lambda s, t, r, c, g: referee(s, t, r, c[0], g), "it stops with TypeError"),
]
