"""Sharpness-Aware Minimization: min_w max_{‖ε‖_p ≤ ρ} L(w + ε) + λ‖w‖²  (Foret et al. 2021, arXiv:2010.01412).

`SAM` in `step`; the pieces that its variants are made of in `algebra`; the variants by family.
"""

from .algebra import Look, Variant, across, along, mix
from .core import USAM, MSharpnessSAM, MultiStepSAM
from .epsilon import epsilon
from .objective import Quadratic, ascend, project, sam_objective
from .step import SAM

__all__ = [
    "SAM",
    "USAM",
    "Look",
    "MSharpnessSAM",
    "MultiStepSAM",
    "Quadratic",
    "Variant",
    "across",
    "along",
    "ascend",
    "epsilon",
    "mix",
    "project",
    "sam_objective",
]
