"""Models: short functions over `ops`, each to be read beside the figure of its paper."""

from .mlp import mlp
from .model import Model, Statistics, glorot, he, pick

__all__ = ["Model", "Statistics", "glorot", "he", "mlp", "pick"]
