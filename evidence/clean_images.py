"""Is SAM better on clean images?

**Claim.** Yes: SAM generalises better than SGD on photographs of things, with crops and flips as usual.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.1, on CIFAR and ImageNet. The data
are those of Xiao, Rasul & Vollgraf 2017, [arXiv:1708.07747](https://arxiv.org/abs/1708.07747).

**Problem.** Fashion-MNIST at half its size, 14×14 (the mean of each four pixels): 2,000 pictures to train on, a CNN of two layers
(8 and 16 channels, batch norm), batches of 64, 15 epochs; crops by one pixel, and flips. A unit draws the pictures of all three
parts. The score is the accuracy on 2,000 of the test pictures.

**Methods.** SGD with momentum and SAM over it, 12 settings each, chosen on two other units by 1,000 pictures. SGD is tuned over
step size and λ; SAM over step size and ρ, with λ = 0.003, which was the best of SGD on those units.

**Prediction.** SAM is better than SGD, at equal epochs and at equal gradients. (Written after the run: twice the epochs gave SGD
two points, so 15 are too few to train these networks to the end. What SAM gains there, this does not tell.)
"""

from dataclasses import replace

from minisam import SAM, SGD, cnn, data, study
from minisam.draws import stream
from minisam.optim import cosine

SHAPE, TRAIN, VALIDATION, TEST = (1, 14, 14), 2000, 1000, 2000


def halved(x):
    """Pictures of 28×28, as rows, at half their size."""
    return x.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(len(x), -1)


def unit(k):
    all_of_them = data.fashion_mnist(validation=VALIDATION, seed=k)
    drawn = data.subset(all_of_them, TRAIN, seed=k)
    tested = stream("test part of Fashion-MNIST", k).permutation(len(drawn.y_test))[:TEST]
    return replace(
        drawn,
        x_train=halved(drawn.x_train),
        x_validation=halved(drawn.x_validation),
        x_test=halved(drawn.x_test[tested]),
        y_test=drawn.y_test[tested],
        shape=SHAPE,
    )


def sgd(lr, l2, steps):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def sam(lr, rho, steps):
    return SAM(sgd(lr, 0.003, steps), rho)


problem = study.Problem(
    cnn((8, 16), SHAPE, norm="batch"), unit, epochs=15, batch_size=64, augment=data.crops_and_flips(SHAPE, padding=1)
)
methods = {
    "SGD": (sgd, {"lr": [0.025, 0.05, 0.1, 0.2], "l2": [0.001, 0.003, 0.01]}),
    "SAM": (sam, {"lr": [0.025, 0.05, 0.1], "rho": [0.025, 0.05, 0.1, 0.2]}),
}
scale = "accuracy"
delta, units, tuning, against = 0.01, 12, 2, "SGD"
predicted = {"SAM": "better"}
