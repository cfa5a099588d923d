"""The exercises of lesson 13."""

import numpy as np
from check import judge


def bounce(yours):
    lr, h, rho = 0.08, 5.0, 0.2
    a = lr * h
    mistakes = {
        "that is where SAM looks, not where it stays": rho,
        "so it is for a small step; here each step also shrinks w by η h": a * rho / 2,
        "check the sign: c − η h (c + ρ) has to be −c": a * rho / (2 + a),
        "SGD settles at 0; SAM looks ρ farther up, so its gradient never vanishes": 0.0,
        "that solves c − η h (c + ρ) = 0: it has to be −c": a * rho / (1 - a),
    }
    return judge(yours(lr, h, rho), a * rho / (2 - a), mistakes, "distance")


def drift(yours):
    lr, h, slope, rho = 0.1, 4.0, 3.0, 0.2
    right = -lr / 2 * slope * (2 * rho / (2 - lr * h)) ** 2
    mistakes = {
        "downhill: minus the step size times the slope": -right,
        "∂L/∂y has the factor ½": 2 * right,
        "that is the slope at w; SAM takes it at w + ε, where |x| = c + ρ": right * (lr * h / 2) ** 2,
        "so it is for a small η h; here |x| = 2ρ/(2 − η h)": -lr / 2 * slope * rho**2,
        "the slope goes with x², not with |x|": -lr / 2 * slope * 2 * rho / (2 - lr * h),
        "what counts is how h changes along y, h'(y), not h": right * h / slope,
    }
    return judge(yours(lr, h, slope, rho), right, mistakes, "change of y")


def edge(yours):
    lr, rho, size = 0.1, 0.2, np.array([0.5, 2.0])
    root = np.sqrt(1 + 8 * rho / (lr * size))
    right = size / (2 * rho) * (root - 1)
    mistakes = {
        "that is the edge of gradient descent, 2/η": 2 / lr + 0 * size,
        "a quadratic equation has two roots; λ is the positive one": size / (2 * rho) * (-root - 1),
        "check the sign of the linear term: the root comes minus 1": size / (2 * rho) * (root + 1),
        "the right side is 2, not 1": size / (2 * rho) * (np.sqrt(1 + 4 * rho / (lr * size)) - 1),
        "in aλ² + λ = 2/η, a is ρ/‖g‖: divide by 2a": rho / (2 * size) * (root - 1),
    }
    return judge(yours(lr, rho, size), right, mistakes, "edge")
