"""Do the flatter networks know more of XOR?

**Claim.** Not as such: networks that are as flat as can be may know nothing (lesson 14 builds one), and SGD with weight decay is
as good as SAM or better, though it ends sharper. That it ends sharper is [tried apart](xor_flatness.md), with the same networks.

**Source.** Wen, Li & Ma 2023, [arXiv:2307.11007](https://arxiv.org/abs/2307.11007), who have the data, the network and the
memoriser. That SGD's weight decay is enough: trials of our own.

**Problem.** Inputs of 20 signs; the target is the product of the first two, and the loss the squared error. 100 training
examples, and a network of 100 relu units with biases, but none at its output. A unit is a set of data.

**Methods.** 200 epochs in batches of 20, the step size constant: SGD with weight decay; SGD that chooses its momentum instead;
SAM with an ε for the batch; 1-SAM with an ε for each example. Nine settings or more each, chosen on three other units.

**Prediction.** The score is the accuracy on 1,000 new inputs. SAM is worse than SGD with weight decay, and 1-SAM equals it within
δ; SGD without weight decay is worse. (The ranges of the grids were found on unit 0, on which settings are chosen.)
"""

import numpy as np

from minisam import SAM, SGD, Model, data, ops, study
from minisam.array_backend import asnumpy
from minisam.sam import MSharpnessSAM

INPUTS, WIDTH, EXAMPLES, BATCH = 20, 100, 100, 20


def forward(p, x):
    return ops.matmul(ops.relu(ops.affine(x, p["W0"], p["b0"])), p["a"])


def first_weights(rng):
    W0, a = rng.standard_normal((INPUTS, WIDTH)) / INPUTS**0.5, rng.standard_normal((WIDTH, 1)) / WIDTH**0.5
    return {"W0": W0, "b0": np.zeros(WIDTH), "a": a}


MODEL = Model({"model": "two layers"}, {"W0": (INPUTS, WIDTH), "b0": (WIDTH,), "a": (WIDTH, 1)}, forward, first_weights)


def unit(k):
    x = np.random.default_rng(k).choice([-1.0, 1.0], (EXAMPLES + 2000, INPUTS)).astype("float32")
    y, ends = x[:, :1] * x[:, 1:2], (EXAMPLES, EXAMPLES + 1000)
    return data.Data("XOR", *(part for pair in zip(np.split(x, ends), np.split(y, ends), strict=True) for part in pair))


def right(run, data):
    """The share of the test part whose sign the network tells."""
    return float(np.mean(asnumpy(run.model.apply(run.w, data.x_test)) * data.y_test > 0))


def decayed(lr, l2):
    return SGD(lr, l2=l2)


def plain(lr, momentum):
    return SGD(lr, momentum=momentum)


def sam(lr, rho):
    return SAM(SGD(lr), rho)


def one_sam(lr, rho):
    return MSharpnessSAM(SGD(lr), rho, groups=BATCH)


problem = study.Problem(MODEL, unit, epochs=200, batch_size=BATCH, loss="mse", score=right)
methods = {
    "SGD": (decayed, {"lr": [0.02, 0.04, 0.08], "l2": [0.005, 0.01, 0.02]}),
    "SAM": (sam, {"lr": [0.02, 0.04, 0.08], "rho": [0.1, 0.2, 0.4]}),
    "1-SAM": (one_sam, {"lr": [0.01, 0.02, 0.04], "rho": [0.1, 0.2, 0.4]}),
    "SGD, λ = 0": (plain, {"lr": [0.02, 0.04, 0.08], "momentum": [0.0, 0.5, 0.9]}),
}
scale = "accuracy on new inputs"
delta, units, tuning, against = 0.01, 20, 3, "SGD"
predicted = {"SAM": "worse", "1-SAM": "equal", "SGD, λ = 0": "worse"}
