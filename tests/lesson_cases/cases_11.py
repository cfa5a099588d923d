"""Answers to the exercises of lesson 11: (check, answer, what the check says of it; None if it is right)."""

import check_11
import numpy as np


def prices(k, p):
    return np.array([1, 1 + 1 / k, 1 + 1 / k, 1 + p, 1])


def step_by_step(epochs, k, p):
    every = 2 * epochs * k / (k + 1)
    return 2 * epochs, every, every, 2 * epochs / (1 + p), 2 * epochs


def along(a, b, power=2):
    return (a @ b) * b / np.linalg.norm(b) ** power


def in_place(g_adv, g):
    g /= np.sqrt(g @ g)
    g_adv -= (g_adv @ g) * g
    return g_adv


def unit(v):
    return v / np.linalg.norm(v)


def down(v, rho):
    v *= -rho / np.sqrt(v @ v)
    return v


CASES = [
    (check_11.fair_epochs, lambda e, k, p: 2 * e / prices(k, p), None),
    (check_11.fair_epochs, step_by_step, None),
    (check_11.fair_epochs, lambda e, k, p: [2 * e / price for price in prices(k, p)], None),
    (check_11.fair_epochs, lambda e, k, p: e * np.reciprocal(prices(k, p) / 2), None),
    (check_11.fair_epochs, lambda e, k, p: [e] * 5, "has been given more gradients"),
    (check_11.fair_epochs, lambda e, k, p: e * prices(k, p) / 2, "divide by its price"),
    (check_11.fair_epochs, lambda e, k, p: e / prices(k, p), "cost two gradients each"),
    (check_11.fair_epochs, lambda e, k, p: prices(k, p), "those are the prices"),
    (check_11.fair_epochs, lambda e, k, p: 2 * e / np.array([1, 1 / k, 1 / k, p, 1]), "a gradient at w as well"),
    (check_11.fair_epochs, lambda e, k, p: 2 * e / np.array([1, 1 + k, 1 + k, 1 + p, 1]), "not k times in each"),
    (check_11.fair_epochs, lambda e, k, p: 2 * e / np.array([1, 1 + 1 / k, 1 + 1 / k, 1 + p, 2]), "along its momentum"),
    (check_11.fair_epochs, lambda e, k, p: 2 * e / np.array([1, 6 / k, 6 / k, 1.5, 1]), "off by up to"),
    (check_11.fair_epochs, lambda e, k, p: [80, 66.67, 66.67, 53.33, 80], "off by up to"),
    (check_11.fair_epochs, lambda e, k, p: 2 * e, "should have shape"),
    (check_11.part_across, lambda g_adv, g: g_adv - along(g_adv, g), None),
    (check_11.part_across, in_place, None),
    (check_11.part_across, lambda g_adv, g: (np.eye(3) - np.outer(g, g) / (g @ g)) @ g_adv, None),
    (check_11.part_across, lambda g_adv, g: np.cross(g, np.cross(g_adv, g)) / (g @ g), None),
    (check_11.part_across, lambda g_adv, g: along(g_adv, g), "keep the rest"),
    (check_11.part_across, lambda g_adv, g: g_adv - along(g_adv, g, 0), "divide by ⟨g, g⟩"),
    (check_11.part_across, lambda g_adv, g: g_adv - along(g_adv, g, 1), "twice"),
    (check_11.part_across, lambda g_adv, g: g - along(g, g_adv), "take g_adv's across g"),
    (check_11.part_across, lambda g_adv, g: g_adv + along(g_adv, g), "take it away"),
    (check_11.part_across, lambda g_adv, g: g_adv - g, "off by up to"),
    (check_11.part_across, lambda g_adv, g: g_adv * [0, 1, 1], "off by up to"),
    (check_11.part_across, lambda g_adv, g: along(g_adv, g) - g_adv, "off by up to"),
    (check_11.where_momentum_leads, lambda v, rho: -rho * unit(v), None),
    (check_11.where_momentum_leads, down, None),
    (check_11.where_momentum_leads, lambda v, rho: list(unit(-v) * rho), None),
    (check_11.where_momentum_leads, lambda v, rho: -v * rho / np.sum(v**2) ** 0.5, None),
    (check_11.where_momentum_leads, lambda v, rho: rho * unit(v), "where the weights come from"),
    (check_11.where_momentum_leads, lambda v, rho: -rho * v, "did you normalise"),
    (check_11.where_momentum_leads, lambda v, rho: -unit(v), "multiply by ρ"),
    (check_11.where_momentum_leads, lambda v, rho: -rho * np.sign(v), "this one is round"),
    (check_11.where_momentum_leads, lambda v, rho: -rho * v / (v @ v), "off by up to"),
    (check_11.where_momentum_leads, lambda v, rho: -0.5 * unit(v), "off by up to"),
    (check_11.where_momentum_leads, lambda v, rho: -rho * v / np.abs(v).sum(), "off by up to"),
    (check_11.where_momentum_leads, lambda v, rho: -rho, "should have shape"),
]
