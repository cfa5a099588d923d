"""Whole steps restated, and the paths that they make."""

from itertools import pairwise

import numpy as np

from .family import DIRECTIONS
from .steps import Step, descend


def walk(file):
    """Step after step: the ε of each gradient, the loss at the first, what is kept, and the weights afterwards.

    It uses a file's problem, settings, draws and first weights, and none of its steps.
    """
    a = Step(file)
    for t in range(len(file["steps"])):
        a.begin(t)
        a.w = move(a, file["optimizer"])
        yield a


def path(name, w, batches, lr=0.1, draws=(), base=None, **settings):
    """The steps of an optimizer with these settings on batches of softmax regression, over SGD where it needs a base."""
    x, y = (np.concatenate([getattr(batch, axis) for batch in batches]) for axis in "xy")
    sizes = np.cumsum([0, *(len(batch.y) for batch in batches)])
    sgd = {"name": "SGD", "momentum": 0, "nesterov": False}
    file = {
        "optimizer": {"name": name, "l2": 0, **({} if name in WHOLE else {"base": base or sgd}), **settings},
        "problem": {"kind": "softmax regression", "x": x, "y": y},
        "batches": [np.arange(a, b) for a, b in pairwise(sizes)],
        "lr": np.broadcast_to(lr, len(batches)),
        "draws": dict(draws),
        "w": w,
        "steps": batches,
    }
    return walk(file)


def BSAM(a, s):
    (b1, b2), scale, m = s["betas"], a.m.get("s", np.ones_like(a.w)), a.m.get("m", 0)
    g = a.gradient(a.draws["posterior"] / np.sqrt(s["examples"] * scale))
    a.m["m"] = b1 * m + (1 - b1) * (a.gradient(s["rho"] * g / scale) + s["delta"] * a.w)
    a.m["s"] = b2 * scale + (1 - b2) * (np.sqrt(scale) * np.abs(g) + s["damping"] + s["delta"])
    return a.w - a.lr * a.m["m"] / scale


def SWA(a, s):
    w, k = move(a, s["optimizer"]), a.m.get("count", 0)
    counts = a.t >= s["start"] and (a.t - s["start"]) % s["every"] == 0
    a.m["averaged"] = (k * a.m.get("averaged", 0) + w) / (k + 1) if counts else a.m["averaged"] if k else w
    a.m["count"] = k + counts
    return w


def EMA(a, s):
    before, w = a.m.get("averaged", a.w), move(a, s["optimizer"])
    a.m["averaged"] = s["decay"] * before + (1 - s["decay"]) * w
    return w


def move(a, s):
    """The weights after a step of an optimizer with these settings."""
    a.s, a.p, a.after = s, float(s.get("p", 2)), 0.0
    if s["name"] in WHOLE:
        return WHOLE[s["name"]](a, s)
    if "base" not in s:
        return descend(s, a.lr, a.w, a.gradient(), a.m)
    d = DIRECTIONS[s["name"]](a)
    return descend(s["base"], a.lr, a.w, d + 2 * s["l2"] * a.w, a.m) + a.after


WHOLE = {f.__name__: f for f in (BSAM, SWA, EMA)}
