"""Does SAM help a language model that reads the same text again and again?

**Claim.** Yes: where a text is read many times, the model learns it by heart, and SAM holds that back.

**Source.** Bahri, Mobahi & Tay 2021, [arXiv:2110.08529](https://arxiv.org/abs/2110.08529), on fine-tuning, where data are few and
read many times; that it is the repetition which counts, trials of our own (lesson 10).

**Problem.** A text of eight tokens, each of which depends on the two before it by a table of probabilities. The model, an MLP
64-48-48-8, sees eight tokens and predicts the next one: 2,560 examples, 20 times, in batches of 64. A unit is a table, drawn at
random, and texts from it.

**Methods.** SGD with momentum 0.9 and SAM over it, η falling as a cosine. Each chooses among 18 settings or more of η, λ and ρ on
three other tables; SGD anew for 40 passes, which spend as many gradients.

**Prediction.** The score is minus the loss on new text, in nats. SAM is better at equal epochs and at equal gradients. (The
ranges of the grids, and the number of examples, were found on table 0, on which settings are chosen, and on 1000 to 1005.)
"""

from minisam import SAM, SGD, data, mlp, study
from minisam.optim import cosine

STATES, CONTEXT, EXAMPLES, BATCH = 8, 8, 2560, 64
MODEL = mlp((STATES * CONTEXT, 48, 48, STATES))


def text(k, examples):
    """So many examples from table k, and new ones."""
    return data.markov(k, STATES, CONTEXT, train=examples)


def unit(k):
    return text(k, EXAMPLES)


def minus_loss(run, data):
    return -float(run.evaluate(data.x_test, data.y_test)["loss"])


def sgd(lr, l2, steps):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def sam(lr, l2, rho, steps):
    return SAM(sgd(lr, 0.0, steps), rho, l2=l2)


problem = study.Problem(MODEL, unit, epochs=20, batch_size=BATCH, score=minus_loss)
methods = {
    "SGD": (sgd, {"lr": [0.025, 0.05, 0.1, 0.2, 0.4, 0.8], "l2": [0.0, 0.0025, 0.005]}),
    "SAM": (sam, {"lr": [0.1, 0.2, 0.4], "l2": [0.0, 0.0025, 0.005], "rho": [0.05, 0.1]}),
}
scale = "minus the loss on new text, in nats"
delta, units, tuning, against = 0.005, 40, 3, "SGD"
predicted = {"SAM": "better"}
