"""Does SAM withstand wrong labels of pictures better than SGD?

**Claim.** Yes: where 40% of the training labels are wrong, SAM is better than SGD, though nothing in it is made for them.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.3, on CIFAR-10 with ResNets.

**Problem.** The pictures, the network and the length of [clean_images.md](clean_images.md), without crops and flips: Fashion-MNIST
at 14×14, 2,000 pictures to train on, a CNN with batch norm, 15 epochs. 40% of the labels are replaced by another class, each as
probable; those that settings are chosen by are as wrong. A unit draws pictures and wrong labels; the score is the accuracy on
2,000 test pictures, whose labels are right.

**Methods.** SGD with momentum, tuned over step size and λ, and SAM over it, tuned over ρ and λ with the step size at 0.05: 12
settings each, chosen on three other units.

**Prediction.** SAM is better than SGD, at equal epochs and at equal gradients.
"""

from dataclasses import replace

import clean_images

from minisam import SAM, cnn, data, study

RATE = 0.4


def unit(k):
    """Unit k of clean_images; of the labels of its training and validation parts, a share RATE is wrong."""
    clean = clean_images.unit(k)
    trained = data.symmetric_noise(clean, RATE, k)
    validation = replace(clean, x_train=clean.x_validation, y_train=clean.y_validation)
    return replace(trained, y_validation=data.symmetric_noise(validation, RATE, k + 1_000_000).y_train)


def sam(rho, l2, steps):
    return SAM(clean_images.sgd(0.05, l2, steps), rho)


problem = study.Problem(cnn((8, 16), clean_images.SHAPE, norm="batch"), unit, epochs=15, batch_size=64)
methods = {
    "SGD": (clean_images.sgd, {"lr": [0.0125, 0.025, 0.05, 0.1], "l2": [0.003, 0.01, 0.03]}),
    "SAM": (sam, {"rho": [0.05, 0.1, 0.2, 0.4], "l2": [0.001, 0.003, 0.01]}),
}
scale = "accuracy"
delta, units, tuning, against = 0.01, 12, 3, "SGD"
predicted = {"SAM": "better"}
