"""Does SAM rely less on a spurious feature than SGD?

**Claim.** Yes: where an easier feature agrees with the label in most of the training data, SAM learns the other features
better than SGD, and so suffers less where the easy one is of no use.

**Source.** Springer, Nagarajan & Raghunathan 2024, [arXiv:2405.20439](https://arxiv.org/abs/2405.20439), who train on one
distribution and read off the features with a linear probe: on CelebA, Waterbirds and CIFAR-10 beside MNIST. Here nothing is
trained anew. The data are after Shah et al. 2020, [arXiv:2006.07710](https://arxiv.org/abs/2006.07710).

**Problem.** Dominoes: two digits side by side, of which the right one has to be read. In training, 600 pairs, and in
validation, the left one is the same digit in 95%; in the test it is any digit. An MLP 128-64-64-10, batches of 60, 40 epochs.
A unit is a split of the digits with its own pairs. The score is the accuracy in the test. Settings are chosen where the left
digit still agrees: who chooses where it does not has seen the shift.

**Methods.** SGD with momentum and SAM over it, 36 settings each, chosen on six other units.

**Prediction.** SAM is better than SGD, as the claim says, at equal epochs and at equal gradients. (An earlier trial of our own,
with another program, saw it worse by 1.5 to 7 points.)
"""

import sgd_and_sam

from minisam import data


def unit(k):
    return data.dominoes(data.digits(k, sgd_and_sam.TRAIN, sgd_and_sam.VALIDATION), 0.95, k)


problem, methods = sgd_and_sam.problem(unit, features=128), sgd_and_sam.METHODS
scale = "accuracy"
delta, units, tuning, against = 0.01, 30, 6, "SGD"
predicted = {"SAM": "better"}
