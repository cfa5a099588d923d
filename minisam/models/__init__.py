"""Models: short functions over `ops`, each to be read beside the figure of its paper."""

from .gpt import generate, gpt
from .mlp import mlp
from .model import Model, Statistics, glorot, he, pick
from .vit import vit

__all__ = ["Model", "Statistics", "generate", "glorot", "gpt", "he", "mlp", "pick", "vit"]
