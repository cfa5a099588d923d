"""SAM over SGD as people write it, tensor by tensor, with faults planted in it. It shares no code with the catalogue of mistakes.

`FAULTS` and `CHOICES` hold a name → the part of the step, and words of the sentence that has to be told.
"""

import itertools

import numpy as np

RHO, LR, MU, DELTA = 0.06, 0.07, 0.9, 0.01  # no product of which is another one
SETTINGS = {"rho": RHO, "lr": LR, "momentum": MU, "weight_decay": DELTA}

FAULTS = {
    "one gradient": ("asks", "SAM is never switched on"),
    "one gradient, away": ("asks", "none at w that would say where to look"),
    "three gradients": ("asks", "3 gradients a step are taken"),
    "first elsewhere": ("first", "The first gradient is not taken at w"),
    "other batch": ("batch", "The second gradient is taken on another batch"),
    "first on another batch": ("batch", "The first gradient is taken on another batch"),
    "never up": ("away", "ε is never added to the weights"),
    "stale": ("direction", "ε lies along the gradient that the step before has left"),
    "left over": ("direction", "still there when ∇L(w) is added"),
    "ascent with decay": ("direction", "The weight decay is part of the gradient that ε goes along"),
    "squared": ("norm", "the root is missing"),
    "1-norm": ("norm", "divided by its 1-norm"),
    "largest": ("norm", "divided by its largest entry"),
    "T once": ("norm", "ε is T g/‖T g‖"),
    "down": ("side", "goes downhill"),
    "times lr": ("length", "ε is multiplied by the step size"),
    "rho squared": ("length", "the length ρ²"),
    "root mean square": ("length", "√n times too long"),
    "eps twice": ("length", "ε is added twice"),
    "eps half": ("length", "ε has half its length"),
    "eps 1.3": ("length", "‖ε‖ = ρ does not hold: it is 1.3 times as long"),
    "never cleared": ("direction taken", "each backward pass adds to all that came before"),
    "take the first": ("taken", "plain descent at twice the price"),
    "take the sum": ("taken", "set the gradient to zero between the two passes"),
    "take the difference": ("taken", "from which the loss itself is gone"),
    "take a unit": ("taken", "divided by its norm before the base gets it"),
    "not restored": ("start", "The weights are not restored"),
    "not restored, decay at w": ("start", "The weights are not restored"),
    "restored twice": ("start", "The weights are restored twice"),
    "decay at w + eps": ("decay", "The weight decay is taken at w + ε"),
    "no decay": ("decay", "The weight decay is lost"),
    "decay twice": ("decay", "The weight decay is added twice."),
    "decay at both": ("decay", "The weight decay is added twice, once in the loss"),
    "no momentum": ("momentum", "The momentum is lost"),
    "momentum fed twice": ("momentum", "The momentum is fed with ∇L(w), too"),
    "step twice": ("rate", "twice as long as η says"),
    "step half": ("rate", "half as long as η says"),
    "lr squared": ("rate", "multiplied by η twice"),
    "step times rho": ("rate", "The step is multiplied by ρ"),
    "uphill": ("rate", "The base's step goes uphill"),
    "step 1.3": ("rate", "does not hold: it is 1.3 times as long"),
}
CHOICES = {
    "per tensor": ("norm", "layer-wise SAM"),
    "signs": ("norm", "SAM with p = ∞"),
    "no norm": ("norm", "USAM"),
    "units": ("norm", "ASAM."),
    "units, eta 0": ("norm", "ASAM with η = 0"),
    "take the mean": ("taken", "GNP with α = ½"),
    "take its direction": ("taken", "StableSAM"),
    "centred": ("direction", "ε goes along the centred gradient"),
    "take the centred": ("taken", "The base gets ∇L(w + ε) less each row's mean"),
    "decoupled": ("decay", "decoupled decay"),
    "nesterov": ("momentum", "nesterov=True"),
    "damped": ("momentum rate", "SGD with dampening"),
    "damped as PyTorch": ("momentum", "SGD with dampening"),
}
# what cannot be seen beside them, parts of the step or faults: without ε nothing of it is seen, nor which gradient the base gets
HIDES = {
    "one gradient": {
        "first",
        "batch",
        "away",
        "direction",
        "norm",
        "side",
        "length",
        "taken",
        "start",
        "direction taken",
    }
    | {"decay at w + eps", "decay at both", "momentum fed twice"},
    "one gradient, away": {"first", "batch", "away", "direction", "norm", "side", "length", "taken", "direction taken"},
    "never up": {"direction", "norm", "side", "length", "taken", "start", "direction taken"}
    | {"decay at w + eps", "decay at both"},
    "three gradients": {"direction taken"},  # what has added up then is not known
    # two ways to say one thing
    "not restored": {"decay at w + eps", "decay at both"},
    "not restored, decay at w": {"decay at w + eps"},
    "take the sum": {"decay twice"},  # twice the mean and the decay
    "no momentum": {"decoupled"},
    "never cleared": {"momentum fed twice"},
}
KNOWN = FAULTS | CHOICES
PAIRS = [
    (a, b)
    for a, b in itertools.combinations(KNOWN, 2)
    if not set(KNOWN[a][0].split()) & set(KNOWN[b][0].split())
    and not {b, KNOWN[b][0]} & HIDES.get(a, set())
    and not {a, KNOWN[a][0]} & HIDES.get(b, set())
]


def centred(g):
    return [a - a.mean(axis=1, keepdims=True) if a.ndim > 1 else a for a in g]


class Sam:
    """One step after the other, with these faults; the weights are a list of tensors."""

    def __init__(self, problem, faults=()):
        self.problem, self.faults = problem, set(faults)
        self.w = [a.copy() for a in problem.split(problem.w).values()]
        self.v = [0 * a for a in self.w]
        self.last = [0 * a for a in self.w]  # the last gradient of the step before
        self.heap = [0 * a for a in self.w]  # all gradients ever taken
        self.old_loss, self.is_first = None, True

    def has(self, *names):
        return bool(self.faults & set(names))

    def ask(self, loss_and_grad, w):
        g = list(self.problem.split(loss_and_grad(np.concatenate([a.ravel() for a in w]))[1]).values())
        self.heap = [a + b for a, b in zip(self.heap, g, strict=True)]
        return self.heap if self.has("never cleared") else g

    def __call__(self, loss):
        first_loss, second_loss = loss, loss
        if self.old_loss is not None:
            first_loss = self.old_loss if self.has("first on another batch") else loss
            second_loss = self.old_loss if self.has("other batch") else loss
        g = None if self.has("one gradient, away") else self.ask(first_loss, self.first_point())
        eps = [0 * a for a in self.w] if self.has("one gradient", "never up") else self.eps(g)
        up = [a + e for a, e in zip(self.w, eps, strict=True)]
        if self.has("three gradients"):
            self.ask(loss, [1.1 * a for a in self.w])
        g_adv = g if self.has("one gradient") else self.ask(second_loss, up)
        self.descend(g or [0 * a for a in self.w], g_adv, eps)
        self.last, self.old_loss, self.is_first = g_adv, loss, False
        return np.concatenate([a.ravel() for a in self.w])

    def first_point(self):
        return [0.9 * a for a in self.w] if self.has("first elsewhere") else self.w

    def eps(self, g):
        if self.has("stale", "one gradient, away"):
            g = self.last
        if self.has("left over"):
            g = [a + b for a, b in zip(g, self.last, strict=True)]
        if self.has("ascent with decay"):
            g = [a + DELTA * b for a, b in zip(g, self.w, strict=True)]
        rho = RHO * (-1 if self.has("down") else 1)
        rho *= LR if self.has("times lr") else RHO if self.has("rho squared") else 1
        rho *= 2 if self.has("eps twice") else 0.5 if self.has("eps half") else 1.3 if self.has("eps 1.3") else 1
        if self.has("root mean square"):
            rho *= np.sqrt(sum(a.size for a in g))
        if self.has("centred"):
            g = centred(g)
        return [rho * a for a in self.unit(g)]

    def unit(self, g):
        norm = np.sqrt(sum((a * a).sum() for a in g)) or 1.0
        if self.has("squared"):
            return [a / norm**2 for a in g]
        if self.has("1-norm"):
            return [a / (sum(abs(b).sum() for b in g) or 1.0) for a in g]
        if self.has("largest"):
            return [a / (max(abs(b).max() for b in g) or 1.0) for a in g]
        if self.has("per tensor"):
            return [a / (np.sqrt((a * a).sum()) or 1.0) for a in g]
        if self.has("signs"):
            return [np.sign(a) for a in g]
        if self.has("no norm"):
            return g
        if self.has("units", "units, eta 0", "T once"):
            T = [abs(a) + (0 if self.has("units, eta 0") else 0.01) for a in self.w]
            norm = np.sqrt(sum(((t * a) ** 2).sum() for t, a in zip(T, g, strict=True))) or 1.0
            return [t ** (1 if self.has("T once") else 2) * a / norm for t, a in zip(T, g, strict=True)]
        return [a / norm for a in g]

    def taken(self, g, g_adv):
        sizes = [np.sqrt(sum((a * a).sum() for a in one)) or 1.0 for one in (g, g_adv)]
        if self.has("take the first"):
            return g
        if self.has("take the centred"):
            return centred(g_adv)
        if self.has("take a unit"):
            return [a / sizes[1] for a in g_adv]
        if self.has("take its direction"):
            return [a * sizes[0] / sizes[1] for a in g_adv]
        if self.has("take the difference"):
            return [b - a for a, b in zip(g, g_adv, strict=True)]
        if self.has("take the sum", "take the mean"):
            return [(a + b) / (2 if self.has("take the mean") else 1) for a, b in zip(g, g_adv, strict=True)]
        return g_adv

    def decayed(self, g, at, up):
        factor = 0 if self.has("no decay", "decoupled") else 2 if self.has("decay twice") else 1
        if self.has("decay at both"):
            return [a + DELTA * (b + c) for a, b, c in zip(g, at, up, strict=True)]
        at = up if self.has("decay at w + eps") else at
        return [a + factor * DELTA * b for a, b in zip(g, at, strict=True)]

    def descend(self, g, g_adv, eps):
        up = [a + e for a, e in zip(self.w, eps, strict=True)]
        start = self.w
        if self.has("not restored", "not restored, decay at w"):
            start = up
        if self.has("restored twice"):
            start = [a - e for a, e in zip(self.w, eps, strict=True)]
        at = self.w if self.has("not restored, decay at w") else start
        lr = LR * (
            2 if self.has("step twice") else 0.5 if self.has("step half") else 1.3 if self.has("step 1.3") else 1
        )
        lr *= LR if self.has("lr squared") else RHO if self.has("step times rho") else -1 if self.has("uphill") else 1
        first, d = self.decayed(g, at, up), self.decayed(self.taken(g, g_adv), at, up)
        u = [self.momentum(k, first[k], d[k]) for k in range(len(d))]
        if self.has("decoupled"):
            u = [a + DELTA * b for a, b in zip(u, at, strict=True)]
        self.w = [a - lr * b for a, b in zip(start, u, strict=True)]

    def momentum(self, k, first, d):
        if self.has("no momentum"):
            return d
        if self.has("momentum fed twice"):
            self.v[k] = MU * self.v[k] + first
        weight = 1 - MU if self.has("damped") or (self.has("damped as PyTorch") and not self.is_first) else 1
        self.v[k] = MU * self.v[k] + weight * d
        return d + MU * self.v[k] if self.has("nesterov") else self.v[k]


class Planted:
    """What `check` drives."""

    def __init__(self, *faults):
        self.faults = faults

    def begin(self, problem):
        return Sam(problem, self.faults)
