"""The exercises of lesson 07."""

import numpy as np
from check import at, judge, say


def spent(yours):
    points = [(1190, 100, 3, 2), (577, 64, 5, 1)]
    mistakes = {
        "a step of SAM takes per_step gradients": lambda n, b, e, k: n // b * e,
        "only full batches count: 1190 examples make 11 of 100": lambda n, b, e, k: n / b * e * k,
        "only full batches count: round down": lambda n, b, e, k: -(-n // b) * e * k,
        "only full batches count; that rounds to the nearest": lambda n, b, e, k: round(n / b) * e * k,
        "leave out the rest in each pass, not once at the end": lambda n, b, e, k: n * e // b * k,
        "a gradient is that of a batch, not of an example": lambda n, b, e, k: n * e * k,
        "that is one epoch": lambda n, b, e, k: n // b * k,
    }

    def of_each(f):
        return np.array([f(*point) for point in points])

    right = of_each(lambda n, b, e, k: n // b * e * k)
    return judge(at(yours, points), right, {why: of_each(f) for why, f in mistakes.items()}, "number")


def report(yours):
    points = [
        (np.array([90.0, 95.0, 93.0, 91.5]), np.array([89.0, 91.0, 94.5, 94.0])),
        (np.array([61.2, 58.0, 60.9, 44.0, 60.1]), np.array([57.3, 58.8, 60.7, 43.0, 61.0])),
    ]
    mistakes = {
        "that is chosen on the test data: with many settings, the luckiest": lambda v, t: t.max(),
        "that is the validation accuracy, by which it was chosen, and so flatters": lambda v, t: v.max(),
        "the test data had a say in the choice; only validation may": lambda v, t: t[(v + t).argmax()],
        "that is the mean over the settings; choose one": lambda v, t: t.mean(),
        "choose by validation, then report the test accuracy of that setting": lambda v, t: v[np.argmax(t)],
        "that is the worst setting by validation": lambda v, t: t[v.argmin()],
    }

    def of_each(f):
        return np.array([f(*point) for point in points])

    right = of_each(lambda v, t: t[np.argmax(v)])
    return judge(at(yours, points), right, {why: of_each(f) for why, f in mistakes.items()}, "accuracy")


INSIDE, GRIDS = (0.2, 0.1), ([0.1, 0.2, 0.4], [0.4, 0.1, 0.05, 0.2])
COMPARISONS = [  # settings, tuned, reported, chosen, grids; verdict; why
    ((12, 12), (0, 1), (2, 3, 4), INSIDE, GRIDS, "fair", "as many settings, other units, and both choices lie inside"),
    ((9, 12), (0, 1), (2, 3, 4), INSIDE, GRIDS, "settings", "one method had 9 settings and the other 12"),
    ((12, 9), (5, 6), (2, 3, 4), INSIDE, GRIDS, "settings", "one method had 12 settings and the other 9"),
    ((8, 8, 6), (0,), (1, 2), (0.2, 0.1, 0.2), (*GRIDS, GRIDS[0]), "settings", "the third method had 6 settings"),
    ((12, 12), (0, 1, 2), (0, 1, 2), INSIDE, GRIDS, "units", "it reports the units by which it chose"),
    ((12, 12), (3, 0), (1, 2, 3), INSIDE, GRIDS, "units", "unit 3 is in both lists, and one is enough"),
    ((12, 12), (0, 1), (2, 3, 4), (0.2, 0.05), GRIDS, "rim", "0.05 is the smallest of its grid"),
    ((12, 12), (0, 1), (2, 3, 4), (0.2, 0.4), GRIDS, "rim", "0.4 is the largest of its grid, though it stands first"),
    ((12, 12), (0, 1), (2, 3, 4), (0.1, 0.1), GRIDS, "rim", "the first method chose the smallest of its grid"),
    ((8, 8, 8), (7, 8), (2, 3), (0.2, 0.1, 0.4), (*GRIDS, GRIDS[0]), "rim", "the third method chose the largest"),
    (
        (6, 6),
        (7, 4),
        (2, 3),
        (0.1, 0.2),
        (GRIDS[1], GRIDS[1]),
        "fair",
        "0.2 is the last of its grid, but not the largest",
    ),
]


def referee(yours):
    """A referee of comparisons, which is to say what is wrong with each."""
    for *comparison, right, why in COMPARISONS:
        try:
            answer = yours(*comparison)
        except Exception as error:
            return say(
                f"not quite: on the comparison {tuple(comparison)} it stops with {type(error).__name__}: {error}"
            )
        if answer is Ellipsis or answer is None:
            return say("· not yet: return a word instead of `...`, for each comparison")
        if str(answer).strip().lower() != right:
            return say(f'not quite: you say "{answer}" of {tuple(comparison)}, and it is "{right}": {why}')
    return say("✓ right")
