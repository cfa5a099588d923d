"""SGD and SAM on small data: a network with two hidden layers, and 36 settings for each method."""

from minisam import SAM, SGD, mlp, study
from minisam.optim import cosine

TRAIN, VALIDATION = 600, 300


def problem(unit, features, epochs=40):
    return study.Problem(mlp((features, 64, 64, 10)), unit, epochs, batch_size=60)


def sgd(lr, l2, steps):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def sam(lr, l2, rho, steps):
    return SAM(sgd(lr, l2, steps), rho)


METHODS = {
    "SGD": (sgd, {"lr": [0.0125, 0.025, 0.05, 0.1, 0.2, 0.4], "l2": [0.0, 0.0003, 0.001, 0.002, 0.004, 0.008]}),
    "SAM": (sam, {"lr": [0.05, 0.1, 0.2], "l2": [0.0, 0.001, 0.004], "rho": [0.05, 0.1, 0.2, 0.4]}),
}
