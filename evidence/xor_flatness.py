"""Is the network that knows XOR best the flattest?

**Claim.** No: SGD with weight decay, which knows XOR as well as SAM or better, ends sharper than SAM.

**Source.** Wen, Li & Ma 2023, [arXiv:2307.11007](https://arxiv.org/abs/2307.11007), for the problem; that SGD with weight decay
is sharper and better, trials of our own.

**Problem.** The networks that are reported in [xor.py](xor.py), trained again with the settings chosen there, on the same units.

**Methods.** The trace of the Hessian of the training loss without λ‖w‖², exact: the output is linear in each weight alone, where
the loss is smooth, so tr H = (2/n) Σᵢ ‖∇f(xᵢ)‖².

**Prediction.** The score is −log₂ tr H, in halvings. SAM and 1-SAM are flatter than SGD with weight decay: better. A tenth of a
halving would be no difference.
"""

from pathlib import Path

import numpy as np
import xor
from measuring import reached

from minisam import study, train
from minisam.array_backend import asnumpy

scale = "−log₂ tr H (halvings)"
delta, units, against = 0.1, 20, "SGD"
predicted = {"SAM": "better", "1-SAM": "better"}


def trace(w, x):
    """Of the Hessian of the mean squared error at the weights w, on inputs x."""
    p = {name: asnumpy(a) for name, a in xor.MODEL.unflatten(w).items()}
    active = np.maximum(x @ p["W0"] + p["b0"], 0)
    of_a, of_W_and_b = active**2, (active > 0) * p["a"][:, 0] ** 2 * (xor.INPUTS + 1)
    return 2 * np.mean(np.sum(of_a + of_W_and_b, axis=-1))


def halvings(rule, epochs, k):
    """−log₂ tr H where the training of unit k ends, and the gradients spent."""
    x, y = (getattr(xor.unit(k), f"{part}_train") for part in "xy")
    run = train(xor.MODEL, (x, y), rule, epochs, xor.BATCH, seed=k, loss="mse", progress=False)
    return -np.log2(trace(run.w, x)), run.history["evaluations"][-1]


def outcome(name, chosen, units):
    make, _ = xor.methods[name]
    ends = [halvings(make(**chosen.settings), chosen.epochs, xor.tuning + k) for k in range(units)]
    scores, spent = zip(*ends, strict=True)
    return reached(chosen.settings, chosen.epochs, spent, scores)


def measure(units):
    budgets = study.load(Path(xor.__file__).with_suffix(".json")).budgets
    return {
        budget: {name: outcome(name, chosen, units) for name, chosen in outcomes.items()}
        for budget, outcomes in budgets.items()
    }
