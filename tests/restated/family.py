"""Every variant restated: a function of a `Step` that returns the direction of which the base makes a step."""

import math

import numpy as np
from variants import slopes, unit

from .steps import filter_lengths, softmax

# --- where to look ---------------------------------------------------------------------------------------------------


def SAM(a):
    return a.gradient(a.uphill(a.gradient()))


def USAM(a):
    return a.gradient(a.s["rho"] * a.gradient())


def MultiStepSAM(a):
    eps, rho = np.zeros_like(a.w), a.s["rho"]
    for _ in range(a.s["steps"]):
        eps = eps + a.s.get("alpha", rho) * unit(a.gradient(eps))
        eps = eps * min(1, rho / np.linalg.norm(eps))
    return a.gradient(eps)


def SAGM(a):
    g = a.gradient()
    return (g + a.gradient(a.uphill(g) - a.s["alpha"] * g)) / 2


def FriendlySAM(a):
    g, lam = a.gradient(), a.s["lam"]
    mean = a.m.get("mean")
    a.m["mean"] = g if mean is None else lam * mean + (1 - lam) * g
    return a.gradient(a.uphill(g if mean is None else g - a.s["sigma"] * mean))


def VaSSO(a):
    g, theta = a.gradient(), a.s["theta"]
    a.m["mean"] = (1 - theta) * a.m["mean"] + theta * g if a.t else g
    return a.gradient(a.uphill(a.m["mean"]))


def MSAM(a):
    of_base = "v" if a.s["base"]["name"] == "SGD" else "m"
    return a.gradient(-a.uphill(a.m[of_base]) if a.t else 0.0)


# --- what to take ----------------------------------------------------------------------------------------------------


def two(a):
    """∇L(w), and ∇L(w + ε) as SAM takes it."""
    g = a.gradient()
    return g, a.gradient(a.uphill(g))


def along(a, b):
    return (a @ b) / (b @ b) * b


def GSAM(a):
    g, g_adv = two(a)
    return g_adv - a.s["alpha"] * (g - along(g, g_adv))


def GNP(a):
    g, g_adv = two(a)
    return (1 - a.s["alpha"]) * g + a.s["alpha"] * g_adv


def WSAM(a):
    (g, g_adv), k = two(a), a.s["gamma"] / (1 - a.s["gamma"])
    if a.s["decoupled"]:
        a.after = -a.lr * k * (g_adv - g)
        return g
    return (1 - k) * g + k * g_adv


def StableSAM(a):
    g, g_adv = two(a)
    return g_adv * np.linalg.norm(g) / np.linalg.norm(g_adv)


def CRSAM(a):
    g = a.gradient()
    eps = a.uphill(g)
    down, up = a.gradient(-eps), a.gradient(eps)
    return up + a.s["gamma"] * (up + down - 2 * g) + a.s["beta"] * (up - down)


def GAM(a):
    s, g0 = a.s, a.gradient()
    g1 = a.gradient(a.uphill(g0, s["rho_norm"]))
    eps = a.uphill(g1 - g0)
    g2 = a.gradient(eps)
    g3 = a.gradient(eps + a.uphill(g2, s["rho_norm"]))
    P, G = g0 + s["beta2"] * g2, s["beta1"] * g1 + s["beta3"] * g3
    return G - s["gamma"] * (P - along(P, G))


# --- when to pay -----------------------------------------------------------------------------------------------------


def RST(a):
    g = a.gradient()
    if a.draws["coin"][0] >= a.s["prob"]:
        return g
    g_adv, alpha = a.gradient(a.uphill(g)), a.s.get("alpha", 1)
    return (1 - alpha) * g + alpha * g_adv


def EveryK(a):
    g = a.gradient()
    return g if a.t % a.s["k"] else a.gradient(a.uphill(g))


def AESAM(a):
    g, delta, done = a.gradient(), a.s["delta"], min(a.t / a.s["steps"], 1)
    a.m["mean"] = delta * a.m.get("mean", np.zeros(1)) + (1 - delta) * (g @ g)
    a.m["variance"] = delta * a.m.get("variance", np.zeros(1)) + (1 - delta) * (g @ g - a.m["mean"]) ** 2
    c = done * a.s["lam1"] + (1 - done) * a.s["lam2"]
    return a.gradient(a.uphill(g)) if g @ g >= a.m["mean"] + c * np.sqrt(a.m["variance"]) else g


def LookSAM(a):
    g = a.gradient()
    if a.t % a.s["k"]:
        return g + a.s["alpha"] * np.linalg.norm(g) * a.m["across"]
    g_adv = a.gradient(a.uphill(g))
    a.m["across"] = unit(g_adv - along(g_adv, g))
    return g_adv


# --- some weights, some examples -------------------------------------------------------------------------------------


def parts(rows, k):
    """k parts, whose sizes differ by one at most."""
    return [rows[j * len(rows) // k : (j + 1) * len(rows) // k] for j in range(k)]


def MSharpnessSAM(a):
    total = 0
    for rows in parts(a.rows, a.s["groups"]):
        g = a.gradient(rows=rows)
        total += len(rows) * a.gradient(a.uphill(g), rows)
    a.loss = a.each()[0].mean()
    return total / len(a.rows)


def ones_at_largest(scores, k):
    mask = np.zeros(len(scores))
    mask[np.argsort(-scores, kind="stable")[:k]] = 1
    return mask


def SSAM(a):
    s, g = a.s, a.gradient()
    ones = round((1 - s["sparsity"]) * len(g))
    if a.t % s["every"] == 0 and s["masks"] == "fisher":
        fisher = sum(a.gradient(rows=rows) ** 2 for rows in parts(a.rows, s["groups"]))
        a.m["mask"] = ones_at_largest(fisher, ones)
    elif a.t == 0:
        a.m["mask"] = ones_at_largest(a.draws["uniform"], ones)
    elif a.t % s["every"] == 0:
        active = a.m["mask"] == 1
        share = s["drop"] * (1 + math.cos(math.pi * min(a.t / s["steps"], 1))) / 2
        dropped = min(round(ones * share), len(g) - ones)
        kept = ones_at_largest(np.where(active, np.abs(g), -1), ones - dropped)
        a.m["mask"] = kept + ones_at_largest(np.where(active, -1, a.draws["uniform"]), dropped)
    return a.gradient(a.m["mask"] * a.uphill(g))


def ESAM(a):
    eps = (a.draws["uniform"] < a.s["beta"]) * a.uphill(a.gradient()) / a.s["beta"]
    suffered = a.each(eps)[0] - a.each()[0]
    worst = np.argsort(-suffered)[: max(1, round(a.s["gamma"] * len(suffered)))]
    return a.gradient(eps, a.rows[worst])


def ImbSAM(a):
    g, rare = a.gradient(), np.isin(a.data[1][a.rows], a.s["tail"])
    g_tail = a.gradient(weights=rare)
    return g - g_tail + a.gradient(a.uphill(g_tail), weights=rare)


# --- random looks ----------------------------------------------------------------------------------------------------


def noise(a):
    return a.s["sigma"] * a.draws["noise"] * (filter_lengths(a.w) if "model" in a.s else 1)


def RWP(a):
    lam, xi = a.s["lam"], noise(a)
    if lam == 1:
        return a.gradient(xi)
    first, second = parts(a.rows, 2)
    g, g_noisy = a.gradient(rows=first), a.gradient(xi, second)
    a.loss = (a.each(0, first)[0].mean() + a.each(xi, second)[0].mean()) / 2
    return (1 - lam) * g + lam * g_noisy


def RSAM(a):
    start = noise(a)
    return a.gradient(a.uphill(start + a.s["lam"] * a.gradient(start)))


def TraceSAM(a):
    g, lam = a.gradient(), a.s["lam"]
    return (1 - lam) * g + lam * np.mean([a.gradient(a.s["rho"] * x) for x in a.draws["looks"]], axis=0)


def FrobeniusSAM(a):
    g, looks = a.gradient(), a.s["rho"] * a.draws["looks"]
    losses, slopes = np.array([a.each(x)[0].mean() for x in looks]), np.array([a.gradient(x) for x in looks])
    covariance = (losses - losses.mean()) @ (slopes - slopes.mean(axis=0)) / (len(looks) - 1)
    return g + a.s["lam"] / a.s["rho"] ** 2 * covariance


# --- outputs ---------------------------------------------------------------------------------------------------------


def near(a, z_past, counts):
    """∇[L + λ τ² mean KL(softmax(z⁻/τ) ‖ softmax(z/τ))], of the examples that count; the loss is the sum."""
    lam, tau, x = a.s["lam"], a.s["tau"], a.data[0][a.rows]
    losses, _, z = a.each()
    p, q = softmax(z_past / tau), softmax(z / tau)
    a.loss = np.mean(losses + lam * tau**2 * counts * np.sum(p * np.log(p / q), axis=1))
    return a.gradient() + slopes(x, lam * tau * counts[:, None] * (q - p)).mean(axis=0)


def SAF(a):
    n, c, visits = a.s["examples"], a.s["classes"], a.s["visits"]
    visited = a.m.setdefault("visited", np.zeros(n, int)).copy()
    logits = a.m.get("logits", np.zeros((n * visits, c))).copy()
    counts = visited[a.rows] >= max(visits, a.s["start"])
    place = a.rows * visits + visited[a.rows] % visits
    d = near(a, logits[place], counts)
    logits[place] = a.each()[2]
    visited[a.rows] += 1
    a.m |= {"logits": logits, "visited": visited}
    return d


def MESA(a):
    a.m["average"] = a.s["beta"] * a.m.get("average", a.w) + (1 - a.s["beta"]) * a.w
    z_past = a.each(a.m["average"] - a.w)[2]
    return near(a, z_past, np.ones(len(a.rows)))


# --- earlier gradients -----------------------------------------------------------------------------------------------


def SAMPa(a):
    if a.t == 0:
        a.m["g_y"] = a.gradient()
        return a.m["g_y"]
    before, y, lam = np.array(a.batches[a.t - 1]), -a.lr * a.m["g_y"], a.s["lam"]
    g_adv = a.gradient(a.uphill(a.m["g_y"]), before)
    a.m["g_y"], a.loss = a.gradient(y), a.each(y)[0].mean()
    return (1 - lam) * g_adv + lam * a.m["g_y"]


def AsyncSAM(a):
    earlier = a.m.get("earlier", np.zeros((a.s["delay"], len(a.w))))
    g = a.gradient()
    a.m["earlier"] = np.concatenate([earlier[1:], g[None]])
    return a.gradient(a.uphill(earlier[0]))


LOOKS = (SAM, USAM, MultiStepSAM, SAGM, FriendlySAM, VaSSO, MSAM)
TAKES = (GSAM, GNP, WSAM, StableSAM, CRSAM, GAM)
PAYS = (RST, EveryK, AESAM, LookSAM, MSharpnessSAM, SSAM, ESAM, ImbSAM)
OTHERS = (RWP, RSAM, TraceSAM, FrobeniusSAM, SAF, MESA, SAMPa, AsyncSAM)
DIRECTIONS = {f.__name__: f for f in LOOKS + TAKES + PAYS + OTHERS}
DIRECTIONS |= {"ASAM": SAM, "FisherSAM": SAM, "SAMON": SAM, "GRST": RST}  # other balls, another share
