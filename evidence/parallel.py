"""Do the parallel variants of SAM save time on two cores?

**Claim.** Yes: the two gradients of SAMPa and of AsyncSAM do not wait for each other, so that on two cores a step takes about as
long as one of SGD, and half as long as one of SAM.

**Source.** Xie, Pethick & Cevher 2024, [arXiv:2410.10683](https://arxiv.org/abs/2410.10683), section 4, for SAMPa, and Jo et al.
2025, [arXiv:2503.11147](https://arxiv.org/abs/2503.11147), for AsyncSAM, both with a GPU, or a processor, for each gradient.

**Problem.** Steps of the twelve networks of [cost.md](cost.md), with their batches, each a unit. A claim about time holds for one
machine and one library: here NumPy, and the two threads of one process on an idle machine of two cores. SAM may use both, too:
where a product of matrices is large, the library halves it.

**Methods.** SGD with momentum, SAM, SAMPa and AsyncSAM take five steps in turns, 40 times. The fastest of the 40 counts, since
what else the machine does only adds to a time.

**Prediction.** The score is minus the time of a step in that of SAM. SAMPa and AsyncSAM are better than SAM.
(Tried before with four turns while the machine was busy. Written after the run: only the widest perceptron gained with both.
What a step spends in Python, two threads do in turns, and these networks are small. Of larger ones, or of processes in place of
threads, this tells nothing.)
"""

import numpy as np
from cost import BASE, ROUNDS, STEPS, UNITS, batch_of, several_steps
from measuring import reached

from minisam import SAM, threads
from minisam.sam import AsyncSAM, SAMPa

RULES = {"SAM": SAM(BASE, 0.05), "SGD": BASE, "SAMPa": SAMPa(BASE, 0.05), "AsyncSAM": AsyncSAM(BASE, 0.05)}
scale = "minus the time of a step, in that of SAM"
delta, units, against = 0.1, len(UNITS), "SAM"
predicted = {"SAMPa": "better", "AsyncSAM": "better"}


def times(model, m):
    """Each rule's time of a step, in that of SAM, and the gradients of its steps."""
    batch, w = batch_of(model, m), model.init(seed=0)
    stands = {name: several_steps(rule, w, rule.init(w), batch) for name, rule in RULES.items()}  # the first are slow
    taken = []
    for _ in range(ROUNDS):
        stands = {name: several_steps(RULES[name], *stand[2:], batch) for name, stand in stands.items()}
        taken.append([seconds for seconds, *_ in stands.values()])
    fastest = np.min(taken, axis=0)
    return {name: (own / fastest[0], stands[name][1]) for name, own in zip(stands, fastest, strict=True)}


def measure(units):
    if threads.allowed() < 2:
        raise RuntimeError("this claim needs two cores, and MINISAM_THREADS of 2 or more where it is set")
    found = [times(model, m) for model, m in UNITS[:units]]
    return {
        "equal epochs": {
            name: reached({}, STEPS, [each[name][1] for each in found], [-each[name][0] for each in found])
            for name in RULES
        }
    }
