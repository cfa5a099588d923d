"""Can SAM come to rest where there is no minimum?

**Claim.** Yes. On a smooth loss SAM with a constant ρ may rest on a slope, since it rests where the gradient is 0 *at w + ε*.
Smaller steps do not help.

**Source.** Si & Yun 2023, [arXiv:2306.09850](https://arxiv.org/abs/2306.09850), who show that SAM need not converge on smooth
losses that are not convex. The example is our own.

**Problem.** A wave, L = (β/k²) cos kx, k = 2π/ℓ, with a crest at 0 and minima at ±ℓ/2. A unit draws β from 1 to 5, ℓ from 0.2 to
1, ρ from 0.55 ℓ to 0.95 ℓ, ηβ from 0.1 to 0.9, and a start between −0.45 ℓ and −0.05 ℓ. SAM then looks beyond the crest, and
should rest at ℓ/2 − ρ, from where it sees the other minimum; the slope there is (β/k)|sin kρ|.

**Methods.** 2,000 steps of gradient descent, of SAM, and of SAM with a step size that falls as a cosine. The closed form is the
base of the comparison.

**Prediction.** The score is minus the size of the gradient. SAM's is that of the closed form, within δ, whether η falls or not;
gradient descent's is better.
"""

import numpy as np
from measuring import reached, walk

from minisam import SAM, SGD
from minisam.optim import cosine

STEPS = 2000
scale = "minus the size of the gradient"
delta, units, against = 1e-9, 20, "closed form"
predicted = {"SAM": "equal", "SAM, η falling": "equal", "SGD": "better"}


def measure(units):
    rng = np.random.default_rng(0)
    ranges = ((1, 5), (0.2, 1), (0.55, 0.95), (0.1, 0.9), (-0.45, -0.05))
    beta, length, radius, rate, place = (rng.uniform(*each, (units, 1)) for each in ranges)
    k, rho, lr, start = 2 * np.pi / length, radius * length, rate / beta, place * length

    def wave(x):
        return np.sum(beta / k**2 * np.cos(k * x), axis=-1), -beta / k * np.sin(k * x)

    rules = {"SAM": SAM(SGD(lr), rho), "SAM, η falling": SAM(SGD(cosine(lr, STEPS)), rho), "SGD": SGD(lr)}
    found = {"closed form": reached({}, STEPS, 0, -(beta / k * np.abs(np.sin(k * rho)))[:, 0])}
    for name, rule in rules.items():
        x, spent = walk(rule, start, wave, STEPS)
        found[name] = reached({}, STEPS, spent, -np.abs(wave(x)[1])[:, 0])
    return {"equal epochs": found}
