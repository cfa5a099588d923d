"""The primitives of a neural network, each with its derivative written under it.

In a derivative, `y` is the value of the primitive, and `g` is the gradient ȳ of y; the derivative returns the gradient of one
argument. Derivatives are made of primitives themselves, so they differentiate again. Every primitive works on arrays of NumPy
and of a device, with any leading replica axes, and writes into `out` where that is given. NumPy's ufuncs dispatch by
themselves to the library of their arguments.

Truths: tests/test_ops.py (first and second derivatives against central differences, independent oracles).
"""

from ..vectors import dot, like, norm, over
from .attention import attention, first_tokens
from .convolution import average_pool, conv1d, conv2d, global_average_pool, max_pool, to_images, to_rows
from .embedding import embedding
from .layers import affine, gelu, matmul, relu, tanh
from .losses import (
    check_range,
    log_softmax,
    softmax,
    softmax_cross_entropy,
    squared_error,
)
from .normalise import batch_norm, group_norm, layer_norm, moments
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
    "embedding",
    "first_tokens",
    "gelu",
    "global_average_pool",
    "group_norm",
    "layer_norm",
    "lift",
    "like",
    "log_softmax",
    "matmul",
    "max_pool",
    "moments",
    "norm",
    "over",
    "relu",
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
