"""A study that takes a fraction of a second."""

from minisam import SAM, SGD, data, mlp, study


def unit(k):
    return data.two_moons(seed=k, noise=0.3, train=16, validation=20, test=20)


def sgd(lr):
    return SGD(lr, momentum=0.9)


def sam(lr, rho):
    return SAM(SGD(lr, momentum=0.9), rho)


PROBLEM = study.Problem(mlp((2, 4, 2)), unit, epochs=2, batch_size=8)
METHODS = {"SGD": (sgd, {"lr": [0.1, 0.2, 0.4, 0.8]}), "SAM": (sam, {"lr": [0.1, 0.2], "rho": [0.05, 0.1]})}


def compare(problem=PROBLEM, methods=METHODS, **options):
    return study.compare(problem, methods, **{"delta": 0.05, "units": 3, "tuning": 2, "progress": False} | options)
