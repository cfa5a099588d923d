"""The exercises of lesson 11."""

import numpy as np
from check import judge


def price(yours):
    k = 4.0
    mistakes = {
        "the step needs a gradient at w every time, and a second one at each k-th": 2 / k,
        "at each k-th step, not k times in every step": 1 + k,
        "that is SAM, k = 1": 2.0,
        "that is what the second gradients cost; the first ones cost as well": 1 / k,
    }
    return judge(yours(k), 1 + 1 / k, mistakes, "number of gradients")


def part_across(yours):
    g_adv, g = np.array([3.0, 1.0]), np.array([2.0, 0.0])
    mistakes = {
        "that is the part along g, which g itself has; keep the rest": np.array([3.0, 0.0]),
        "divide by ⟨g, g⟩: how long g is should not matter": g_adv - (g_adv @ g) * g,
        "divide by ‖g‖ twice: once for each of the two g in the formula": g_adv - (g_adv @ g) * g / np.linalg.norm(g),
        "that is g's part across g_adv; take g_adv's across g": g - (g_adv @ g) * g_adv / (g_adv @ g_adv),
    }
    return judge(yours(g_adv, g), np.array([0.0, 1.0]), mistakes, "part")


def where_momentum_leads(yours):
    v, rho = np.array([3.0, -4.0]), 0.5
    right = -rho * v / 5
    mistakes = {
        "that is where the weights come from: the step is w − η v": -right,
        "it should be ρ long: did you normalise?": -rho * v,
        "that has length 1: multiply by ρ": -v / 5,
    }
    return judge(yours(v, rho), right, mistakes, "perturbation")
