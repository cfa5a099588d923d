"""A small model of each kind, and data for it."""

import numpy as np

from minisam import cnn, gpt, mlp, resnet, vit

RNG = np.random.default_rng(0)
IMAGES, CLASSES, TEXTS = RNG.standard_normal((24, 16)), RNG.integers(0, 3, 24), RNG.integers(0, 3, (24, 7))
MODELS = {
    "mlp": mlp((16, 8, 3)),
    "cnn": cnn((3,), (1, 4, 4), 3, norm="batch"),
    "resnet": resnet((4,), (1, 4, 4), 3),
    "vit": vit((1, 4, 4), patch=2, width=8, depth=1, heads=2, classes=3),
    "gpt": gpt(3, context=6, width=8, depth=1, heads=2),
}


def data(name):
    return (TEXTS[:, :-1], TEXTS[:, 1:]) if name == "gpt" else (IMAGES, CLASSES)
