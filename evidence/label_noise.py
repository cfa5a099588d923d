"""Does SAM withstand wrong labels better than SGD?

**Claim.** Yes: where 40% of the training labels are wrong, SAM is better than SGD, though nothing in it is made for them.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.3, on CIFAR-10 with ResNets, where
SAM is on a par with methods that are made for wrong labels.

**Problem.** The digits, 600 to train on, an MLP 64-64-64-10, batches of 60, 40 epochs. A unit is a split with wrong labels of
its own: 40% of them are replaced by another class, each as probable. The 300 labels that settings are chosen by are as wrong;
clean ones are a luxury. The score is the accuracy on the other 897 digits, whose labels are right.

**Methods.** SGD with momentum, tuned over step size and λ. Around it, with its step size at 0.1: SAM; label smoothing; mixup;
generalised cross-entropy (GCE); training on the smaller losses of each batch; and SAM with GCE, without λ. Each has 12 settings,
over its own knob and λ, chosen on six other units.

**Prediction.** SAM is better than SGD, at equal epochs and at equal gradients. The other methods are there for comparison.
"""

import noisy

problem, methods = noisy.problem(0.4), noisy.METHODS
scale = "accuracy"
delta, units, tuning, against = 0.01, 30, 6, "SGD"
predicted = {"SAM": "better"}
