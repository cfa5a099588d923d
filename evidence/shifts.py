"""Is SAM more robust to shifts of the test data than SGD?

**Claim.** Yes: what SAM has learnt on clean images holds better than what SGD has learnt, where the images are corrupted.

**Source.** Chen, Hsieh & Gong 2021, [arXiv:2106.01548](https://arxiv.org/abs/2106.01548), on ImageNet-C with vision transformers,
mixers and, with a smaller gain, ResNets.

**Problem.** The digits, 600 to train on, an MLP 64-64-64-10, batches of 60, 40 epochs. A unit is a split of the digits. Its 897
test digits come six times: with noise, blurred, with less contrast, moved, turned, and shrunk, each at severity 3 of 5
(`data.SHIFTS`). The score is the accuracy on all of these. Settings are chosen on clean digits: who chooses on the shifted ones
has seen them.

**Methods.** SGD with momentum and SAM over it, 36 settings each, chosen on six other units.

**Prediction.** SAM is better than SGD, at equal epochs and at equal gradients.
"""

from dataclasses import replace

import numpy as np
import sgd_and_sam

from minisam import data

SEVERITY = 3


def unit(k):
    digits = data.digits(k, sgd_and_sam.TRAIN, sgd_and_sam.VALIDATION)
    moved = [data.shifted(digits.x_test, digits.shape, kind, SEVERITY, k) for kind in data.SHIFTS]
    return replace(digits, x_test=np.concatenate(moved), y_test=np.tile(digits.y_test, len(moved)))


problem, methods = sgd_and_sam.problem(unit, features=64), sgd_and_sam.METHODS
scale = "accuracy"
delta, units, tuning, against = 0.01, 30, 6, "SGD"
predicted = {"SAM": "better"}
