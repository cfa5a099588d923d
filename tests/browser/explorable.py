"""What the first page computes, computed by the library: ways of SGD and SAM, looks in balls; as JSON.

tests/browser/explorable.test.mjs holds the page's numbers against these.
"""

import importlib.util
import json
import math
from pathlib import Path

import numpy as np

from minisam import SAM, SGD, Quadratic, epsilon, sam_objective, value_and_grad

PICTURE = Path(__file__).resolve().parents[2] / "figures" / "sam.py"
STEPS, ANGLE, CURVATURES = 200, 0.5, np.array([0.8, 3.2])
WAYS = [  # start, ρ, η, σ
    ((-1.2, 0.3), 0.0, 0.11, 0.0),
    ((-1.2, 0.3), 0.22, 0.11, 0.0),
    ((1.5, -0.7), 0.3, 0.05, 0.0),
    ((-0.4, 0.6), 0.1, 0.02, 1.0),
    ((0.3, 0.3), 0.22, 0.09, 0.5),
]
LOOKS = [((0.45, 0.45), 0.55), ((-1.1, 0.2), 0.9), ((0.3, -0.9), 0.05)]
NORMS = (1, 1.25, 2, 4, math.inf)


def landscape():
    """The loss of figures/sam.py."""
    specification = importlib.util.spec_from_file_location("sam_picture", PICTURE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return value_and_grad(module.landscape)


def way(loss_and_grad, start, rho, eta, noise):
    """Weights before each step and after the last, (STEPS + 1, 2), and the noise of each batch."""
    draws = np.random.default_rng(0).standard_normal((STEPS, 2))
    rule = SAM(SGD(eta), rho) if rho else SGD(eta)
    w = np.array(start)
    state, points = rule.init(w), [w]
    for xi in draws:
        batch = lambda w, xi=xi: (loss_and_grad(w)[0] + noise * xi @ w, loss_and_grad(w)[1] + noise * xi)  # noqa: E731
        w, state, _ = rule.step(w, state, batch)
        points.append(w)
    settings = {"rho": rho, "eta": eta, "noise": noise}
    return {"start": start, "settings": settings, "draws": draws.tolist(), "way": np.array(points).tolist()}


def look(w, rho, p):
    """ε of the single step and the rise there; the rise to the worst point, where the library knows it."""
    axes = np.array([[np.cos(ANGLE), np.sin(ANGLE)], [-np.sin(ANGLE), np.cos(ANGLE)]])
    loss, w = Quadratic(axes.T * CURVATURES @ axes), np.array(w)
    rises = {
        inner: float(sam_objective(loss, w, rho, p, inner=inner) - loss(w))
        for inner in ("single-step", "exact")
        if inner == "single-step" or p in (1, 2, math.inf)
    }
    eps = epsilon(value_and_grad(loss)(w)[1], rho, p).tolist()
    return {"w": w.tolist(), "rho": rho, "p": p if p < math.inf else None, "eps": eps, "rises": rises}


if __name__ == "__main__":
    f = landscape()
    ways = [way(f, *each) for each in WAYS]
    looks = [look(w, rho, p) for w, rho in LOOKS for p in NORMS]
    print(json.dumps({"ways": ways, "looks": looks}))
