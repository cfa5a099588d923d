"""Are cheaper variants as good as SAM?

**Claim.** Yes: variants that spend 1 to 1.5 gradients a step reach SAM's accuracy.

**Source.** MSAM, Becker et al. 2024, [arXiv:2401.12033](https://arxiv.org/abs/2401.12033); LookSAM, Liu et al. 2022,
[arXiv:2203.02714](https://arxiv.org/abs/2203.02714); AE-SAM, Jiang et al. 2023,
[arXiv:2304.14647](https://arxiv.org/abs/2304.14647); RST, Zhao et al. 2022,
[arXiv:2203.09962](https://arxiv.org/abs/2203.09962).

**Problem.** 600 digits, of whose labels 40% are wrong, where SAM helps most; an MLP 64-64-64-10, batches of 64, 40 epochs. A unit
is a split of the digits with labels that are wrong in its own way. Those of the validation and the test part are right.

**Methods.** SGD with momentum 0.9, SAM, and four variants, k = 5 and α = 0.2 for LookSAM and p = ½ for RST, η falling as a
cosine. All choose among 12 settings or more of η, λ and ρ on four other units.

**Prediction.** The score is the accuracy. Each variant equals SAM within δ, a point, at equal epochs and at equal gradients.
"""

from minisam import SAM, SGD, data, mlp, sam, study
from minisam.optim import cosine

MODEL = mlp((64, 64, 64, 10))


def unit(k):
    return data.symmetric_noise(data.subset(data.digits(k), 600, k), 0.4, k)


def sgd(lr, l2, steps):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def plain_sam(lr, l2, rho, steps):
    return SAM(sgd(lr, 0.0, steps), rho, l2=l2)


def msam(lr, l2, rho, steps):
    return sam.MSAM(sgd(lr, 0.0, steps), rho, l2=l2)


def looksam(lr, l2, rho, steps):
    return sam.LookSAM(sgd(lr, 0.0, steps), rho, k=5, alpha=0.2, l2=l2)


def aesam(lr, l2, rho, steps):
    return sam.AESAM(sgd(lr, 0.0, steps), rho, steps=steps, l2=l2)


def rst(lr, l2, rho, steps):
    return sam.RST(sgd(lr, 0.0, steps), rho, prob=0.5, l2=l2)


def grid(*rhos):
    return {"lr": [0.1, 0.2], "l2": [0.0025, 0.005, 0.01], "rho": list(rhos)}


problem = study.Problem(MODEL, unit, epochs=40, batch_size=64)
methods = {
    "SGD": (sgd, {"lr": [0.05, 0.1, 0.2, 0.4], "l2": [0.0025, 0.005, 0.01]}),
    "SAM": (plain_sam, grid(0.1, 0.2)),
    "MSAM": (msam, grid(0.5, 1.0)),
    "LookSAM": (looksam, grid(0.2, 0.4)),
    "AESAM": (aesam, grid(0.2, 0.4)),
    "RST": (rst, grid(0.2, 0.4)),
}
scale = "accuracy"
delta, units, tuning, against = 0.01, 40, 4, "SAM"
predicted = dict.fromkeys(("MSAM", "LookSAM", "AESAM", "RST"), "equal")
