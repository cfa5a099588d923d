"""The exercises of lesson 11."""

import numpy as np
from check import at, judge


def fair_epochs(yours):
    points = [(40.0, 5.0, 0.5), (27.0, 3.0, 0.2)]

    def of_each(f):
        return np.array([f(*point) for point in points])

    def right(epochs, k, p):
        return [2 * epochs, 2 * epochs / (1 + 1 / k), 2 * epochs / (1 + 1 / k), 2 * epochs / (1 + p), 2 * epochs]

    mistakes = {
        "with equal epochs SAM has been given more gradients than the others": lambda e, k, p: [e] * 5,
        "a cheaper step may be taken more often: divide by its price": lambda e, k, p: (
            e * np.array([1, 1 + 1 / k, 1 + 1 / k, 1 + p, 1]) / 2
        ),
        "SAM's own steps cost two gradients each": lambda e, k, p: np.array(right(e, k, p)) / 2,
        "those are the prices; how many epochs do they leave?": lambda e, k, p: [1, 1 + 1 / k, 1 + 1 / k, 1 + p, 1],
        "each step needs a gradient at w as well as the second one, where there is one": lambda e, k, p: [
            2 * e,
            2 * e * k,
            2 * e * k,
            2 * e / p,
            2 * e,
        ],
        "once in k steps, not k times in each": lambda e, k, p: [
            2 * e,
            2 * e / (1 + k),
            2 * e / (1 + k),
            2 * e / (1 + p),
            2 * e,
        ],
        "MSAM looks along its momentum, and takes its one gradient there": lambda e, k, p: [*right(e, k, p)[:4], e],
    }
    return judge(at(yours, points), of_each(right), {why: of_each(f) for why, f in mistakes.items()}, "five numbers")


def part_across(yours):
    points = [
        (np.array([3.0, 1.0, -0.5]), np.array([2.0, -0.3, 1.0])),
        (np.array([-0.4, 0.1, 2.0]), np.array([0.3, 0.8, -0.2])),
    ]

    def of_each(f):
        return np.array([f(g_adv, g) for g_adv, g in points])

    mistakes = {
        "that is the part along g, which g itself has; keep the rest": lambda a, g: (a @ g) / (g @ g) * g,
        "divide by ⟨g, g⟩: how long g is should not matter": lambda a, g: a - (a @ g) * g,
        "divide by ‖g‖ twice: once for each of the two g in the formula": lambda a, g: (
            a - (a @ g) * g / np.linalg.norm(g)
        ),
        "that is g's part across g_adv; take g_adv's across g": lambda a, g: g - (a @ g) * a / (a @ a),
        "the part along g was added; take it away": lambda a, g: a + (a @ g) / (g @ g) * g,
    }
    right = of_each(lambda a, g: a - (a @ g) / (g @ g) * g)
    return judge(at(yours, points), right, {why: of_each(f) for why, f in mistakes.items()}, "part")


def where_momentum_leads(yours):
    points = [(np.array([3.0, -4.0, 1.0]), 0.5), (np.array([-0.02, 0.05, 0.01]), 0.3)]
    v, rho = np.array([point[0] for point in points]), np.array([[0.5], [0.3]])
    norm = np.linalg.norm(v, axis=1, keepdims=True)
    mistakes = {
        "that is where the weights come from: the step is w − η v": rho * v / norm,
        "it should be ρ long: did you normalise?": -rho * v,
        "that has length 1: multiply by ρ": -v / norm,
        "that is the corner of a square ball; this one is round": -rho * np.sign(v),
    }
    return judge(at(yours, points), -rho * v / norm, mistakes, "perturbation")
