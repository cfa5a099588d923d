"""Does SAM end in flatter minima than SGD?

**Claim.** Yes: the largest eigenvalue λ_max of the Hessian of the training loss is smaller where SAM ends.

**Source.** Foret et al. 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 4.2 (Hessian spectra of a wide ResNet
on CIFAR-10).

**Problem.** The digits, an MLP 64-64-64-10, batches of 64. A unit is a split of the digits, with its own start and order.

**Methods.** SGD with momentum 0.9 for 40 epochs and for 80, which spends as many gradients as SAM; SAM over it with ρ = 0.1 for
40. The step size, 0.2 falling as a cosine, and λ = 0.003 are the best of each method on validation data of split 0
(figures/tuning.json), which is none of these units. λ_max of the loss without λ‖w‖², on all training examples, by 30 steps of
Lanczos.

**Prediction.** The score is −log₂ λ_max, in halvings. SAM's is better at equal epochs and at equal gradients. A difference
within δ, a tenth of a halving, would be none. That flatter minima are better ones is another claim.
"""

import numpy as np
from measuring import reached

from minisam import SAM, SGD, data, hvp, mlp, sharpness, train
from minisam.optim import cosine

EPOCHS, BATCH, LR, L2, RHO = 40, 64, 0.2, 0.003, 0.1
MODEL = mlp((64, 64, 64, 10))
scale = "−log₂ λ_max (halvings)"
delta, units, against = 0.1, 20, "SGD"
predicted = {"SAM": "better"}


def sgd(digits, epochs):
    return SGD(cosine(LR, epochs * (len(digits.x_train) // BATCH)), momentum=0.9, l2=L2)


def halvings(k, rho, epochs):
    """−log₂ λ_max where unit k ends, and the gradients spent."""
    digits = data.digits(1 + k)
    rule = SAM(sgd(digits, epochs), rho) if rho else sgd(digits, epochs)
    run = train(MODEL, digits, rule, epochs, BATCH, seed=k, progress=False)
    product = hvp(MODEL)
    top = sharpness.lambda_max(lambda w, v: product(w, v, digits.x_train, digits.y_train), run.w)
    return -np.log2(top), run.history["evaluations"][-1]


def outcome(units, rho, epochs):
    scores, spent = zip(*(halvings(k, rho, epochs) for k in range(units)), strict=True)
    return reached({"lr": LR, "l2": L2} | ({"rho": rho} if rho else {}), epochs, spent, scores)


def measure(units):
    sam = outcome(units, RHO, EPOCHS)
    return {
        "equal epochs": {"SGD": outcome(units, 0, EPOCHS), "SAM": sam},
        "equal gradients": {"SGD": outcome(units, 0, 2 * EPOCHS), "SAM": sam},
    }
