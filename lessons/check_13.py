"""The exercises of lesson 13."""

import numpy as np
from check import at, judge, sorts


def bounce(yours):
    points = [(0.08, 5.0, 0.2), (0.3, 4.0, 0.07)]
    lr, h, rho = np.array(points).T
    a = lr * h
    mistakes = {
        "that is where SAM looks, not where it stays": rho,
        "so it is for a small step; here each step also shrinks w by η h": a * rho / 2,
        "check the sign: c − η h (c + ρ) has to be −c": a * rho / (2 + a),
        "SGD settles at 0; SAM looks ρ farther up, so its gradient never vanishes": 0 * rho,
        "that solves c − η h (c + ρ) = 0: it has to be −c": a * rho / (1 - a),
        "how far is a distance: it is not negative": -a * rho / (2 - a),
    }
    return judge(at(yours, points), a * rho / (2 - a), mistakes, "distance")


def drift(yours):
    points = [(0.1, 4.0, 3.0, 0.2), (0.3, 2.5, -0.7, 0.05)]
    lr, h, slope, rho = np.array(points).T
    right = -lr / 2 * slope * (2 * rho / (2 - lr * h)) ** 2
    mistakes = {
        "downhill: minus the step size times the slope": -right,
        "∂L/∂y has the factor ½": 2 * right,
        "that is the slope at w; SAM takes it at w + ε, where |x| = c + ρ": right * (lr * h / 2) ** 2,
        "so it is for a small η h; here |x| = 2ρ/(2 − η h)": -lr / 2 * slope * rho**2,
        "the slope goes with x², not with |x|": -lr / 2 * slope * 2 * rho / (2 - lr * h),
        "what counts is how h changes along y, h'(y), not h": right * h / slope,
    }
    return judge(at(yours, points), right, mistakes, "change of y")


def handed_in(lr, rho, size):
    """What may be taken for the edge, and whether it is: (answer, what to say of the other one, arguments)."""

    def root(of, sign=1):
        return size / (2 * rho) * (sign * np.sqrt(1 + 4 * of * rho / (lr * size)) - 1)

    wrong = {
        "2/η, the edge of gradient descent,": 2 / lr,
        "a negative λ, which is no minimum's,": root(2, sign=-1),
        "the λ at which the step lands on 0": root(1),
        "a λ that is 1% above the edge": 1.01 * root(2),
        "a λ that is half of the edge": root(2) / 2,
        "λ = 0": 0.0,
    }
    yield True, "the edge itself does not pass", (root(2), lr, rho, size)
    yield from ((False, f"{name} passes", (lam, lr, rho, size)) for name, lam in wrong.items())


def is_edge(yours):
    return sorts(yours, [case for place in ((0.1, 0.2, 0.5), (0.4, 0.03, 2.0)) for case in handed_in(*place)])
