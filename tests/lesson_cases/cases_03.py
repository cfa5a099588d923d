"""Answers to the exercises of lesson 03: (check, answer, what the check says of it; None if it is right)."""

import check_03
import numpy as np


def norm(g):
    return np.linalg.norm(g)


def sam(loss_and_grad, w, rho, l2, at=lambda w, a: w, lam=2, look=1.0):
    g = loss_and_grad(w)[1]
    a = w + look * rho * g / norm(g)
    return loss_and_grad(a)[1] + lam * l2 * at(w, a)


CASES = [
    (check_03.epsilon, lambda g, rho: rho * g / norm(g), None),
    (check_03.epsilon, lambda g, rho: rho * g, "did you normalise"),
    (check_03.epsilon, lambda g, rho: -rho * g / norm(g), "that is downhill"),
    (check_03.epsilon, lambda g, rho: g / norm(g), "multiply by ρ"),
    (check_03.epsilon, lambda g, rho: rho * np.sign(g), "this ball is round"),
    (check_03.epsilon, lambda g, rho: rho * g / 5, "off by up to"),
    (check_03.epsilon, lambda g, rho: np.array([0.3, -0.4]), "off by up to"),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * (abs(d) + rho) ** 2, None),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * (d + rho) ** 2, "on the negative side"),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * d**2, "the loss at w itself"),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * rho**2, "what is left when d is 0"),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * d**2 + rho * abs(h * d), "that is the tangent"),
    (check_03.worst_loss, lambda d, h, rho: h * (abs(d) + rho) ** 2, "there is a half"),
    (
        check_03.worst_loss,
        lambda d, h, rho: max(h / 2 * (d + e) ** 2 for e in np.linspace(-rho, rho, 9)) + 0.1,
        "off by",
    ),
    (check_03.sam_gradient, sam, None),
    (check_03.sam_gradient, lambda *a: sam(*a, at=lambda w, a: a), "at w, not at w + ε"),
    (check_03.sam_gradient, lambda *a: sam(*a, lam=1), "has the gradient 2λw"),
    (check_03.sam_gradient, lambda *a: sam(*a, look=0.0), "found at w + ε"),
    (check_03.sam_gradient, lambda *a: sam(*a, lam=0), "L2 term is missing"),
]
