"""The exercises of lesson 07."""

import numpy as np
from check import judge


def spent(yours):
    n, batch, epochs, per_step = 1030, 100, 3, 2
    mistakes = {
        "SAM takes per_step gradients for each step": 30,
        "only full batches count: 1030 examples make 10 of 100": n / batch * epochs * per_step,
        "only full batches count: round down": 11 * epochs * per_step,
        "a gradient is that of a batch, not of an example": n * epochs * per_step,
        "that is one epoch": 20,
    }
    return judge(yours(n, batch, epochs, per_step), 60, mistakes, "number")


def report(yours):
    validation, test = np.array([90.0, 95.0, 93.0, 91.5]), np.array([89.0, 91.0, 93.0, 94.0])
    mistakes = {
        "that is chosen on the test data: with many settings, the luckiest": 94.0,
        "that is the validation accuracy, by which it was chosen, and so flatters": 95.0,
        "that is the mean over the settings; choose one": test.mean(),
        "choose by validation, then report the test accuracy of that setting": validation[np.argmax(test)],
    }
    return judge(yours(validation, test), 91.0, mistakes, "accuracy")


def paired(yours):
    a = np.array([91.0, 94.0, 89.0, 95.0, 92.0, 90.0, 93.0, 96.0, 88.0, 92.0])
    b = a - np.array([1.0, 2.0, 0.0, 1.0, 1.5, 0.5, 1.0, 2.0, 1.0, 0.0])
    d, t = a - b, 2.262

    def told(half):
        return np.array([d.mean(), half])

    mistakes = {
        "those are not in pairs: take the spread of a − b": told(t * np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 10)),
        "that is the spread of one difference; of the mean of ten it is √10 smaller": told(t * d.std(ddof=1)),
        "divide by n − 1 in the standard deviation, ddof=1": told(t * d.std() / np.sqrt(10)),
        "that is the standard error; times t it is the half-width": told(d.std(ddof=1) / np.sqrt(10)),
        "a − b, not b − a": np.array([-d.mean(), t * d.std(ddof=1) / np.sqrt(10)]),
    }
    return judge(yours(a, b, t), told(t * d.std(ddof=1) / np.sqrt(10)), mistakes, "mean and half-width")
