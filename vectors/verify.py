"""Hold an implementation of SAM against the vectors, without minisam: python vectors/verify.py. Yours takes the place of this."""

import json
from pathlib import Path

import numpy as np


def epsilon(g, rho, p):
    """ε = ρ d/‖d‖_p with d = sign(g) |g|^(q−1), of g over its largest entry; 0 for g = 0."""
    size = np.abs(g).max(axis=-1, keepdims=True)
    a = np.abs(g) / (size + (size == 0))
    d = np.sign(g) * (a == 1 if p == 1 else a ** (1 / (p - 1)))
    length = np.abs(d).max(-1, keepdims=True) if p == np.inf else np.sum(np.abs(d) ** p, -1, keepdims=True) ** (1 / p)
    return rho * d / (length + (length == 0))


def softmax_regression(w, x, y):
    """The loss and its gradient; w = W (3, 4) row by row, then b (4,)."""
    z = x @ w[:12].reshape(3, 4) + w[12:]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    dz = (p - np.eye(4)[y]) / len(y)
    return -np.log(p[np.arange(len(y)), y]).mean(), np.append(x.T @ dz, dz.sum(axis=0))


def sam(file):
    """SAM over SGD with momentum: loss, ε and weights of each step."""
    s, w, v = file["optimizer"], np.array(file["w"]), 0
    x, y = np.array(file["problem"]["x"]), np.array(file["problem"]["y"])
    for rows, lr in zip(file["batches"], file["lr"], strict=True):
        loss, g = softmax_regression(w, x[rows], y[rows])
        eps = epsilon(g, s["rho"], float(s["p"]))
        g_adv = softmax_regression(w + eps, x[rows], y[rows])[1]
        v = s["base"]["momentum"] * v + g_adv + 2 * (s["l2"] + s["base"]["l2"]) * w
        w = w - lr * v
        yield loss, eps, w


def main():
    here = Path(__file__).resolve().parent
    for case in json.loads((here / "epsilon.json").read_text("utf-8"))["cases"]:
        found = epsilon(np.array(case["g"]), np.array(case["rho"]), float(case["p"]))
        np.testing.assert_allclose(found, case["epsilon"], rtol=1e-12)
    for name in ("sam", "sam-with-l2", "sam-with-p-1", "sam-with-p-1.5", "sam-with-p-3", "sam-with-p-inf"):
        file = json.loads((here / "sam" / f"{name}.json").read_text("utf-8"))
        for (loss, eps, w), step in zip(sam(file), file["steps"], strict=True):
            np.testing.assert_allclose(loss, step["loss"], rtol=1e-10)
            np.testing.assert_allclose(eps, step["eps"][1], rtol=1e-10, atol=1e-14)
            np.testing.assert_allclose(w, step["w"], rtol=1e-10)
    print("epsilon and SAM over SGD agree with the vectors")


if __name__ == "__main__":
    main()
