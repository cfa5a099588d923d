"""The primitives as the library calls them: their arguments are checked where they come in, in a model or a loss."""

from ..vectors import across, along, dot, like, mix, norm, over
from .attention import attention, first_tokens
from .convolution import average_pool, conv1d, conv2d, global_average_pool, max_pool, to_images, to_rows
from .embedding import embedding
from .layers import affine, gelu, matmul, relu, tanh
from .losses import check_range, log_softmax, softmax, softmax_cross_entropy, squared_error
from .normalise import batch_norm, group_norm, layer_norm, moments
from .shapes import T, back_to, lift, spread, sum_last, sum_rows, sum_to, total

__all__ = [
    "T",
    "across",
    "affine",
    "along",
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
    "mix",
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
    "total",
]
