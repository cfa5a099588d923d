"""Does SAM find sparser solutions than gradient descent?

**Claim.** On diagonal linear networks and a class of problems, SAM chooses a solution that generalises better than that of
gradient descent, as if the start had been smaller; with an ε for each example (1-SAM), by far more than with one ε for all.

**Source.** Andriushchenko & Flammarion 2022, [arXiv:2206.06232](https://arxiv.org/abs/2206.06232); that gradient descent from a
small start is sparse: Woodworth et al. 2020, [arXiv:2002.09277](https://arxiv.org/abs/2002.09277).

**Problem.** y = ⟨β, x⟩ with 30 inputs, of which three count, and 20 examples; the network is β = u · v, entry by entry, from
u = α and v = 0, and the loss the mean squared error. A unit is a set of data. Lesson 13 shows the sets 0 to 9; these are others.

**Methods.** 2,000 steps on all examples, η falling from 0.02 as a cosine: gradient descent from α = 1, which is the base of the
comparison, and from 0.3 and 0.1; from α = 1, SAM and 1-SAM, where ε = ρ g/‖g‖; and USAM and 1-USAM, where ε = ρ g, as in the
proof. Three ρ each; for ε = ρ g a third of them or less, since 1-USAM diverged with the same.

**Prediction.** The score is −‖β − true β‖². All twelve SAMs and both smaller starts are better than gradient descent from α = 1.
(USAM and 1-USAM were added when the others had been seen: SAM with one ε for all was worse. Of their ρ, the first three
diverged, three smaller ones were tried, and these were then chosen on other sets of data, as large as does not diverge.)
"""

import autograd.numpy as anp
import numpy as np
from measuring import reached, walk

from minisam import SAM, SGD, BatchLoss, Model, data, mse, ops
from minisam.optim import cosine
from minisam.sam import USAM, MSharpnessSAM

FEATURES, EXAMPLES, STEPS, LR = 30, 20, 2000, 0.02
ALPHAS, RHOS, RHOS_OF_G = (1.0, 0.3, 0.1), (0.2, 0.1, 0.05), (0.06, 0.04, 0.02)
scale = "minus the squared distance from the true β"
delta, units, against = 0.05, 20, "GD, α = 1"
predicted = {
    **{f"{name}, ρ = {rho:g}": "better" for name in ("SAM", "1-SAM") for rho in RHOS},
    **{f"{name}, ρ = {rho:g}": "better" for name in ("USAM", "1-USAM") for rho in RHOS_OF_G},
    **{f"GD, α = {alpha:g}": "better" for alpha in ALPHAS[1:]},
}


def beta(p):
    return p["u"] * p["v"]


def forward(p, x):
    return ops.matmul(x, anp.reshape(beta(p), (*anp.shape(p["u"]), 1)))


def diagonal(alpha):
    shapes, initial = {"u": (FEATURES,), "v": (FEATURES,)}, {"u": np.full(FEATURES, alpha), "v": np.zeros(FEATURES)}
    return Model({"model": "diagonal"}, shapes, forward, lambda rng: initial)


class OneUSAM(MSharpnessSAM):
    """1-SAM with ε = ρ g of each example."""

    def direction(self, look, state):
        parts = look.parts(self.groups)
        return look.gather(parts, [part(self.rho * part()) for part in parts])


def trials():
    """Each method's name, settings, α and optimizer."""
    falling = SGD(cosine(LR, STEPS))
    for alpha in ALPHAS:
        yield f"GD, α = {alpha:g}", {"alpha": alpha}, alpha, falling
    for rho in RHOS:
        yield f"SAM, ρ = {rho:g}", {"rho": rho}, 1.0, SAM(falling, rho)
        yield f"1-SAM, ρ = {rho:g}", {"rho": rho}, 1.0, MSharpnessSAM(falling, rho, groups=EXAMPLES)
    for rho in RHOS_OF_G:
        yield f"USAM, ρ = {rho:g}", {"rho": rho}, 1.0, USAM(falling, rho)
        yield f"1-USAM, ρ = {rho:g}", {"rho": rho}, 1.0, OneUSAM(falling, rho, groups=EXAMPLES)


def measure(units):
    sets = [data.diagonal_regression(100 + k, features=FEATURES, active=3, train=EXAMPLES) for k in range(units)]
    x, y = (np.stack([getattr(each, part) for each in sets]).astype("float64") for part in ("x_train", "y_train"))
    truth, found = np.repeat([1.0, 0.0], [3, FEATURES - 3]), {}
    for name, settings, alpha, rule in trials():
        model = diagonal(alpha)
        start = model.init(range(units), dtype="float64")
        w, spent = walk(rule, start, BatchLoss(model, mse).on(x, y), STEPS)
        gaps = np.sum((beta(model.unflatten(w)) - truth) ** 2, axis=-1)
        found[name] = reached(settings, STEPS, spent, -gaps)
    return {"equal epochs": found}
