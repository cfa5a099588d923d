"""minisam: recorded (the default), eager, replicas as single runs, and other steps than SAM's."""

import numpy as np
from jobs import LR, MOMENTUM, RHO

import minisam
from minisam import SAM, SGD
from minisam.batch import Batch
from minisam.sam import RST, LookSAM, SAMPa

try:
    from minisam import BatchLoss
except ImportError:  # an earlier checkout, which against.py measures
    from minisam.batch import BatchLoss
try:
    from minisam.blas import one_thread
except ImportError:
    from contextlib import nullcontext as one_thread


class Recorded:
    recorded = True

    def __init__(self, job):
        self.w0, self.x, self.y = job.w, job.x, job.y
        base = SGD(LR, MOMENTUM)
        self.optimizer = SAM(base, RHO) if job.rule == "sam" else base
        self.loss_and_grad = minisam.value_and_grad(job.model, recorded=self.recorded)

    def reset(self):
        self.w, self.state = self.w0, self.optimizer.init(self.w0)

    def run(self, steps):
        step, f, x, y = self.optimizer.step, self.loss_and_grad, self.x, self.y
        with one_thread():  # as `train` does
            for _ in range(steps):
                self.w, self.state, info = step(self.w, self.state, lambda w: f(w, x, y))
        return info["loss"]


class Eager(Recorded):
    recorded = False


class Singles(Recorded):
    """Replicas as recorded runs of one net each, in sequence."""

    def __init__(self, job):
        super().__init__(job)
        self.jobs = job.singles()

    def reset(self):
        self.runs = [(w, self.optimizer.init(w)) for w, _, _ in self.jobs]

    def run(self, steps):
        losses = []
        for k, (_, x, y) in enumerate(self.jobs):
            self.x, self.y = x, y
            self.w, self.state = self.runs[k]
            losses.append(super().run(steps))
            self.runs[k] = self.w, self.state
        return np.array(losses)


class OnBatch(Recorded):
    """Steps of SGD, SAM or a variant on a batch, as `train` hands it to the optimizer.

    Over a multiple of 10 steps each variant pays its share of gradients.
    """

    def __init__(self, job):
        super().__init__(job)
        base = SGD(LR, MOMENTUM)
        self.optimizer = {
            "sgd": base,
            "sam": SAM(base, RHO),
            "looksam": LookSAM(base, RHO, k=5),
            "rst": RST(base, RHO, prob=lambda t: t % 2),  # by a coin with one face, a half of the steps in turn
            "sampa": SAMPa(base, RHO),
        }[job.rule]
        self.losses = BatchLoss(job.model)

    def run(self, steps):
        with one_thread():
            for _ in range(steps):
                self.w, self.state, info = self.optimizer.step(self.w, self.state, Batch(self.losses, self.x, self.y))
        return info["loss"]
