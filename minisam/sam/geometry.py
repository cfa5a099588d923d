"""Balls of another shape: as large along each weight as the weight itself is, or as its gradients are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..array_backend import xp
from ..checks import check_at_least_0, check_ball
from ..models import Model
from ..types import Array, State
from ..vectors import like
from .algebra import Look, Variant
from .epsilon import epsilon


@dataclass(frozen=True)
class ASAM(Variant):
    """Adaptive SAM: the ball is measured in units of the weights, so that it moves with them when a net is rescaled.

        max over ‖T⁻¹ε‖_p ≤ ρ:    ε = T δ  with δ = `epsilon(T g, ρ, p)`;  for p = 2, ε = ρ T²g/‖T g‖
        T = |w| + η, weight by weight; or, with a `model`, ‖f‖ + η for all weights of a filter f

    Parameters
    ----------
    base, rho, l2
        As in `SAM`; ρ is about ten times as large.
    p : float
        Norm of the ball, 1 ≤ p ≤ ∞.
    eta : float or array (..., 1)
        η ≥ 0. With η = 0 (and no mask) the step does not depend on how a ReLU net is scaled, node by node.
    mask : array (n,), optional
        1 where T is as above, 0 where T = 1, as in SAM: `model.mask("weights")` is the authors' choice. Everywhere, if none.
    model : Model, optional
        For filter-wise T: a filter is what one output unit sees; single numbers (biases, gains) have |w| + η.

    2 gradients. The factor |w| in place of |w|², which some implementations have, is another method.

    Source: Kwon et al. 2021, arXiv:2102.11600, algorithm 1 and section 4.
    Truths: tests/test_geometry.py, tests/papers/test_kwon_2021.py.
    """

    rho: Any = 0.5
    p: float = 2.0
    eta: Any = 0.01
    mask: Any = None
    model: Model | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ball(self.rho, self.p)
        check_at_least_0(eta=self.eta)

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        T = (xp().abs(look.w) if self.model is None else filter_norms(self.model, look.w)) + like(self.eta, g)
        if self.mask is not None:
            mask = like(self.mask, g)
            T = mask * T + (1 - mask)
        return look(T * epsilon(T * g, self.rho, self.p))


def filter_norms(model: Model, w: Array) -> Array:
    """‖f‖ at each weight of a filter f, what one output unit sees; |w| at numbers that belong to none.   (..., n)."""
    sizes = {}
    for name, a in model.unflatten(w).items():
        ndim = len(model.shapes[name])
        if ndim == 1:
            sizes[name] = xp().abs(a)
        else:  # matrices are (in, out), kernels (out, in, *space)
            axes = (-2,) if ndim == 2 else tuple(range(-ndim + 1, 0))
            sizes[name] = xp().broadcast_to(xp().sqrt((a * a).sum(axis=axes, keepdims=True)), a.shape)
    return model.flatten(sizes)


@dataclass(frozen=True)
class FisherSAM(Variant):
    """SAM on the ellipsoid εᵀFε ≤ ρ², F = diag(1 + η g²): shorter where gradients are large.

        ε = ρ F⁻¹g/√(gᵀF⁻¹g) = T δ  with T = F^(−½), δ = `epsilon(T g, ρ)`

    η ≥ 0; 0 is SAM. 2 gradients. Not invariant to the scale of the loss.

    Source: Kim et al. 2022, arXiv:2206.04920, section 3 (its radius is γ).
    Truths: tests/test_geometry.py.
    """

    rho: Any = 0.1
    eta: Any = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_0(eta=self.eta)

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        T = 1 / xp().sqrt(1 + like(self.eta, g) * g * g)
        return look(T * epsilon(T * g, self.rho))
