"""Named layers, as all models use them: the shapes of their parameters, their initial values, and how they are applied.

An affine layer "head" has the parameters head.W and head.b, a norm "norm1" has norm1.gain and norm1.bias.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy

from ..arguments import checked, count, generator
from ..ops import primitives as ops
from ..types import Array, Shape
from .model import Parameters, Shapes


def affine_shapes(name: str, i: int, o: int) -> Shapes:
    return {f"{name}.W": (i, o), f"{name}.b": (o,)}


def norm_shapes(name: str, d: int) -> Shapes:
    return {f"{name}.gain": (d,), f"{name}.bias": (d,)}


def affine(p: Parameters, name: str, x: Array) -> Array:
    """y = x W + b.   x (..., m, i)  ->  (..., m, o)."""
    return ops.affine(x, p[f"{name}.W"], p[f"{name}.b"])


def check_rows(x: Array, features: int) -> None:
    """Raise a ValueError unless x holds rows of so many features."""
    if x.ndim < 2 or x.shape[-1] != features:
        raise ValueError(f"x must have shape (..., m, {features}), got {x.shape}")


# --- initial values --------------------------------------------------------------------------------------------------


def draw_normal(
    rng: numpy.random.Generator, shapes: Shapes, deviation: Callable[[Shape], float]
) -> dict[str, numpy.ndarray]:
    """Gains are 1 and biases 0; all other parameters are drawn from N(0, σ²) with σ = deviation(shape)."""
    drawn = {}
    for name, shape in shapes.items():
        if name.endswith(".gain"):
            drawn[name] = numpy.ones(shape)
        elif name.endswith((".b", ".bias")):
            drawn[name] = numpy.zeros(shape)
        else:
            drawn[name] = deviation(shape) * rng.standard_normal(shape)
    return drawn


@checked(rng=generator, i=count(), o=count())
def he(rng: numpy.random.Generator, i: int, o: int) -> numpy.ndarray:
    """N(0, 2/i): keeps the variance of activations through relu layers.   He et al. 2015, arXiv:1502.01852, eq. 10."""
    return rng.standard_normal((i, o)) * math.sqrt(2 / i)


@checked(rng=generator, i=count(), o=count())
def glorot(rng: numpy.random.Generator, i: int, o: int) -> numpy.ndarray:
    """U(±√(6/(i+o))): keeps variance both ways through tanh layers.   Glorot & Bengio 2010, eq. 16."""
    limit = math.sqrt(6 / (i + o))
    return rng.uniform(-limit, limit, (i, o))
