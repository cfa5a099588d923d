"""The exercises of lesson 17."""

import numpy as np
from check import at, judge, say


def look(yours):
    points = [(np.array([0.3, -1.2, 0.7]), 0.4, 0.05), (np.array([-2.0, 0.1, 0.5]), 0.15, 0.3), (np.zeros(3), 0.2, 0.1)]
    with np.errstate(all="ignore"):
        answer = at(yours, points)
    g, rho, lr = (np.array([point[k] for point in points]) for k in range(3))
    rho, lr, norm = rho[:, None], lr[:, None], np.linalg.norm(g, axis=1, keepdims=True) + 1e-12
    if np.shape(answer) == g.shape and np.isnan(answer[2]).any():
        return say("not quite: where g = 0 that is 0/0, and one NaN is enough: add 1e-12 to the norm")
    mistakes = {
        "that is as it was found: ε is multiplied by the step size": lr * rho * g / norm,
        "your ε has another length than ρ: did you normalise?": rho * g,
        "that has length 1: multiply by ρ": g / norm,
        "that is downhill; the maximum is uphill": -rho * g / norm,
        "divided by the step size it was right for one step size only": rho * g / norm / lr,
        "the norm is not squared": rho * g / (norm**2),
    }
    return judge(answer, rho * g / norm, mistakes, "perturbation")


def move(yours):
    draw = np.random.default_rng(17).normal
    points = [(draw(size=3), draw(size=3), draw(size=3), lr) for lr in (0.05, 0.3)]
    w, eps, v = (np.array([point[k] for point in points]) for k in range(3))
    lr = np.array([[0.05], [0.3]])
    mistakes = {
        "that is as it was found: the step starts at w + ε, where only the gradient was taken": w + eps - lr * v,
        "w is the place before ε was added: it needs no subtraction": w - eps - lr * v,
        "that is uphill": w + lr * v,
        "how long the step is, lr says": w - v,
        "the gradient was taken with ε; the step itself has none": w - lr * (v + eps),
    }
    return judge(at(yours, points), w - lr * v, mistakes, "weights")


def feed(yours):
    draw = np.random.default_rng(71).normal
    points = [(draw(size=3), draw(size=3), draw(size=3), mu) for mu in (0.9, 0.35)]
    v, d, d_adv = (np.array([point[k] for point in points]) for k in range(3))
    mu = np.array([[0.9], [0.35]])
    mistakes = {
        "that is as it was found: the momentum sees the gradient at w, too": mu * (mu * v + d) + d_adv,
        "that is the gradient at w: plain descent at twice the price": mu * v + d,
        "only the gradient at w + ε belongs to the descent, not the sum of both": mu * v + d + d_adv,
        "the weight of the new gradient is 1; with 1 − μ it is another base, SGD with dampening": mu * v
        + (1 - mu) * d_adv,
        "the momentum is lost: keep μ of the v before": d_adv,
        "v shrinks by μ, and the new gradient does not": mu * (v + d_adv),
    }
    return judge(at(yours, points), mu * v + d_adv, mistakes, "momentum")
