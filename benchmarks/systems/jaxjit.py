"""JAX: the whole step in one `jit`, buffers donated, SGD by optax; replicas by `vmap`.

The SAM step is written out: optax.contrib.sam in opaque mode was measured 4 to 10% slower. Small nets keep their weights in
one flat vector, which spares the dispatch of many little arrays (118 instead of 168 µs for the toy net); big ones in a list
of layers, where flattening costs more than it saves.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jobs import LR, MOMENTUM, RHO

FLAT_BELOW = 20_000  # weights


class Jit:
    def __init__(self, job):
        self.x, self.y = jnp.asarray(job.x), jnp.asarray(job.y)
        base = optax.sgd(LR, momentum=MOMENTUM)
        one = job.singles()[0][0]
        _, to_layers = ravel_pytree(job.layers(one))
        self.flat = one.size < FLAT_BELOW

        def loss(p, x, y):
            layers = to_layers(p) if self.flat else p
            for W, b in layers[:-1]:
                x = jax.nn.relu(x @ W + b)
            W, b = layers[-1]
            return optax.softmax_cross_entropy_with_integer_labels(x @ W + b, y).mean()

        def step(p, state, x, y):
            value, g = jax.value_and_grad(loss)(p, x, y)
            if job.rule == "sam":
                scale = RHO / optax.tree.norm(g)
                g = jax.grad(loss)(jax.tree.map(lambda w, d: w + scale * d, p, g), x, y)
            updates, state = base.update(g, state, p)
            return optax.apply_updates(p, updates), state, value

        every = jax.vmap if job.lead else lambda f: f
        self.to_parameters = every(lambda w: w if self.flat else job.layers(w))
        self.init, self.step = every(base.init), jax.jit(every(step), donate_argnums=(0, 1))
        self.w0 = job.w

    def reset(self):
        self.p = jax.tree.map(jnp.array, self.to_parameters(jnp.array(self.w0)))
        self.state = self.init(self.p)

    def run(self, steps):
        for _ in range(steps):
            self.p, self.state, value = self.step(self.p, self.state, self.x, self.y)
        jax.block_until_ready((self.p, value))
        return np.asarray(value)
