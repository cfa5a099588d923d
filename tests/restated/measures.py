"""The measures restated from their formulas in plain NumPy, of a case of vectors/measures.json alone.

A restatement is a function of a `Case` that returns the measure. It uses nothing of the library.
"""

import itertools

import numpy as np

from .family import along
from .steps import PROBLEMS, epsilon, softmax


class Case:
    """What a restatement asks for: losses and gradients at w + ε, of all examples or of some; the Hessian; settings."""

    def __init__(self, case):
        self.kind, *data = case["problem"].values()
        self.data, self.w, self.s = [np.array(a) for a in data], np.array(case["w"]), case["settings"]
        self.draws, self.p, self.rho = np.array(case.get("draws", 0)), float(self.s.get("p", 2)), self.s.get("rho")
        self.units = np.abs(self.w) if self.s.get("adaptive") else np.ones_like(self.w)

    def loss(self, eps=0.0, rows=slice(None)):
        return PROBLEMS[self.kind](self.w + eps, *self.of(rows))[0].mean()

    def gradient(self, eps=0.0, rows=slice(None)):
        return PROBLEMS[self.kind](self.w + eps, *self.of(rows))[1].mean(axis=0)

    def of(self, rows):
        return self.data if self.kind == "quadratic" else [a[rows] for a in self.data]

    def hessian(self):
        """H of a quadratic; of softmax regression the mean of x̃x̃ᵀ ⊗ (diag p − ppᵀ) with x̃ = (x, 1)."""
        if self.kind == "quadratic":
            return self.data[0]
        x, z = self.data[0], PROBLEMS[self.kind](self.w, *self.data)[2]
        p = softmax(z)
        inputs = np.c_[x, np.ones(len(x))]
        return sum(np.kron(np.outer(a, a), np.diag(q) - np.outer(q, q)) for a, q in zip(inputs, p, strict=True)) / len(
            x
        )

    def single_step(self, rows=slice(None)):
        return self.units * epsilon(self.units * self.gradient(rows=rows), self.rho, self.p)

    def ascent(self, rows=slice(None)):
        """Projected ascent from the single step, with steps whose length falls from ρ to 0; the best point counts."""
        T, rho, p, best = self.units, self.rho, self.p, 0 * self.w
        delta = epsilon(T * self.gradient(rows=rows), rho, p)
        for k in range(self.s.get("steps", 20)):
            best = max(best, delta, key=lambda e: self.loss(T * e, rows))
            delta = delta + (1 - k / self.s.get("steps", 20)) * epsilon(T * self.gradient(T * delta, rows), rho, p)
            size = np.linalg.norm(delta, p)
            delta = np.clip(delta, -rho, rho) if p == np.inf else delta * rho / max(size, rho)
        return T * best

    def rise(self, rows=slice(None)):
        eps = self.single_step(rows) if self.s.get("inner") == "single-step" else self.ascent(rows)
        return self.loss(eps, rows) - self.loss(rows=rows)


def estimate(samples):
    return {"value": np.mean(samples), "error": np.std(samples, ddof=1) / np.sqrt(len(samples))}


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def gradient_norm(c):
    return np.linalg.norm(c.gradient(), c.p)


def surrogate_gap(c):
    return c.loss(c.single_step()) - c.loss()


def worst_case(c):
    return c.rise()


def m_sharpness(c):
    return estimate([c.rise(rows) for rows in np.split(np.arange(12), c.s["parts"])])


def sam_objective(c):
    worst = c.loss(c.single_step()) if c.s["inner"] == "single-step" else max(map(c.loss, candidates(c)))
    return worst + c.s["l2"] * c.w @ c.w


def candidates(c):
    """Where a convex quadratic may be highest: the corners of the ball; for p = 2 where (μ − H) ε = g, by bisection on μ."""
    n = len(c.w)
    if c.p == np.inf:
        return c.rho * np.array(list(itertools.product([-1, 1], repeat=n)))
    if c.p == 1:
        return c.rho * np.concatenate([np.eye(n), -np.eye(n)])
    at = lambda mu: np.linalg.solve(mu * np.eye(n) - c.hessian(), c.gradient())  # noqa: E731
    low, high = np.linalg.eigvalsh(c.hessian())[-1], 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.linalg.norm(at(middle)) > c.rho else (low, middle)
    return [at(high)]


def eigenvalues(c):
    return np.linalg.eigvalsh(c.hessian())[::-1][: c.s["count"]]


def lambda_max(c):
    return np.linalg.eigvalsh(c.hessian())[-1]


def trace(c):
    return estimate([z @ c.hessian() @ z for z in c.draws])


def average_case(c):
    looks = c.s["sigma"] * c.units * c.draws
    return estimate([(c.loss(eps) + c.loss(-eps)) / 2 - c.loss() for eps in looks])


def second_order(c):
    g = c.gradient()
    kept = c.gradient(c.rho * g / np.linalg.norm(g))
    return {
        "kept": kept,
        "dropped": c.rho / np.linalg.norm(g) * c.hessian() @ (kept - along(kept, g)),
    }


def single_step_accuracy(c):
    one, best = c.single_step(), c.ascent()
    ratio = (c.loss(one) - c.loss()) / (c.loss(best) - c.loss())
    return {"ratio": ratio, "cosine": cosine(one, best)}


MEASURES = (gradient_norm, surrogate_gap, worst_case, m_sharpness, sam_objective, eigenvalues, lambda_max, trace)
MEASURES += (average_case, second_order, single_step_accuracy)
RESTATED = {f.__name__: f for f in MEASURES}


def measure(case):
    """The value of a case: a number, a list, or a name -> value."""
    return RESTATED[case["measure"]](Case(case))
