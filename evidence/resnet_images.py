"""Is SAM better for a residual net on few images?

**Claim.** Yes: SAM finds a residual net that generalises better than that of SGD, all the more where there are few pictures, and
no crops and flips, so that both know them by heart.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.1, on CIFAR, SVHN and
Fashion-MNIST, with large residual nets and with crops and flips. The network is that of He et al. 2016,
[arXiv:1603.05027](https://arxiv.org/abs/1603.05027), made small.

**Problem.** Fashion-MNIST at a quarter of its size, 7×7 (the mean of each sixteen pixels): 800 pictures to train on, a residual
net of two blocks (8 and 16 channels, batch norm), batches of 50, 30 epochs, no crops or flips. A unit draws the pictures of all
three parts. The score is the accuracy on 2,000 of the test pictures.

**Methods.** SGD with momentum and SAM over it, 12 settings each, chosen on two other units by 1,000 pictures. SGD is tuned over
step size and λ; SAM over step size and ρ, with λ = 0.003. (The ranges and the length are those that did well on the validation
part of one unit more, where SGD came to know nearly all of its pictures.)

**Prediction.** SAM is better than SGD, at equal epochs and at equal gradients.
"""

from dataclasses import replace

from clean_images import sam, sgd
from clean_images import unit as larger

from minisam import data, resnet, study

SHAPE, TRAIN, PARTS = (1, 7, 7), 800, ("x_train", "x_validation", "x_test")


def halved(x):
    """Pictures of 14×14, as rows, at half their size."""
    return x.reshape(-1, 7, 2, 7, 2).mean(axis=(2, 4)).reshape(len(x), -1)


def unit(k):
    drawn = data.subset(larger(k), TRAIN, k)
    return replace(drawn, shape=SHAPE, **{part: halved(getattr(drawn, part)) for part in PARTS})


problem = study.Problem(resnet((8, 16), SHAPE), unit, epochs=30, batch_size=50)
methods = {
    "SGD": (sgd, {"lr": [0.025, 0.05, 0.1, 0.2], "l2": [0.001, 0.003, 0.01]}),
    "SAM": (sam, {"lr": [0.05, 0.1, 0.2], "rho": [0.0125, 0.025, 0.05, 0.1]}),
}
scale = "accuracy"
delta, units, tuning, against = 0.01, 10, 2, "SGD"
predicted = {"SAM": "better"}
