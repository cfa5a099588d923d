"""Does SAM cost twice as much as SGD?

**Claim.** Yes: a step of SAM takes two gradients, and time goes with gradients.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 2, where each step takes two
gradients; Liu et al. 2022, [arXiv:2203.02714](https://arxiv.org/abs/2203.02714), and Becker et al. 2024,
[arXiv:2401.12033](https://arxiv.org/abs/2401.12033), for the variants.

**Problem.** Steps of twelve networks with their batches, each a unit: four perceptrons of different widths, a CNN, a resnet, a
vision transformer and GPTs. A claim about time holds for one machine and one library: here NumPy on one thread.

**Methods.** SGD with momentum, SAM, MSAM and LookSAM with k = 5 take five steps in turns, 40 times, all in one process. The
fastest of the 40 counts, since what else the machine does only adds to a time. Gradients are counted by the library: 5, 10, 5 and
6 in five steps.

**Prediction.** The score is minus the time of a gradient in that of SGD. SAM, MSAM and LookSAM equal SGD within δ, 10%. In
gradients, SAM costs twice as much by definition. (Tried on five other networks while the machine was busy; medians, in place of
the fastest, were far too noisy then.)
"""

import time

import numpy as np
from measuring import reached

from minisam import SAM, SGD, BatchLoss, cnn, gpt, mlp, resnet, vit
from minisam.sam import MSAM, LookSAM

ROUNDS, STEPS = 40, 5
UNITS = [  # network, batch
    *[(mlp((64, 64, 64, 10)), m) for m in (16, 64, 256)],
    *[(mlp((64, width, width, 10)), 64) for width in (128, 256, 512)],
    *[(cnn(), m) for m in (16, 64)],
    (resnet(), 16),
    (vit(width=32, depth=1), 16),
    *[(gpt(32, context=16, width=width, depth=1), 16) for width in (16, 64)],
]
BASE = SGD(0.01, momentum=0.9)
RULES = {"SGD": BASE, "SAM": SAM(BASE, 0.05), "MSAM": MSAM(BASE, 0.3), "LookSAM": LookSAM(BASE, 0.05, k=STEPS)}
scale = "minus the time of a gradient, in that of SGD"
delta, units, against = 0.1, len(UNITS), "SGD"
predicted = {"SAM": "equal", "MSAM": "equal", "LookSAM": "equal"}


def batch_of(model, m):
    """A batch of random examples."""
    rng = np.random.default_rng(0)
    if model.tokens:
        x, y = rng.integers(0, 32, (2, m, 16))
    else:
        x, y = rng.standard_normal((m, 64)).astype("float32"), rng.integers(0, 10, m)
    return BatchLoss(model).on(x, y)


def several_steps(rule, w, state, batch):
    """Seconds and gradients that a few steps take, and where they lead."""
    begun, spent = time.perf_counter(), 0
    for _ in range(STEPS):
        w, state, info = rule.step(w, state, batch)
        spent += info["evaluations"]
    return time.perf_counter() - begun, spent, w, state


def prices(model, m):
    """Each rule's time of a gradient, in that of SGD, and the gradients of its steps."""
    batch, w = batch_of(model, m), model.init(seed=0)
    stands = {name: several_steps(rule, w, rule.init(w), batch) for name, rule in RULES.items()}  # the first are slow
    taken = []
    for _ in range(ROUNDS):
        stands = {name: several_steps(RULES[name], *stand[2:], batch) for name, stand in stands.items()}
        taken.append([seconds / spent for seconds, spent, _, _ in stands.values()])
    fastest = np.min(taken, axis=0)
    return {name: (own / fastest[0], stand[1]) for (name, stand), own in zip(stands.items(), fastest, strict=True)}


def measure(units):
    found = [prices(model, m) for model, m in UNITS[:units]]
    return {
        "equal epochs": {
            name: reached({}, STEPS, [each[name][1] for each in found], [-each[name][0] for each in found])
            for name in RULES
        }
    }
