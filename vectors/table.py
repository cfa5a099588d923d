"""Which vectors there are. A test wants every variant of the family here."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from problems import BOWL, NET, SOFTMAX, TILTED, Problem, numbers

from minisam import SAM, SGD, Adam, AdamW, sam, sam_objective, sharpness
from minisam.draws import normal, per_seed, signs, uniform
from minisam.optim import Optimizer, constant, cosine, step_decay, warmup

STEPS = 20
MOMENTUM = SGD(0.1, momentum=0.9, l2=0.01)


@dataclass(frozen=True)
class Path:
    """Twenty steps of an optimizer on a problem. `draws` has its random numbers: name -> (t -> array)."""

    optimizer: Optimizer
    problem: Problem = SOFTMAX
    draws: dict = field(default_factory=dict)


BASES = {  # of Adam, another problem: on a bowl around 0, where it does not see scales, L2 would change nothing
    "SGD": Path(SGD(0.1), BOWL),
    "SGD with momentum": Path(SGD(0.1, momentum=0.9), BOWL),
    "SGD with Nesterov's momentum": Path(SGD(0.1, momentum=0.9, nesterov=True), BOWL),
    "SGD with L2": Path(SGD(0.1, momentum=0.9, l2=0.05), BOWL),
    "Adam": Path(Adam(0.1, (0.8, 0.95), 1e-2), TILTED),
    "Adam with L2": Path(Adam(0.1, (0.8, 0.95), 1e-2, l2=0.05), TILTED),
    "AdamW": Path(AdamW(0.1, (0.8, 0.95), 1e-2, weight_decay=0.3), TILTED),
    "a constant step size": Path(SGD(warmup(4, constant(0.1)), momentum=0.9), BOWL),
    "a cosine": Path(AdamW(warmup(4, cosine(0.2, 16, final=0.01))), BOWL),
    "steps down": Path(SGD(step_decay(0.1, 6, 0.5), momentum=0.9), BOWL),
    "SGD on a net": Path(SGD(0.2, momentum=0.9, nesterov=True, l2=0.01), NET),
}

OF_SAM = {
    "SAM": Path(SAM(SGD(0.1), 0.2)),
    "SAM on a quadratic": Path(SAM(SGD(0.1), 0.2), TILTED),
    "SAM on a net": Path(SAM(SGD(0.2, momentum=0.9), 0.2), NET),
    "SAM at a minimum": Path(SAM(MOMENTUM, 0.2), replace(BOWL, w=np.zeros(3))),  # where the gradient is 0
    "SAM with radius 0": Path(SAM(MOMENTUM, 0.0), NET),
    "SAM with L2": Path(SAM(MOMENTUM, 0.2, l2=0.02)),
    "SAM with p = 1": Path(SAM(SGD(0.1), 0.2, p=1)),
    "SAM with p = 1.5": Path(SAM(SGD(0.1), 0.2, p=1.5)),
    "SAM with p = 3": Path(SAM(SGD(0.1), 0.2, p=3)),
    "SAM with p = inf": Path(SAM(SGD(0.1), 0.1, p=np.inf)),
    "SAM over Nesterov's momentum": Path(SAM(SGD(0.1, momentum=0.9, nesterov=True), 0.2)),
    "SAM over Adam": Path(SAM(Adam(0.05), 0.2)),
    "SAM over AdamW": Path(SAM(AdamW(warmup(4, cosine(0.1, 20)), weight_decay=0.1), 0.2)),
}


def drawn(draw, purpose, problem=SOFTMAX):
    """The numbers that a purpose draws at step (or for sample) t, for the seed 0."""
    return lambda t: draw(purpose, 0, t, problem.w)


def looks(k):
    """The k random looks of step t."""
    return lambda t: [normal("random looks", 0, t * k + i, SOFTMAX.w) for i in range(k)]


def coin(t):
    return per_seed(lambda rng: rng.random(1), "coin", 0, t)


NOISE = {"noise": drawn(normal, "weight noise")}
VARIANTS = {
    "ASAM": Path(sam.ASAM(MOMENTUM, 0.5)),
    "ASAM filter by filter": Path(sam.ASAM(MOMENTUM, 0.2, model=SOFTMAX.model)),
    "ASAM with a mask": Path(sam.ASAM(MOMENTUM, 0.5, mask=SOFTMAX.model.mask("weights"), l2=0.02)),
    "SAM in a ball of some weights": Path(
        SAM(MOMENTUM, 0.2, ball=sam.Only(SOFTMAX.model.mask("weights"), sam.Fisher(2.0)))
    ),
    "FisherSAM": Path(sam.FisherSAM(MOMENTUM, 0.2, eta=2.0)),
    "SAMON": Path(sam.SAMON(MOMENTUM, 0.5, mask=SOFTMAX.model.mask("biases"))),
    "USAM": Path(sam.USAM(MOMENTUM, 0.3, l2=0.02)),
    "MultiStepSAM": Path(sam.MultiStepSAM(MOMENTUM, 0.2, alpha=0.1)),
    "MultiStepSAM with long steps": Path(sam.MultiStepSAM(MOMENTUM, 0.2)),
    "SAGM": Path(sam.SAGM(MOMENTUM, 0.2, alpha=0.1)),
    "FriendlySAM": Path(sam.FriendlySAM(MOMENTUM, 0.2, sigma=0.8, lam=0.7)),
    "VaSSO": Path(sam.VaSSO(MOMENTUM, 0.2, theta=0.4)),
    "MSAM": Path(sam.MSAM(MOMENTUM, 0.3)),
    "MSAM over AdamW": Path(sam.MSAM(AdamW(0.05), 0.3)),
    "GSAM": Path(sam.GSAM(MOMENTUM, 0.3, l2=0.02)),
    "GSAM in ASAM's ball": Path(sam.GSAM(MOMENTUM, 0.5, ball=sam.Adaptive())),
    "GNP": Path(sam.GNP(MOMENTUM, 0.3)),
    "WSAM": Path(sam.WSAM(SGD(warmup(4, cosine(0.05, 16)), momentum=0.9), 0.3, gamma=0.75)),
    "WSAM, coupled": Path(sam.WSAM(MOMENTUM, 0.3, gamma=0.75, decoupled=False)),
    "StableSAM": Path(sam.StableSAM(MOMENTUM, 0.3)),
    "CRSAM": Path(sam.CRSAM(MOMENTUM, 0.2, gamma=0.4, beta=0.2)),
    "GAM": Path(sam.GAM(MOMENTUM, 0.2, rho_norm=0.1, gamma=0.1)),
    "RST": Path(sam.RST(MOMENTUM, 0.3), draws={"coin": coin}),
    "GRST": Path(sam.GRST(MOMENTUM, 0.3, alpha=0.7), draws={"coin": coin}),
    "EveryK": Path(sam.EveryK(MOMENTUM, 0.3, k=3)),
    "AESAM": Path(sam.AESAM(MOMENTUM, 0.3, lam1=-0.5, lam2=0.5, steps=16)),
    "LookSAM": Path(sam.LookSAM(MOMENTUM, 0.3, k=4)),
    "MSharpnessSAM": Path(sam.MSharpnessSAM(MOMENTUM, 0.3, groups=4)),
    "SSAM with Fisher masks": Path(sam.SSAM(MOMENTUM, 0.3, every=4, groups=6)),
    "SSAM with dynamic masks": Path(
        sam.SSAM(MOMENTUM, 0.3, sparsity=0.4, masks="dynamic", every=4, steps=12),
        draws={"uniform": drawn(uniform, "grown mask")},
    ),
    "ESAM": Path(sam.ESAM(MOMENTUM, 0.3), draws={"uniform": drawn(uniform, "weights to perturb")}),
    "ImbSAM": Path(sam.ImbSAM(MOMENTUM, 0.3, tail=[1, 3])),
    "RWP": Path(sam.RWP(MOMENTUM, sigma=0.1), draws=NOISE),
    "RWP, mixed and filter by filter": Path(sam.RWP(MOMENTUM, sigma=0.1, lam=0.5, model=SOFTMAX.model), draws=NOISE),
    "RSAM": Path(sam.RSAM(MOMENTUM, 0.3, sigma=0.1, lam=2.0), draws=NOISE),
    "TraceSAM": Path(sam.TraceSAM(MOMENTUM, 0.1, lam=0.7, samples=2), draws={"looks": looks(2)}),
    "FrobeniusSAM": Path(sam.FrobeniusSAM(MOMENTUM, 0.1, lam=0.1, samples=3), draws={"looks": looks(3)}),
    "SAF": Path(sam.SAF(MOMENTUM, 12, 4, tau=2.0, visits=2, start=3)),
    "MESA": Path(sam.MESA(MOMENTUM, tau=2.0, beta=0.9)),
    "SAMPa": Path(sam.SAMPa(SGD(warmup(4, cosine(0.1, 16)), momentum=0.9), 0.3)),
    "AsyncSAM": Path(sam.AsyncSAM(MOMENTUM, 0.3, delay=2)),
    "BSAM": Path(sam.BSAM(cosine(0.3, 20), 0.1, 120, delta=0.02), draws={"posterior": drawn(normal, "posterior")}),
    "SWA": Path(sam.SWA(MOMENTUM, start=3, every=2)),
    "EMA": Path(sam.EMA(SAM(MOMENTUM, 0.2), decay=0.9)),
}

G = numbers(7) - 0.1
ORDERS = (1, 1.5, 2, 3, 10, np.inf)
EPSILONS = {  # name -> g, ρ; each for all orders
    "seven weights": (G, 0.05),
    "some of them 0": (G * [1, 0, 1, 1, 0, 0, 1], 0.05),
    "all of them 0": (0 * G, 0.05),
    "only one not 0": (G * [0, 0, 1, 0, 0, 0, 0], 0.05),
    "ties": (np.array([0.5, -2.0, 0.0, 2.0, 2.0]), 0.05),
    "one weight": (np.array([-3.0]), 0.05),
    "very small": (1e-200 * G, 0.05),
    "very large": (1e200 * G, 0.05),
    "of very different sizes": (G * 10.0 ** -np.arange(0, 21, 3), 0.05),
    "radius 0": (G, 0.0),
    "two replicas": (np.array([G, -3 * G]), 0.05),
    "two replicas, a radius each": (np.array([G, -3 * G]), np.array([[0.05], [2.0]])),
}
PATHS = {"base": BASES, "sam": OF_SAM, "family": VARIANTS}  # by folder


@dataclass(frozen=True)
class Measure:
    """A measure at a problem's first weights, on all of its examples. `draws` has its random numbers, one for each sample."""

    of: Callable
    problem: Problem
    settings: dict
    draws: Callable | None = None


MEASURES = [
    *(Measure(sharpness.gradient_norm, NET, {"p": p}) for p in (1, 2, np.inf)),
    *(Measure(sharpness.surrogate_gap, SOFTMAX, {"rho": 0.2, "p": p}) for p in (1, 1.5, 2, np.inf)),
    Measure(sharpness.surrogate_gap, NET, {"rho": 0.2, "p": 2, "adaptive": True}),
    *(Measure(sharpness.worst_case, TILTED, {"rho": 0.5, "p": p, "steps": 20}) for p in (1, 2, np.inf)),
    Measure(sharpness.worst_case, SOFTMAX, {"rho": 0.2, "p": 2, "steps": 20}),
    Measure(sharpness.worst_case, NET, {"rho": 0.2, "p": 2, "steps": 5}),
    Measure(sharpness.worst_case, NET, {"rho": 0.2, "p": np.inf, "steps": 5, "adaptive": True}),
    Measure(sharpness.m_sharpness, SOFTMAX, {"parts": 4, "rho": 0.2, "p": 2, "steps": 20}),
    Measure(sharpness.m_sharpness, SOFTMAX, {"parts": 12, "rho": 0.2, "p": 2, "inner": "single-step"}),
    *(Measure(sam_objective, TILTED, {"rho": 0.5, "p": p, "l2": 0.1, "inner": "single-step"}) for p in (1, 2, np.inf)),
    *(Measure(sam_objective, TILTED, {"rho": 0.5, "p": p, "l2": 0.1, "inner": "exact"}) for p in (1, 2, np.inf)),
    Measure(sharpness.lambda_max, TILTED, {"steps": 4}),
    Measure(sharpness.lambda_max, SOFTMAX, {"steps": 16}),
    Measure(sharpness.eigenvalues, SOFTMAX, {"count": 5, "steps": 16}),
    Measure(sharpness.trace, TILTED, {"samples": 6}, drawn(signs, "trace", TILTED)),
    Measure(sharpness.trace, SOFTMAX, {"samples": 6}, drawn(signs, "trace", SOFTMAX)),
    Measure(sharpness.average_case, SOFTMAX, {"sigma": 0.2, "samples": 6}, drawn(normal, "average case", SOFTMAX)),
    Measure(
        sharpness.average_case, NET, {"sigma": 0.5, "adaptive": True, "samples": 6}, drawn(normal, "average case", NET)
    ),
    Measure(sharpness.second_order, SOFTMAX, {"rho": 0.2}),
    Measure(sharpness.single_step_accuracy, TILTED, {"rho": 0.5, "p": 2, "steps": 20}),
]
