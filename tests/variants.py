"""A small net and its batches, on which the tests of variants take steps; and a net derived by hand, as an oracle for them."""

import numpy as np

from minisam import SGD, Adam, BatchLoss, mlp, train

MODEL = mlp((3, 5, 4), "tanh")
LINEAR = mlp((3, 4))  # softmax regression, which `by_hand` computes as well
BASES = {"SGD": SGD(0.1), "momentum": SGD(0.1, momentum=0.9), "Adam": Adam(0.01)}


def batches(steps=4, m=8, model=MODEL, seed=0, dtype="float64"):
    """The losses of so many steps, each on a batch of its own."""
    losses, rng = BatchLoss(model), np.random.default_rng(seed)
    x, y = rng.standard_normal((steps, m, 3)).astype(dtype), rng.integers(0, 4, (steps, m))
    return [losses.on(x[k], y[k], np.arange(k * m, (k + 1) * m)) for k in range(steps)]


def start(model=MODEL, dtype="float64"):
    """Two replicas' weights."""
    return model.init([0, 1], dtype)


def run(optimizer, w, losses):
    """The weights after each step, what each step told, and the last state."""
    state, path, told = optimizer.init(w), [], []
    for loss_and_grad in losses:
        w, state, info = optimizer.step(w, state, loss_and_grad)
        path.append(w)
        told.append(info)
    return np.array(path), told, state


def assert_same_bits(one, other, w=None, losses=None):
    """Both optimizers pass through the same weights."""
    w, losses = start() if w is None else w, losses or batches()
    np.testing.assert_array_equal(run(one, w, losses)[0], run(other, w, losses)[0])


class Watched:
    """A loss that remembers where its gradient was asked for: a `Batch`, or any function of the weights."""

    def __init__(self, loss_and_grad):
        self.loss_and_grad, self.points = loss_and_grad, []

    def __call__(self, w):
        self.points.append(w)
        return self.loss_and_grad(w)

    def __getattr__(self, name):
        return getattr(self.loss_and_grad, name)


def by_hand(w, x, y):
    """Softmax regression for one replica, w (16,) = W (3, 4), b (4,): losses (m,), their gradients (m, 16), logits (m, 4)."""
    z = x @ w[:12].reshape(3, 4) + w[12:]
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    error = p - np.eye(4)[y]
    return -np.log(p[np.arange(len(y)), y]), slopes(x, error), z


def slopes(x, dz):
    """The gradients (m, 16) of the weights from those of the logits."""
    return np.concatenate([(x[:, :, None] * dz[:, None, :]).reshape(len(x), 12), dz], axis=1)


def gradient(w, x, y):
    return by_hand(w, x, y)[1].mean(axis=0)


def unit(a):
    return a / np.linalg.norm(a, axis=-1, keepdims=True)


def assert_sweeps(device, make, **values):
    """Every combination of swept values is trained as it would be alone, bit for bit; and on a device with the same numbers."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal((24, 3)), rng.integers(0, 4, 24)
    settings = {"epochs": 2, "batch_size": 8, "seed": [3, 4], "progress": False}
    together = train(MODEL, data, make, sweep=values, **settings)
    for labels, runs in together.configurations():
        alone = train(MODEL, data, make(**labels), **settings)
        np.testing.assert_array_equal(runs.w, alone.w)
    with device.in_use():
        on_device = train(MODEL, data, make, sweep=values, **settings)
        device.assert_close(on_device.w, together.w, rtol=1e-4, atol=1e-5)
