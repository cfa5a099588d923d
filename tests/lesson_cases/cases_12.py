"""Answers to the exercises of lesson 12: (check, answer, what the check says of it; None if it is right)."""

import check_12
import numpy as np


def adaptive(g, w, rho, outside=2, inside=1):
    T = np.abs(w)
    return rho * T**outside * g / np.linalg.norm(T**inside * g)


def across(a, b):
    return a - (a @ b) / (b @ b) * b


CASES = [
    (check_12.adaptive, adaptive, None),
    (check_12.adaptive, lambda *a: adaptive(*a, outside=1), "one factor |w| is missing"),
    (check_12.adaptive, lambda *a: adaptive(*a, inside=0), "divide by ‖Tg‖"),
    (check_12.adaptive, lambda *a: adaptive(*a, outside=0, inside=0), "that is SAM's"),
    (check_12.adaptive, lambda g, w, rho: rho * w * abs(w) * g / np.linalg.norm(w * g), "its sign would turn"),
    (check_12.adaptive, lambda *a: adaptive(*a, inside=2), "only one is inside"),
    (check_12.surrogate_gap_direction, lambda g, g_adv, alpha: g_adv - alpha * across(g, g_adv), None),
    (
        check_12.surrogate_gap_direction,
        lambda g, g_adv, alpha: g_adv - alpha * (g - across(g, g_adv)),
        "the part *across*",
    ),
    (check_12.surrogate_gap_direction, lambda g, g_adv, alpha: g_adv + alpha * across(g, g_adv), "subtract"),
    (check_12.surrogate_gap_direction, lambda g, g_adv, alpha: g_adv - alpha * across(g_adv, g), "split g, not g_adv"),
    (check_12.surrogate_gap_direction, lambda g, g_adv, alpha: g_adv, "that is SAM"),
    (check_12.surrogate_gap_direction, lambda g, g_adv, alpha: g_adv - across(g, g_adv), "α times"),
    (check_12.noise_of_length, lambda rho, n: rho / np.sqrt(n), None),
    (check_12.noise_of_length, lambda rho, n: rho, "√n ρ in all"),
    (check_12.noise_of_length, lambda rho, n: rho / n, "take the root"),
    (check_12.noise_of_length, lambda rho, n: rho * np.sqrt(n), "the other way round"),
    (check_12.noise_of_length, lambda rho, n: rho**2 / n, "that is σ²"),
]
