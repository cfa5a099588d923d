"""The primitives of a neural network, each with its derivative written under it.

In a derivative, `y` is the value of the primitive and `g` the gradient ȳ that arrives from above; what is returned is the
gradient of one argument. Derivatives are made of primitives themselves, so they differentiate again. Every primitive
works on arrays of whatever backend they live on, with any leading replica axes, and writes into `out` where that is given.

`arrays` holds the plain helpers that formulas share.

Truths: tests/test_ops.py (first and second derivatives against central differences, independent oracles).
"""

from .arrays import dot, like, norm, over
from .attention import attention, embedding, first_tokens, layer_norm
from .layers import affine, gelu, matmul, relu, tanh
from .losses import check_range, losses_and_slopes, mean_loss, slope, softmax, softmax_cross_entropy, squared_error
from .shapes import T, back_to, lift, spread, sum_last, sum_rows, sum_to

__all__ = [
    "T",
    "affine",
    "attention",
    "back_to",
    "check_range",
    "dot",
    "embedding",
    "first_tokens",
    "gelu",
    "layer_norm",
    "lift",
    "like",
    "losses_and_slopes",
    "matmul",
    "mean_loss",
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
]
