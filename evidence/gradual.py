"""Does SAM help a network to follow data that drift away?

**Claim.** Yes: in gradual domain adaptation, where a network labels each next domain itself and learns from that, SAM helps.

**Source.** Schapiro & Zhao 2024, [arXiv:2412.05169](https://arxiv.org/abs/2412.05169), over Adam; gradual self-training is from
Kumar, Ma & Liang 2020, [arXiv:2002.11361](https://arxiv.org/abs/2002.11361).

**Problem.** Two moons that turn by 6 degrees at a time, to 90; an MLP 2-32-32-2 learns the first from 200 examples with labels in
60 epochs, and each of the next 15 from 200 that it labels itself in 20, in batches of 50. A unit is a drift: its own points in
all domains, its own start and order.

**Methods.** SGD with momentum 0.9 and SAM over it; SGD with twice the epochs everywhere, which spends as many gradients as SAM,
and with four times. Each chooses among 12 settings or more of η, λ and ρ on six other drifts, with their labels.

**Prediction.** The score is the accuracy on 1,000 new points of each domain, the mean of the 15 that have no labels. SGD is
worse than SAM at equal epochs and at equal gradients, and with four times the epochs.
"""

from dataclasses import replace

import numpy as np
from measuring import reached

from minisam import SAM, SGD, accuracy, data, mlp, train
from minisam.array_backend import asarray, asnumpy
from minisam.self_training import self_train
from minisam.study.methods import combinations
from minisam.study.tuning import choose

DOMAINS, FIRST, EACH, BATCH, TUNING = 16, 60, 20, 50, 6
MODEL = mlp((2, 32, 32, 2))
scale = "accuracy on the way"
delta, units, against = 0.01, 20, "SAM"
predicted = {"SGD": "worse", "SGD, 4 × the epochs": "worse"}


def sgd(lr, l2):
    return SGD(lr, momentum=0.9, l2=l2)


def sam(lr, l2, rho):
    return SAM(sgd(lr, 0.0), rho, l2=l2)


OF_SGD = sgd, {"lr": [0.02, 0.05, 0.1, 0.2], "l2": [0.0, 0.002, 0.005]}
OF_SAM = sam, {"lr": [0.05, 0.1], "l2": [0.0, 0.002], "rho": [0.1, 0.2, 0.4]}


def drift(k):
    """The domains of drift k."""
    return [data.turned(data.two_moons(DOMAINS * k + j, noise=0.1), 6 * j) for j in range(DOMAINS)]


def columns(grid):
    """The values of each name as an array with an axis of its own, that of the weights last."""
    arrays = np.meshgrid(*grid.values(), indexing="ij", sparse=True)
    return {name: asarray(a[..., None], dtype="float32") for name, a in zip(grid, arrays, strict=True)}


def followed(make, grid, longer, k):
    """The mean accuracy on the way of networks that follow drift k, one for each combination of a grid."""
    domains, rule, found = drift(k), make(**columns(grid)), []
    w = train(MODEL, domains[0], make, longer * FIRST, BATCH, seed=k, sweep=grid, progress=False).w
    for j, domain in enumerate(domains[1:], start=1):
        w = self_train(MODEL, w, domain.x_train, rule, longer * EACH, BATCH, seed=DOMAINS * k + j)
        found.append(asnumpy(accuracy(MODEL.apply(w, asarray(domain.x_test)), asarray(domain.y_test))))
    return np.mean(found, axis=0).ravel()


def outcome(make, grid, longer, units):
    """What a method reaches with the settings that are best on drifts of their own."""

    def scores(grid):
        means = np.mean([followed(make, grid, longer, k) for k in range(TUNING)], axis=0)
        return list(zip(combinations(grid), means, strict=True))

    choice = choose(scores, grid, lambda settings: True)
    alone = {name: [value] for name, value in choice.settings.items()}
    reported = [followed(make, alone, longer, TUNING + k)[0] for k in range(units)]
    epochs = longer * (FIRST + (DOMAINS - 1) * EACH)
    spent = epochs * (200 // BATCH) * (2 if "rho" in grid else 1)
    told = {"tried": choice.grid, "at_rim": choice.at_rim, "validation": float(choice.score)}
    return replace(reached(choice.settings, epochs, spent, reported), **told)


def measure(units):
    same, fourfold = outcome(*OF_SAM, 1, units), outcome(*OF_SGD, 4, units)
    return {
        budget: {"SGD": outcome(*OF_SGD, longer, units), "SAM": same, "SGD, 4 × the epochs": fourfold}
        for budget, longer in (("equal epochs", 1), ("equal gradients", 2))
    }
