"""A SAM step for a ReLU MLP, derived by hand in NumPy: what the library is measured against.

The same arithmetic as `minisam` does, in float32, with every buffer allocated once: forward, backward, ε = ρ g/‖g‖, forward,
backward, SGD with momentum.
"""

import numpy as np


class HandDerivedMLP:
    """Weights in one flat vector w (n,), of which the layers see views; so is the gradient g."""

    def __init__(self, sizes, batch_size):
        pairs = list(zip(sizes, sizes[1:], strict=False))
        n = sum(i * o + o for i, o in pairs)
        self.w, self.g, self.v = (np.zeros(n, np.float32) for _ in range(3))
        self.eps, self.keep = np.zeros(n, np.float32), np.zeros(n, np.float32)
        self.W, self.b, self.gW, self.gb = [], [], [], []
        start = 0
        for i, o in pairs:
            for views, flat in ((self.W, self.w), (self.gW, self.g)):
                views.append(flat[start : start + i * o].reshape(i, o))
            start += i * o
            for views, flat in ((self.b, self.w), (self.gb, self.g)):
                views.append(flat[start : start + o])
            start += o
        self.z = [np.zeros((batch_size, o), np.float32) for _, o in pairs]
        self.dz = [np.zeros((batch_size, o), np.float32) for _, o in pairs]
        self.mask = [np.zeros((batch_size, o), bool) for _, o in pairs]
        self.column = np.zeros((batch_size, 1), np.float32)
        self.rows = np.arange(batch_size)

    def gradient(self, x, y):
        """Mean cross-entropy; its gradient is written into self.g."""
        a, last = x, len(self.W) - 1
        for k, (W, b, z) in enumerate(zip(self.W, self.b, self.z, strict=True)):
            np.matmul(a, W, out=z)
            z += b
            if k < last:
                np.maximum(z, 0, out=z)
            a = z
        z, p = self.z[last], self.dz[last]
        np.max(z, axis=1, keepdims=True, out=self.column)
        z -= self.column
        np.exp(z, out=p)
        np.add.reduce(p, axis=1, keepdims=True, out=self.column)
        loss = (np.log(self.column[:, 0]) - z[self.rows, y]).mean()
        p /= self.column
        p[self.rows, y] -= 1
        p /= len(x)
        for k in range(last, -1, -1):
            below = self.z[k - 1] if k else x
            np.matmul(below.T, self.dz[k], out=self.gW[k])
            np.add.reduce(self.dz[k], axis=0, out=self.gb[k])
            if k:
                np.matmul(self.dz[k], self.W[k].T, out=self.dz[k - 1])
                np.greater(below, 0, out=self.mask[k - 1])
                self.dz[k - 1] *= self.mask[k - 1]
        return loss

    def sgd_step(self, x, y, lr=0.1, momentum=0.9):
        loss = self.gradient(x, y)
        self._descend(lr, momentum)
        return loss

    def sam_step(self, x, y, lr=0.1, momentum=0.9, rho=0.05):
        loss = self.gradient(x, y)
        length = float(np.sqrt(np.dot(self.g, self.g)))
        np.multiply(self.g, np.float32(rho / length if length else 0.0), out=self.eps)
        np.copyto(self.keep, self.w)
        self.w += self.eps
        self.gradient(x, y)
        np.copyto(self.w, self.keep)
        self._descend(lr, momentum)
        return loss

    def _descend(self, lr, momentum):
        self.v *= np.float32(momentum)
        self.v += self.g
        np.multiply(self.v, np.float32(lr), out=self.eps)
        self.w -= self.eps
