"""Does the best radius fall where λ is larger?

**Claim.** Yes: SAM and the L2 term hold back the same thing, so the more there is of one, the less is best of the other.

**Source.** No article that we know of states it so: trials of our own, beside Foret et al. 2021,
[arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.1, who choose ρ anew for each network and data set.

**Problem.** The digits with 40% wrong labels, an MLP 64-64-64-10, SAM over SGD with momentum, step size 0.1, batches of 60, 40
epochs, as in [radius.md](radius.md). In each unit, a split with wrong labels that none of the other claims has, nine
radii from 0.00625 to 1.6 are tried. The score is −log₂ of the radius that reads the test digits best (of several, the geometric
mean), so a difference of 1 is a radius half as large.

**Methods.** λ = 0.0015 is the base; besides, λ = 0, 0.005 and 0.015; and with the base's λ, batches of 15 and of 300, and
layers of 16 and of 256 units.

**Prediction.** λ = 0.015 has a smaller best radius than the base, and λ = 0 a larger one. The others are there to see.
"""

from dataclasses import dataclass

import noisy
import numpy as np
from measuring import reached

from minisam import mlp, train

RHOS, EPOCHS, FIRST = [0.00625 * 2**k for k in range(9)], 40, 200


@dataclass(frozen=True)
class Setting:
    """What the best radius is looked for at."""

    l2: float = 0.0015
    batch: int = 60
    width: int = 64


SETTINGS = {
    "λ = 0.0015": Setting(),
    "λ = 0": Setting(l2=0.0),
    "λ = 0.005": Setting(l2=0.005),
    "λ = 0.015": Setting(l2=0.015),
    "batches of 15": Setting(batch=15),
    "batches of 300": Setting(batch=300),
    "width 16": Setting(width=16),
    "width 256": Setting(width=256),
}
scale = "−log₂ of the best radius"
delta, units, against = 0.5, 30, "λ = 0.0015"
predicted = {"λ = 0.015": "better", "λ = 0": "worse"}


def best_radius(setting, k):
    """log₂ of the radius that is the most accurate in unit k, the mean if there are several; and the gradients spent."""
    digits = noisy.unit(k, 0.4)
    steps = EPOCHS * (len(digits.x_train) // setting.batch)
    run = train(
        mlp((64, setting.width, setting.width, 10)),
        (digits.x_train, digits.y_train),
        lambda rho: noisy.sam(rho, setting.l2, steps),
        EPOCHS,
        setting.batch,
        seed=k,
        sweep={"rho": RHOS},
        progress=False,
    )
    accuracy = run.evaluate(digits.x_test, digits.y_test)["accuracy"]
    return np.log2(RHOS)[accuracy == accuracy.max()].mean(), run.history["evaluations"][-1]


def measure(units):
    found = {}
    for name, setting in SETTINGS.items():
        radii, spent = zip(*(best_radius(setting, k) for k in range(FIRST, FIRST + units)), strict=True)
        told = {"lr": noisy.LR, "l2": setting.l2, "batch": setting.batch, "width": setting.width}
        found[name] = reached(told, EPOCHS, spent, [-radius for radius in radii])
    return {"equal epochs": found}
