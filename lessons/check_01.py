"""The exercises of lesson 01."""

import numpy as np
from check import judge


def product_rule(yours):
    a, b, g = np.array([2.0, 3.0]), np.array([5.0, -1.0]), np.array([0.5, 4.0])
    answer = yours(a, b, g)
    if answer is Ellipsis or answer is None or any(part is Ellipsis for part in answer):
        return judge(..., 0.0, {}, "two gradients")
    mistakes = {
        "each factor's gradient holds the *other* factor": np.stack([g * a, g * b]),
        "what arrives from above, g, multiplies both": np.stack([b, a]),
        "g times the other factor, for each; nothing is added up here": np.stack([g * b + g * a] * 2),
    }
    return judge(np.stack(answer), np.stack([g * b, g * a]), mistakes, "two gradients")


def central(yours):
    f, x, h = np.sin, 0.7, 0.1
    mistakes = {
        "that is the forward difference: step to both sides": (f(x + h) - f(x)) / h,
        "the two points are 2h apart": (f(x + h) - f(x - h)) / h,
        "the order is turned round: f(x + h) first": (f(x - h) - f(x + h)) / (2 * h),
    }
    return judge(yours(f, x, h), (f(x + h) - f(x - h)) / (2 * h), mistakes, "difference quotient")


def square_vjp(yours):
    x, g = np.array([1.5, -2.0, 3.0]), np.array([1.0, 0.5, -2.0])
    mistakes = {
        "the derivative of x² is 2x": g * x,
        "g, the gradient that arrives from above, is missing": 2 * x,
        "that is x², the value; the derivative is asked for": g * x**2,
    }
    return judge(yours(x, g), 2 * g * x, mistakes, "gradient")
