"""What earlier steps have left behind, in place of a second gradient.

Truths: tests/test_history.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..array_backend import asarray, xp
from ..checks import check_at_least_0, check_counts, check_share
from ..ops import softmax
from ..types import Array, State
from ..vectors import across, like, mix, norm, over
from .algebra import Composed, Look, Variant
from .epsilon import epsilon


@dataclass(frozen=True)
class LookSAM(Variant):
    """SAM every k steps; between them, the part of its gradient across g is used again, as long as g is.

        t % k = 0:  d = g_adv,    g_v = g_adv − its component along g
        else:       d = g + α ‖g‖ g_v/‖g_v‖

    k ≥ 1; 1 is SAM. α ≥ 0. 1 + 1/k gradients. Norms over all weights; some implementations take them tensor by tensor.

    Source: Liu et al. 2022, arXiv:2203.02714, algorithm 1.
    """

    k: int = 5
    alpha: Any = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(k=self.k)
        check_at_least_0(alpha=self.alpha)

    def memory(self, w: Array) -> State:
        return {"across": 0 * w}

    def direction(self, look: Look, state: State) -> Array:
        g = look()
        if state["t"] % self.k:
            return g + (like(self.alpha, g) * norm(g)) * state["across"]
        g_adv = look(epsilon(g, self.rho))
        g_v = across(g_adv, g)
        state["across"] = over(g_v, norm(g_v))  # its direction is all that is used again
        return g_adv


@dataclass(frozen=True)
class MSAM(Variant):
    """Momentum SAM: the base's momentum v says where to look, and no gradient is spent on it.

        ε = −ρ v/‖v‖,    d = ∇L(w + ε)

    v = 0 at first, so the first step is the base's. With ρ = η μ ‖v‖ it looks where Nesterov's method does. The base has momentum
    (SGD), or a running mean of gradients (Adam). 1 gradient; "loss" is L(w + ε). Weight decay acts at w, at w + ε in the authors'
    code.

    Source: Becker et al. 2024, arXiv:2401.12033, algorithm 1.
    """

    rho: Any = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not has_momentum(self.base):
            raise TypeError(f"base must have momentum, as SGD(lr, momentum=0.9), Adam or AdamW have, got {self.base!r}")

    def direction(self, look: Look, state: State) -> Array:
        v = state["m"] if "m" in state else state["v"]
        return look(-epsilon(v, self.rho))


def has_momentum(base: Any) -> bool:
    mu = getattr(base, "momentum", 0)
    return hasattr(base, "betas") or not (isinstance(mu, (int, float)) and mu == 0)


@dataclass(frozen=True)
class SAF(Composed):
    """Sharpness-aware training for free: stay near the outputs of a few visits ago, so that the loss does not fall steeply.

        d = ∇[L + λ τ² mean KL(softmax(z⁻/τ) ‖ softmax(z/τ))],   z⁻ the example's logits `visits` visits ago

    Parameters
    ----------
    base, l2
        As in `SAM`; there is no ρ.
    examples, classes : int
        Of the training data: the memory holds visits × examples × classes logits.
    lam, tau : float
        λ ≥ 0 and the temperature τ > 0.
    visits, start : int
        An example's z⁻ is from `visits` visits ago, and its term counts after its first `start` visits.

    Needs the `examples` of each batch, which `train` gives. 1 gradient and a forward pass; "loss" is the sum.

    Source: Du et al. 2022, arXiv:2205.14083, eq. 7.
    """

    examples: int = 0
    classes: int = 0
    lam: Any = 0.3
    tau: float = 5.0
    visits: int = 3
    start: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(examples=self.examples, classes=self.classes, visits=self.visits)
        check_at_least_0(start=self.start)
        check_trajectory(self.lam, self.tau)

    def memory(self, w: Array) -> State:
        logits = xp().zeros((*w.shape[:-1], self.examples * self.visits, self.classes), dtype=w.dtype)
        return {"logits": logits, "visited": xp().zeros((*w.shape[:-1], self.examples), dtype="int64")}

    def direction(self, look: Look, state: State) -> Array:
        z = look.outputs()
        i = xp().broadcast_to(look.examples(), z.shape[:-1])
        visited = xp().take_along_axis(state["visited"], i, axis=-1)
        place = (i * self.visits + visited % self.visits)[..., None]
        p = softmax(xp().take_along_axis(state["logits"], place, axis=-2) / self.tau)
        p = xp().where((visited >= max(self.visits, self.start))[..., None], p, 0)
        state["logits"] = put_along(state["logits"], place, z, axis=-2)
        state["visited"] = put_along(state["visited"], i, visited + 1, axis=-1)
        return look.near(p, self.tau, self.lam)


def put_along(a: Array, places: Array, values: Array, axis: int) -> Array:
    """A copy of a with values at these places along an axis."""
    a = xp().array(a)
    flat = a.reshape(-1, *a.shape[axis:])
    rows = asarray(range(len(flat)), dtype="int64").reshape(-1, 1)
    columns = places.reshape(len(flat), -1)
    flat[rows, columns] = values.reshape(len(flat), columns.shape[-1], *a.shape[axis:][1:])
    return a


@dataclass(frozen=True)
class MESA(Composed):
    """Stay near the outputs of a running mean of the weights.

        v ← β v + (1 − β) w,    d = ∇[L + λ τ² mean KL(softmax(z(v)/τ) ‖ softmax(z(w)/τ))]

    λ ≥ 0, τ > 0, 0 ≤ β ≤ 1; λ = 0 is the base. There is no ρ. 1 gradient and a forward pass; "loss" is the sum.

    Source: Du et al. 2022, arXiv:2205.14083, section 4.2.
    """

    lam: Any = 0.8
    tau: float = 5.0
    beta: Any = 0.9998

    def __post_init__(self) -> None:
        super().__post_init__()
        check_trajectory(self.lam, self.tau)
        check_share(beta=self.beta)

    def memory(self, w: Array) -> State:
        return {"average": xp().array(w)}

    def direction(self, look: Look, state: State) -> Array:
        state["average"] = mix(look.w, state["average"], self.beta)
        z = look.outputs(state["average"] - look.w)
        return look.near(softmax(z / self.tau), self.tau, self.lam)


def check_trajectory(lam: Any, tau: float) -> None:
    check_at_least_0(lam=lam)
    if not tau > 0:
        raise ValueError(f"tau must be > 0, got {tau}")
