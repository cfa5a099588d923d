"""Models: short functions over `ops`, each to be read beside the figure of its paper."""

from .cnn import cnn
from .gpt import generate, gpt
from .layers import glorot, he
from .mlp import mlp
from .model import Model, NormStatistics
from .resnet import resnet
from .vit import vit

__all__ = ["Model", "NormStatistics", "cnn", "generate", "glorot", "gpt", "he", "mlp", "resnet", "vit"]
