"""The exercises of lesson 18."""

import numpy as np
from check import at, judge, probe

RNG = np.random.default_rng(18)


def window(picture, dy, dx, mirror):
    """Rows dy … and columns dx … of the picture in a frame of one zero, mirrored or not."""
    h, w = picture.shape
    cut = np.pad(picture, 1)[dy : dy + h, dx : dx + w]
    return cut[:, ::-1] if mirror else cut


def other_picture(yours):
    picture = RNG.random((4, 4))
    points = [(picture, 0, 1, False), (picture, 2, 0, True), (picture - 0.5, 1, 2, True), (picture, 0, 2, False)]

    def whole(p, dy, dx, mirror):
        return np.pad(p, 1)[dy : dy + 4, dx : dx + 4]

    mistakes = {
        "dy counts rows, and dx columns": lambda p, dy, dx, m: window(p, dx, dy, m),
        "upside down is another thing: exchange left and right, the last axis": lambda p, dy, dx, m: (
            whole(p, dy, dx, m)[::-1] if m else whole(p, dy, dx, m)
        ),
        "mirror it only if mirror is true": lambda p, dy, dx, m: window(p, dy, dx, True),
        "it is not mirrored where mirror is true": whole,
        "mirrored, but not where it should be: cut first, then mirror": lambda p, dy, dx, m: window(
            p[:, ::-1] if m else p, dy, dx, False
        ),
        "what leaves at one side comes in at the other: put zeros around it": lambda p, dy, dx, m: (
            np.roll(p, (1 - dy, 1 - dx), (0, 1))[:, ::-1] if m else np.roll(p, (1 - dy, 1 - dx), (0, 1))
        ),
        "that moves the other way: with dy = 0 the frame's first row is the first": lambda p, dy, dx, m: window(
            p, 2 - dy, 2 - dx, m
        ),
        "it has not moved": lambda p, dy, dx, m: window(p, 1, 1, m),
    }
    return probe(yours, points, window, mistakes, "picture")


def follow(means, keep=0.9, start=0.0):
    """The running mean after these batches, in their order."""
    m = start
    for mean in means:
        m = keep * m + (1 - keep) * mean
    return m


def running_mean(yours):
    points = [(RNG.normal(1, 1, 5), RNG.normal(2, 1, 5)), (RNG.normal(-2, 1, 8), RNG.normal(0, 1, 8))]
    mistakes = {
        "that is where the gradient is taken, and not the network that is kept: take the means at w": lambda a, b: (
            follow(b)
        ),
        "they move twice a step, and half of the time with another network's means: take those at w alone": (
            lambda a, b: follow(np.stack([a, b], axis=1).ravel())
        ),
        "the mean of both is that of neither network: take the means at w": lambda a, b: follow((a + b) / 2),
        "0.9 is what is kept of the old, and 0.1 what comes in": lambda a, b: follow(a, 0.1),
        "that is the plain mean, in which old batches count as much as new ones": lambda a, b: a.mean(),
        "that is the mean of the last batch alone": lambda a, b: a[-1],
        "the running mean starts from 0, not from the first mean": lambda a, b: follow(a[1:], start=a[0]),
        "go through the steps from the first to the last": lambda a, b: follow(a[::-1]),
    }
    return probe(yours, points, lambda a, b: follow(a), mistakes, "mean")


def pictures_needed(yours):
    points = [((RNG.random(n) < 0.8) * 1.0, (RNG.random(n) < 0.7) * 1.0, half) for n, half in ((60, 0.01), (90, 0.025))]

    def of_each(f):
        return np.array([f(a, b, half) for a, b, half in points])

    def needed(a, b, half, ddof=0):
        return (1.96 / half) ** 2 * (a - b).var(ddof=ddof)

    def alone(a, b, half):
        return (1.96 / half) ** 2 * (a.var() + b.var())

    mistakes = {
        "both networks see the same pictures: take the variance of the differences, not the sum of variances": alone,
        "that is for one network; how much does the difference of the two vary from picture to picture?": (
            lambda a, b, half: (1.96 / half) ** 2 * a.var()
        ),
        "the interval is ±1.96 standard errors": lambda a, b, half: needed(a, b, half) / 1.96**2,
        "the half-width goes with the root of n, so n goes with its square": lambda a, b, half: (
            1.96 / half * (a - b).std()
        ),
        "that is the variance's place: n goes with the variance, not with the standard deviation": (
            lambda a, b, half: (1.96 / half) ** 2 * (a - b).std()
        ),
        "half is the half-width, so there is no further 2 in it": lambda a, b, half: 4 * needed(a, b, half),
        "that is the half-width with the pictures that are there; how many are needed for `half`?": (
            lambda a, b, half: 1.96 * (a - b).std() / np.sqrt(len(a))
        ),
        "that is the share of pictures on which the two disagree; the answer is a number of pictures": (
            lambda a, b, half: np.mean(a != b)
        ),
    }
    answer = at(yours, points)
    rights = [of_each(needed), of_each(lambda a, b, half: needed(a, b, half, ddof=1)), np.ceil(of_each(needed))]
    known = (right for right in rights if not isinstance(answer, Exception) and is_close(answer, right))
    return judge(answer, next(known, rights[0]), {why: of_each(f) for why, f in mistakes.items()}, "number of pictures")


def is_close(answer, right):
    """Whether an answer is this one; False for what is no array of numbers."""
    try:
        return np.shape(answer) == right.shape and np.allclose(np.asarray(answer, dtype=float), right, rtol=1e-6)
    except (TypeError, ValueError):
        return False
