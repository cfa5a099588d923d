"""Every variant of SAM, on the backend in use and on NumPy."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy

from .. import array_backend, models, optim, sam
from ..array_backend import asarray, asnumpy
from ..batch import BatchLoss
from ..types import Array
from .errors import Checks, apart, drawn
from .formulas import walked

PIECES = {"Rule", "Composed", "Variant", "Sometimes"}  # what variants are made of


def family() -> Checks:
    """Three steps of every variant on an mlp, on this backend and on NumPy."""
    model, x, y = models.mlp((5, 6, 3), "tanh"), asnumpy(drawn(8, 5)), numpy.arange(8) % 3
    for name in variants(model):
        here = _walked(name, model, x, y)
        with array_backend.use("numpy"):
            there = _walked(name, model, x, y)
        yield f"{name}, three steps, here = on NumPy", 1e-9, apart(here, there)


def variants(model: models.Model) -> dict[str, optim.Optimizer]:
    """Name → one optimizer of every class in `minisam.sam` that makes steps over a base, and those without a base."""
    base = optim.SGD(0.05, momentum=0.9)
    needed: dict[str, dict[str, Any]] = {
        "SAMON": {"mask": model.mask("biases")},
        "SAF": {"examples": 8, "classes": 3},
        "ImbSAM": {"tail": [2]},
    }
    kinds = {name: kind for name, kind in vars(sam).items() if name not in PIECES and _steps_over_a_base(kind)}
    over_base = {name: kind(base, **needed.get(name, {})) for name, kind in kinds.items()}
    return over_base | {"BSAM": sam.BSAM(), "SWA": sam.SWA(base), "EMA": sam.EMA(base)}


def _steps_over_a_base(kind: object) -> bool:
    return is_dataclass(kind) and hasattr(kind, "step") and "base" in {field.name for field in fields(kind)}


def _walked(name: str, model: models.Model, x: numpy.ndarray, y: numpy.ndarray) -> Array:
    """The weights after three steps of the variant of this name."""
    batch = BatchLoss(model).on(asarray(x), asarray(y), asarray(numpy.arange(8)))
    return walked(variants(model)[name], batch, model.init([0, 1], "float64"), 3)
