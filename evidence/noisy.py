"""Digits with wrong labels, and methods that are made for them: each with 12 settings, over its own knob and λ."""

from dataclasses import replace
from functools import partial

import numpy as np

from minisam import SAM, SGD, cross_entropy, data, mlp, study
from minisam.losses import generalised_cross_entropy
from minisam.noisy_labels import Mixup, OtherLoss, SmallLoss
from minisam.optim import cosine

TRAIN, VALIDATION, LR = 600, 300, 0.1
ONE_EXAMPLE = np.zeros((1, 2)), np.zeros(1, dtype="int64")


def unit(k, rate):
    """Split k of the digits; of the labels of training and validation, a share `rate` is wrong."""
    labelled = data.symmetric_noise(data.digits(k, TRAIN + VALIDATION), rate, k)
    x, y = labelled.x_train, labelled.y_train
    parts = {"x_train": x[:TRAIN], "y_train": y[:TRAIN], "x_validation": x[TRAIN:], "y_validation": y[TRAIN:]}
    return replace(labelled, **parts, flipped=labelled.flipped[:TRAIN])


def problem(rate):
    return study.Problem(mlp((64, 64, 64, 10)), lambda k: unit(k, rate), epochs=40, batch_size=60)


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
    return on(partial(generalised_cross_entropy, q=q), sam(rho, 0.0, steps))


def on(loss, optimizer):
    """The optimizer with another loss, which is called once, so that it refuses a knob that is out of its range."""
    loss(*ONE_EXAMPLE)
    return OtherLoss(optimizer, loss)


L2, RHO, Q = [0.0005, 0.0015, 0.005], [0.05, 0.1, 0.2, 0.4], [0.4, 0.6, 0.8, 1.0]
METHODS = {
    "SGD": (sgd, {"lr": [0.05, 0.1, 0.2, 0.4], "l2": [0.0015, 0.005, 0.015]}),
    "SAM": (sam, {"rho": RHO, "l2": L2}),
    "label smoothing": (smoothing, {"smoothed": [0.2, 0.4, 0.6, 0.8], "l2": L2}),
    "mixup": (mixup, {"alpha": [0.25, 1.0, 4.0, 16.0], "l2": L2}),
    "GCE": (gce, {"q": Q, "l2": L2}),
    "small-loss selection": (small_loss, {"dropped": [0.2, 0.3, 0.4, 0.5], "l2": L2}),
    "SAM + GCE": (sam_gce, {"rho": RHO, "q": Q[:3]}),
}
