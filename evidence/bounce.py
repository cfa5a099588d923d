"""Does SAM with a constant step come to rest at the minimum of a bowl?

**Claim.** No. It ends jumping to and fro across the minimum, along the axis of the largest curvature h, at the distance
ηhρ/(2 − ηh), however long it runs. With a step size η that falls to 0, it does come to the minimum.

**Source.** Bartlett, Long & Bousquet 2023, [arXiv:2210.01513](https://arxiv.org/abs/2210.01513); Si & Yun 2023,
[arXiv:2306.09850](https://arxiv.org/abs/2306.09850), who ask when practical SAM converges.

**Problem.** L = ½ Σ hᵢwᵢ² in six dimensions. A unit draws its largest curvature h from 1 to 5, the others from 0.05 to 0.9 of
it, ηh from 0.1 to 0.9, ρ from 0.05 to 0.5, and where it starts.

**Methods.** 3,000 steps of gradient descent, of SAM, and of SAM with a step size that falls as a cosine. The closed form is the
base of the comparison.

**Prediction.** The score is minus the distance from the minimum. SAM's is that of the closed form, within δ, and the other two
are better.
"""

import numpy as np
from measuring import reached, walk

from minisam import SAM, SGD
from minisam.optim import cosine

STEPS = 3000
scale = "minus the distance from the minimum"
delta, units, against = 1e-9, 20, "closed form"
predicted = {"SAM": "equal", "SGD": "better", "SAM, η falling": "better"}


def measure(units):
    rng = np.random.default_rng(0)
    top, rate, rho = (rng.uniform(low, high, (units, 1)) for low, high in ((1, 5), (0.1, 0.9), (0.05, 0.5)))
    h = top * np.concatenate([np.ones((units, 1)), rng.uniform(0.05, 0.9, (units, 5))], axis=1)
    start, lr = rng.standard_normal((units, 6)), rate / top
    rules = {"SAM": SAM(SGD(lr), rho), "SGD": SGD(lr), "SAM, η falling": SAM(SGD(cosine(lr, STEPS)), rho)}
    found = {"closed form": reached({}, STEPS, 0, -(rate * rho / (2 - rate))[:, 0])}
    for name, rule in rules.items():
        w, spent = walk(rule, start, lambda w: (np.sum(h * w**2, axis=-1) / 2, h * w), STEPS)
        found[name] = reached({}, STEPS, spent, -np.linalg.norm(w, axis=-1))
    return {"equal epochs": found}
