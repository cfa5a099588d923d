"""The exercises of lesson 03."""

import numpy as np
from check import judge


def epsilon(yours):
    g, rho = np.array([3.0, -4.0]), 0.5
    mistakes = {
        "your ε has length 2.5, the ball's radius is 0.5: did you normalise?": rho * g,
        "that is downhill; the maximum is uphill": -rho * g / 5,
        "that has length 1: multiply by ρ": g / 5,
        "that is the worst point of a square, p = ∞; this ball is round": rho * np.sign(g),
    }
    return judge(yours(g, rho), rho * g / 5, mistakes, "perturbation")


def rise(yours):
    g, rho = np.array([3.0, -4.0]), 0.5
    mistakes = {
        "the steeper, the more: the size of the gradient matters": rho,
        "⟨g, ε⟩ with ε = ρ g/‖g‖: one ‖g‖ cancels": rho * 25.0,
        "that is for a ball of radius 1": 5.0,
    }
    return judge(yours(g, rho), rho * 5.0, mistakes, "rise")


def sam_gradient(yours):
    H = np.diag([4.0, 1.0])

    def loss_and_grad(w):
        return w @ H @ w / 2, H @ w

    w, rho, l2 = np.array([3 / 4, 4.0]), 0.5, 0.1
    eps = rho * np.array([3.0, 4.0]) / 5
    right = H @ (w + eps) + 2 * l2 * w
    mistakes = {
        "the L2 term stands outside the maximum: its gradient is taken at w, not at w + ε": H @ (w + eps)
        + 2 * l2 * (w + eps),
        "λ‖w‖² has the gradient 2λw": H @ (w + eps) + l2 * w,
        "that is the gradient at w; SAM descends with the one found at w + ε": H @ w + 2 * l2 * w,
        "the gradient of the L2 term is missing": H @ (w + eps),
        "the two gradients are not added up": right + H @ w,
    }
    return judge(yours(loss_and_grad, w, rho, l2), right, mistakes, "gradient")
