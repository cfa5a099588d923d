"""Does it help to perturb the rare classes alone?   minisam study evidence/long_tail.py

Digits with a long tail: 80 training examples of class 0, 57, 41, 29, 21, 15, 10, 7 and 5 of the next ones, and 4 of class 9. A
unit is a split of the digits and the examples that are left of it. All classes count alike: the score is the balanced accuracy on
a test part of about as many examples of each. Rare are the classes with fewer than 20 examples, as in the code of ImbSAM's
authors.
"""

import numpy as np

from minisam import SAM, SGD, data, mlp, study
from minisam.long_tails import Reweighted, class_weights
from minisam.optim import cosine
from minisam.sam import ImbSAM

MOST, LEAST, RARE = 80, 4, 20
MODEL = mlp((64, 64, 64, 10))


def unit(k):
    return data.long_tailed(data.digits(k, train=1100, validation=300), MOST, LEAST, k)


Y_TRAIN = unit(0).y_train  # of every unit, but for the order
TAIL = np.flatnonzero(np.bincount(Y_TRAIN) < RARE).tolist()
WEIGHTS = class_weights(Y_TRAIN)


def balanced_accuracy(run, data):
    return float(run.evaluate(data.x_test, data.y_test)["balanced_accuracy"])


def sgd(lr, l2, steps):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def sam(lr, l2, rho, steps):
    return SAM(sgd(lr, 0.0, steps), rho, l2=l2)


def imbsam(lr, l2, rho, steps):
    return ImbSAM(sgd(lr, 0.0, steps), rho, l2=l2, tail=TAIL)


def reweighted_sgd(lr, l2, steps):
    return Reweighted(sgd(lr, l2, steps), WEIGHTS)


def reweighted_sam(lr, l2, rho, steps):
    return Reweighted(sam(lr, l2, rho, steps), WEIGHTS)


def reweighted_imbsam(lr, l2, rho, steps):
    return Reweighted(imbsam(lr, l2, rho, steps), WEIGHTS)


WITHOUT = {"lr": [0.025, 0.05, 0.1, 0.2], "l2": [0.0, 0.001, 0.003]}
WITH_RHO = {"lr": [0.05, 0.1], "l2": [0.0, 0.001], "rho": [0.1, 0.2, 0.4]}

problem = study.Problem(MODEL, unit, epochs=60, batch_size=32, score=balanced_accuracy)
methods = {
    "SGD": (sgd, WITHOUT),
    "SAM": (sam, WITH_RHO),
    "ImbSAM": (imbsam, WITH_RHO),
    "reweighted SGD": (reweighted_sgd, WITHOUT),
    "reweighted SAM": (reweighted_sam, WITH_RHO),
    "reweighted ImbSAM": (reweighted_imbsam, WITH_RHO),
}
delta, units, tuning, against = 0.01, 20, 4, "SAM"
