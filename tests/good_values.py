"""What the good calls of public callables are made of; and the kinds of their arguments that need these objects."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from bad_values import array, function, optional, thing, weights

import minisam
from minisam import batch, data, ops, sam

# --- what good calls are made of -------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
MODEL = minisam.mlp((4, 5, 3))
IMAGES = minisam.cnn((2,), (1, 4, 4), 3)
GPT = minisam.gpt(5, 4, 4, 1, 2)
X, Y = RNG.standard_normal((6, 4)).astype("float32"), np.arange(6) % 3
W = MODEL.init(0)
LOSSES = batch.BatchLoss(MODEL)
BATCH = LOSSES.on(X, Y, examples=np.arange(6))
G = RNG.standard_normal(W.shape).astype("float32")
BASE = minisam.SGD(0.5, momentum=0.5)
H = np.diag([1.0, 2.0, 3.0])
DATA = data.blobs(train=20, validation=10, test=10, features=4)
POINTS = data.two_moons(train=20, validation=10, test=10)
SIGNALS = data.mnist1d(train=10, validation=10, test=10)
SMALL = data.blobs(train=20, validation=10, test=10, features=4)
TEXT = data.text(8)
PRODUCT = minisam.hvp(MODEL).on(X, Y)
FOLDER = Path(tempfile.mkdtemp(prefix="minisam-"))
SWEPT = minisam.train(
    MODEL, DATA, lambda rho: minisam.SAM(BASE, rho), 1, 10, seed=[0, 1], sweep={"rho": [0.0, 0.5]}, progress=False
)
AVERAGED = minisam.train(MODEL, DATA, sam.SWA(BASE), 1, 10, progress=False)
SWEPT.save(FOLDER / "run.npz")
OPTIMIZERS_WRONG = (minisam.SGD, MODEL, DATA, lambda w: w)
SQUARES = minisam.Quadratic(H)


def bowl(w):
    return ops.sum_last(w * w)[..., 0]


optimizer = thing(minisam.SGD, MODEL, DATA)
model = thing(BASE, minisam.mlp, DATA, "mlp")
ball = optional(thing(sam.Adaptive, BASE, MODEL))
loss_and_grad = function(1)


def without(labels, kind):
    """The kind, less what is right for this argument."""

    def values(good):
        return {label: case for label, case in kind(good).items() if label not in labels}

    return values


a_mask = without(["truth values", "a column more", "uint8"], weights)  # how many weights there are is not known
a_loss = without(["too many arguments", "none"], function(2, False))  # it may take more than logits and labels
images = array(last=True)
