"""The trainings whose checkpoints and runs stand in this folder, and the program that wrote them.

The files were written by the library as it was at commit a1f31bc, before checkpoints named their format:

    git worktree add ../old a1f31bc  &&  PYTHONPATH=../old python tests/before/make.py

Each NAME.checkpoint.npz was written after 2 epochs; NAME.run.npz is the run that the same library had after 4.
"""

from pathlib import Path

import numpy as np

from minisam import SAM, SGD, Adam, cnn, gpt, mlp, resnet, train, vit
from minisam.data import Data
from minisam.optim import cosine, warmup
from minisam.sam import AESAM, ASAM, GSAM, SWA, SAMPa

HERE = Path(__file__).parent
EARLY, LATE = 2, 4  # epochs

MLP = mlp((4, 3, 2))
BATCH_NORM = cnn(channels=(2,), shape=(1, 4, 4), classes=2, norm="batch")
RESNET = resnet(channels=(2,), shape=(1, 4, 4), classes=2)
VIT = vit(shape=(1, 4, 4), patch=2, width=4, depth=1, heads=2, classes=2)
GPT = gpt(vocabulary=5, context=4, width=4, depth=1, heads=2)


def numbers(m, features):
    """Numbers in [-1, 1] with the same bits on every machine."""
    return ((np.arange(m * features) * 37 % 101 - 50) / 50).reshape(m, features)


def data(features):
    x, y = numbers(30, features), np.arange(30) * 7 % 5 % 2
    return Data("before", x[:16], y[:16], x[16:24], y[16:24], x[24:], y[24:])


def texts():
    tokens = np.arange(12 * 5).reshape(12, 5) ** 2 % 7 % 5
    return tokens[:, :-1], tokens[:, 1:]


TOY = data(4)
SGD_WITH_MOMENTUM = SGD(warmup(3, cosine(0.1, 20)), momentum=0.9, l2=1e-3)

# name → model, data, optimizer, and the options of `train`
TRAININGS = {
    "sgd": (MLP, TOY, SGD_WITH_MOMENTUM, {}),
    "adam": (MLP, TOY, Adam(0.01), {"dtype": "float32"}),
    "sam": (MLP, TOY, SAM(SGD(0.1, momentum=0.9), rho=0.05, p=float("inf"), l2=1e-3), {}),
    "asam": (MLP, TOY, ASAM(SGD(0.1), rho=0.3, model=MLP), {}),
    "gsam": (MLP, TOY, GSAM(SGD(0.1, momentum=0.9), rho=0.1, alpha=0.2), {}),
    "aesam": (MLP, TOY, AESAM(SGD(0.1), rho=0.1, steps=16), {}),
    "sampa": (MLP, TOY, SAMPa(SGD(0.1), rho=0.1), {}),
    "swa": (MLP, TOY, SWA(SGD_WITH_MOMENTUM, start=5), {"best": True}),
    "sweep": (
        MLP,
        TOY,
        lambda rho, lr: SAM(SGD(lr, momentum=0.9), rho),
        {"seed": [3, 5], "sweep": {"rho": [0.0, 0.1], "lr": [0.05, 0.1, 0.2]}},
    ),
    "batch_norm": (BATCH_NORM, data(16), SAM(SGD(0.1), rho=0.05), {"seed": [0, 1]}),
    "resnet": (RESNET, data(16), SGD(0.05, momentum=0.9), {"dtype": "float32"}),
    "vit": (VIT, data(16), Adam(0.01), {"dtype": "float32"}),
    "gpt": (GPT, texts(), SAM(Adam(0.01), rho=0.01), {"dtype": "float32"}),
}


def trained(name, epochs, **options):
    model, examples, optimizer, own = TRAININGS[name]
    return train(model, examples, optimizer, epochs, 4, progress=False, **{"dtype": "float64"} | own | options)


if __name__ == "__main__":
    for name in TRAININGS:
        trained(name, EARLY, checkpoint=HERE / f"{name}.checkpoint.npz")
        trained(name, LATE).save(HERE / f"{name}.run.npz")
