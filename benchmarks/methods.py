"""What `make family` compares: two problems, and every method with the grid of settings that it may choose from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import minisam
from minisam import SAM, SGD
from minisam import sam as family
from minisam.optim import cosine

BATCH, MOMENTUM = 64, 0.9
CLASSES = 10


@dataclass(frozen=True)
class Problem:
    """What is learnt, for how long, and where SGD and the radii are looked for: four values of lr and of ρ, three of λ."""

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
        rho=(0.01, 0.02, 0.05, 0.1),
    ),
    "digits": Problem(
        "digits with 40% of the labels wrong, 600 examples: MLP 64-64-64-10, 60 epochs",
        lambda: minisam.mlp((64, 64, 64, CLASSES)),
        noisy_digits,
        epochs=60,
        lr=(0.025, 0.05, 0.1, 0.2),
        l2=(0.002, 0.005, 0.01),
        rho=(0.05, 0.1, 0.2, 0.3),
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

    @property
    def base(self) -> SGD:
        return SGD(cosine(self.lr, self.steps), MOMENTUM)


def methods(known: Known) -> dict[str, tuple[Callable[..., Any], Grid]]:
    """Name → (swept values -> optimizer, the values): ρ and what is the method's own, or ρ and λ. Twelve combinations each."""
    base, l2, steps = known.base, known.l2, known.steps
    rhos, l2s, lrs = known.problem.rho, known.problem.l2, known.problem.lr
    rho_l2 = {"rho": rhos, "l2": l2s}
    biases = known.problem.model().mask("biases")
    f = family
    return {
        "SGD": (lambda lr, l2: SGD(cosine(lr, steps), MOMENTUM, l2=l2), {"lr": lrs, "l2": l2s}),
        "SAM": (lambda rho, l2: SAM(base, rho, l2=l2), rho_l2),
        "USAM": (lambda rho, l2: f.USAM(base, rho, l2=l2), {"rho": (0.03, 0.1, 0.3, 1.0), "l2": l2s}),
        "MultiStepSAM, 3 steps": (lambda rho, l2: f.MultiStepSAM(base, rho, alpha=rho / 2, l2=l2), rho_l2),
        "MSharpnessSAM, 4 groups": (lambda rho, l2: f.MSharpnessSAM(base, rho, l2=l2), rho_l2),
        "ASAM": (
            lambda rho, eta: f.ASAM(base, rho, eta=eta, l2=l2),
            {"rho": (0.2, 0.5, 1.0, 2.0), "eta": (0.0, 0.01, 0.1)},
        ),
        "FisherSAM": (
            lambda rho, eta: f.FisherSAM(base, rho, eta=eta, l2=l2),
            {"rho": rhos, "eta": (1.0, 10.0, 100.0)},
        ),
        "GSAM": (lambda rho, alpha: f.GSAM(base, rho, alpha=alpha, l2=l2), {"rho": rhos, "alpha": (0.1, 0.3, 0.6)}),
        "GNP": (lambda rho, alpha: f.GNP(base, rho, alpha=alpha, l2=l2), {"rho": rhos, "alpha": (0.5, 0.8, 1.2)}),
        "WSAM": (lambda rho, gamma: f.WSAM(base, rho, gamma=gamma, l2=l2), {"rho": rhos, "gamma": (0.3, 0.5, 0.7)}),
        "SAGM": (lambda rho, alpha: f.SAGM(base, rho, alpha=alpha, l2=l2), {"rho": rhos, "alpha": (1e-3, 1e-2, 0.1)}),
        "FriendlySAM": (
            lambda rho, sigma: f.FriendlySAM(base, rho, sigma=sigma, l2=l2),
            {"rho": rhos, "sigma": (0.3, 0.6, 1.0)},
        ),
        "VaSSO": (lambda rho, theta: f.VaSSO(base, rho, theta=theta, l2=l2), {"rho": rhos, "theta": (0.2, 0.4, 0.9)}),
        "StableSAM": (lambda rho, l2: f.StableSAM(base, rho, l2=l2), rho_l2),
        "SSAM, Fisher masks": (
            lambda rho, sparsity: f.SSAM(base, rho, sparsity=sparsity, l2=l2),
            {"rho": rhos, "sparsity": (0.2, 0.5, 0.8)},
        ),
        "SSAM, dynamic masks": (
            lambda rho, sparsity: f.SSAM(base, rho, sparsity=sparsity, masks="dynamic", steps=steps, l2=l2),
            {"rho": rhos, "sparsity": (0.2, 0.5, 0.8)},
        ),
        "SAMON, biases": (
            lambda rho, l2: f.SAMON(base, rho, mask=biases, l2=l2),
            {"rho": (0.1, 0.2, 0.5, 1.0), "l2": l2s},
        ),
        "ESAM": (lambda rho, beta: f.ESAM(base, rho, beta=beta, l2=l2), {"rho": rhos, "beta": (0.5, 0.6, 1.0)}),
        "RST, half the steps": (lambda rho, l2: f.RST(base, rho, l2=l2), rho_l2),
        "EveryK, every 2nd step": (lambda rho, l2: f.EveryK(base, rho, k=2, l2=l2), rho_l2),
        "AESAM": (lambda rho, l2: f.AESAM(base, rho, steps=steps, l2=l2), rho_l2),
        "LookSAM, every 5th step": (
            lambda rho, alpha: f.LookSAM(base, rho, alpha=alpha, l2=l2),
            {"rho": rhos, "alpha": (0.1, 0.3, 0.7)},
        ),
        "MSAM": (lambda rho, l2: f.MSAM(base, rho, l2=l2), {"rho": (0.1, 0.3, 1.0, 3.0), "l2": l2s}),
        "SAF": (
            lambda lam, l2: f.SAF(base, examples=known.examples, classes=CLASSES, lam=lam, l2=l2),
            {"lam": (0.03, 0.1, 0.3, 1.0), "l2": l2s},
        ),
        "MESA": (
            lambda lam, beta: f.MESA(base, lam=lam, beta=beta, l2=l2),
            {"lam": (0.03, 0.1, 0.3, 1.0), "beta": (0.9, 0.99, 0.999)},
        ),
        "SAMPa": (lambda rho, lam: f.SAMPa(base, rho, lam=lam, l2=l2), {"rho": rhos, "lam": (0.0, 0.2, 0.5)}),
        "AsyncSAM": (lambda rho, l2: f.AsyncSAM(base, rho, l2=l2), rho_l2),
        "RWP": (lambda sigma, l2: f.RWP(base, sigma=sigma, l2=l2), {"sigma": (0.003, 0.01, 0.03, 0.1), "l2": l2s}),
        "RWP, mixed": (
            lambda sigma, l2: f.RWP(base, sigma=sigma, lam=0.5, l2=l2),
            {"sigma": (0.003, 0.01, 0.03, 0.1), "l2": l2s},
        ),
        "RSAM": (lambda rho, sigma: f.RSAM(base, rho, sigma=sigma, l2=l2), {"rho": rhos, "sigma": (1e-4, 1e-3, 0.01)}),
        "CRSAM": (lambda rho, beta: f.CRSAM(base, rho, beta=beta, l2=l2), {"rho": rhos, "beta": (0.01, 0.1, 0.3)}),
        "GAM": (lambda rho, gamma: f.GAM(base, rho, gamma=gamma, l2=l2), {"rho": rhos, "gamma": (0.0, 0.03, 0.1)}),
        "TraceSAM": (
            lambda rho, lam: f.TraceSAM(base, rho, lam=lam, l2=l2),
            {"rho": (0.003, 0.01, 0.03, 0.1), "lam": (0.3, 1.0, 3.0)},
        ),
        "FrobeniusSAM": (
            lambda lam, l2: f.FrobeniusSAM(base, 0.01, lam=lam, l2=l2),
            {"lam": (1e-4, 1e-3, 5e-3, 0.02), "l2": l2s},
        ),
        "BSAM": (
            lambda lr, rho: f.BSAM(cosine(lr, steps), rho, known.examples, delta=2 * l2),
            {"lr": (0.05, 0.1, 0.2, 0.4), "rho": (0.01, 0.03, 0.1)},
        ),
        "SWA": (
            lambda lr, l2: f.SWA(SGD(lr, MOMENTUM, l2=l2), start=3 * steps // 4, every=known.per_epoch),
            {"lr": lrs, "l2": l2s},
        ),
        "EMA": (
            lambda lr, decay: f.EMA(SGD(lr, MOMENTUM, l2=l2), decay),
            {"lr": lrs, "decay": (0.9, 0.99, 0.995)},
        ),
    }
