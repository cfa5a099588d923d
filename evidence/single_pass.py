"""Does SAM help a language model that reads each text once?

**Claim.** No: where nothing is read twice there is nothing to hold back, and SAM is worse, even at equal epochs.

**Source.** Singh et al. 2025, [arXiv:2502.02407](https://arxiv.org/abs/2502.02407), who find that SAM often degrades language
models, also at twice the compute.

**Problem.** The tables and the model of [repeated.py](repeated.py), and as many steps, but one pass over 20 times as much text. A
unit is a table.

**Methods.** As there: SGD and SAM, each tuned over 18 settings or more on three other tables. At equal gradients SGD reads the
text twice; to read twice as much text would be of more use to it.

**Prediction.** The score is minus the loss on new text, in nats. SAM is worse, at equal epochs and at equal gradients. (The
ranges of the grids were found on tables 1000 to 1005.)
"""

import repeated

from minisam import study


def unit(k):
    return repeated.text(k, 20 * repeated.EXAMPLES)


problem = study.Problem(repeated.MODEL, unit, epochs=1, batch_size=repeated.BATCH, score=repeated.minus_loss)
methods = {
    "SGD": (repeated.sgd, {"lr": [0.05, 0.1, 0.2, 0.4, 0.8, 1.6], "l2": [0.0, 0.0005, 0.001]}),
    "SAM": (repeated.sam, {"lr": [0.2, 0.4, 0.8], "l2": [0.0, 0.0005, 0.001], "rho": [0.05, 0.1]}),
}
scale = repeated.scale
delta, units, tuning, against = repeated.delta, 40, 3, "SGD"
predicted = {"SAM": "worse"}
