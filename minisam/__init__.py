"""minisam: Sharpness-Aware Minimization, small enough to read.

min_w max_{‖ε‖_p ≤ ρ} L(w + ε) + λ‖w‖²
"""

from . import array_backend, data, optim, plot, sam, sharpness, study, threads
from .autodiff import check_grad, hvp, value_and_grad
from .batch import BatchLoss
from .losses import accuracy, balanced_accuracy, cross_entropy, l2_penalty, mse
from .models import Model, cnn, gpt, mlp, resnet, vit
from .optim import SGD, Adam, AdamW
from .sam import SAM, Quadratic, epsilon, sam_objective
from .show import show
from .stats import mean_and_interval
from .training import DivergedError, Run, train
from .version import __version__ as __version__

__all__ = [
    "SAM",
    "SGD",
    "Adam",
    "AdamW",
    "BatchLoss",
    "DivergedError",
    "Model",
    "Quadratic",
    "Run",
    "accuracy",
    "array_backend",
    "balanced_accuracy",
    "check_grad",
    "cnn",
    "cross_entropy",
    "data",
    "epsilon",
    "gpt",
    "hvp",
    "l2_penalty",
    "mean_and_interval",
    "mlp",
    "mse",
    "optim",
    "plot",
    "resnet",
    "sam",
    "sam_objective",
    "sharpness",
    "show",
    "study",
    "threads",
    "train",
    "value_and_grad",
    "vit",
]
