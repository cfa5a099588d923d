"""A sample of Fashion-MNIST that travels with the lessons: `python fashion.py` makes it anew from the whole set.

1,400 pictures of things to wear, 140 of each class, at half their size: 14×14, the mean of each four pixels. From the training
part of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747), under the MIT licence, © 2017 Zalando SE.
"""

from pathlib import Path

import numpy as np

from minisam.data import Data
from minisam.draws import stream

FILE = Path(__file__).with_name("fashion.npz")
SHAPE = (1, 14, 14)
CLASSES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
EACH = 140  # pictures of a class


def draw(seed):
    """Another split of the sample: 600 to train on, 300 to choose by, 500 to report. float32 (m, 196), from 0 to 1."""
    with np.load(FILE) as kept:
        x, y = (kept["x"] / 255).astype("float32"), kept["y"].astype("int64")
    order = stream("split of the sample of Fashion-MNIST", seed).permutation(len(y))
    parts = np.split(order, [600, 900])
    return Data("a sample of Fashion-MNIST", *(a[part] for part in parts for a in (x, y)), shape=SHAPE)


def make():
    """Draw the sample from the whole set, and keep it."""
    from minisam.data import fashion_mnist

    whole = fashion_mnist(seed=0)
    first = [np.flatnonzero(whole.y_train == k)[:EACH] for k in range(len(CLASSES))]
    some = np.concatenate(first)
    x = whole.x_train[some].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(len(some), -1)
    np.savez_compressed(FILE, x=np.round(255 * x).astype("uint8"), y=whole.y_train[some].astype("uint8"))


if __name__ == "__main__":
    make()
