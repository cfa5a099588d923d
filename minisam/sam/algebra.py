"""What sharpness-aware steps are made of: where to look, what to take from there, when to pay for it.

A variant of SAM is a subclass of `Variant` that says how it differs from SAM:

    @dataclass(frozen=True)
    class Halfway(Variant):
        def take(self, g, g_adv):                   # what to take, from ∇L(w) and ∇L(w + ε)
            return (g + g_adv) / 2

`where` says where to look: it returns ε. A variant that looks more than once, or not every time, writes its whole
`direction`. The base optimizer makes a step of that direction, from w; the L2 term stands outside, as in the objective.
`memory` returns what a variant keeps between steps; `direction` gets a copy of it as `state`, and may change that copy.

Truths: tests/test_algebra.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from typing import Any

from .. import streams
from ..arguments import checked
from ..autodiff.replay import replayed
from ..batch import Batch
from ..hyperparameters import Declared, at_least_0, base, joined, norm_order
from ..kinds import floats
from ..optim import Updater, add_l2, explained
from ..types import SHARED, Array, Evaluated, Info, LossAndGrad, Radius, Scalar, Seed, State, statistics_of
from ..vectors import norm
from .balls import Ball, ball
from .epsilon import first_order, of_length

WHOLE = Fraction(1)


class Look:
    """The gradients that one step takes: `look()` is ∇L(w), `look(eps)` is ∇L(w + ε). They are counted.

    Some variants need more than gradients: `losses`, `outputs`, `labels`, `some`, `weighted`, `hvp`, `near`, `parts`. The
    `minisam.batch.Batch` that `train` hands to the optimizer provides these.
    """

    def __init__(self, w: Array, batch: Any, rule: Any = None, share: Fraction = WHOLE) -> None:
        self.w, self.batch, self.rule, self.share = w, batch, rule, share
        self.p: float = getattr(rule, "p", 2.0)
        self.gradient: LossAndGrad = batch.gradient if isinstance(batch, Batch) else batch
        self.evaluations: int | Fraction = 0
        self.first: tuple[Array, Array] | None = None
        self.eps: Array | None = None
        self.after: Array | None = None  # added to w after the base's step
        self._length: Array | None = None

    def __call__(self, eps: Array | None = None) -> Array:
        """∇L(w + ε)."""
        return self.note(eps, self.gradient(self.at(eps)))

    def at(self, eps: Array | None) -> Array:
        """w + ε."""
        return self.w if eps is None else add(self.w, eps)

    def note(self, eps: Array | None, result: tuple[Array, Array], share: int | Fraction = 1) -> Array:
        """The gradient of a result, on which `share` of a gradient over the whole batch was spent.

        The first result of a step is the one whose loss, norm and batch statistics the step reports.
        """
        self.evaluations += share
        self.first = self.first or result
        self.eps = self.eps if eps is None else eps
        return result[1]

    def uphill(self, d: Array, rho: Radius | None = None) -> Array:
        """ε: the worst point of the rule's ball to first order, for a gradient d; another radius than ρ may be given."""
        rule = self.rule
        rho = rule.rho if rho is None else rho
        if rule.ball is not None:
            T = rule.ball.unit(d, self.w)
            return T * first_order(T * d, rho, rule.p)
        return of_length(d, self.length(d), rho) if rule.p == 2 else first_order(d, rho, rule.p)

    def length(self, d: Array) -> Array:
        """‖d‖₂, (..., 1); that of the step's first gradient is computed once."""
        if self.first is None or d is not self.first[1]:
            return norm(d)
        if self._length is None:
            self._length = norm(d)
        return self._length

    def info(self) -> Info:
        """What the step tells: loss, gradient norm and batch statistics where it looked first, ‖ε‖_p where it looked last."""
        assert self.first is not None, "a step has to look at a gradient"
        loss, g = self.first
        told = {
            "loss": loss,
            "grad_norm": self.length(g)[..., 0],
            "eps_norm": 0 * loss if self.eps is None else norm(self.eps, self.p)[..., 0],
            "evaluations": self.evaluations if isinstance(self.evaluations, int) else plain(self.evaluations),
        }
        if isinstance(self.first, Evaluated):
            told["statistics"] = self.first.statistics
        return told

    # --- what only some variants need ---

    def loss_and_gradient(self, eps: Array) -> tuple[Array, Array]:
        """L(w + ε) and its gradient."""
        result = self.gradient(self.at(eps))
        self.note(eps, result)
        return result

    def parts(self, k: int) -> list[Look]:
        """Looks at k parts of the batch; `gather` counts what they spent."""
        parts, m = self._ask("parts")(k), self._ask("x").shape[-2]
        return [Look(self.w, part, self.rule, Fraction(part.x.shape[-2], m)) for part in parts]

    def gather(self, parts: Sequence[Look], gradients: Sequence[Array]) -> Array:
        """The mean of the parts' gradients, weighted by their examples. What the parts spent is counted."""
        self.evaluations += sum((part.evaluations * part.share for part in parts), Fraction(0))
        self.first = self.first or mean_of(parts)
        self.eps = parts[-1].eps
        return sum(float(part.share) * g for part, g in zip(parts, gradients, strict=True))

    def losses(self, eps: Array | None = None) -> Array:
        """The loss of each example at w + ε, (..., m); no gradient is spent."""
        return self._ask("losses")(self.at(eps))

    def outputs(self, w: Array | None = None) -> Array:
        """Logits (..., rows, c) at w, or at other weights; no gradient is spent."""
        return self._ask("outputs")(self.w if w is None else w)

    def some(self, rows: Array, eps: Array | None = None) -> Array:
        """The gradient at w + ε of the mean loss over some examples, whole numbers (..., k); k/m of a gradient is spent."""
        m = self._ask("x").shape[-2]
        result = self._ask("some")(rows).gradient(self.at(eps))
        return self.note(eps, result, Fraction(rows.shape[-1], m))

    def labels(self) -> Array:
        """The class of each example, (m,); or (..., m), if each replica has a batch of its own."""
        return self._ask("labels")()

    def weighted(self, weights: Array, eps: Array | None = None) -> Array:
        """The gradient at w + ε of Σᵢ vᵢ ℓᵢ / m, with weights v (m,) or (..., m); a whole gradient is spent, also on vᵢ = 0."""
        return self.note(eps, self._ask("weighted")(weights).gradient(self.at(eps)))

    def hvp(self, v: Array, eps: Array | None = None) -> Array:
        """∇²L(w + ε) v, counted as two gradients. (It takes as long as 1.7 to 2.3 of an mlp or a cnn, and 2.7 of a vit.)"""
        self.evaluations += 2
        return self._ask("hvp")(self.at(eps), v)

    def near(self, p: Array, tau: float, lam: Scalar) -> Array:
        """∇[L + λ τ² mean KL(p ‖ softmax(z(w)/τ))]; an example whose p is 0 has no such term."""
        return self.note(None, self._ask("near")(self.w, p, tau, lam))

    def examples(self) -> Array:
        """Where the examples of the batch stand in the training data."""
        examples = self._ask("examples")
        if examples is None:
            raise TypeError("this optimizer needs the examples of each batch: BatchLoss(model).on(x, y, examples)")
        return examples

    def arrays(self) -> dict[str, Array]:
        """All that the batch is made of, by name; names of arrays that the replicas share begin as in a state."""
        arrays, is_shared = self._ask("arrays")(), self._ask("is_shared")
        return {SHARED * (self.w.ndim > 1 and is_shared(name)) + name: a for name, a in arrays.items()}

    def earlier(self, arrays: dict[str, Array]) -> LossAndGrad:
        """The loss on the batch that was made of these arrays."""
        return self._ask("made_of")({name.removeprefix(SHARED): a for name, a in arrays.items()}).gradient

    @property
    def seeds(self) -> Seed:
        """The seeds of the run; without a batch that knows them, 0."""
        return getattr(self.batch, "seeds", 0)

    def normal(self, purpose: str, seed: Seed, t: int) -> Array:
        """Standard normal numbers for step t, (..., n): each seed of the run has its own."""
        return streams.normal(purpose, seed, t, self.w, self.seeds)

    def uniform(self, purpose: str, seed: Seed, t: int) -> Array:
        """Uniform numbers in [0, 1), as `normal`."""
        return streams.uniform(purpose, seed, t, self.w, self.seeds)

    def _ask(self, name: str) -> Any:
        if not hasattr(self.batch, name):
            raise TypeError(
                f"this optimizer needs loss_and_grad.{name}: hand it BatchLoss(model).on(x, y), as `train` does, "
                f"and not a plain {type(self.batch).__name__}"
            )
        return getattr(self.batch, name)


@replayed
def add(w: Array, eps: Array) -> Array:
    return w + eps


def plain(spent: Fraction) -> int | float:
    return int(spent) if spent.denominator == 1 else float(spent)


def mean_of(parts: Sequence[Look]) -> tuple[Array, Array]:
    """The mean of the first losses, gradients and batch statistics of looks at parts, weighted by their examples."""
    firsts = [(float(part.share), part.first) for part in parts if part.first is not None]
    loss, g = (sum(share * first[i] for share, first in firsts) for i in (0, 1))
    names = statistics_of(firsts[0][1])
    statistics = {name: sum(share * statistics_of(first)[name] for share, first in firsts) for name in names}
    return Evaluated(loss, g, statistics) if statistics else (loss, g)


@dataclass(frozen=True)
class Rule(Declared):
    """A sharpness-aware step over a base optimizer: `direction` says which gradient the base makes a step of.

    `info` holds "loss" and "grad_norm" where the step looked first, "eps_norm" ‖ε‖_p where it looked last, and the number
    "evaluations" of gradients it spent.
    """

    base: Updater = base()

    def __init_subclass__(cls) -> None:
        if cls.step is not Rule.step:
            raise TypeError(
                f"{cls.__name__} must not have a step of its own, which could forget the L2 term: write `direction`"
            )

    def memory(self, w: Array) -> State:
        """What is kept between steps, besides what the base keeps."""
        return {}

    def direction(self, look: Look, state: State) -> Array:
        """The gradient that the base makes a step of; `state` may be written to."""
        raise NotImplementedError

    @checked(w=floats())
    def init(self, w: Array) -> State:
        return joined(self, self.memory(w), self.base, self.base.init(w))

    @explained
    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        rule, state = self.met[w.dtype, type(w)], dict(state)
        look = Look(w, loss_and_grad, rule)
        d = add_l2(rule.direction(look, state), rule.l2, w)  # + ∇ λ‖w‖² = 2λw, at w and not at w + ε
        w, of_base = rule.base.update(w, state, d)
        return w if look.after is None else w + look.after, state | of_base, look.info()


@dataclass(frozen=True)
class Composed(Rule):
    """A rule without a ball."""

    _: KW_ONLY
    l2: Scalar = at_least_0(0.0, "λ of λ‖w‖², outside the maximum")


@dataclass(frozen=True)
class Variant(Rule):
    """A variant of SAM: it looks at the worst point of a ball, and is SAM where it does not say otherwise.

        g = ∇L(w),   ε = where(g),   g_adv = ∇L(w + ε),   d = take(g, g_adv),   w ← base(w, d + 2λw)

    Parameters
    ----------
    base : optimizer
        Makes a step of a gradient.
    rho : float or array (..., 1)
        Radius ρ ≥ 0 of the ball [weight].
    p : float
        Norm of the ball, 1 ≤ p ≤ ∞.
    l2 : float or array (..., 1)
        λ ≥ 0 of λ‖w‖², outside the maximum; its gradient 2λw is taken at w.
    ball : Ball, optional
        Units in which the ball is measured: `Adaptive`, `Fisher`, `Only`. Without one, all weights have the unit 1.
    """

    rho: Radius = at_least_0(0.05, "radius ρ of the ball")
    _: KW_ONLY
    p: float = norm_order()
    l2: Scalar = at_least_0(0.0, "λ of λ‖w‖², outside the maximum")
    ball: Ball | None = ball()

    def direction(self, look: Look, state: State) -> Array:
        g = look()  # ∇L(w)
        eps = self.where(g, look, state)  # ascent: the worst point of the ball, to first order
        g_adv = look(eps)  # ∇L(w + ε)
        return self.take(g, g_adv)  # descent: SAM takes g_adv as it is

    def where(self, g: Array, look: Look, state: State) -> Array:
        """Where to look: ε."""
        return look.uphill(g)

    def take(self, g: Array, g_adv: Array) -> Array:
        """What to take from there: the direction d, from ∇L(w) and ∇L(w + ε)."""
        return g_adv
