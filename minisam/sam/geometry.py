"""SAM in balls of another shape. Each is SAM with a `ball`, which any other variant may have as well.

Truths: tests/test_geometry.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..hyperparameters import at_least_0, filters, mask
from ..types import Array, HasFilters, Radius, Scalar
from .balls import Adaptive, Ball, Fisher, Only
from .step import SAM


@dataclass(frozen=True)
class ASAM(SAM):
    """Adaptive SAM: the ball is measured in units of the weights, so that it moves with them when a net is rescaled.

        max over ‖T⁻¹ε‖_p ≤ ρ;  for p = 2, ε = ρ T²g/‖T g‖,    T = |w| + η; see `Adaptive`

    Parameters
    ----------
    base, rho, p, l2
        As in `SAM`; ρ is about ten times as large.
    eta : float or array (..., 1)
        η ≥ 0. With η = 0, no mask and no model, the step does not depend on how a ReLU net is scaled, node by node. With a
        model it does not depend on how whole layers are scaled against each other; scaling single nodes changes it.
    mask : array (n,), optional
        1 where T = |w| + η, 0 where T = 1 as in SAM; `model.mask("weights")` is the authors' choice. Without one, 1 everywhere.
    model : Model, optional
        For filter-wise T.

    2 gradients. Some implementations have the factor |w| in place of |w|²; that is another method.

    Source: Kwon et al. 2021, arXiv:2102.11600, algorithm 1 and section 4.  Truths also: tests/papers/test_kwon_2021.py.
    """

    rho: Radius = at_least_0(0.5, "radius ρ of the ball")
    eta: Scalar = at_least_0(0.01, "η, which keeps a weight of 0 movable")
    mask: Array = mask("1 where the unit is |w| + η, 0 where it is 1", None)
    model: HasFilters | None = filters()
    ball: Ball = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ball", Adaptive(self.eta, self.mask, self.model))
        super().__post_init__()


@dataclass(frozen=True)
class FisherSAM(SAM):
    """SAM on the ellipsoid εᵀFε ≤ ρ², F = diag(1 + η g²): shorter where gradients are large.

        ε = ρ F⁻¹g/√(gᵀF⁻¹g);  see `Fisher`

    η ≥ 0; 0 is SAM. 2 gradients. Its step depends on the scale of the loss.

    Source: Kim et al. 2022, arXiv:2206.04920, section 3 (its radius is γ).
    """

    rho: Radius = at_least_0(0.1, "radius ρ of the ball")
    eta: Scalar = at_least_0(1.0, "η, weight of the Fisher information")
    ball: Ball = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ball", Fisher(self.eta))
        super().__post_init__()


@dataclass(frozen=True)
class SAMON(SAM):
    """SAM that perturbs some weights only; in the article those of norm layers, `mask=model.mask("norm")`.

        ε = `epsilon(m g, ρ, p)`, so ‖ε‖ = ρ over these weights; all weights take the step;  see `Only`

    Needs a larger ρ. 2 gradients.  Source: Mueller et al. 2023, arXiv:2306.04226, section 3.
    """

    mask: Array = mask("1 for the weights that are perturbed, else 0", None)
    ball: Ball = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.mask is None:
            raise ValueError('mask must say which weights are perturbed, as model.mask("norm") does, got None')
        object.__setattr__(self, "ball", Only(self.mask))
        super().__post_init__()
