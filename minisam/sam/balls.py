"""Where to look: the units in which a ball is measured. Any variant may look in any ball.

    max over ‖T⁻¹ε‖_p ≤ ρ:    ε = T δ  with δ = `epsilon(T g, ρ, p)`;  for p = 2, ε = ρ T²g/‖T g‖

T (..., n) holds the unit of each weight. `GSAM(base, 0.5, ball=Adaptive())` is GSAM over ASAM's ball.

Truths: tests/test_balls.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy

from ..checks import shown
from ..hyperparameters import Declared, at_least_0, declared, filters, mask
from ..types import Array, HasFilters, Scalar


class Ball(Declared):
    """{ε : ‖T⁻¹ε‖_p ≤ ρ}: `unit` gives T."""

    def unit(self, g: Array, w: Array) -> Array:
        """T, from the gradient g and the weights w: (..., n), positive or 0."""
        raise NotImplementedError


def ball() -> Any:
    """The field of a variant's ball."""

    def check(name: str, value: Any) -> Ball | None:
        if value is not None and not isinstance(value, Ball):
            raise TypeError(f"{name} must be a ball such as Adaptive(), got {shown(value)}")
        return value

    return declared(check, None, "units in which the ball is measured")


@dataclass(frozen=True)
class Adaptive(Ball):
    """Units as large as the weights: T = |w| + η; or, with a `model`, T = ‖f‖ + η for all weights of a filter f.

    Parameters
    ----------
    eta : float or array (..., 1)
        η ≥ 0.
    mask : array (n,), optional
        1 where T is as above, 0 where T = 1, as in SAM. Without one, T is as above everywhere.
    model : Model, optional
        Tells which weights are a filter: those that one output unit sees. Biases and gains belong to none: for them T = |w| + η.

    Source: Kwon et al. 2021, arXiv:2102.11600, section 4.
    """

    eta: Scalar = at_least_0(0.01, "η, which keeps a weight of 0 movable")
    mask: Array = mask("1 where the unit is |w| + η, 0 where it is 1", None)
    model: HasFilters | None = filters()

    def unit(self, g: Array, w: Array) -> Array:
        T = (abs(w) if self.model is None else self.model.filter_norms(w)) + self.eta
        return T if self.mask is None else self.mask * T + (1 - self.mask)


@dataclass(frozen=True)
class Fisher(Ball):
    """Units that shrink where gradients are large: T = F^(−½) with F = diag(1 + η g²).

    η ≥ 0; with η = 0 all units are 1.  Source: Kim et al. 2022, arXiv:2206.04920, section 3.
    """

    eta: Scalar = at_least_0(1.0, "η, weight of the Fisher information")

    def unit(self, g: Array, w: Array) -> Array:
        return 1 / numpy.hypot(1, self.eta**0.5 * g)  # g² could overflow


@dataclass(frozen=True)
class Only(Ball):
    """Some weights only: T is 0 where `mask` is 0, and `of`'s T (or 1) where it is 1.

    Source: Mueller et al. 2023, arXiv:2306.04226, section 3.
    """

    mask: Array = mask("1 for the weights that are perturbed, else 0")
    of: Ball | None = ball()

    def unit(self, g: Array, w: Array) -> Array:
        return self.mask if self.of is None else self.mask * self.of.unit(g, w)
