"""Models: short functions over `ops`, each to be read beside the figure of its paper."""

from ..checks import pick
from .cnn import cnn
from .gpt import generate, gpt
from .mlp import mlp
from .model import Model, Statistics, glorot, he
from .resnet import resnet
from .vit import vit

__all__ = ["Model", "Statistics", "cnn", "generate", "glorot", "gpt", "he", "mlp", "pick", "resnet", "vit"]
