"""The exercises of lesson 05."""

import numpy as np
from check import probe


def dual(p):
    return np.inf if p == 1 else 1 if p == np.inf else p / (p - 1)


def steepest_rise(yours):
    some = [(np.array([3.0, -4.0, 1.0]), 0.5), (np.array([-0.2, 0.7, 0.4]), 1.3)]
    points = [(g, rho, p) for g, rho in some for p in (1, 1.5, 2, 4, np.inf)]

    def rise(q):
        return lambda g, rho, p: rho * np.linalg.norm(g, q(p))

    mistakes = {
        "that is ρ‖g‖_p: the norm of the ball is p, the norm of g is its dual q": rise(lambda p: p),
        "p = 2 is right, and there q = 2; the other balls have other duals": rise(lambda p: 2),
        "the ball has the radius ρ: multiply by it": lambda g, rho, p: np.linalg.norm(g, dual(p)),
        "1/p + 1/q = 1 gives q = p/(p − 1), not p − 1 or 1/p": rise(
            lambda p: p - 1 if p not in (1, 2, np.inf) else dual(p)
        ),
        "for p = 1 the dual is ∞, and for p = ∞ it is 1": rise(lambda p: p if p in (1, np.inf) else dual(p)),
        "that is the rise along the gradient's signs: ρ Σ|gᵢ| is for p = ∞ alone": rise(lambda p: 1),
        "that is for p = 1 alone, where the largest entry counts": rise(lambda p: np.inf),
        "the maximum is uphill: it is positive": lambda g, rho, p: -rho * np.linalg.norm(g, dual(p)),
        "ρ counts once: to first order the rise is linear": lambda g, rho, p: rho**2 * np.linalg.norm(g, dual(p)),
    }
    return probe(yours, points, rise(dual), mistakes, "rise")


def outward(yours):
    points = [
        (np.array([1.0, -2.0, 0.5]), np.array([1.0, 3.0, -2.0]), 5.0),
        (np.array([-0.3, 0.8, 1.4]), np.array([0.2, -1.1, 2.5]), 3.2),
    ]
    mistakes = {
        "check the sign: g + Hε = με, so (μ − h) ε = g": lambda g, h, mu: g / (h - mu),
        "that has −Hε = … : the curvature is on the side of g": lambda g, h, mu: g / (mu + h),
        "divide by μ − h: solve for ε": lambda g, h, mu: g * (mu - h),
        "the curvature is missing: that is a point along the gradient": lambda g, h, mu: g / mu,
        "every direction has its own curvature, not the largest of them": lambda g, h, mu: g / (mu - h.max()),
        "every direction has its own curvature, not their mean": lambda g, h, mu: g / (mu - h.mean()),
        "that is Newton's step, to where the gradient is 0": lambda g, h, mu: -g / h,
        "that is the other way round: μ − h divides": lambda g, h, mu: (mu - h) / g,
        "where is g?": lambda g, h, mu: 1 / (mu - h),
        "μ multiplies ε, not g": lambda g, h, mu: mu * g / (mu - h),
    }
    return probe(yours, points, lambda g, h, mu: g / (mu - h), mistakes, "perturbation")


def back_into_ball(yours):
    points = [
        (np.array(eps), rho)
        for rho, pair in ((0.5, ([0.3, -0.2], [3.0, -4.0])), (1.7, ([-1.1, 0.4], [1.6, 0.9])))
        for eps in pair
    ]

    def length(eps):
        return np.linalg.norm(eps)

    def if_outside(there):
        return lambda eps, rho: eps if length(eps) <= rho else there(eps, rho)

    mistakes = {
        "a point inside the ball is its own nearest point; yours was moved to the rim": lambda eps, rho: (
            rho * eps / length(eps)
        ),
        "that is the way back into a square, p = ∞; this ball is round": lambda eps, rho: np.clip(eps, -rho, rho),
        "that has length 1: multiply by ρ": if_outside(lambda eps, rho: eps / length(eps)),
        "from outside you came to the centre; the nearest point is on the rim": if_outside(lambda eps, rho: 0 * eps),
        "both points came back as they were, and one is outside": lambda eps, rho: eps,
        "is it min or max? That pushes points out of the ball": lambda eps, rho: eps * max(1, rho / length(eps)),
        "the other side of the ball is far away": if_outside(lambda eps, rho: -rho * eps / length(eps)),
        "nearest is straight toward the centre: keep the direction": if_outside(
            lambda eps, rho: rho * np.sign(eps) / np.sqrt(2)
        ),
        "divide by the length of ε, not by its square": lambda eps, rho: eps * min(1, rho / length(eps) ** 2),
        "multiply by ρ/‖ε‖, not by its inverse": if_outside(lambda eps, rho: eps * length(eps) / rho),
    }
    return probe(yours, points, lambda eps, rho: eps * min(1, rho / length(eps)), mistakes, "point")
