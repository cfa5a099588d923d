"""The exercises of lesson 03."""

import numpy as np
from check import probe, say


def epsilon(yours):
    points = [(np.array([3.0, -4.0]), 0.5), (np.array([0.2, 0.1]), 0.3)]

    def unit(g):
        return g / np.linalg.norm(g)

    mistakes = {
        "your ε has another length than the ball's radius: did you normalise?": lambda g, rho: rho * g,
        "that is downhill; the maximum is uphill": lambda g, rho: -rho * unit(g),
        "that has length 1: multiply by ρ": lambda g, rho: unit(g),
        "that is the worst point of a square, p = ∞; this ball is round": lambda g, rho: rho * np.sign(g),
        "divide by the norm, not by its square": lambda g, rho: rho * g / (g @ g),
        "that divides by Σ|gᵢ|; the length of an arrow is the root of Σgᵢ²": lambda g, rho: rho * g / np.abs(g).sum(),
        "that divides by the largest entry, not by the length": lambda g, rho: rho * g / np.abs(g).max(),
        "ρ has to multiply the unit vector, not divide it": lambda g, rho: unit(g) / rho,
        "that is the length of ε; ε itself points somewhere": lambda g, rho: rho + 0 * g,
    }
    return probe(yours, points, lambda g, rho: rho * unit(g), mistakes, "perturbation")


def worst_loss(yours):
    points = [(0.3, 4.0, 0.2), (-0.7, 1.5, 0.25)]
    mistakes = {
        "where d is negative, the worst point lies further on the negative side: |d| + ρ": lambda d, h, rho: (
            h / 2 * (d + rho) ** 2
        ),
        "that is the loss at w itself; the worst point is ρ further away": lambda d, h, rho: h / 2 * d**2,
        "that is what is left when d is 0": lambda d, h, rho: h / 2 * rho**2,
        "that is the tangent; the curve bends up, by another h ρ²/2": lambda d, h, rho: h / 2 * d**2 + h * abs(d) * rho,
        "L = h d²/2: there is a half": lambda d, h, rho: h * (abs(d) + rho) ** 2,
        "that is the best point of the ball; SAM looks for the worst": lambda d, h, rho: (
            h / 2 * max(abs(d) - rho, 0.0) ** 2
        ),
        "(d + ρ)² is not d² + ρ²: the mixed term is missing": lambda d, h, rho: h / 2 * (d**2 + rho**2),
        "that is how far the loss rises; the worst loss itself is asked for": lambda d, h, rho: (
            h / 2 * ((abs(d) + rho) ** 2 - d**2)
        ),
        "the distance is squared, the curvature is not": lambda d, h, rho: h**2 / 2 * (abs(d) + rho) ** 2,
    }
    return probe(yours, points, lambda d, h, rho: h / 2 * (abs(d) + rho) ** 2, mistakes, "loss")


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
    def bowl(*curvatures):
        H = np.diag(curvatures)
        return lambda w: (w @ H @ w / 2, H @ w)

    points = [
        (bowl(4.0, 1.0), np.array([3 / 4, 4.0]), 0.5, 0.1),
        (bowl(0.5, 3.0), np.array([-1.2, 0.7]), 0.2, 0.03),
    ]

    def up(f, w, rho, p=2):
        g = f(w)[1]
        return w + rho * (g / np.linalg.norm(g) if p == 2 else np.sign(g))

    def right(f, w, rho, l2):
        return f(up(f, w, rho))[1] + 2 * l2 * w

    mistakes = {
        "the L2 term stands outside the maximum: its gradient is taken at w, not at w + ε": lambda f, w, rho, l2: (
            f(up(f, w, rho))[1] + 2 * l2 * up(f, w, rho)
        ),
        "λ‖w‖² has the gradient 2λw": lambda f, w, rho, l2: f(up(f, w, rho))[1] + l2 * w,
        "that is the gradient at w; SAM descends with the one found at w + ε": lambda f, w, rho, l2: (
            f(w)[1] + 2 * l2 * w
        ),
        "the gradient of the L2 term is missing": lambda f, w, rho, l2: f(up(f, w, rho))[1],
        "the two gradients are not added up": lambda f, w, rho, l2: right(f, w, rho, l2) + f(w)[1],
        "ε goes uphill: look at w + ε, not at w − ε": lambda f, w, rho, l2: f(up(f, w, -rho))[1] + 2 * l2 * w,
        "ε has the length ρ: divide g by its norm": lambda f, w, rho, l2: f(w + rho * f(w)[1])[1] + 2 * l2 * w,
        "that ε is the corner of a square; the ball is round": lambda f, w, rho, l2: (
            f(up(f, w, rho, p=1))[1] + 2 * l2 * w
        ),
        "that is the mean of both gradients; take the one at w + ε": lambda f, w, rho, l2: (
            (f(up(f, w, rho))[1] + f(w)[1]) / 2 + 2 * l2 * w
        ),
        "the L2 term pulls w to 0: its gradient is added": lambda f, w, rho, l2: f(up(f, w, rho))[1] - 2 * l2 * w,
    }
    return probe(yours, points, right, mistakes, "gradient")
