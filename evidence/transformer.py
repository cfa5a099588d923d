"""Is SAM better for a vision transformer?

**Claim.** Yes: a vision transformer has no convolutions to guide it, and what AdamW finds on few pictures is sharp. SAM over it
generalises better.

**Source.** Chen, Hsieh & Gong 2021, [arXiv:2106.01548](https://arxiv.org/abs/2106.01548), section 4, with ViTs and MLP-Mixers on
ImageNet without other data. The network is that of Dosovitskiy et al. 2021,
[arXiv:2010.11929](https://arxiv.org/abs/2010.11929), made small.

**Problem.** The digits, 600 to train on, a vision transformer of one block (patches of 2×2, tokens of 32 numbers, 4 heads),
batches of 60, 60 epochs. A unit is a split of the digits. The score is the accuracy on 897 others.

**Methods.** AdamW and SAM over it, 12 settings each, chosen on two other units by 300 digits. The step size rises for a tenth of
the steps and falls as a cosine. AdamW is tuned over step size and decay δ; SAM over step size and ρ, with δ = 0.5. (The ranges
are those that did well on the validation parts of two splits with other seeds.)

**Prediction.** SAM is better than AdamW, at equal epochs and at equal gradients.
"""

from minisam import SAM, data, study, vit
from minisam.optim import AdamW, cosine, warmup

TRAIN, VALIDATION = 600, 300


def unit(k):
    return data.digits(k, TRAIN, VALIDATION)


def adamw(lr, decay, steps):
    return AdamW(warmup(max(1, steps // 10), cosine(lr, steps)), weight_decay=decay)


def sam(lr, rho, steps):
    return SAM(adamw(lr, 0.5, steps), rho)


problem = study.Problem(vit(width=32, depth=1), unit, epochs=60, batch_size=60)
methods = {
    "AdamW": (adamw, {"lr": [0.004, 0.008, 0.016], "decay": [0.125, 0.25, 0.5, 1.0]}),
    "SAM": (sam, {"lr": [0.008, 0.016, 0.032], "rho": [0.0125, 0.025, 0.05, 0.1]}),
}
scale = "accuracy"
delta, units, tuning, against = 0.01, 12, 2, "AdamW"
predicted = {"SAM": "better"}
