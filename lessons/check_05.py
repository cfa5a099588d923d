"""The exercises of lesson 05."""

import numpy as np
from check import judge


def steepest_rise(yours):
    g, rho, norms = np.array([3.0, -4.0, 1.0]), 0.5, (1, 1.5, 2, 4, np.inf)
    dual = {1: np.inf, 1.5: 3, 2: 2, 4: 4 / 3, np.inf: 1}

    def rises(q):
        return rho * np.array([np.linalg.norm(g, q[p]) for p in norms])

    mistakes = {
        "that is ρ‖g‖_p: the norm of the ball is p, the norm of g is its dual q": rises({p: p for p in norms}),
        "p = 2 is right, and there q = 2; the other balls have other duals": rises(dict.fromkeys(norms, 2)),
        "the ball has the radius ρ: multiply by it": rises(dual) / rho,
        "1/p + 1/q = 1 gives q = p/(p − 1), not p − 1 or 1/p": rises(dual | {1.5: 0.5, 4: 3}),
    }
    answers = [yours(g, rho, p) for p in norms]
    return judge(... if any(a is ... or a is None for a in answers) else answers, rises(dual), mistakes, "rise")


def outward(yours):
    g, h, mu = np.array([1.0, -2.0, 0.5]), np.array([1.0, 3.0, -2.0]), 5.0
    mistakes = {
        "check the sign: g + Hε = με, so (μ − h) ε = g": g / (h - mu),
        "that has −Hε = … : the curvature is on the side of g": g / (mu + h),
        "divide by μ − h: solve for ε": g * (mu - h),
        "the curvature is missing: that is a point along the gradient": g / mu,
        "every direction has its own curvature, not the largest of them": g / (mu - h.max()),
    }
    return judge(yours(g, h, mu), g / (mu - h), mistakes, "perturbation")


def back_into_ball(yours):
    inside, outside, rho = np.array([0.3, -0.2]), np.array([3.0, -4.0]), 0.5
    right = np.stack([inside, rho * outside / 5])
    rim = rho * inside / np.linalg.norm(inside)
    mistakes = {
        "a point inside the ball is its own nearest point; yours was moved to the rim": np.stack([rim, right[1]]),
        "that is the way back into a square, p = ∞; this ball is round": np.stack(
            [inside, np.clip(outside, -rho, rho)]
        ),
        "that has length 1: multiply by ρ": np.stack([inside, outside / 5]),
        "from outside you came to the centre; the nearest point is on the rim": np.stack([inside, 0 * outside]),
        "both points came back as they were, and one is outside": np.stack([inside, outside]),
        "is it min or max? That pushes points out of the ball": np.stack([rim, outside]),
    }
    answers = [yours(eps, rho) for eps in (inside, outside)]
    return judge(... if any(a is ... or a is None for a in answers) else answers, right, mistakes, "point")
