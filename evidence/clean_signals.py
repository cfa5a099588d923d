"""Is SAM better on clean signals?

**Claim.** Yes: SAM generalises better than SGD where the labels are right and the test data are like the training data.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.1, on photographs. The data are
those of Greydanus & Kobak 2024, [arXiv:2011.14439](https://arxiv.org/abs/2011.14439).

**Problem.** MNIST-1D: signals of length 40 in ten classes, 1,000 to train on, an MLP 40-64-64-10, batches of 60, 60 epochs. A
unit is a set of signals that are drawn anew, so that units share nothing. The score is the accuracy on 2,000 others.

**Methods.** SGD with momentum and SAM over it, 36 settings each, chosen on four other units by 1,000 validation signals.

**Prediction.** SAM is better than SGD, at equal epochs and at equal gradients. (In an earlier trial of our own, with another
program, the gain vanished when the step size of SGD was tuned up to the edge of divergence. Written after the run: twice the
epochs gave SGD 1.7 points, so 60 are too few to train these networks to the end.)
"""

import sgd_and_sam

from minisam import data


def unit(k):
    return data.mnist1d(k, train=1000, validation=1000, test=2000)


problem, methods = sgd_and_sam.problem(unit, features=40, epochs=60), sgd_and_sam.METHODS
scale = "accuracy"
delta, units, tuning, against = 0.01, 30, 4, "SGD"
predicted = {"SAM": "better"}
