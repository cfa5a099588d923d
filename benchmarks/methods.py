"""What `make family` compares: two problems, and every method with the grid of settings that it may choose from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import minisam
from minisam import SGD
from minisam import sam as family
from minisam.optim import cosine

BATCH, MOMENTUM = 64, 0.9
CLASSES = 10


@dataclass(frozen=True)
class Problem:
    """What is learnt, for how long, and where settings are looked for: four step sizes and three λ of SGD, three ρ of SAM."""

    title: str
    model: Callable[[], minisam.Model]
    data: Callable[..., minisam.data.Data]  # of a seed, if each replica has labels of its own
    epochs: int
    lr: tuple[float, ...]
    l2: tuple[float, ...]
    rho: tuple[float, ...]
    noisy: bool = False


def noisy_digits(seed: int) -> minisam.data.Data:
    return minisam.data.symmetric_noise(minisam.data.digits(train=600), 0.4, seed)


PROBLEMS = {
    "mnist1d": Problem(
        "MNIST-1D, 1,000 examples: conv net of 8, 16 and 16 channels, 30 epochs",
        lambda: minisam.cnn((8, 16, 16), (1, 40), CLASSES, kernel=5, stride=2, pool=1),
        lambda: minisam.data.mnist1d(train=1000, validation=400, test=1000),
        epochs=30,
        lr=(0.05, 0.1, 0.2, 0.4),
        l2=(1e-4, 1e-3, 3e-3),
        rho=(0.02, 0.05, 0.1),
    ),
    "digits": Problem(
        "digits with 40% of the labels wrong, 600 examples: MLP 64-64-64-10, 60 epochs",
        lambda: minisam.mlp((64, 64, 64, CLASSES)),
        noisy_digits,
        epochs=60,
        lr=(0.025, 0.05, 0.1, 0.2),
        l2=(0.002, 0.005, 0.01),
        rho=(0.1, 0.2, 0.3),
        noisy=True,
    ),
}

Grid = dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Known:
    """What a method is made for: a problem, its length, and SGD's best step size and λ there."""

    problem: Problem
    steps: int  # in all
    per_epoch: int
    examples: int
    lr: float = 0.0
    l2: float = 0.0


def methods(known: Known) -> dict[str, tuple[Callable[..., Any], Grid]]:
    """Name → (swept values -> optimizer, the values): twelve combinations each.

    SGD has four step sizes and three λ; a variant three ρ (or of what it has in its place), and SGD's best step size and λ, each
    also halved. All else is as in the article, but for means over more steps than there are.
    """
    steps, model = known.steps, known.problem.model()
    lrs, l2s = known.problem.lr, known.problem.l2

    def base(lr: Any, l2: Any = 0.0) -> SGD:
        return SGD(cosine(lr, steps), MOMENTUM, l2=l2)

    def around_sgd(**own: tuple[float, ...]) -> Grid:
        return own | {"lr": (known.lr, known.lr / 2), "l2": (known.l2, known.l2 / 2)}

    def radius(kind: Any, times: float = 1.0, **settings: Any) -> tuple[Callable[..., Any], Grid]:
        """A variant with a radius, so many times SAM's."""
        rhos = tuple(round(times * rho, 6) for rho in known.problem.rho)
        return lambda rho, lr, l2: kind(base(lr), rho, l2=l2, **settings), around_sgd(rho=rhos)

    def strength(name: str, kind: Any, values: tuple[float, ...], **settings: Any) -> tuple[Callable[..., Any], Grid]:
        """A variant with something else in place of a radius."""

        def make(own: Any, lr: Any, l2: Any) -> Any:
            return kind(base(lr), **{name: own}, l2=l2, **settings)

        return make, around_sgd(own=values)

    f = family
    return {
        "SGD": (base, {"lr": lrs, "l2": l2s}),
        "SAM": radius(f.SAM),
        "USAM": radius(f.USAM, 2),
        "MultiStepSAM, 3 steps": radius(f.MultiStepSAM),
        "MSharpnessSAM, 4 groups": radius(f.MSharpnessSAM),
        "ASAM": radius(f.ASAM, 5),
        "FisherSAM": radius(f.FisherSAM),
        "GSAM": radius(f.GSAM),
        "GNP": radius(f.GNP),
        "WSAM": radius(f.WSAM, 0.2),
        "SAGM": radius(f.SAGM),
        "FriendlySAM": radius(f.FriendlySAM),
        "VaSSO": radius(f.VaSSO),
        "StableSAM": radius(f.StableSAM),
        "SSAM, Fisher masks": radius(f.SSAM),
        "SSAM, dynamic masks": radius(f.SSAM, masks="dynamic", steps=steps),
        "SAMON, biases": radius(f.SAMON, 3, mask=model.mask("biases")),
        "ESAM": radius(f.ESAM),
        "RST, half the steps": radius(f.RST),
        "EveryK, every 2nd step": radius(f.EveryK, k=2),
        "AESAM": radius(f.AESAM, steps=steps),
        "LookSAM, every 5th step": radius(f.LookSAM),
        "MSAM": radius(f.MSAM, 5),
        "SAF": strength("lam", f.SAF, (0.03, 0.1, 0.3), examples=known.examples, classes=CLASSES),
        "MESA": strength("lam", f.MESA, (0.1, 0.3, 0.8), beta=0.99),
        "SAMPa": radius(f.SAMPa),
        "AsyncSAM": radius(f.AsyncSAM),
        "RSAM": radius(f.RSAM, sigma=1e-3),
        "RWP": strength("sigma", f.RWP, (0.003, 0.01, 0.03)),
        "RWP, mixed": strength("sigma", f.RWP, (0.003, 0.01, 0.03), lam=0.5),
        "CRSAM": radius(f.CRSAM),
        "GAM": radius(f.GAM),
        "TraceSAM": radius(f.TraceSAM, 0.2),
        "FrobeniusSAM": strength("lam", f.FrobeniusSAM, (1e-4, 1e-3, 5e-3)),
        "BSAM": (
            lambda rho, lr: f.BSAM(cosine(lr, steps), rho, known.examples, delta=2 * known.l2),
            {"rho": (0.01, 0.03, 0.1), "lr": (0.05, 0.1, 0.2, 0.4)},
        ),
        "SWA": (
            lambda lr, l2: f.SWA(SGD(lr, MOMENTUM, l2=l2), start=3 * steps // 4, every=known.per_epoch),
            {"lr": lrs, "l2": l2s},
        ),
        "EMA": (lambda decay, lr, l2: f.EMA(SGD(lr, MOMENTUM, l2=l2), decay), around_sgd(decay=(0.9, 0.97, 0.99))),
    }
