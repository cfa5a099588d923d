"""The experiment in JAX, as one function that is compiled as a whole: scan over steps and epochs, vmap over seeds."""

import jax
import jax.numpy as jnp
import optax
from setting import BATCH, LR, MOMENTUM, RHO, WIDTHS, arguments, tell


def initial(key):
    keys = jax.random.split(key, len(WIDTHS) - 1)
    sizes = zip(keys, WIDTHS, WIDTHS[1:], strict=False)
    return [(jax.random.normal(k, (i, o)) * jnp.sqrt(2 / i), jnp.zeros(o)) for k, i, o in sizes]


def forward(p, x):
    for W, b in p[:-1]:
        x = jax.nn.relu(x @ W + b)
    W, b = p[-1]
    return x @ W + b


def loss(p, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(forward(p, x), y).mean()


def sam_step(base, loss):
    """(p, state), x, y  ->  (p, state)."""

    def step(carry, x, y):
        p, state = carry
        g = jax.grad(loss)(p, x, y)
        scale = RHO / optax.tree.norm(g)
        g = jax.grad(loss)(jax.tree.map(lambda w, d: w + scale * d, p, g), x, y)
        updates, state = base.update(g, state, p)
        return optax.apply_updates(p, updates), state

    return step


def main():
    arrays, _, epochs, seeds = arguments()
    x, y, x_test, y_test = map(jnp.asarray, arrays)
    base = optax.sgd(LR, momentum=MOMENTUM)
    step, steps = sam_step(base, loss), len(x) // BATCH

    def epoch(carry, key):
        order = jax.random.permutation(key, len(x))[: steps * BATCH].reshape(steps, BATCH)
        return jax.lax.scan(lambda carry, i: (step(carry, x[i], y[i]), None), carry, order)[0], None

    def experiment(key):
        start, *keys = jax.random.split(key, epochs + 1)
        p = initial(start)
        (p, _), _ = jax.lax.scan(epoch, (p, base.init(p)), jnp.stack(keys))
        return forward(p, x_test).argmax(-1) == y_test

    tell(jax.jit(jax.vmap(experiment))(jax.random.split(jax.random.key(0), seeds)))


if __name__ == "__main__":
    main()
