"""What SAM approximates: how good its single step is, and which term of the gradient it leaves out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy

from ..arguments import checked, radius
from ..array_backend import xp
from ..kinds import floats, loss_and_grad, product
from ..sam.epsilon import epsilon
from ..types import Array, LossAndGrad, Radius
from ..vectors import across, dot, like, norm, over
from .ball import Search, rise, takes


@dataclass(frozen=True)
class SingleStepAccuracy:
    """The single step compared with the best ε that a search finds.

    ratio (...,): the rise of the loss at the single step over the rise at the best ε. It is 1 where both are equally good,
    and NaN where the search finds no rise.
    cosine (...,): cosine of the angle between the two ε; 0 where one of them is 0.
    """

    ratio: Array
    cosine: Array


@takes(Search)
@checked(loss_and_grad=loss_and_grad, w=floats())
def single_step_accuracy(loss_and_grad: LossAndGrad, w: Array, search: Search) -> SingleStepAccuracy:
    """How much of the worst case SAM's single step finds, and whether it points the same way; arguments as for `worst_case`.

    Foret et al. 2021, arXiv:2010.01412, eq. 2 replaces the maximum by this step.  Truths: tests/test_sharpness_ball.py.
    """
    one, best = search.single_step(loss_and_grad, w), search.highest(loss_and_grad, w)
    of_one, of_best = rise(loss_and_grad, w, one), rise(loss_and_grad, w, best)
    return SingleStepAccuracy(numpy.where(of_best > 0, over(of_one, of_best), numpy.nan), _cosine(one, best))


@dataclass(frozen=True)
class SecondOrder:
    """The gradient of w ↦ L(w + ε(w)) in two parts, each (..., n): `kept` + `dropped`.

    kept: ∇L(w + ε), which SAM steps along.   dropped: (∂ε/∂w)ᵀ ∇L(w + ε), which SAM leaves out.
    """

    kept: Array
    dropped: Array

    @property
    def share(self) -> Array:
        """‖dropped‖₂ / ‖kept‖₂, (...,)."""
        return over(norm(self.dropped), norm(self.kept))[..., 0]

    @property
    def cosine(self) -> Array:
        """Cosine of the angle between the kept part and the whole gradient, (...,)."""
        return _cosine(self.kept, self.kept + self.dropped)


@checked(loss_and_grad=loss_and_grad, product=product, w=floats(), rho=radius)
def second_order(
    loss_and_grad: LossAndGrad, product: Callable[[Array, Array], Array], w: Array, rho: Radius
) -> SecondOrder:
    """The term that SAM drops when it takes ∇L(w + ε) for the gradient of L(w + ε(w)), exact, by one Hessian-vector product.

        (∂ε/∂w)ᵀ g_adv = ρ/‖g‖ · H (g_adv − ĝ ⟨ĝ, g_adv⟩)    with    ε = ρ ĝ,  ĝ = g/‖g‖₂,  g_adv = ∇L(w + ε)

    Parameters
    ----------
    loss_and_grad, product : functions
        w -> (loss, g); (w, v) -> H v, as `hvp` makes it.
    w : float array (..., n)
        Weights.
    rho : float or array (..., 1)
        Radius of the 2-ball [weight], ≥ 0.

    Source: Foret et al. 2021, arXiv:2010.01412, section 2, between eqs. 2 and 3.
    Truths: tests/test_sharpness_ball.py.
    """
    g = loss_and_grad(w)[1]
    eps = epsilon(g, rho)
    kept = loss_and_grad(w + eps)[1]
    turned = over(like(rho, w) * across(kept, g), norm(g))
    return SecondOrder(kept, product(w + xp().zeros_like(turned), turned))


def _cosine(a: Array, b: Array) -> Array:
    """Cosine of the angle between a and b, 0 where one of them is 0: (..., n), (..., n) -> (...,)."""
    return dot(over(a, norm(a)), over(b, norm(b)))[..., 0]
