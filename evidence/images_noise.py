"""Does SAM withstand wrong labels of pictures better than SGD?

**Claim.** Yes: where 40% of the labels are wrong, SAM is better than SGD, though nothing in it is made for them.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.3, on CIFAR-10 with ResNets. The
pictures are those of Xiao, Rasul & Vollgraf 2017, [arXiv:1708.07747](https://arxiv.org/abs/1708.07747).

**Problem.** Fashion-MNIST at half its size, 14×14: 1,000 pictures to train on, an MLP 196-64-64-10, batches of 50, no crops or
flips; 100 epochs, long enough to learn wrong labels by heart. A unit draws the pictures and the wrong labels: 40% of them are
replaced by another class, each as probable. The 1,000 labels that settings are chosen by are as wrong. The score is the accuracy
on 2,000 of the test pictures, whose labels are right.

**Methods.** SGD with momentum, tuned over step size and λ. Around it, with its step size at 0.05: SAM; label smoothing; mixup;
generalised cross-entropy (GCE); training on the smaller losses of each batch; all tuned over their own knob and λ. And SAM with
GCE, tuned over both knobs, with λ = 0.002. Each has 12 settings, chosen on two other units. (The ranges and the length are those
that did well, or told methods apart, on the validation part of one unit more.)

**Prediction.** SAM is better than SGD, at equal epochs and at equal gradients. The other methods are there for comparison.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from clean_images import unit as clean
from noisy import on

from minisam import SAM, SGD, cross_entropy, data, mlp, study
from minisam.losses import generalised_cross_entropy
from minisam.noisy_labels import Mixup, SmallLoss
from minisam.optim import cosine

TRAIN, RATE, LR = 1000, 0.4, 0.05


def unit(k):
    """The pictures of unit k; of the labels of training and validation, 40% are wrong."""
    drawn = data.subset(clean(k), TRAIN, k)
    x, y = (np.concatenate([getattr(drawn, f"{axis}_train"), getattr(drawn, f"{axis}_validation")]) for axis in "xy")
    labelled = data.symmetric_noise(replace(drawn, x_train=x, y_train=y), RATE, k)
    y, flipped = labelled.y_train, labelled.flipped
    return replace(drawn, y_train=y[:TRAIN], y_validation=y[TRAIN:], flipped=flipped[:TRAIN])


# --- methods ---------------------------------------------------------------------------------------------------------


def sgd(l2, steps, lr=LR):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def sam(rho, l2, steps):
    return SAM(sgd(l2, steps), rho)


def smoothing(smoothed, l2, steps):
    return on(partial(cross_entropy, label_smoothing=smoothed), sgd(l2, steps))


def mixup(alpha, l2, steps):
    return Mixup(sgd(l2, steps), alpha)


def gce(q, l2, steps):
    return on(partial(generalised_cross_entropy, q=q), sgd(l2, steps))


def small_loss(dropped, l2, steps):
    return SmallLoss(sgd(l2, steps), dropped, warmup=max(1, steps // 4))


def sam_gce(rho, q, steps):
    return on(partial(generalised_cross_entropy, q=q), sam(rho, 0.002, steps))


L2, RHO = [0.002, 0.004, 0.008], [0.05, 0.1, 0.2, 0.4]
problem = study.Problem(mlp((196, 64, 64, 10)), unit, epochs=100, batch_size=50)
methods = {
    "SGD": (sgd, {"lr": [0.025, 0.05, 0.1], "l2": [0.002, 0.004, 0.008, 0.016]}),
    "SAM": (sam, {"rho": RHO, "l2": L2}),
    "label smoothing": (smoothing, {"smoothed": [0.2, 0.4, 0.6, 0.8], "l2": L2}),
    "mixup": (mixup, {"alpha": [0.5, 2.0, 8.0, 32.0], "l2": L2}),
    "GCE": (gce, {"q": [0.4, 0.6, 0.8, 1.0], "l2": L2}),
    "small-loss selection": (small_loss, {"dropped": [0.3, 0.4, 0.5, 0.6], "l2": L2}),
    "SAM + GCE": (sam_gce, {"rho": RHO, "q": [0.4, 0.6, 0.8]}),
}
scale = "accuracy"
delta, units, tuning, against = 0.01, 20, 2, "SGD"
predicted = {"SAM": "better"}
