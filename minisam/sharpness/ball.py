"""How far the loss rises around w: at the worst point of a ball, on average, and as SAM's single step sees it.

A ball is {ε : ‖ε/T‖_p ≤ ρ}, in units of T: T = 1, or T = |w| for the weights that `adaptive` names. A radius of shape
(k, 1, ..., 1) sweeps: k values for each replica.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..array_backend import asarray, xp
from ..autodiff import as_loss
from ..checks import check_at_least_0, check_at_least_1, check_ball, pick
from ..draws import normal
from ..models import Model
from ..sam.epsilon import epsilon
from ..sam.objective import ascend
from ..types import Array, LossAndGrad
from ..vectors import across, dot, like, norm, over
from .estimate import Estimate, bar, to_host


def worst_case(
    loss_and_grad: LossAndGrad,
    w: Array,
    rho: Any,
    p: float = 2.0,
    steps: int = 20,
    restarts: int = 0,
    adaptive: Any = False,
    inner: str = "ascent",
    seed: int = 0,
    progress: bool = False,
) -> Array:
    """max_{‖ε/T‖_p ≤ ρ} L(w + ε) − L(w): (..., n) -> (...,) [loss]. What is found is a lower bound.

    Parameters
    ----------
    loss_and_grad : function
        w (..., n) -> (loss (...,), g (..., n)).
    w : float array (..., n)
        Weights.
    rho : float or array (..., 1)
        Radius ρ ≥ 0: [weight], or [1] where adaptive.
    p : float
        Norm of the ball, 1 ≤ p ≤ ∞.
    steps : int
        Steps of an ascent, ≥ 1.
    restarts : int
        Further ascents, ≥ 0, that begin at random on the rim. The best of all counts: more never lower the result.
    adaptive : bool or bool array (n,)
        The weights with T = |w|; the others have T = 1. `matrices(model)` leaves out biases and the weights of norms.
    inner : str
        "ascent": projected ascent. "single-step": at the ε that SAM takes, which may even lie lower than w.
    seed : int
        Of the restarts.
    progress : bool
        Show a progress bar over the ascents.

    Returns
    -------
    float array (...,)

    Raises
    ------
    ValueError
        If rho < 0, p < 1, steps < 1, restarts < 0 or inner is unknown.

    Source: Foret et al. 2021, arXiv:2010.01412, section 2; adaptive: Kwon et al. 2021, arXiv:2102.11600, definition 2, and
    Andriushchenko et al. 2023, arXiv:2302.07011, section 2.  Truths: tests/test_sharpness.py, tests/test_sharpness_ball.py.
    """
    ways: dict[str, Callable[[], Array]] = {
        "ascent": lambda: worst_point(loss_and_grad, w, rho, p, steps, restarts, adaptive, seed, progress),
        "single-step": lambda: single_step(loss_and_grad, w, rho, p, adaptive),
    }
    return _rise(loss_and_grad, w, pick("inner", inner, ways)())


def worst_point(
    loss_and_grad: LossAndGrad,
    w: Array,
    rho: Any,
    p: float = 2.0,
    steps: int = 20,
    restarts: int = 0,
    adaptive: Any = False,
    seed: int = 0,
    progress: bool = False,
) -> Array:
    """The best ε that `worst_case` finds, with its arguments: (..., n) -> (..., n) [weight]. Costs (restarts + 1)(steps + 2)."""
    check_at_least_0(restarts=restarts)
    unit = units(w, adaptive)

    def from_centre(delta: Array) -> tuple[Array, Array]:
        """δ = ε/T -> (L, ∇L) with respect to δ, for which the ball is an ordinary one."""
        loss, g = loss_and_grad(w + unit * delta)
        return loss, unit * g

    centre = xp().zeros_like(w)
    best = ascend(from_centre, centre, rho, p, steps)
    highest = from_centre(best)[0]
    for k in bar(range(restarts), "restart", progress):
        start = epsilon(centre + normal("restarts", seed, k, w), rho, p)
        delta = ascend(from_centre, centre, rho, p, steps, start)
        loss = from_centre(delta)[0]
        better = loss > highest
        best, highest = xp().where(better[..., None], delta, best), xp().where(better, loss, highest)
    return unit * best


def single_step(loss_and_grad: LossAndGrad, w: Array, rho: Any, p: float = 2.0, adaptive: Any = False) -> Array:
    """The ε that SAM takes: the worst point of the ball to first order, argmax ⟨g, ε⟩ over ‖ε/T‖_p ≤ ρ.  (..., n)."""
    unit = units(w, adaptive)
    return unit * epsilon(unit * loss_and_grad(w)[1], rho, p)


def surrogate_gap(loss_and_grad: LossAndGrad, w: Array, rho: Any, p: float = 2.0, adaptive: Any = False) -> Array:
    """L(w + ε) − L(w) at the ε that SAM takes: (..., n) -> (...,) [loss].

    ρ‖g‖ + ρ² ĝᵀHĝ/2 to second order (p = 2), so that near a minimum, where g is small, it is ρ² λ_max/2 at most.

    Zhuang et al. 2022, arXiv:2203.08065, section 3.  Truths: tests/test_sharpness_ball.py.
    """
    return worst_case(loss_and_grad, w, rho, p, adaptive=adaptive, inner="single-step")


def gradient_norm(loss_and_grad: LossAndGrad, w: Array, p: float = 2.0) -> Array:
    """‖∇L(w)‖_p: (..., n) -> (...,). The slope of the worst case at ρ = 0, in the norm dual to the ball's, 1/p + 1/q = 1.

    Zhao et al. 2022, arXiv:2202.03599, section 3.  Truths: tests/test_sharpness_ball.py.
    """
    check_ball(0.0, p)
    return norm(loss_and_grad(w)[1], p)[..., 0]


def m_sharpness(
    parts: Sequence[LossAndGrad],
    w: Array,
    rho: Any,
    p: float = 2.0,
    steps: int = 20,
    restarts: int = 0,
    adaptive: Any = False,
    inner: str = "ascent",
    seed: int = 0,
    progress: bool = False,
) -> Estimate:
    """The mean over parts of the data, m examples each, of the part's own worst case.

    The ball's maximum of a mean is at most the mean of the maxima: so this is larger, the smaller the parts are.

    Parameters
    ----------
    parts : sequence of functions
        loss_and_grad for each part, such as `BatchLoss(model).on(x, y).parts(k)`.
    progress : bool
        Show a progress bar over the parts.

    The others are as for `worst_case`.

    Returns
    -------
    Estimate, arrays (...,) [loss]
        With the standard error of parts drawn at random from many.

    Source: Foret et al. 2021, arXiv:2010.01412, section 4.1; Andriushchenko & Flammarion 2022, arXiv:2206.06232, section 2.
    Truths: tests/test_sharpness_ball.py.
    """
    if not len(parts):
        raise ValueError("parts must hold at least one loss, got none")
    return Estimate.of(
        to_host(
            [
                worst_case(part, w, rho, p, steps, restarts, adaptive, inner, seed)
                for part in bar(parts, "part", progress)
            ]
        )
    )


def average_case(
    loss: Callable[[Array], Any],
    w: Array,
    sigma: Any,
    adaptive: Any = False,
    samples: int = 100,
    seed: int = 0,
    progress: bool = False,
) -> Estimate:
    """E L(w + ε) − L(w) with ε ~ N(0, σ² T²): the rise that chance finds. σ² tr(T H T)/2 for a small σ.

    A sample is a pair ε, −ε, whose slopes cancel: what is left to average is curvature.

    Parameters
    ----------
    loss : function
        w (..., n) -> (...,), or w -> (loss, g).
    w : float array (..., n)
        Weights.
    sigma : float or array (..., 1)
        Standard deviation σ ≥ 0: [weight], or [1] where adaptive.
    adaptive : bool or bool array (n,)
        The weights with T = |w|; the others have T = 1.
    samples : int
        Pairs, ≥ 1; each costs two losses.
    seed : int
        Of the pairs, which are the same for all replicas.
    progress : bool
        Show a progress bar over the samples.

    Returns
    -------
    Estimate, arrays (...,) [loss]

    Source: Andriushchenko et al. 2023, arXiv:2302.07011, section 2.  Truths: tests/test_sharpness_ball.py.
    """
    check_at_least_0(sigma=sigma)
    check_at_least_1(samples=samples)
    width = like(sigma, w) * units(w, adaptive)
    loss = as_loss(loss)
    here, rises = loss(w), []
    for k in bar(range(samples), "sample", progress):
        eps = width * normal("average case", seed, k, w)
        rises.append((loss(w + eps) + loss(w - eps)) / 2 - here)
    return Estimate.of(to_host(rises))


@dataclass(frozen=True)
class SingleStepAccuracy:
    """How good the single step is beside the best ε that an ascent finds.

    ratio (...,): its rise of the loss over the ascent's; 1 is as good, NaN where nothing rises.
    cosine (...,): of the angle between the two ε; 0 where one of them is 0.
    """

    ratio: Array
    cosine: Array


def single_step_accuracy(
    loss_and_grad: LossAndGrad,
    w: Array,
    rho: Any,
    p: float = 2.0,
    steps: int = 20,
    restarts: int = 0,
    adaptive: Any = False,
    seed: int = 0,
    progress: bool = False,
) -> SingleStepAccuracy:
    """How much of the worst case the single step finds, and whether it looks the same way; arguments as for `worst_case`.

    Foret et al. 2021, arXiv:2010.01412, eq. 2 replaces the maximum by this step.  Truths: tests/test_sharpness_ball.py.
    """
    one = single_step(loss_and_grad, w, rho, p, adaptive)
    best = worst_point(loss_and_grad, w, rho, p, steps, restarts, adaptive, seed, progress)
    rise = _rise(loss_and_grad, w, best)
    ratio = xp().where(rise > 0, _rise(loss_and_grad, w, one) / (rise + (rise == 0)), xp().nan)
    return SingleStepAccuracy(ratio, dot(over(one, norm(one)), over(best, norm(best)))[..., 0])


@dataclass(frozen=True)
class SecondOrder:
    """The gradient of w ↦ L(w + ε(w)) in two parts, each (..., n): `kept` + `dropped`.

    kept: ∇L(w + ε), which SAM steps along.   dropped: (∂ε/∂w)ᵀ ∇L(w + ε), which it leaves out.
    """

    kept: Array
    dropped: Array

    @property
    def share(self) -> Array:
        """‖dropped‖₂ / ‖kept‖₂, (...,)."""
        return over(norm(self.dropped), norm(self.kept))[..., 0]

    @property
    def cosine(self) -> Array:
        """Of the angle between what SAM steps along and the whole gradient, (...,)."""
        whole = self.kept + self.dropped
        return dot(over(self.kept, norm(self.kept)), over(whole, norm(whole)))[..., 0]


def second_order(
    loss_and_grad: LossAndGrad, product: Callable[[Array, Array], Array], w: Array, rho: Any
) -> SecondOrder:
    """What SAM drops when it takes ∇L(w + ε) for the gradient of L(w + ε(w)), exactly, by one Hessian-vector product.

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
    unseen = over(like(rho, w) * across(kept, g), norm(g))
    return SecondOrder(kept, product(w + xp().zeros_like(unseen), unseen))


def matrices(model: Model) -> Array:
    """Which weights of a model stand in matrices and kernels, and not in biases or norms: bool (n,), for `adaptive`."""
    return model.mask("weights") == 1


def units(w: Array, adaptive: Any) -> Array:
    """T: |w| for the weights that `adaptive` names, 1 for the others.  (..., n)."""
    return xp().where(asarray(adaptive), xp().abs(w), 1)


def _rise(loss_and_grad: LossAndGrad, w: Array, eps: Array) -> Array:
    return loss_and_grad(w + eps)[0] - loss_and_grad(w)[0]
