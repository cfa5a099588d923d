"""The exercises of lesson 03."""

import numpy as np
from check import at, judge, say


def epsilon(yours):
    points = [(np.array([3.0, -4.0]), 0.5), (np.array([0.2, 0.1]), 0.3)]
    g, rho = (np.array([point[k] for point in points]) for k in (0, 1))
    rho, norm = rho[:, None], np.linalg.norm(g, axis=1, keepdims=True)
    mistakes = {
        "your ε has another length than the ball's radius: did you normalise?": rho * g,
        "that is downhill; the maximum is uphill": -rho * g / norm,
        "that has length 1: multiply by ρ": g / norm,
        "that is the worst point of a square, p = ∞; this ball is round": rho * np.sign(g),
    }
    return judge(at(yours, points), rho * g / norm, mistakes, "perturbation")


def worst_loss(yours):
    points = [(0.3, 4.0, 0.2), (-0.7, 1.5, 0.25)]
    d, h, rho = np.array(points).T
    mistakes = {
        "where d is negative, the worst point lies further on the negative side: |d| + ρ": h / 2 * (d + rho) ** 2,
        "that is the loss at w itself; the worst point is ρ further away": h / 2 * d**2,
        "that is what is left when d is 0": h / 2 * rho**2,
        "that is the tangent; the curve bends up, by another h ρ²/2": h / 2 * d**2 + h * abs(d) * rho,
        "L = h d²/2: there is a half": h * (abs(d) + rho) ** 2,
    }
    return judge(at(yours, points), h / 2 * (abs(d) + rho) ** 2, mistakes, "loss")


WHY = {
    "a": "at a minimum, sharp or flat, g = 0, so that term is the same at both; SAM sees the curvature by looking ρ away",
    "c": "ρ says how far it looks, and not how far it goes; in the valley its steps were short, and it moved to the flattest place",
    "d": "the penalty draws w to 0; in the valley λ was 0, and SAM moved to the flattest place all the same",
}


def why(letter):
    """Why SAM moves to flatter places: the answer to a choice of four."""
    letter = str(letter or "").strip().lower()
    if not letter:
        return say('· not yet: put "a", "b", "c" or "d" in place of None')
    if letter not in {*WHY, "b"}:
        return say(f'not quite: put "a", "b", "c" or "d", got {letter!r}')
    return say(f"not quite: {WHY[letter]}" if letter in WHY else "✓ right")


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
