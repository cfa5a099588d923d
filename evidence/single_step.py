"""Does the single ascent step get worse in training?

**Claim.** Yes: the step that SAM takes in place of the maximum reaches an ever smaller share of it.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), eq. 2, has the step; that it is often not
where the loss rises most, Luo et al. 2025, [arXiv:2501.12666](https://arxiv.org/abs/2501.12666); that its share falls, trials of
our own (lesson 05).

**Problem.** The digits, an MLP 64-64-64-10, batches of 64. A unit is a split of the digits, with its own start and order.

**Methods.** SGD with momentum 0.9 and SAM over it with ρ = 0.1, 80 epochs, η falling from 0.2 as a cosine; without weight decay,
and with λ = 0.003, which a search on the validation part of split 0 chose for both. The base of the comparison is the untrained
network, from which all four start.

**Prediction.** The score is the share of the rise of the loss by 20 steps of projected ascent, ρ far, that the single step
reaches: the mean over the 14 batches of the training examples, since SAM takes its step on a batch. The claim predicts that all
four are worse than the untrained network. (On split 0, which is none of the units, and with a constant η, those with λ = 0.003
were not.)
"""

import numpy as np
from measuring import reached

from minisam import SAM, SGD, BatchLoss, data, mlp, sharpness, train
from minisam.optim import cosine

EPOCHS, BATCH, LR, RHO = 80, 64, 0.2, 0.1
MODEL = mlp((64, 64, 64, 10))
RULES = {f"{name}, λ = {l2:g}": (name, l2) for l2 in (0.0, 0.003) for name in ("SGD", "SAM")}
scale = "the share that the single step reaches"
delta, units, against = 0.05, 20, "untrained"
predicted = dict.fromkeys(RULES, "worse")


def share(w, digits):
    """Of the rise that 20 steps find: the mean over batches."""
    batches = BatchLoss(MODEL).on(digits.x_train, digits.y_train).parts(len(digits.x_train) // BATCH)
    return np.mean([sharpness.single_step_accuracy(batch, w, RHO).ratio for batch in batches])


def trained(name, l2, digits, k):
    """Weights of unit k, and the gradients spent."""
    falling = cosine(LR, EPOCHS * (len(digits.x_train) // BATCH))
    rule = SGD(falling, momentum=0.9, l2=l2) if name == "SGD" else SAM(SGD(falling, momentum=0.9), RHO, l2=l2)
    run = train(MODEL, digits, rule, EPOCHS, BATCH, seed=k, progress=False)
    return run.w, run.history["evaluations"][-1]


def measure(units):
    splits = [data.digits(1 + k) for k in range(units)]
    at_start = [share(MODEL.init(k), digits) for k, digits in enumerate(splits)]
    found = {"untrained": reached({}, 0, 0, at_start)}
    for label, (name, l2) in RULES.items():
        ends, spent = zip(*(trained(name, l2, digits, k) for k, digits in enumerate(splits)), strict=True)
        shares = [share(w, digits) for w, digits in zip(ends, splits, strict=True)]
        found[label] = reached({"l2": l2} | ({"rho": RHO} if name == "SAM" else {}), EPOCHS, spent, shares)
    return {"equal epochs": found}
