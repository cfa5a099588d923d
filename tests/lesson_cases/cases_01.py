"""Answers to the exercises of lesson 01: (check, answer, what the check says of it; None if it is right)."""

import check_01

CASES = [
    (check_01.product_rule, lambda a, b, g: (g * b, g * a), None),
    (check_01.product_rule, lambda a, b, g: (g * a, g * b), "*other* factor"),
    (check_01.product_rule, lambda a, b, g: (b, a), "arrives from above"),
    (check_01.product_rule, lambda a, b, g: (g * (a + b), g * (a + b)), "nothing is added up"),
    (check_01.central, lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h), None),
    (check_01.central, lambda f, x, h: (f(x + h) - f(x)) / h, "forward difference"),
    (check_01.central, lambda f, x, h: (f(x + h) - f(x - h)) / h, "2h apart"),
    (check_01.central, lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h), "turned round"),
    (check_01.square_vjp, lambda x, g: 2 * g * x, None),
    (check_01.square_vjp, lambda x, g: g * x, "the derivative of x² is 2x"),
    (check_01.square_vjp, lambda x, g: 2 * x, "arrives from above, is missing"),
    (check_01.square_vjp, lambda x, g: g * x**2, "that is x², the value"),
]
