"""The exercises of lesson 01."""

import numpy as np
from check import probe


def product_rule(yours):
    points = [
        (np.array([2.0, 3.0]), np.array([5.0, -1.0]), np.array([0.5, 4.0])),
        (np.array([-0.3, 1.1]), np.array([0.7, 2.2]), np.array([-1.4, 0.6])),
    ]
    mistakes = {
        "each factor's gradient holds the *other* factor": lambda a, b, g: (g * a, g * b),
        "what arrives from above, g, multiplies both": lambda a, b, g: (b, a),
        "g times the other factor, for each; nothing is added up here": lambda a, b, g: (g * b + g * a,) * 2,
        "that is for the sum a + b": lambda a, b, g: (g, g),
        "both factors belong to the value; a derivative has lost one of them": lambda a, b, g: (g * a * b,) * 2,
        "the sign: a product that grows with a has a positive derivative where b is": lambda a, b, g: (-g * b, -g * a),
        "that is for the quotient a/b": lambda a, b, g: (g / b, -g * a / b**2),
        "g multiplies what a receives, and also what b receives": lambda a, b, g: (g * b, a),
    }
    return probe(yours, points, lambda a, b, g: (g * b, g * a), mistakes, "two gradients")


def central(yours):
    points = [(np.sin, 0.7, 0.1), (np.exp, -0.4, 0.2)]
    mistakes = {
        "that is the forward difference: step to both sides": lambda f, x, h: (f(x + h) - f(x)) / h,
        "that is the backward difference: step to both sides": lambda f, x, h: (f(x) - f(x - h)) / h,
        "the two points are 2h apart": lambda f, x, h: (f(x + h) - f(x - h)) / h,
        "the order is turned round: f(x + h) first": lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h),
        "divide by the distance, 2h": lambda f, x, h: f(x + h) - f(x - h),
        "each point is h away from x, not h/2, and they are 2h apart": lambda f, x, h: (
            (f(x + h / 2) - f(x - h / 2)) / (2 * h)
        ),
        "that is the mean of both values; take their difference": lambda f, x, h: (f(x + h) + f(x - h)) / 2,
        "that is a second derivative": lambda f, x, h: (f(x + h) - 2 * f(x) + f(x - h)) / h**2,
        "mind the brackets: / 2 * h multiplies by h": lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h,
    }
    return probe(yours, points, lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h), mistakes, "difference quotient")


def square_vjp(yours):
    points = [
        (np.array([1.5, -2.0, 3.0]), np.array([1.0, 0.5, -2.0])),
        (np.array([-0.3, 0.8, 1.2]), np.array([0.7, -1.1, 0.4])),
    ]
    mistakes = {
        "the derivative of x² is 2x": lambda x, g: g * x,
        "g, the gradient that arrives from above, is missing": lambda x, g: 2 * x,
        "that is x², the value; the derivative is asked for": lambda x, g: g * x**2,
        "the derivative holds x": lambda x, g: 2 * g,
        "x grows the square to both sides of 0: the sign of x counts": lambda x, g: 2 * g * np.abs(x),
        "g is not squared: a derivative is linear in what arrives": lambda x, g: 2 * g**2 * x,
        "g is added where it has to be multiplied": lambda x, g: 2 * x + g,
        "each entry keeps its own gradient; nothing is added up": lambda x, g: np.full(3, np.sum(2 * g * x)),
        "the sign": lambda x, g: -2 * g * x,
    }
    return probe(yours, points, lambda x, g: 2 * g * x, mistakes, "gradient")
