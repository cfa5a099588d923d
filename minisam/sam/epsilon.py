"""Where to look: the first-order solution of the inner maximum."""

from __future__ import annotations

import math

import numpy

from ..arguments import checked, norm_order, radius
from ..autodiff.replay import replayed
from ..kinds import floats
from ..types import Array, Radius
from ..vectors import are_within, like, norm, over, power_of_two


@checked(g=floats(), rho=radius, p=norm_order)
def epsilon(g: Array, rho: Radius, p: float = 2.0) -> Array:
    """The perturbation that raises the loss most, to first order: argmax of ⟨g, ε⟩ over ‖ε‖_p ≤ ρ.

        ε = ρ d / ‖d‖_p    with    d = sign(g) |g|^(q−1),    1/p + 1/q = 1

    so ρ g/‖g‖₂ for p = 2, ρ sign(g) for p = ∞, and for p = 1 all of ρ on the largest |gᵢ| (shared by ties).

    Parameters
    ----------
    g : float array (..., n)
        Gradient of the loss [loss/weight]. Leading axes are replicas.
    rho : float or array (..., 1)
        Radius [weight], ≥ 0. An array sweeps it over the replicas.
    p : float
        Norm of the ball, 1 ≤ p ≤ ∞.

    Returns
    -------
    float array (..., n), dtype of g
        ‖ε‖_p = ρ for each replica; ε = 0 where g = 0.

    Raises
    ------
    ValueError
        If rho < 0 or p < 1; the message names the argument, its value and its range.

    Source: Foret et al. 2021, arXiv:2010.01412, eq. 2.  Truths: tests/test_epsilon.py.
    """
    return first_order(g, like(rho, g), p)


def first_order(g: Array, rho: Radius, p: float) -> Array:
    """`epsilon`, for arguments that were checked and a radius that is ready to meet g."""
    if p == 2:
        return of_length(g, norm(g), rho)
    if p == math.inf:
        return rho * numpy.sign(g)  # q − 1 = 0: any entry but 0 counts, however small
    g = over(g, norm(g, math.inf))  # the largest |gᵢ| becomes 1: powers neither overflow nor vanish
    q_less_1 = math.inf if p == 1 else 1 / (p - 1)  # 1^∞ = 1, and less than 1 gives 0
    d = numpy.sign(g) * abs(g) ** q_less_1
    return rho * over(d, norm(d, p))


def of_length(g: Array, length: Array, rho: Radius) -> Array:
    """ρ g/‖g‖₂, from ‖g‖₂, which the step also reports.

    On the host, a gradient whose length is no ordinary number is divided by a power of two first: its length may lie above the
    largest float, or have few digits because it is subnormal. On a device, looking would make the step wait.
    """
    if isinstance(length, numpy.ndarray) and not are_within(1e-30, length, 1e30):
        g = g / numpy.where((length > 1e-30) & (length < 1e30), 1, power_of_two(g))
        length = norm(g)
    return _along(g, length, rho)


@replayed
def _along(g: Array, length: Array, rho: Radius) -> Array:
    return rho * over(g, length)
