"""Data sets in three parts, and what can be done to them.

`sets` holds real digits and toy problems, `mnist1d` and `text` what their names say, `files` the sets that are downloaded;
`augmentation` makes other pictures of the same things, `noise` makes labels wrong, `imbalance` makes classes rare, `shifts`
moves the test data away from the training data, and `dominoes` takes a spurious feature away from them.
"""

from .augmentation import crops_and_flips
from .dominoes import dominoes
from .files import cifar10, cifar100, fashion_mnist, mnist
from .imbalance import long_tailed
from .markov import MarkovData, markov
from .mnist1d import mnist1d
from .noise import asymmetric_noise, instance_dependent_noise, symmetric_noise
from .sets import (
    Data,
    batches,
    blobs,
    diagonal_regression,
    digits,
    linear_teacher,
    single_pass,
    spirals,
    subset,
    two_moons,
)
from .shifts import SHIFTS, gradual, shift, shifted, turned
from .text import TextData, text

__all__ = [
    "SHIFTS",
    "Data",
    "MarkovData",
    "TextData",
    "asymmetric_noise",
    "batches",
    "blobs",
    "cifar10",
    "cifar100",
    "crops_and_flips",
    "diagonal_regression",
    "digits",
    "dominoes",
    "fashion_mnist",
    "gradual",
    "instance_dependent_noise",
    "linear_teacher",
    "long_tailed",
    "markov",
    "mnist",
    "mnist1d",
    "shift",
    "shifted",
    "single_pass",
    "spirals",
    "subset",
    "symmetric_noise",
    "text",
    "turned",
    "two_moons",
]
