"""SAM's nearest relatives: another length of the step, more steps, smaller groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..array_backend import xp
from ..checks import check_at_least_0
from ..types import Array, State
from ..vectors import like
from .algebra import Look, Variant
from .epsilon import epsilon
from .objective import project


@dataclass(frozen=True)
class USAM(Variant):
    """Unnormalised SAM: the ascent step is ρ g itself, so it is longer where the loss is steeper.

        ε = ρ g,        w ← base(w, ∇L(w + ε) + 2λw)

    ρ has another unit than SAM's, [weight²/loss], and has to be tuned anew. 2 gradients.

    Source: Andriushchenko & Flammarion 2022, arXiv:2206.06232, section 2.  Truths: tests/test_relatives.py.
    """

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        return look(like(self.rho, g) * g)


@dataclass(frozen=True)
class MultiStepSAM(Variant):
    """SAM with K ascent steps of length α, each projected back into the ball.

        ε ← Π_ρ(ε + α ∇L(w + ε)/‖∇L(w + ε)‖),  K times from ε = 0
        w ← base(w, ∇L(w + ε) + 2λw)

    Parameters
    ----------
    base, rho, l2
        As in `SAM`.
    steps : int
        K ≥ 1.
    alpha : float or array (..., 1), optional
        α ≥ 0 [weight]; without it ρ, so that K = 1 is SAM, bit for bit. K + 1 gradients.

    Source: Foret et al. 2021, arXiv:2010.01412, appendix D (several inner steps); Andriushchenko & Flammarion 2022,
    arXiv:2206.06232.  Truths: tests/test_relatives.py.
    """

    steps: int = 3
    alpha: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.steps >= 1:
            raise ValueError(f"steps must be ≥ 1, got {self.steps}")
        if self.alpha is not None:
            check_at_least_0(alpha=self.alpha)

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        rho, alpha = (like(length, g) for length in (self.rho, self.rho if self.alpha is None else self.alpha))
        eps = epsilon(g, xp().minimum(alpha, rho))  # from the centre, to be projected is to be no longer than ρ
        for _ in range(self.steps - 1):
            eps = project(eps + epsilon(look(eps), alpha), rho)
        return look(eps)


@dataclass(frozen=True)
class MSharpnessSAM(Variant):
    """SAM on m-sharpness: the batch in groups, each with an ε of its own.

        εⱼ = ρ gⱼ/‖gⱼ‖  with gⱼ = ∇L_j(w) on group j,        w ← base(w, meanⱼ ∇L_j(w + εⱼ) + 2λw)

    `groups` must divide the batch; 1 is SAM, the size of the batch is 1-SAM. 2 gradients (of all examples each).

    Source: Foret et al. 2021, arXiv:2010.01412, section 3.1 (m-sharpness).  Truths: tests/test_relatives.py.
    """

    groups: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.groups >= 1:
            raise ValueError(f"groups must be ≥ 1, got {self.groups}")

    def direction(self, look: Look, state: State) -> Array:
        parts = look.parts(self.groups)
        g_adv = [part(epsilon(part(), self.rho)) for part in parts]
        look.gather(parts)
        return sum(g_adv) / len(parts)
