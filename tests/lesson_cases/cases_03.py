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
    (check_03.rise, lambda g, rho: rho * norm(g), None),
    (check_03.rise, lambda g, rho: rho, "size of the gradient matters"),
    (check_03.rise, lambda g, rho: rho * g @ g, "one ‖g‖ cancels"),
    (check_03.rise, lambda g, rho: norm(g), "radius 1"),
    (check_03.sam_gradient, sam, None),
    (check_03.sam_gradient, lambda *a: sam(*a, at=lambda w, a: a), "at w, not at w + ε"),
    (check_03.sam_gradient, lambda *a: sam(*a, lam=1), "has the gradient 2λw"),
    (check_03.sam_gradient, lambda *a: sam(*a, look=0.0), "found at w + ε"),
    (check_03.sam_gradient, lambda *a: sam(*a, lam=0), "L2 term is missing"),
]
