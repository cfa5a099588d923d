"""Is SAM better for a vision transformer?

**Claim.** Yes: a transformer that sees few pictures ends in sharp minima, and generalises better with SAM over Adam.

**Source.** Chen, Hsieh & Gong 2022, [arXiv:2106.01548](https://arxiv.org/abs/2106.01548), on ImageNet without further data or
strong augmentation.

**Problem.** The digits, 600 to train on, a vision transformer that reads them as 16 patches of 2×2 (width 32, two blocks, four
heads), batches of 60, 40 epochs. A unit is a split of the digits. The score is the accuracy on 897 others.

**Methods.** AdamW, tuned over step size and weight decay, and SAM over it, tuned over step size, weight decay and ρ: 16 settings
each, chosen on three other units by 300 digits. The step size rises for the first tenth of the steps and falls as a cosine.

**Prediction.** SAM is better than AdamW, at equal epochs and at equal gradients.
"""

from minisam import SAM, AdamW, data, study, vit
from minisam.optim import cosine, warmup

TRAIN, VALIDATION = 600, 300


def unit(k):
    return data.digits(k, TRAIN, VALIDATION)


def adamw(lr, decay, steps):
    return AdamW(warmup(steps // 10, cosine(lr, steps)), weight_decay=decay)


def sam(lr, decay, rho, steps):
    return SAM(adamw(lr, decay, steps), rho)


problem = study.Problem(vit((1, 8, 8), patch=2, width=32, depth=2, heads=4), unit, epochs=40, batch_size=60)
methods = {
    "AdamW": (adamw, {"lr": [0.0005, 0.001, 0.002, 0.004], "decay": [0.0, 0.1, 0.3, 1.0]}),
    "SAM": (sam, {"lr": [0.001, 0.002], "decay": [0.0, 0.3], "rho": [0.025, 0.05, 0.1, 0.2]}),
}
scale = "accuracy"
delta, units, tuning, against = 0.01, 20, 3, "AdamW"
predicted = {"SAM": "better"}
