"""What the optax adapter is made of: gradients as functions of a tree, which may also be called inside `jax.jit`."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy

from ..types import Array
from .problems import Problem
from .watch import Oracle, TakeStep


def begin(problem: Problem, transform: Any, updates: int, is_opaque: bool) -> TakeStep:
    """The steps that a transformation makes on the problem."""
    import jax

    with jax.enable_x64(True):
        params = {name: jax.numpy.asarray(a) for name, a in problem.split(problem.w).items()}
        state = transform.init(params)

    def take_step(oracle: Oracle) -> Array:
        nonlocal params, state

        def grad(at: Any, *_: Any) -> Any:
            return gradient(problem, oracle, at)

        with jax.enable_x64(True):
            for _ in range(updates):
                more = {"grad_fn": grad} if is_opaque else {}
                params, state = updated(transform, grad(params), state, params, **more)
            return flat(problem, params)

    return take_step


def updated(transform: Any, g: Any, state: Any, params: Any, **more: Any) -> tuple[Any, Any]:
    """The params and the state after one update: as one compiled program, if functions are not among its arguments."""
    return one_update(transform, g, state, params, **more) if more else compiled(transform)(g, state, params)


def one_update(transform: Any, g: Any, state: Any, params: Any, **more: Any) -> tuple[Any, Any]:
    import optax

    changes, state = transform.update(g, state, params, **more)
    return optax.apply_updates(params, changes), state


@lru_cache(maxsize=1)
def compiled(transform: Any) -> Any:
    """The update for all problems of a check: those with tensors of the same shapes share a program."""
    import jax

    return jax.jit(partial(one_update, transform))


def gradient(problem: Problem, oracle: Oracle, at: Any) -> Any:
    """∇L at a tree of weights, as a tree."""
    import jax
    from jax.experimental import io_callback

    def on_host(tree: Any) -> Any:
        return problem.split(oracle(flat(problem, tree))[1])

    if any(isinstance(a, jax.core.Tracer) for a in jax.tree.leaves(at)):
        like = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), at)
        return io_callback(on_host, like, at, ordered=True)
    return jax.tree.map(jax.numpy.asarray, on_host(at))


def flat(problem: Problem, tree: Any) -> Array:
    return numpy.concatenate([numpy.ravel(tree[name]) for name in problem.shapes])
