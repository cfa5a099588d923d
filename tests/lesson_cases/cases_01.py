"""Answers to the exercises of lesson 01: (check, answer, what the check says of it; None if it is right)."""

import check_01
import numpy as np


def in_place(a, b, g):
    a *= g
    b *= g
    return b, a


def stepped(f, x, h):
    up, down = f(x + h), f(x - h)
    return 0.5 * (up - down) / h


CASES = [
    (check_01.product_rule, lambda a, b, g: (g * b, g * a), None),
    (check_01.product_rule, lambda a, b, g: [b * g, a * g], None),
    (check_01.product_rule, lambda a, b, g: np.stack([b, a]) * g, None),
    (check_01.product_rule, in_place, None),
    (check_01.product_rule, lambda a, b, g: (g * a, g * b), "*other* factor"),
    (check_01.product_rule, lambda a, b, g: (b, a), "arrives from above"),
    (check_01.product_rule, lambda a, b, g: (g * (a + b), g * (a + b)), "nothing is added up"),
    (check_01.product_rule, lambda a, b, g: (g, g), "the sum a + b"),
    (check_01.product_rule, lambda a, b, g: (g * a * b, g * a * b), "has lost one of them"),
    (check_01.product_rule, lambda a, b, g: (-g * b, -g * a), "the sign"),
    (check_01.product_rule, lambda a, b, g: (g * b, a), "also what b receives"),
    (check_01.product_rule, lambda a, b, g: g * b, "should have shape"),
    (check_01.product_rule, lambda a, b, g: (g * b, ...), "not yet"),
    (check_01.product_rule, lambda a, b, g: (g @ b, g @ a), "should have shape"),
    (check_01.central, lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h), None),
    (check_01.central, lambda f, x, h: (f(x + h) - f(x - h)) / 2 / h, None),
    (check_01.central, stepped, None),
    (check_01.central, lambda f, x, h: ((f(x + h) - f(x)) / h + (f(x) - f(x - h)) / h) / 2, None),
    (check_01.central, lambda f, x, h: (f(x + h) - f(x)) / h, "forward difference"),
    (check_01.central, lambda f, x, h: (f(x) - f(x - h)) / h, "backward difference"),
    (check_01.central, lambda f, x, h: (f(x + h) - f(x - h)) / h, "2h apart"),
    (check_01.central, lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h), "turned round"),
    (check_01.central, lambda f, x, h: f(x + h) - f(x - h), "divide by the distance"),
    (check_01.central, lambda f, x, h: (f(x + h) + f(x - h)) / 2, "take their difference"),
    (check_01.central, lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h, "mind the brackets"),
    (check_01.central, lambda f, x, h: np.cos(x), "off by up to"),
    (check_01.central, lambda f, x, h: (f(x + h) - 2 * f(x) + f(x - h)) / h**2, "second derivative"),
    (check_01.square_vjp, lambda x, g: 2 * g * x, None),
    (check_01.square_vjp, lambda x, g: g * x + x * g, None),
    (check_01.square_vjp, lambda x, g: [2 * a * b for a, b in zip(g, x, strict=True)], None),
    (check_01.square_vjp, lambda x, g: np.diag(2 * x) @ g, None),
    (check_01.square_vjp, lambda x, g: g * x, "the derivative of x² is 2x"),
    (check_01.square_vjp, lambda x, g: 2 * x, "arrives from above, is missing"),
    (check_01.square_vjp, lambda x, g: g * x**2, "that is x², the value"),
    (check_01.square_vjp, lambda x, g: 2 * g, "holds x"),
    (check_01.square_vjp, lambda x, g: 2 * g * abs(x), "the sign of x counts"),
    (check_01.square_vjp, lambda x, g: -2 * g * x, "the sign"),
    (check_01.square_vjp, lambda x, g: 2 * g @ x, "should have shape"),
    (check_01.square_vjp, lambda x, g: 2 * x + g, "multiplied"),
    (check_01.square_vjp, lambda x, g: np.array([3.0, -2.0, -12.0]), "off by up to"),
]
