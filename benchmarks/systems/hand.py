"""The step of a ReLU MLP, derived by hand in NumPy: what the library is measured against.

The same arithmetic as `minisam` does, in float32, with every buffer allocated once: forward, backward, ε = ρ g/‖g‖, forward,
backward, SGD with momentum.
"""

import numpy as np
from jobs import LR, MOMENTUM, RHO


class Hand:
    def __init__(self, job):
        self.nets = [HandDerivedMLP(job, *arrays) for arrays in job.singles()]
        self.step = HandDerivedMLP.sam_step if job.rule == "sam" else HandDerivedMLP.sgd_step
        self.lead = job.lead

    def reset(self):
        for net in self.nets:
            net.reset()

    def run(self, steps):
        losses = []
        for net in self.nets:
            for _ in range(steps):
                loss = self.step(net)
            losses.append(loss)
        return np.reshape(losses, self.lead)


class HandDerivedMLP:
    """Weights in one flat vector w (n,), of which the layers see views; so is the gradient g."""

    def __init__(self, job, w, x, y):
        self.w0, self.x, self.y = w, x, y
        self.w, self.g, self.v, self.eps, self.keep = (np.zeros_like(w) for _ in range(5))
        self.layers, self.gradients = job.layers(self.w), job.layers(self.g)
        self.z, self.dz = ([np.zeros((job.batch_size, o), np.float32) for o in job.sizes[1:]] for _ in range(2))
        self.mask = [np.zeros((job.batch_size, o), bool) for o in job.sizes[1:]]
        self.column = np.zeros((job.batch_size, 1), np.float32)
        self.rows = np.arange(job.batch_size)

    def reset(self):
        self.w[:] = self.w0
        self.v[:] = 0

    def gradient(self):
        """Mean cross-entropy; its gradient is written into self.g."""
        x, y = self.x, self.y
        a, last = x, len(self.layers) - 1
        for k, ((W, b), z) in enumerate(zip(self.layers, self.z, strict=True)):
            np.matmul(a, W, out=z)
            z += b
            if k < last:
                np.maximum(z, 0, out=z)
            a = z
        z, p = self.z[last], self.dz[last]
        np.maximum.reduce(z, axis=1, keepdims=True, out=self.column)
        z -= self.column
        np.exp(z, out=p)
        np.add.reduce(p, axis=1, keepdims=True, out=self.column)
        loss = (np.log(self.column[:, 0]) - z[self.rows, y]).mean()
        p /= self.column
        p[self.rows, y] -= 1
        p /= len(x)
        for k in range(last, -1, -1):
            below = self.z[k - 1] if k else x
            gW, gb = self.gradients[k]
            np.matmul(below.T, self.dz[k], out=gW)
            np.add.reduce(self.dz[k], axis=0, out=gb)
            if k:
                np.matmul(self.dz[k], self.layers[k][0].T, out=self.dz[k - 1])
                np.greater(below, 0, out=self.mask[k - 1])
                self.dz[k - 1] *= self.mask[k - 1]
        return loss

    def sgd_step(self):
        loss = self.gradient()
        self._descend()
        return loss

    def sam_step(self):
        loss = self.gradient()
        length = float(np.sqrt(np.dot(self.g, self.g)))
        np.multiply(self.g, np.float32(RHO / length if length else 0.0), out=self.eps)
        np.copyto(self.keep, self.w)
        self.w += self.eps
        self.gradient()
        np.copyto(self.w, self.keep)
        self._descend()
        return loss

    def _descend(self):
        self.v *= np.float32(MOMENTUM)
        self.v += self.g
        np.multiply(self.v, np.float32(LR), out=self.eps)
        self.w -= self.eps
