"""Answers to the exercises of lesson 03: (check, answer, what the check says of it; None if it is right)."""

import check_03
import numpy as np


def norm(g):
    return np.linalg.norm(g)


def sam(loss_and_grad, w, rho, l2, at=lambda w, a: w, lam=2, look=1.0):
    g = loss_and_grad(w)[1]
    a = w + look * rho * g / norm(g)
    return loss_and_grad(a)[1] + lam * l2 * at(w, a)


def in_place(loss_and_grad, w, rho, l2):
    eps = loss_and_grad(w)[1]
    eps *= rho / np.sqrt(np.sum(eps**2))
    w += eps
    g = loss_and_grad(w)[1]
    w -= eps
    g += 2 * l2 * w
    return g


def with_a_guard(loss_and_grad, w, rho, l2):
    g = loss_and_grad(w)[1]
    return loss_and_grad(w + rho * g / (norm(g) + 1e-12))[1] + 2 * l2 * w


def penalty_first(loss_and_grad, w, rho, l2):
    penalty = 2 * l2 * w
    g = loss_and_grad(w)[1]
    return penalty + loss_and_grad(w + rho / max(norm(g), 1e-30) * g)[1]


def ascent_with_decay(loss_and_grad, w, rho, l2):
    g = loss_and_grad(w)[1] + 2 * l2 * w
    return loss_and_grad(w + rho * g / norm(g))[1] + 2 * l2 * w


def unnormalised(loss_and_grad, w, rho, l2):
    return loss_and_grad(w + rho * loss_and_grad(w)[1])[1] + 2 * l2 * w


def mean_of_both(loss_and_grad, w, rho, l2):
    return (sam(loss_and_grad, w, rho, 0) + loss_and_grad(w)[1]) / 2 + 2 * l2 * w


def ends(d, h, rho):
    return max(h / 2 * (d + rho) ** 2, h / 2 * (d - rho) ** 2)


CASES = [
    (check_03.epsilon, lambda g, rho: rho * g / norm(g), None),
    (check_03.epsilon, lambda g, rho: rho * g / np.sqrt(np.sum(g**2)), None),
    (check_03.epsilon, lambda g, rho: g * (rho / (norm(g) + 1e-12)), None),
    (check_03.epsilon, lambda g, rho: [rho * one / np.hypot(*g) for one in g], None),
    (check_03.epsilon, lambda g, rho: rho * g, "did you normalise"),
    (check_03.epsilon, lambda g, rho: -rho * g / norm(g), "that is downhill"),
    (check_03.epsilon, lambda g, rho: g / norm(g), "multiply by ρ"),
    (check_03.epsilon, lambda g, rho: rho * np.sign(g), "this ball is round"),
    (check_03.epsilon, lambda g, rho: rho * g / (g @ g), "not by its square"),
    (check_03.epsilon, lambda g, rho: rho * g / abs(g).sum(), "the root of"),
    (check_03.epsilon, lambda g, rho: rho * g / abs(g).max(), "largest entry"),
    (check_03.epsilon, lambda g, rho: g / norm(g) / rho, "not divide it"),
    (check_03.epsilon, lambda g, rho: rho, "should have shape"),
    (check_03.epsilon, lambda g, rho: rho * g / 5, "off by up to"),
    (check_03.epsilon, lambda g, rho: np.array([0.3, -0.4]), "off by up to"),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * (abs(d) + rho) ** 2, None),
    (check_03.worst_loss, ends, None),
    (check_03.worst_loss, lambda d, h, rho: 0.5 * h * (d * d + 2 * abs(d) * rho + rho * rho), None),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * (d + np.sign(d) * rho) ** 2, None),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * (d + rho) ** 2, "on the negative side"),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * d**2, "the loss at w itself"),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * rho**2, "what is left when d is 0"),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * d**2 + rho * abs(h * d), "that is the tangent"),
    (check_03.worst_loss, lambda d, h, rho: h * (abs(d) + rho) ** 2, "there is a half"),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * (abs(d) - rho) ** 2, "the best point"),
    (check_03.worst_loss, lambda d, h, rho: h / 2 * (d**2 + rho**2), "the mixed term is missing"),
    (check_03.worst_loss, lambda d, h, rho: ends(d, h, rho) - h / 2 * d**2, "how far the loss rises"),
    (check_03.worst_loss, lambda d, h, rho: ends(d, h, rho) + 0.1, "off by up to"),
    (check_03.worst_loss, lambda d, h, rho: [ends(d, h, rho)], "should have shape"),
    (check_03.sam_gradient, sam, None),
    (check_03.sam_gradient, in_place, None),
    (check_03.sam_gradient, with_a_guard, None),
    (check_03.sam_gradient, penalty_first, None),
    (check_03.sam_gradient, lambda *a: sam(*a, at=lambda w, a: a), "at w, not at w + ε"),
    (check_03.sam_gradient, lambda *a: sam(*a, lam=1), "has the gradient 2λw"),
    (check_03.sam_gradient, lambda *a: sam(*a, look=0.0), "found at w + ε"),
    (check_03.sam_gradient, lambda *a: sam(*a, lam=0), "L2 term is missing"),
    (check_03.sam_gradient, lambda *a: sam(*a, look=-1.0), "not at w − ε"),
    (check_03.sam_gradient, lambda *a: sam(*a, lam=-2), "its gradient is added"),
    (check_03.sam_gradient, lambda f, *a: sam(f, *a) + f(a[0])[1], "not added up"),
    (check_03.sam_gradient, unnormalised, "divide g by its norm"),
    (check_03.sam_gradient, mean_of_both, "the mean of both"),
    (check_03.sam_gradient, ascent_with_decay, "off by up to"),
    (check_03.sam_gradient, lambda f, w, rho, l2: w - 0.1 * sam(f, w, rho, l2), "off by up to"),
]
