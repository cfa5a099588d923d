"""What all programs do: SAM over SGD with momentum on batches of 64, on a file of arrays.

python PROGRAM DATA MODEL EPOCHS SEEDS      # prints the mean accuracy on the test data, in per cent
"""

import sys
from pathlib import Path

import numpy as np

LR, MOMENTUM, RHO, BATCH = 0.05, 0.9, 0.05, 64
WIDTHS, CHANNELS = (64, 64, 64, 10), (16, 32)


def arguments():
    """The arrays (x_train, y_train, x_test, y_test), the model's name, the epochs, the seeds."""
    path, model, epochs, seeds = sys.argv[1:]
    with np.load(Path(path)) as data:
        arrays = [data[name] for name in ("x_train", "y_train", "x_test", "y_test")]
    return arrays, model, int(epochs), int(seeds)


def tell(right):
    """The accuracy, from where predictions are right."""
    print(100 * float(np.mean(np.asarray(right))))
