"""What restatements are made of: ε, the problems, a step that looks at them, the base optimizers; in plain NumPy."""

import math

import numpy as np
from variants import by_hand


def epsilon(g, rho, p):
    """Eq. 2 of Foret et al. for one gradient: ρ sign(g) |g|^(q−1) / (‖g‖_q^q)^(1/p), of g over its largest entry."""
    if not np.any(g):
        return 0 * g
    a = np.abs(g) / np.abs(g).max()
    if p in (1, math.inf):
        worst = a == 1 if p == 1 else a > 0
        return rho * np.sign(g) * worst / (worst.sum() if p == 1 else 1)
    q = p / (p - 1)
    return rho * np.sign(g) * a ** (q - 1) / np.sum(a**q) ** (1 / p)


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def net(w, x, y):
    """2-3-2 with tanh: losses (m,), their gradients (m, 17), logits (m, 2)."""
    W0, b0, W1, b1 = w[:6].reshape(2, 3), w[6:9], w[9:15].reshape(3, 2), w[15:]
    h = np.tanh(x @ W0 + b0)
    z = h @ W1 + b1
    p = softmax(z)
    dz = p - np.eye(2)[y]
    dh = (dz @ W1.T) * (1 - h**2)
    found = [(x[:, :, None] * dh[:, None, :]).reshape(-1, 6), dh, (h[:, :, None] * dz[:, None, :]).reshape(-1, 6), dz]
    return -np.log(p[np.arange(len(y)), y]), np.concatenate(found, axis=1), z


def quadratic(w, H, b):
    return np.array([w @ H @ w / 2 + b @ w]), (H @ w + b)[None], None


PROBLEMS = {"softmax regression": by_hand, "tanh net": net, "quadratic": quadratic}


class Step:
    """A step: what a restatement asks for. `s` has the settings, `m` what is kept from step to step, `rows` the batch."""

    def __init__(self, file):
        self.file, self.w, self.m = file, np.array(file["w"]), {}
        kind, *data = file["problem"].values()
        self.at, self.data, self.batches = PROBLEMS[kind], [np.array(a) for a in data], file.get("batches")

    def begin(self, t):
        self.t, self.lr, self.eps, self.loss, self.spent = t, self.file["lr"][t], [], None, 0
        self.rows = np.array(self.batches[t]) if self.batches else None
        self.draws = {name: np.array(drawn[t]) for name, drawn in self.file.get("draws", {}).items()}

    def each(self, eps=0.0, rows=None):
        """Losses, gradients and logits of the examples at w + ε: of the whole batch, where none are named."""
        rows = self.rows if rows is None else rows
        return self.at(self.w + eps, *(self.data if rows is None else [a[rows] for a in self.data]))

    def gradient(self, eps=0.0, rows=None, weights=1.0):
        """The mean gradient at w + ε. The loss of a step is that of its first."""
        losses, found, _ = self.each(eps, rows)
        self.eps.append(eps + 0 * self.w)
        self.spent += 1 if rows is None else len(rows) / len(self.rows)
        self.loss = losses.mean() if self.loss is None else self.loss
        return np.mean(np.reshape(weights, (-1, 1)) * found, axis=0)

    def uphill(self, d, rho=None):
        """The worst point of the ball, to first order: ε = T `epsilon`(T d)."""
        T = self.units(self.s.get("ball", self.s), d)
        return T * epsilon(T * d, self.s["rho"] if rho is None else rho, self.p)

    def units(self, ball, d):
        """T: |w| + η, or of a filter's length; F^(−½); a mask."""
        if ball["name"] in ("Adaptive", "ASAM"):
            T = (filter_lengths(self.w) if "model" in ball else np.abs(self.w)) + ball["eta"]
            return np.where(np.array(ball.get("mask", 1)) > 0, T, 1)
        if ball["name"] in ("Fisher", "FisherSAM"):
            return 1 / np.sqrt(1 + ball["eta"] * d**2)
        if ball["name"] in ("Only", "SAMON"):
            return np.array(ball["mask"]) * (self.units(ball["of"], d) if "of" in ball else 1)
        return np.ones_like(d)


def filter_lengths(w):
    """For softmax regression: at each weight of W the length of its column, and |b| at each bias."""
    return np.concatenate([np.tile(np.linalg.norm(w[:12].reshape(3, 4), axis=0), 3), np.abs(w[12:])])


def descend(base, lr, w, d, m):
    """w after a step of the base along d; what the base keeps is in m."""
    g = d + 2 * base.get("l2", 0) * w
    if base["name"] == "SGD":
        m["v"] = base["momentum"] * m.get("v", 0 * w) + g
        return w - lr * (g + base["momentum"] * m["v"] if base["nesterov"] else m["v"])
    (b1, b2), m["t"] = base["betas"], m.get("t", 0) + 1
    m["m"] = b1 * m.get("m", 0 * w) + (1 - b1) * g
    m["v"] = b2 * m.get("v", 0 * w) + (1 - b2) * g**2
    step = (m["m"] / (1 - b1 ** m["t"])) / (np.sqrt(m["v"] / (1 - b2 ** m["t"])) + base["eps"])
    return (1 - lr * base.get("weight_decay", 0)) * w - lr * step
