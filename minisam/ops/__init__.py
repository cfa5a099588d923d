"""The primitives of a neural network, each with its derivative written under it.

In a derivative, `y` is the value of the primitive and `g` the gradient ȳ that arrives from above; what is returned is the
gradient of one argument. Derivatives are made of primitives themselves, so they differentiate again. Every primitive
works on arrays of whatever backend they live on, with any leading replica axes, and writes into `out` where that is given.

`arrays` holds the plain helpers that formulas share.

Truths: tests/test_ops.py (first and second derivatives against central differences, independent oracles).
"""

from ..vectors import dot, like, norm, over
from .attention import attention, embedding, first_tokens, layer_norm
from .convolution import average_pool, conv1d, conv2d, global_average_pool, max_pool, to_images, to_rows
from .layers import affine, gelu, matmul, relu, tanh
from .losses import (
    check_range,
    log_softmax,
    losses_and_slopes,
    mean_loss,
    slope,
    softmax,
    softmax_cross_entropy,
    squared_error,
)
from .normalise import batch_norm, dropout, group_norm, moments
from .shapes import T, back_to, lift, spread, sum_last, sum_rows, sum_to

__all__ = [
    "T",
    "affine",
    "attention",
    "average_pool",
    "back_to",
    "batch_norm",
    "check_range",
    "conv1d",
    "conv2d",
    "dot",
    "dropout",
    "embedding",
    "first_tokens",
    "gelu",
    "global_average_pool",
    "group_norm",
    "layer_norm",
    "lift",
    "like",
    "log_softmax",
    "losses_and_slopes",
    "matmul",
    "max_pool",
    "mean_loss",
    "moments",
    "norm",
    "over",
    "relu",
    "slope",
    "softmax",
    "softmax_cross_entropy",
    "spread",
    "squared_error",
    "sum_last",
    "sum_rows",
    "sum_to",
    "tanh",
    "to_images",
    "to_rows",
]
