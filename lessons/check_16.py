"""The exercises of lesson 16."""

import numpy as np
from check import at, judge, sorts
from scipy.special import stdtrit


def part_of_the_way(yours):
    points = [(np.array([3.0, -4.0]), 0.5, 0.3), (np.array([-0.2, 0.1]), 0.07, 0.85)]
    g, rho, u = (np.array([point[k] for point in points]) for k in range(3))
    norm, rho, u = np.linalg.norm(g, axis=1, keepdims=True), rho[:, None], u[:, None]
    right = 2 * u * rho * g / norm
    mistakes = {
        "so its mean length is ρ/2, for the mean of u is ½; SAM's is ρ": right / 2,
        "how steep it is should not matter: did you normalise?": 2 * u * rho * g,
        "that is SAM: u should say which part of the way": rho * g / norm,
        "that is downhill": -right,
    }
    return judge(at(yours, points), right, mistakes, "perturbation")


def steps():
    """Steps (g, ε, ρ, u, gradients), and whether they are as meant."""
    for g, rho, u in ((np.array([3.0, -4.0, 1.0]), 0.5, 0.3), (np.array([-0.02, 0.01, 0.05]), 0.07, 0.85)):
        unit = g / np.linalg.norm(g)
        eps, aside = 2 * u * rho * unit, np.cross(unit, [0.6, 0.0, 0.8]) - unit / 9
        wrong = {
            "a step that looks downhill": -eps,
            "a step of the right length in another direction": 2 * u * rho * aside / np.linalg.norm(aside),
            "a step of the right length, uphill, but not along g": 2 * u * rho * np.sign(g) / 3**0.5,
            "a step that looks half as far": eps / 2,
            "a step that is not normalised": 2 * u * rho * g,
            "a step that looks nowhere": 0 * eps,
            "SAM's step, without u": rho * unit,
        }
        yield True, "a step that is as meant does not pass your question", (g, eps, rho, u, 2)
        yield from ((False, f"{name} passes your question", (g, each, rho, u, 2)) for name, each in wrong.items())
        yield False, "a step that spends four gradients passes your question", (g, eps, rho, u, 4)
        yield False, "a step that spends one gradient passes your question", (g, eps, rho, u, 1)


def as_meant(yours):
    return sorts(yours, list(steps()))


def lower_end(yours):
    samples = [np.array([0.5, 1.5, -0.25, 1.0]), np.array([-0.3, 2.0, 0.1, 0.7, 5.0, -1.2, 0.4])]
    points = [(d, float(stdtrit(len(d) - 1, 0.975))) for d in samples]

    def of_each(f):
        return np.array([f(d, t) for d, t in points])

    def error(d, ddof=1):
        return d.std(ddof=ddof) / np.sqrt(len(d))

    mistakes = {
        "that is how far single units scatter; the mean of n of them scatters √n times less": of_each(
            lambda d, t: d.mean() - t * d.std(ddof=1)
        ),
        "the mean itself was estimated from these n numbers: divide by n − 1, ddof=1": of_each(
            lambda d, t: d.mean() - t * error(d, ddof=0)
        ),
        "that is the upper end": of_each(lambda d, t: d.mean() + t * error(d)),
        "that is one standard error; t of them make the interval": of_each(lambda d, t: d.mean() - error(d)),
        "the interval is around the mean, not around the median": of_each(lambda d, t: np.median(d) - t * error(d)),
        "that is the half-width; the lower end is the mean less it": of_each(lambda d, t: t * error(d)),
    }
    return judge(at(yours, points), of_each(lambda d, t: d.mean() - t * error(d)), mistakes, "lower end")
