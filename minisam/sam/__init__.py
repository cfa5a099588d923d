"""Sharpness-Aware Minimization: min_w max_{‖ε‖_p ≤ ρ} L(w + ε) + λ‖w‖²  (Foret et al. 2021, arXiv:2010.01412)."""

from .epsilon import epsilon
from .objective import Quadratic, ascend, project, sam_objective
from .step import SAM

__all__ = ["SAM", "Quadratic", "ascend", "epsilon", "project", "sam_objective"]
