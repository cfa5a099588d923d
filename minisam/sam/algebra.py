"""What sharpness-aware steps are made of: where to look, what to take from there, when to pay for it.

A variant is a subclass of `Variant` that says in `direction` which gradients it looks at and what it makes of them:

    @dataclass(frozen=True)
    class Halfway(Variant):
        def direction(self, look, state):
            g = look()                              # ∇L(w)
            g_adv = look(epsilon(g, self.rho))      # ∇L(w + ε)
            return (g + g_adv) / 2

The base optimizer makes a step of it, from w; the L2 term stands outside, as in `SAM`. What a variant keeps between steps it
makes in `memory` and writes into `state`, a copy of its own.

Truths: tests/test_algebra.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from typing import Any

from ..checks import check_at_least_0, check_ball
from ..optim import Optimizer, add_l2, check_optimizer
from ..types import Array, Info, LossAndGrad, State
from ..vectors import norm


class Look:
    """The gradients that one step takes: `look()` is ∇L(w), `look(eps)` is ∇L(w + ε). They are counted.

    What some variants need besides has a name of its own, and comes from the `minisam.batch.Batch` that `train` hands to the
    optimizer: `losses`, `outputs`, `weighted`, `near`, `parts`.
    """

    def __init__(self, w: Array, loss_and_grad: LossAndGrad) -> None:
        self.w, self.loss_and_grad = w, loss_and_grad
        self.evaluations = Fraction(0)
        self.first: tuple[Array, Array] | None = None
        self.eps: Array | None = None

    def __call__(self, eps: Array | None = None) -> Array:
        """∇L(w + ε)."""
        return self.note(eps, self.loss_and_grad(self.at(eps)))

    def at(self, eps: Array | None) -> Array:
        """w + ε."""
        return self.w if eps is None else self.w + eps

    def note(self, eps: Array | None, result: tuple[Array, Array], share: Any = 1) -> Array:
        """The gradient of a result; `share` of a gradient over the whole batch has been spent on it."""
        self.evaluations += Fraction(share)
        self.first = self.first or result
        self.eps = self.eps if eps is None else eps
        return result[1]

    @property
    def loss(self) -> Array:
        """The loss where the step looked first."""
        assert self.first is not None, "a step has to look at a gradient"
        return self.first[0]

    def info(self) -> Info:
        """What the step tells: the loss and the gradient's norm where it looked first, ‖ε‖₂ where it looked last."""
        assert self.first is not None
        spent = int(self.evaluations) if self.evaluations.denominator == 1 else float(self.evaluations)
        return {
            "loss": self.loss,
            "grad_norm": norm(self.first[1])[..., 0],
            "eps_norm": 0 * self.loss if self.eps is None else norm(self.eps)[..., 0],
            "evaluations": spent,
        }

    # --- what only some variants need ---

    def parts(self, k: int) -> list[Look]:
        """The same for each of k parts of the batch; `gather` counts what they spent."""
        return [Look(self.w, part) for part in self._ask("parts")(k)]

    def gather(self, parts: Sequence[Look]) -> None:
        """Count what looks at parts of the batch have spent; a gradient of all parts is one of the batch."""
        self.evaluations += sum((part.evaluations for part in parts), Fraction(0)) / len(parts)
        losses, gradients = zip(*(part.first for part in parts if part.first is not None), strict=True)
        self.first = self.first or (sum(losses) / len(parts), sum(gradients) / len(parts))
        self.eps = parts[-1].eps

    def loss_and_gradient(self, eps: Array) -> tuple[Array, Array]:
        """L(w + ε) and its gradient."""
        result = self.loss_and_grad(self.at(eps))
        self.note(eps, result)
        return result

    def losses(self, eps: Array | None = None) -> Array:
        """The loss of each example at w + ε, (..., m); no gradient is spent."""
        return self._ask("losses")(self.at(eps))

    def outputs(self, eps: Array | None = None) -> Array:
        """Logits at w + ε, (..., m, c); no gradient is spent."""
        return self._ask("outputs")(self.at(eps))

    def weighted(self, a: Array, eps: Array | None = None, share: Any = 1) -> Array:
        """∇ Σ aᵢ ℓᵢ(w + ε) / m; `share` is the part of the examples whose weight is not 0."""
        return self.note(eps, self._ask("weighted")(self.at(eps), a), share)

    def near(self, p: Array, tau: float, lam: Any) -> Array:
        """∇[L + λ τ² mean KL(p ‖ softmax(z(w)/τ))]; an example whose p is 0 has no such term."""
        return self.note(None, self._ask("near")(self.w, p, tau, lam))

    def examples(self) -> Array:
        """Where the examples of the batch stand in the training data."""
        examples = self._ask("examples")
        if examples is None:
            raise TypeError("this optimizer needs the examples of each batch: BatchLoss(model).on(x, y, examples)")
        return examples

    def _ask(self, name: str) -> Any:
        if not hasattr(self.loss_and_grad, name):
            raise TypeError(
                f"this optimizer needs loss_and_grad.{name}: hand it BatchLoss(model).on(x, y), as `train` does, "
                f"and not a plain {type(self.loss_and_grad).__name__}"
            )
        return getattr(self.loss_and_grad, name)


@dataclass(frozen=True)
class Composed:
    """What all variants over a base optimizer share; `direction` says what makes each what it is.

    Parameters
    ----------
    base : optimizer
        What makes a step of a gradient.
    l2 : float or array (..., 1)
        λ of λ‖w‖², outside the maximum; its gradient 2λw is taken at w.

    `info` holds "loss" and "grad_norm" where the step looked first, "eps_norm" ‖ε‖₂ where it looked last, and the gradient
    "evaluations" it spent.
    """

    base: Optimizer
    _: KW_ONLY
    l2: Any = 0.0

    def __post_init__(self) -> None:
        check_optimizer(base=self.base)
        check_at_least_0(l2=self.l2)

    def memory(self, w: Array) -> State:
        """What is kept between steps, besides what the base keeps."""
        return {}

    def direction(self, look: Look, state: State) -> Array:
        """The gradient that the base makes a step of; `state` may be written to."""
        raise NotImplementedError

    def init(self, w: Array) -> State:
        return self.memory(w) | self.base.init(w)

    def step(self, w: Array, state: State, loss_and_grad: LossAndGrad) -> tuple[Array, State, Info]:
        look, state = Look(w, loss_and_grad), dict(state)
        d = add_l2(self.direction(look, state), self.l2, w)
        w, base_state, _ = self.base.step(w, state, lambda _: (look.loss, d))
        return w, state | base_state, look.info()


@dataclass(frozen=True)
class Variant(Composed):
    """A variant with a radius ρ ≥ 0 [weight], `rho`: a number or an array (..., 1)."""

    rho: Any = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ball(self.rho, 2)
