"""Is SAM better on clean digits?

**Claim.** Yes: SAM generalises better than SGD where the labels are right and the test data are like the training data.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.1, on photographs.

**Problem.** The digits, 600 to train on, an MLP 64-64-64-10, batches of 60, 40 epochs. A unit is a split of
the digits. The score is the accuracy on 897 others.

**Methods.** SGD with momentum and SAM over it, 36 settings each, chosen on six other units by 300 digits.

**Prediction.** SAM is better than SGD, at equal epochs and at equal gradients. (The splits are those of
[shifts.md](shifts.md); how the networks read the test digits as they are had not been looked at.)
"""

import sgd_and_sam

from minisam import data


def unit(k):
    return data.digits(k, sgd_and_sam.TRAIN, sgd_and_sam.VALIDATION)


problem, methods = sgd_and_sam.problem(unit, features=64), sgd_and_sam.METHODS
scale = "accuracy"
delta, units, tuning, against = 0.005, 30, 6, "SGD"
predicted = {"SAM": "better"}
