"""The experiment in minisam: all seeds are one run."""

import numpy as np
from setting import BATCH, CHANNELS, LR, MOMENTUM, RHO, WIDTHS, arguments, tell

from minisam import SAM, SGD, cnn, mlp, resnet, train

MODELS = {
    "mlp": lambda: mlp(WIDTHS),
    "cnn": lambda: cnn(CHANNELS, (1, 28, 28)),
    "resnet": lambda: resnet(CHANNELS, (1, 28, 28)),
}


def main():
    (x, y, x_test, y_test), model, epochs, seeds = arguments()
    optimizer = SAM(SGD(LR, momentum=MOMENTUM), RHO)
    seed = range(seeds) if seeds > 1 else 0
    run = train(MODELS[model](), (x, y), optimizer, epochs, BATCH, seed, progress=False)
    tell(np.asarray(run.evaluate(x_test, y_test)["accuracy"]))


if __name__ == "__main__":
    main()
