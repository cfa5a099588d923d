"""Answers to the exercises of lesson 05: (check, answer, what the check says of it; None if it is right)."""

import check_05
import numpy as np
from numpy.linalg import norm


def dual(p):
    return np.inf if p == 1 else 1 if p == np.inf else p / (p - 1)


CASES = [
    (check_05.steepest_rise, lambda g, rho, p: rho * norm(g, dual(p)), None),
    (check_05.steepest_rise, lambda g, rho, p: rho * norm(g, p), "norm of g is its dual"),
    (check_05.steepest_rise, lambda g, rho, p: rho * norm(g), "the other balls have other duals"),
    (check_05.steepest_rise, lambda g, rho, p: norm(g, dual(p)), "multiply by it"),
    (check_05.steepest_rise, lambda g, rho, p: rho * norm(g, p - 1 if 1 < p != 2 and p < 9 else dual(p)), "not p − 1"),
    (check_05.outward, lambda g, h, mu: g / (mu - h), None),
    (check_05.outward, lambda g, h, mu: g / (h - mu), "check the sign"),
    (check_05.outward, lambda g, h, mu: g / (mu + h), "on the side of g"),
    (check_05.outward, lambda g, h, mu: g * (mu - h), "solve for ε"),
    (check_05.outward, lambda g, h, mu: g / mu, "the curvature is missing"),
    (check_05.outward, lambda g, h, mu: g / (mu - np.max(h)), "its own curvature"),
    (check_05.back_into_ball, lambda eps, rho: eps * min(1, rho / norm(eps)), None),
    (check_05.back_into_ball, lambda eps, rho: rho * eps / norm(eps), "its own nearest point"),
    (check_05.back_into_ball, lambda eps, rho: np.clip(eps, -rho, rho), "this ball is round"),
    (check_05.back_into_ball, lambda eps, rho: eps if norm(eps) < rho else eps / norm(eps), "multiply by ρ"),
    (check_05.back_into_ball, lambda eps, rho: eps if norm(eps) < rho else 0 * eps, "came to the centre"),
    (check_05.back_into_ball, lambda eps, rho: eps, "one is outside"),
    (check_05.back_into_ball, lambda eps, rho: eps * max(1, rho / norm(eps)), "is it min or max"),
]
