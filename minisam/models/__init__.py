"""Models: short functions over `ops`, each to be read beside the figure of its paper.

A model of this library is pickled as the call that makes it, so that other processes can make it again.
"""

import copyreg
from collections.abc import Callable
from functools import partial
from typing import Any

from .cnn import cnn
from .gpt import generate, gpt
from .layers import glorot, he
from .mlp import mlp
from .model import Model, NormStatistics
from .resnet import resnet
from .vit import vit

__all__ = ["MODELS", "Model", "NormStatistics", "cnn", "generate", "glorot", "gpt", "he", "mlp", "resnet", "vit"]

MODELS: dict[str, Callable[..., Model]] = {f.__name__: f for f in (mlp, cnn, resnet, vit, gpt)}  # a spec names one


def _reduced(model: Model) -> str | tuple[Any, ...]:
    """How pickle makes the model again: by its spec, or from its fields if its functions are not those of the spec."""
    spec = dict(model.spec)
    make = MODELS.get(spec.pop("model", ""))
    if make:
        same = make(**spec)
        if all(getattr(model, f).__code__ is getattr(same, f).__code__ for f in ("forward", "draw")):
            return partial(make, **spec), ()
    return object.__reduce_ex__(model, 2)


copyreg.pickle(Model, _reduced)
