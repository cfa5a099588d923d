"""optax.contrib.sam gives NaN where the gradient is zero, in both modes: `normalize` divides by a norm of 0.

Expected: no ascent where there is no direction, so the weights stay. Such a gradient occurs at a minimum, with dead units, and
for a batch whose examples are all masked.
"""

import jax
import jax.numpy as jnp
import optax

w = jnp.array([1.0, 2.0])
gradient = jax.grad(lambda params: jnp.sum((params - w) ** 2) / 2)  # w is the minimum
ascent = optax.chain(optax.contrib.normalize(), optax.sgd(0.05))
for opaque in (False, True):
    sam = optax.contrib.sam(optax.sgd(0.1), ascent, opaque_mode=opaque)
    updates, _ = sam.update(gradient(w), sam.init(w), w, grad_fn=lambda params, i: gradient(params))
    print("opaque:     " if opaque else "transparent:", optax.apply_updates(w, updates))
