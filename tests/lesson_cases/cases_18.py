"""Answers to the exercises of lesson 18: (check, answer, what the check says of it; None if it is right)."""

import math

import check_18
import numpy as np


def framed(picture, dy, dx):
    h, w = picture.shape
    frame = np.zeros((h + 2, w + 2))
    frame[1:-1, 1:-1] = picture
    return frame[dy : dy + h, dx : dx + w]


def by_pixel(picture, dy, dx, mirror):
    h, w = picture.shape
    out = np.zeros((h, w))
    for i in range(h):
        for j in range(w):
            row, column = i + dy - 1, (w - 1 - j if mirror else j) + dx - 1
            if 0 <= row < h and 0 <= column < w:
                out[i, j] = picture[row, column]
    return out


def in_place(picture, dy, dx, mirror):
    picture[:] = framed(picture, dy, dx)
    return np.fliplr(picture) if mirror else picture


def mirrored_first(picture, dy, dx, mirror):
    return framed(np.fliplr(picture) if mirror else picture, dy, dx)


def upside_down(picture, dy, dx, mirror):
    return np.flipud(framed(picture, dy, dx)) if mirror else framed(picture, dy, dx)


def rolled(picture, dy, dx, mirror):
    moved = np.roll(picture, (1 - dy, 1 - dx), (0, 1))
    return moved[:, ::-1] if mirror else moved


def follow(means, keep=0.9):
    m = 0.0
    for mean in means:
        m += (1 - keep) * (mean - m)
    return m


def from_the_first(at_w, at_up):
    m = at_w[0]
    for mean in at_w[1:]:
        m = 0.9 * m + 0.1 * mean
    return m


def twice(at_w, at_up):
    m = 0.0
    for one, other in zip(at_w, at_up, strict=True):
        m = 0.9 * (0.9 * m + 0.1 * one) + 0.1 * other
    return m


def weights(T):
    return 0.1 * 0.9 ** np.arange(T)[::-1]


def counted(a, b, half):
    """By the numbers of pictures on which one network alone is right."""
    n, more, fewer = len(a), np.sum(a > b), np.sum(b > a)
    return (1.96 / half) ** 2 * ((more + fewer) / n - ((more - fewer) / n) ** 2)


CASES = [
    (check_18.other_picture, by_pixel, None),
    (check_18.other_picture, in_place, None),
    (check_18.other_picture, lambda p, dy, dx, m: framed(p, dy, dx)[:, :: -1 if m else 1], None),
    (check_18.other_picture, lambda p, dy, dx, m: framed(p, dy, dx)[..., ::-1] if m else framed(p, dy, dx), None),
    (check_18.other_picture, mirrored_first, "cut first, then mirror"),
    (check_18.other_picture, upside_down, "upside down"),
    (check_18.other_picture, rolled, "put zeros around it"),
    (check_18.other_picture, lambda p, dy, dx, m: by_pixel(p, dx, dy, m), "dy counts rows"),
    (check_18.other_picture, lambda p, dy, dx, m: by_pixel(p, 2 - dy, 2 - dx, m), "moves the other way"),
    (check_18.other_picture, lambda p, dy, dx, m: by_pixel(p, dy, dx, True), "only if mirror is true"),
    (check_18.other_picture, lambda p, dy, dx, m: framed(p, dy, dx), "not mirrored where"),
    (check_18.other_picture, lambda p, dy, dx, m: p[:, ::-1] if m else p, "it has not moved"),
    (check_18.other_picture, lambda p, dy, dx, m: np.pad(p, 1), "should have shape"),
    (check_18.other_picture, lambda p, dy, dx, m: "moved", "should be numbers"),
    (check_18.running_mean, lambda a, b: follow(a), None),
    (check_18.running_mean, lambda a, b: weights(len(a)) @ a, None),
    (check_18.running_mean, lambda a, b: sum(0.1 * 0.9**k * m for k, m in enumerate(reversed(a))), None),
    (check_18.running_mean, lambda a, b: np.polyval(0.1 * a, 0.9), None),
    (check_18.running_mean, lambda a, b: follow(b), "take the means at w"),
    (check_18.running_mean, twice, "they move twice a step"),
    (check_18.running_mean, lambda a, b: (follow(a) + follow(b)) / 2, "of neither network"),
    (check_18.running_mean, lambda a, b: follow(a, 0.1), "0.9 is what is kept"),
    (check_18.running_mean, lambda a, b: np.mean(a), "the plain mean"),
    (check_18.running_mean, lambda a, b: a[-1], "the last batch alone"),
    (check_18.running_mean, from_the_first, "starts from 0"),
    (check_18.running_mean, lambda a, b: follow(a[::-1]), "from the first to the last"),
    (check_18.running_mean, lambda a, b: np.median(a), "off by up to"),
    (check_18.running_mean, lambda a, b: a[:2], "should have shape"),
    (check_18.pictures_needed, lambda a, b, half: (1.96 / half) ** 2 * np.var(a - b), None),
    (check_18.pictures_needed, lambda a, b, half: (1.96 * np.std(a - b, ddof=1) / half) ** 2, None),
    (check_18.pictures_needed, lambda a, b, half: math.ceil((1.96 / half) ** 2 * np.var(a - b)), None),
    (check_18.pictures_needed, counted, None),
    (check_18.pictures_needed, lambda a, b, half: (1.96 / half) ** 2 * (np.var(a) + np.var(b)), "both networks see"),
    (check_18.pictures_needed, lambda a, b, half: (1.96 / half) ** 2 * np.var(a), "that is for one network"),
    (check_18.pictures_needed, lambda a, b, half: np.var(a - b) / half**2, "±1.96 standard errors"),
    (check_18.pictures_needed, lambda a, b, half: 1.96 / half * np.std(a - b), "n goes with its square"),
    (
        check_18.pictures_needed,
        lambda a, b, half: (1.96 / half) ** 2 * np.std(a - b),
        "not with the standard deviation",
    ),
    (check_18.pictures_needed, lambda a, b, half: (2 * 1.96 / half) ** 2 * np.var(a - b), "no further 2"),
    (check_18.pictures_needed, lambda a, b, half: 1.96 * np.std(a - b) / len(a) ** 0.5, "that are there"),
    (check_18.pictures_needed, lambda a, b, half: np.mean(a != b), "the answer is a number of pictures"),
    (check_18.pictures_needed, lambda a, b, half: 10_000, "off by up to"),
]
