"""Answers to the exercises of lesson 11: (check, answer, what the check says of it; None if it is right)."""

import check_11
import numpy as np


def along(a, b, power=2):
    return (a @ b) * b / np.linalg.norm(b) ** power


CASES = [
    (check_11.price, lambda k: 1 + 1 / k, None),
    (check_11.price, lambda k: 2 / k, "a gradient at w every time"),
    (check_11.price, lambda k: 1 + k, "not k times in every step"),
    (check_11.price, lambda k: 2.0, "that is SAM"),
    (check_11.price, lambda k: 1 / k, "the first ones cost as well"),
    (check_11.part_across, lambda g_adv, g: g_adv - along(g_adv, g), None),
    (check_11.part_across, lambda g_adv, g: along(g_adv, g), "keep the rest"),
    (check_11.part_across, lambda g_adv, g: g_adv - along(g_adv, g, 0), "divide by ⟨g, g⟩"),
    (check_11.part_across, lambda g_adv, g: g_adv - along(g_adv, g, 1), "twice"),
    (check_11.part_across, lambda g_adv, g: g - along(g, g_adv), "take g_adv's across g"),
    (check_11.where_momentum_leads, lambda v, rho: -rho * v / np.linalg.norm(v), None),
    (check_11.where_momentum_leads, lambda v, rho: rho * v / np.linalg.norm(v), "where the weights come from"),
    (check_11.where_momentum_leads, lambda v, rho: -rho * v, "did you normalise"),
    (check_11.where_momentum_leads, lambda v, rho: -v / np.linalg.norm(v), "multiply by ρ"),
]
