"""Answers to the exercises of lesson 05: (check, answer, what the check says of it; None if it is right)."""

import check_05
import numpy as np
from numpy.linalg import norm


def dual(p):
    return np.inf if p == 1 else 1 if p == np.inf else p / (p - 1)


def by_epsilon(g, rho, p):
    """⟨g, ε⟩ for the ε that is largest."""
    if p == 1:
        eps = np.sign(g) * (abs(g) == abs(g).max())
    else:
        eps = np.sign(g) * abs(g) ** (dual(p) - 1)
        eps = eps / norm(eps, p)
    return rho * g @ eps


def by_sums(g, rho, p):
    if p == 1:
        return rho * max(abs(g))
    q = 1 if np.isinf(p) else 1 / (1 - 1 / p)
    return rho * np.sum(abs(g) ** q) ** (1 / q)


def in_place(eps, rho):
    if norm(eps) > rho:
        eps *= rho / norm(eps)
    return eps


CASES = [
    (check_05.steepest_rise, lambda g, rho, p: rho * norm(g, dual(p)), None),
    (check_05.steepest_rise, by_epsilon, None),
    (check_05.steepest_rise, by_sums, None),
    (check_05.steepest_rise, lambda g, rho, p: norm(rho * g, dual(p)), None),
    (check_05.steepest_rise, lambda g, rho, p: rho * norm(g, p), "norm of g is its dual"),
    (check_05.steepest_rise, lambda g, rho, p: rho * norm(g), "the other balls have other duals"),
    (check_05.steepest_rise, lambda g, rho, p: norm(g, dual(p)), "multiply by it"),
    (check_05.steepest_rise, lambda g, rho, p: rho * norm(g, p - 1 if 1 < p != 2 and p < 9 else dual(p)), "not p − 1"),
    (check_05.steepest_rise, lambda g, rho, p: rho * norm(g, p if p in (1, np.inf) else dual(p)), "the dual is ∞"),
    (check_05.steepest_rise, lambda g, rho, p: rho * norm(g, 1), "for p = ∞ alone"),
    (check_05.steepest_rise, lambda g, rho, p: rho * abs(g).max(), "for p = 1 alone"),
    (check_05.steepest_rise, lambda g, rho, p: -rho * norm(g, dual(p)), "it is positive"),
    (check_05.steepest_rise, lambda g, rho, p: rho**2 * norm(g, dual(p)), "the rise is linear"),
    (check_05.steepest_rise, lambda g, rho, p: rho * norm(g, p / (p - 1)), "stops with ZeroDivisionError"),
    (check_05.outward, lambda g, h, mu: g / (mu - h), None),
    (check_05.outward, lambda g, h, mu: -g / (h - mu), None),
    (check_05.outward, lambda g, h, mu: np.linalg.solve(np.diag(mu - h), g), None),
    (check_05.outward, lambda g, h, mu: [a / (mu - b) for a, b in zip(g, h, strict=True)], None),
    (check_05.outward, lambda g, h, mu: g / (h - mu), "check the sign"),
    (check_05.outward, lambda g, h, mu: g / (mu + h), "on the side of g"),
    (check_05.outward, lambda g, h, mu: g * (mu - h), "solve for ε"),
    (check_05.outward, lambda g, h, mu: g / mu, "the curvature is missing"),
    (check_05.outward, lambda g, h, mu: g / (mu - np.max(h)), "its own curvature"),
    (check_05.outward, lambda g, h, mu: g / (mu - h.mean()), "not their mean"),
    (check_05.outward, lambda g, h, mu: -g / h, "Newton's step"),
    (check_05.outward, lambda g, h, mu: 1 / (mu - h), "where is g"),
    (check_05.outward, lambda g, h, mu: mu * g / (mu - h), "multiplies ε, not g"),
    (check_05.back_into_ball, lambda eps, rho: eps * min(1, rho / norm(eps)), None),
    (check_05.back_into_ball, in_place, None),
    (check_05.back_into_ball, lambda eps, rho: eps / max(1, norm(eps) / rho), None),
    (check_05.back_into_ball, lambda eps, rho: np.where(norm(eps) > rho, rho * eps / norm(eps), eps), None),
    (check_05.back_into_ball, lambda eps, rho: rho * eps / norm(eps), "its own nearest point"),
    (check_05.back_into_ball, lambda eps, rho: np.clip(eps, -rho, rho), "this ball is round"),
    (check_05.back_into_ball, lambda eps, rho: eps if norm(eps) < rho else eps / norm(eps), "multiply by ρ"),
    (check_05.back_into_ball, lambda eps, rho: eps if norm(eps) < rho else 0 * eps, "came to the centre"),
    (check_05.back_into_ball, lambda eps, rho: eps, "one is outside"),
    (check_05.back_into_ball, lambda eps, rho: eps * max(1, rho / norm(eps)), "is it min or max"),
    (check_05.back_into_ball, lambda eps, rho: eps if norm(eps) < rho else -rho * eps / norm(eps), "the other side"),
    (check_05.back_into_ball, lambda eps, rho: eps * min(1, rho / (eps @ eps)), "not by its square"),
    (check_05.back_into_ball, lambda eps, rho: eps * min(1, rho / 5), "off by up to"),
]
