"""How far the loss rises in a ball: at its worst, on average, at the single step.  Truths: tests/test_sharpness_ball.py."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy

from .. import arguments
from ..arguments import checked, filters, one_seed, radius, sequence
from ..array_backend import asarray, xp
from ..autodiff import as_loss
from ..checks import check_norm_order, check_truth
from ..draws import normal
from ..hyperparameters import Declared, at_least_0, choice, count, declared, norm_order, truth
from ..kinds import a_loss, an_array, floats, loss_and_grad
from ..sam.epsilon import epsilon
from ..sam.objective import ascend
from ..threads import bar
from ..types import Array, HasFilters, LossAndGrad, Radius, Scalar
from ..vectors import like, norm
from .estimate import Estimate

Losses = TypeVar("Losses")
Found = TypeVar("Found")
Fields = ParamSpec("Fields")


def truth_of_each(name: str, value: Any) -> bool | Array:
    """True or False; or an array (n,) of them, one for each weight."""
    if getattr(value, "ndim", 0):
        return an_array(name, value, "b", "True, False or an array (n,) of them", 1)
    return check_truth(name, value)


@dataclass(frozen=True)
class Search(Declared):
    """A search for the highest point of the ball {ε : ‖ε/T‖_p ≤ ρ} around the weights.

    The measures in a ball take these fields as their arguments, in this order, after the loss and the weights.

    Parameters
    ----------
    rho : float or array (..., 1)
        Radius ρ ≥ 0: [weight], or [1] where adaptive. A radius of shape (k, 1, ..., 1) sweeps k values for each replica.
    p : float
        Norm of the ball, 1 ≤ p ≤ ∞.
    steps : int
        Steps of an ascent, ≥ 1.
    restarts : int
        Further ascents, ≥ 0, each from a random point on the rim. The best of all ascents counts, so more restarts never
        lower the result.
    adaptive : bool or bool array (n,)
        True for the weights with T = |w|; the other weights have T = 1. `matrices(model)` leaves out biases and the
        weights of norm layers.
    inner : str
        "ascent": projected ascent, which costs (restarts + 1)(steps + 2) gradients. "single-step": the ε that SAM takes,
        which costs one gradient; the loss there may be lower than at w.
    seed : int
        Seed of the restarts, ≥ 0.
    progress : bool
        Show a progress bar over the restarts, or over the parts of `m_sharpness`.

    Raises
    ------
    ValueError
        If rho < 0, p < 1, steps < 1, restarts < 0, seed < 0, or inner is unknown.
    """

    rho: Radius = at_least_0(meaning="radius ρ of the ball")
    p: float = norm_order()
    steps: int = count(20, meaning="steps of an ascent")
    restarts: int = count(0, least=0, meaning="further ascents")
    adaptive: bool | Array = declared(truth_of_each, False, "which weights have the unit |w|")
    inner: str = choice("ascent", "single-step", meaning="how the highest point is found")
    seed: int = count(0, least=0, meaning="seed of the restarts")
    progress: bool = truth(False, "whether a progress bar is shown")

    def highest(self, loss_and_grad: LossAndGrad, w: Array) -> Array:
        """The ε with the highest loss that `inner` finds: (..., n)."""
        return self.ascent(loss_and_grad, w) if self.inner == "ascent" else self.single_step(loss_and_grad, w)

    def single_step(self, loss_and_grad: LossAndGrad, w: Array) -> Array:
        """argmax ⟨g, ε⟩ over the ball, the worst point to first order: (..., n)."""
        unit = units(w, self.adaptive)
        return unit * epsilon(unit * loss_and_grad(w)[1], self.rho, self.p)

    def ascent(self, loss_and_grad: LossAndGrad, w: Array) -> Array:
        """The best ε of all projected ascents: (..., n)."""
        unit = units(w, self.adaptive)

        def from_centre(delta: Array) -> tuple[Array, Array]:
            """δ = ε/T -> (L, ∇L) with respect to δ, whose ball is {δ : ‖δ‖_p ≤ ρ}."""
            loss, g = loss_and_grad(w + unit * delta)
            return loss, unit * g

        centre = xp().zeros_like(w)
        best = ascend(from_centre, centre, self.rho, self.p, self.steps)
        highest = from_centre(best)[0]
        for k in bar(range(self.restarts), unit="restart", disable=not self.progress):
            start = epsilon(centre + normal("restarts", self.seed, k, w), self.rho, self.p)
            delta = ascend(from_centre, centre, self.rho, self.p, self.steps, start)
            loss = from_centre(delta)[0]
            better = loss > highest
            best, highest = numpy.where(better[..., None], delta, best), numpy.where(better, loss, highest)
        return unit * best


def takes(
    search: Callable[Fields, Search],
) -> Callable[[Callable[[Losses, Array, Search], Found]], Callable[Concatenate[Losses, Array, Fields], Found]]:
    """Decorate a measure f(losses, w, search), so that its callers write f(losses, w, rho, p=1.0, …): the fields of `Search`."""

    def decorate(
        measure: Callable[[Losses, Array, Search], Found],
    ) -> Callable[Concatenate[Losses, Array, Fields], Found]:
        own = inspect.signature(measure)
        *first, _ = own.parameters.values()
        signature = own.replace(parameters=[*first, *inspect.signature(search).parameters.values()])

        @wraps(measure)
        def called(*arguments: Any, **named: Any) -> Found:
            given = signature.bind(*arguments, **named).arguments
            losses, w = (given.pop(parameter.name) for parameter in first)
            return measure(losses, w, search(**given))  # type: ignore[call-arg]  # `bind` has checked them

        called.__signature__ = signature  # type: ignore[attr-defined]  # what `inspect.signature` and `help` show
        return called

    return decorate


@takes(Search)
@checked(loss_and_grad=loss_and_grad, w=floats())
def worst_point(loss_and_grad: LossAndGrad, w: Array, search: Search) -> Array:
    """The ε of `worst_case`: (..., n) -> (..., n) [weight]. The arguments after w are the fields of `Search`."""
    return search.highest(loss_and_grad, w)


@takes(Search)
@checked(loss_and_grad=loss_and_grad, w=floats())
def worst_case(loss_and_grad: LossAndGrad, w: Array, search: Search) -> Array:
    """max_{‖ε/T‖_p ≤ ρ} L(w + ε) − L(w): (..., n) -> (...,) [loss]. The search finds a lower bound.

    Parameters
    ----------
    loss_and_grad : function
        w (..., n) -> (loss (...,), g (..., n)).
    w : float array (..., n)
        Weights.
    rho, p, steps, restarts, adaptive, inner, seed, progress
        The fields of `Search`, where their meaning and their errors are written.

    Returns
    -------
    float array (...,)

    Source: Foret et al. 2021, arXiv:2010.01412, section 2; adaptive: Kwon et al. 2021, arXiv:2102.11600, definition 2, and
    Andriushchenko et al. 2023, arXiv:2302.07011, section 2.  Truths: tests/test_sharpness.py, tests/test_sharpness_ball.py.
    """
    return rise(loss_and_grad, w, search.highest(loss_and_grad, w))


@checked(loss_and_grad=loss_and_grad, w=floats())
def single_step(
    loss_and_grad: LossAndGrad, w: Array, rho: Radius, p: float = 2.0, adaptive: bool | Array = False
) -> Array:
    """The ε that SAM takes, the worst point of the ball to first order: (..., n) -> (..., n). Arguments as in `Search`."""
    return Search(rho, p, adaptive=adaptive).single_step(loss_and_grad, w)


@checked(loss_and_grad=loss_and_grad, w=floats())
def surrogate_gap(
    loss_and_grad: LossAndGrad, w: Array, rho: Radius, p: float = 2.0, adaptive: bool | Array = False
) -> Array:
    """L(w + ε) − L(w) at the ε that SAM takes: (..., n) -> (...,) [loss]. Arguments as in `Search`.

    To second order it is ρ‖g‖ + ρ² ĝᵀHĝ/2 (p = 2). Near a minimum, where g is small, that is at most ρ² λ_max/2.

    Zhuang et al. 2022, arXiv:2203.08065, section 3.  Truths: tests/test_sharpness_ball.py.
    """
    return rise(loss_and_grad, w, single_step(loss_and_grad, w, rho, p, adaptive))


@checked(loss_and_grad=loss_and_grad, w=floats(), p=check_norm_order)
def gradient_norm(loss_and_grad: LossAndGrad, w: Array, p: float = 2.0) -> Array:
    """‖∇L(w)‖_p: (..., n) -> (...,). The slope of the worst case at ρ = 0, in the norm dual to the ball's, 1/p + 1/q = 1.

    Zhao et al. 2022, arXiv:2202.03599, section 3.  Truths: tests/test_sharpness_ball.py.
    """
    return norm(loss_and_grad(w)[1], p)[..., 0]


@takes(Search)
@checked(parts=sequence(loss_and_grad), w=floats())
def m_sharpness(parts: Sequence[LossAndGrad], w: Array, search: Search) -> Estimate:
    """The mean, over parts of m examples each, of the part's own worst case.

    The maximum of a mean is at most the mean of the maxima, so m-sharpness is larger when the parts are smaller.

    Parameters
    ----------
    parts : sequence of functions
        loss_and_grad for each part, such as `BatchLoss(model).on(x, y).parts(k)`.
    w : float array (..., n)
        Weights.
    rho, p, steps, restarts, adaptive, inner, seed, progress
        The fields of `Search`.

    Returns
    -------
    Estimate, arrays (...,) [loss]
        Its standard error is that of parts drawn at random from many.

    Source: Foret et al. 2021, arXiv:2010.01412, section 4.1; Andriushchenko & Flammarion 2022, arXiv:2206.06232, section 2.
    """
    of_part = replace(search, progress=False)
    shown = bar(parts, unit="part", disable=not search.progress)
    return Estimate.of([rise(part, w, of_part.highest(part, w)) for part in shown])


@checked(
    loss=a_loss,
    w=floats(),
    sigma=radius,
    adaptive=truth_of_each,
    samples=arguments.count(),
    seed=one_seed,
    progress=check_truth,
)
def average_case(
    loss: Callable[[Array], Any],
    w: Array,
    sigma: Scalar,
    adaptive: bool | Array = False,
    samples: int = 100,
    seed: int = 0,
    progress: bool = False,
) -> Estimate:
    """E L(w + ε) − L(w) with ε ~ N(0, σ² T²), the rise at a random point. It is σ² tr(T H T)/2 for a small σ.

    Each sample averages the loss at w + ε and at w − ε. The slope cancels in this average, and the curvature stays.

    Parameters
    ----------
    loss : function
        w (..., n) -> (...,), or w -> (loss, g).
    w : float array (..., n)
        Weights.
    sigma : float or array (..., 1)
        Standard deviation σ ≥ 0: [weight], or [1] where adaptive.
    adaptive : bool or bool array (n,)
        True for the weights with T = |w|; the other weights have T = 1.
    samples : int
        Number of pairs ±ε, ≥ 1. Each pair costs two losses.
    seed : int
        Seed of the pairs, ≥ 0. All replicas share the same pairs.
    progress : bool
        Show a progress bar over the samples.

    Returns
    -------
    Estimate, arrays (...,) [loss]

    Raises
    ------
    ValueError
        If sigma < 0, samples < 1 or seed < 0.

    Source: Andriushchenko et al. 2023, arXiv:2302.07011, section 2.  Truths: tests/test_sharpness_ball.py.
    """
    width = like(sigma, w) * units(w, adaptive)
    loss = as_loss(loss)
    here, rises = loss(w), []
    for k in bar(range(samples), unit="sample", disable=not progress):
        eps = width * normal("average case", seed, k, w)
        rises.append((loss(w + eps) + loss(w - eps)) / 2 - here)
    return Estimate.of(rises)


@checked(model=filters)
def matrices(model: HasFilters) -> Array:
    """True for the weights of matrices, kernels and embeddings, False for biases and norm layers: (n,), for `adaptive`."""
    return model.mask("weights") == 1


def units(w: Array, adaptive: bool | Array) -> Array:
    """T, the unit of each weight: |w| where `adaptive` is True, and 1 elsewhere.  (..., n)."""
    if not isinstance(adaptive, bool) and adaptive.shape[-1:] != w.shape[-1:]:
        raise ValueError(f"adaptive must have shape {w.shape[-1:]}, one entry per weight, got {adaptive.shape}")
    return numpy.where(asarray(adaptive), abs(w), 1)


def rise(loss_and_grad: LossAndGrad, w: Array, eps: Array) -> Array:
    """L(w + ε) − L(w): (...,)."""
    return loss_and_grad(w + eps)[0] - loss_and_grad(w)[0]
