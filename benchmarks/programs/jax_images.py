"""The experiment in JAX on images, a step compiled: inside a loop, XLA computes convolutions on one core."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax_scan import sam_step
from setting import BATCH, CHANNELS, LR, MOMENTUM, arguments, tell

CONVOLVE = partial(jax.lax.conv_general_dilated, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def convolution(key, k, i, o):
    return jax.random.normal(key, (k, k, i, o)) * jnp.sqrt(2 / (k * k * i)), jnp.zeros(o)


def convolve(p, x, stride=1):
    W, b = p
    half = W.shape[0] // 2
    return CONVOLVE(x, W, [stride] * 2, [(half, half)] * 2) + b


def head(key, i):
    return jax.random.normal(key, (i, 10)) * jnp.sqrt(2 / i), jnp.zeros(10)


def cnn(keys):
    a, b = CHANNELS
    return {"0": convolution(keys[0], 3, 1, a), "1": convolution(keys[1], 3, a, b), "head": head(keys[2], 49 * b)}


def cnn_forward(p, x):
    for name in ("0", "1"):
        x = jax.nn.relu(convolve(p[name], x))
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    W, b = p["head"]
    return x.reshape(len(x), -1) @ W + b


def block(keys, i, o):
    p = {"conv1": convolution(keys[0], 3, i, o), "conv2": convolution(keys[1], 3, o, o)}
    p |= {"norm1": (jnp.ones(i), jnp.zeros(i)), "norm2": (jnp.ones(o), jnp.zeros(o))}
    return p | ({"skip": convolution(keys[2], 1, i, o)} if i != o else {})


def resnet(keys):
    a, b = CHANNELS
    ends = {"stem": convolution(keys[0], 3, 1, a), "norm": (jnp.ones(b), jnp.zeros(b)), "head": head(keys[1], b)}
    return ends | {"0": block(keys[2:5], a, a), "1": block(keys[5:8], a, b)}


def active(p, x):
    """By the mean and the variance of these images: there are no running ones."""
    gap = x - x.mean((0, 1, 2))
    return jax.nn.relu(gap * jax.lax.rsqrt((gap * gap).mean((0, 1, 2)) + 1e-5) * p[0] + p[1])


def resnet_forward(p, x):
    x = convolve(p["stem"], x)
    for name, stride in (("0", 1), ("1", 2)):
        q = p[name]
        h = convolve(q["conv1"], active(q["norm1"], x), stride)
        h = convolve(q["conv2"], active(q["norm2"], h))
        x = h + (convolve(q["skip"], x, stride) if "skip" in q else x)
    W, b = p["head"]
    return active(p["norm"], x).mean((1, 2)) @ W + b


def main():
    arrays, model, epochs, _ = arguments()
    x, y, x_test, y_test = map(jnp.asarray, arrays)
    x, x_test = (a.reshape(-1, 28, 28, 1) for a in (x, x_test))
    initial, forward = {"cnn": (cnn, cnn_forward), "resnet": (resnet, resnet_forward)}[model]
    base, rng = optax.sgd(LR, momentum=MOMENTUM), np.random.default_rng(0)

    def loss(p, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(forward(p, x), y).mean()

    @partial(jax.jit, donate_argnums=0)
    def step(carry, x, y, i):
        return sam_step(base, loss)(carry, x[i], y[i])

    p = initial(jax.random.split(jax.random.key(0), 8))
    carry = p, base.init(p)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for k in range(0, len(x) - BATCH + 1, BATCH):
            carry = step(carry, x, y, order[k : k + BATCH])
    tell(jnp.concatenate([forward(carry[0], part).argmax(-1) for part in jnp.split(x_test, 10)]) == y_test)


if __name__ == "__main__":
    main()
