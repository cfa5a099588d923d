"""Does SAM withstand it better than SGD if most labels are wrong?

**Claim.** Yes: where 60% of the training labels are wrong, SAM is better than SGD, though nothing in it is made for them.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.3, on CIFAR-10 with ResNets, where
SAM is on a par with methods that are made for wrong labels.

**Problem.** That of [label_noise.md](label_noise.md), with 60% wrong labels in place of 40%, of those that settings are chosen
by, too: digits, of which 600 to train on, an MLP 64-64-64-10, 40 epochs. A unit is one of the splits there; the labels that are
wrong there are wrong here, too, and others besides.

**Methods.** Those there, with the same 12 settings each, chosen anew on six other units.

**Prediction.** SAM is better than SGD, at equal epochs and at equal gradients. (That it was undecided at equal epochs for 40%,
+0.003 ± 0.007, was known when this was written.)
"""

import noisy

problem, methods = noisy.problem(0.6), noisy.METHODS
scale = "accuracy"
delta, units, tuning, against = 0.01, 30, 6, "SGD"
predicted = {"SAM": "better"}
