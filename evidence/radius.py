"""Does the radius ρ of SAM need tuning?

**Claim.** Yes: the accuracy over ρ is an inverted U. Too small a radius changes little, and too large a one hurts.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.1, who choose ρ from a grid;
Andriushchenko & Flammarion 2022, [arXiv:2206.06232](https://arxiv.org/abs/2206.06232), who plot the error over it.

**Problem.** The digits with 40% wrong labels, as in [label_noise.md](label_noise.md). A unit is a split with wrong labels of its
own, which are none of those there.

**Methods.** SAM over SGD with momentum, 40 epochs, with eight radii from 0.00625 to 0.8, each twice the one before. The step size
is 0.1, and λ = 0.005. On the units that settings are chosen on there, this λ and ρ = 0.2 are the best of SAM by the validation
part, so ρ = 0.2 is the base of the comparison.

**Prediction.** Both ends, ρ = 0.00625 and ρ = 0.8, are worse than the base.
"""

import noisy
import numpy as np
from measuring import reached

from minisam import train

RHOS, L2, FIRST = [0.00625 * 2**k for k in range(8)], 0.005, 100
scale = "accuracy"
delta, units, against = 0.01, 30, "ρ = 0.2"
predicted = {"ρ = 0.00625": "worse", "ρ = 0.8": "worse"}
PROBLEM = noisy.problem(0.4)


def accuracies(k):
    """The accuracy of each radius in unit k, and the gradients spent."""
    digits = PROBLEM.unit(k)
    steps = PROBLEM.epochs * (len(digits.x_train) // PROBLEM.batch_size)
    run = train(
        PROBLEM.model,
        (digits.x_train, digits.y_train),
        lambda rho: noisy.sam(rho, L2, steps),
        PROBLEM.epochs,
        PROBLEM.batch_size,
        seed=k,
        sweep={"rho": RHOS},
        progress=False,
    )
    return run.evaluate(digits.x_test, digits.y_test)["accuracy"], run.history["evaluations"][-1]


def measure(units):
    scores, spent = zip(*(accuracies(k) for k in range(FIRST, FIRST + units)), strict=True)
    by_radius = zip(RHOS, np.transpose(scores), strict=True)
    return {
        "equal epochs": {
            f"ρ = {rho:g}": reached({"lr": noisy.LR, "l2": L2, "rho": rho}, PROBLEM.epochs, spent, found)
            for rho, found in by_radius
        }
    }
