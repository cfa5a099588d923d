"""Gradients and Hessian-vector products, exact, on HIPS autograd's tracer.

The tape begins at the parameters of a model, which are views of the flat vector w. So neither cutting w into parameters nor
joining their gradients costs calls on the tape.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy
from autograd.core import VJPNode, sparse_add, sparse_object_types, vspace
from autograd.tracer import isbox, new_box, toposort

from ..arguments import checked, number, truth
from ..array_backend import xp
from ..checks import ABOVE_0, check_function, shown
from ..kinds import a_loss, floats, is_numbers, is_pair, numbers
from ..losses import cross_entropy
from ..models import Model, NormStatistics
from ..types import Array, Evaluated, LossAndGrad, Shape
from ..vectors import over
from .layout import plan_of
from .program import Split
from .replay import Computation
from .tape import new_level

BATCH = numbers(0, empty=True)


def a_model(name: str, value: Any) -> Any:
    """A model, or a function of w."""
    if not isinstance(value, Model):
        check_function(name, value, "a minisam Model or a function of w")
    return value


def a_function(name: str, value: Any) -> Any:
    """A loss: how many arguments it takes depends on what it is given after the logits."""
    return check_function(name, value, "a function (logits, y) -> loss")


@checked(model=a_model, loss=a_function, recorded=truth, check=truth)
def value_and_grad(
    model: Model | Callable[..., Array],
    loss: Callable[..., Array] = cross_entropy,
    recorded: bool = True,
    check: bool = True,
) -> Computation:
    """The function that returns a loss and its gradient with respect to the flat weights.

    Parameters
    ----------
    model : Model, or a function of w
        A model, whose loss on a batch is `loss(model.apply(w, x), y)`; or, for toy landscapes, a function
        w (..., n) -> (...,) written with `autograd.numpy` or `minisam.ops`.
    loss : function
        (logits, y) -> (...,), and whatever else it takes after y. Not used with a function of w.
    recorded : bool
        True traces the computation once for each set of shapes, and replays it from then on. False traces at every call; it is
        the reference, and both give the same bits. See "What is recorded" below.
    check : bool
        Whether records are compared with the reference, and what the loss reads is watched. With False, the loss has to depend
        on nothing but its inputs.

    Returns
    -------
    function
        `f(w, x, y) -> (loss, g)`, or `f(w) -> (loss, g)` for a function of w, with shapes (...,) and (..., n) and the dtype
        of w. Leading axes of w are replicas; x and y are shared, (m, ...), or have the same leading axes. If the model has
        batch norm, the pair is an `Evaluated`, whose `statistics` hold what batch norm saw of the batch.

        `f.on(x, y)` is the function `g(w) -> f(w, x, y)`, for several gradients on one batch: the batch is converted once, and
        copied once into the buffers of a record. It is no snapshot. Do not change x or y in place while g is in use; call
        `f.on` again with the changed arrays. `f(w, x, y)` itself remembers nothing of the batch.

    Raises
    ------
    TypeError, ValueError
        If w is not a floating-point array (..., n) of the backend in use.

    What is recorded
    ----------------
    A list of calls. It is right only as long as the loss makes the same calls for all values of its inputs. So a loss runs
    eagerly, after one warning that says why, if its control flow, its shapes or its numbers depend on values; if it gives other
    numbers when replayed, on this batch or on others; if it reads something that has no visible state (a clock, a file, a random
    generator); or if it changes what it reads. What it reads besides its inputs, such as globals, closures, attributes, entries
    of lists and arrays, is looked at in every call. If something has changed, a new record is made. If something changes again
    and again, recording ends. The 4th replay and then fewer and fewer of them are compared with the reference; a difference
    raises a RuntimeError.

    Three things cannot be found out at once, only by these comparisons: what is inside another package,
    `lambda z, y: np.get_printoptions()["precision"] * mse(z, y)`; an array on a device that is changed in place; and control flow
    that hides from the trace and takes another way only on later batches. Prints and other side effects happen only in a trace.
    Random numbers, such as a mask, have to be inputs.

    In parts
    --------
    A gradient of a large network is computed as the mean of those of two halves of the batch, by two threads at once. Large means
    40 million multiplications or more in a forward pass of one replica. Examples must not meet, in batch norm or in the loss; so
    that has to be one of the library's, or a `functools.partial` of it. Where each replica is smaller, but all of them need 20
    million together, each thread computes half of them. The bits are the same on any number of threads (`minisam.threads`),
    and when traced.

    Truths: tests/test_autodiff.py, tests/test_replay.py, tests/test_watch.py, tests/test_parts.py.
    """
    split, apply = _parts(model, loss)

    def body(w: Array, *batch: Array) -> tuple[list[Array], list[Array]]:
        return _gradient(lambda *leaves: apply(leaves, *batch), split(w), w.shape[:-1])

    names = list(model.running) if isinstance(model, Model) else []

    def with_statistics(results: list[Array]) -> Evaluated:
        value, *of_batch, g = results
        return Evaluated(value, g, dict(zip(names, of_batch, strict=True)))

    finish = with_statistics if names else tuple
    plan = plan_of(model, loss)
    return Computation("value_and_grad", body, split, partial(_ready, "xy"), finish, 1, recorded, check, plan)


@checked(model=a_model, loss=a_function, recorded=truth, check=truth)
def hvp(
    model: Model | Callable[..., Array],
    loss: Callable[..., Array] = cross_entropy,
    recorded: bool = True,
    check: bool = True,
) -> Computation:
    """The function `f(w, v, x, y) -> H v` (or `f(w, v)`) with H the Hessian of the loss at w: exact, about two gradients.

    The gradient is differentiated once more in the direction v: H v = ∂⟨∇L(w), v⟩/∂w (Pearlmutter 1994). Arguments as for
    `value_and_grad`; v has the shape of w, and each replica has its own Hessian. `f.on(x, y)` is the function of (w, v).
    """
    split, apply = _parts(model, loss)

    def body(w: Array, v: Array, *batch: Array) -> tuple[list[Array], list[Array]]:
        if v.shape != w.shape:
            raise ValueError(f"v must have the shape of w, {w.shape}, got {v.shape}")

        def gradient(*leaves: Array) -> list[Array]:
            return _gradient(lambda *inner: apply(inner, *batch), leaves, w.shape[:-1])[1]

        _, pull = _trace(gradient, split(w))
        return [], pull(split(v))

    finish, plan = operator.itemgetter(0), plan_of(model, loss)
    return Computation("hvp", body, split, partial(_ready, "vxy"), finish, 2, recorded, check, plan)


@checked(f=a_loss, w=floats(), h=number(ABOVE_0))
@numpy.errstate(all="ignore")
def check_grad(f: Callable[[Array], Any], w: Array, h: float = 1e-5) -> float:
    """The largest relative error of a gradient against central differences, in float64.

    Each entry gᵢ is compared with dᵢ = (L(w + hᵢ eᵢ) − L(w − hᵢ eᵢ)) / 2hᵢ with hᵢ = h max(1, |wᵢ|). The difference is divided
    by |gᵢ| + |dᵢ|, so that a wrong gradient is seen at every scale. Two errors of dᵢ itself are subtracted first: its rounding,
    ε_float64 (|L₊| + |L₋|)/hᵢ, and its truncation, estimated by a second quotient with 2hᵢ.

    Parameters
    ----------
    f : function
        w (..., n) -> loss (...,), to be differentiated by autograd; or w -> (loss, g), to check that g.
    w : array (..., n)
        Where to check; it is converted to float64.
    h : float
        Step, > 0.

    Returns
    -------
    float
        0 ≤ error ≤ 1 over all entries: about 1e-9 for a right gradient, 1 for a wrong sign. It is 1, too, where the gradient or
        a difference is not finite: nothing is known of such a gradient.
    """
    w = w.astype("float64")
    value_of, loss_and_grad = as_loss(f), as_loss_and_grad(f)
    _, g = loss_and_grad(w)
    worst = 0.0
    for i in range(w.shape[-1]):
        step = h * numpy.maximum(1.0, abs(w[..., i]))

        def quotient(hi: Array, i: int = i) -> tuple[Array, Array]:
            up, down = w.copy(), w.copy()
            up[..., i] += hi
            down[..., i] -= hi
            l_up, l_down = value_of(up), value_of(down)
            return (l_up - l_down) / (2 * hi), numpy.finfo("float64").eps * (abs(l_up) + abs(l_down)) / hi

        d, rounding = quotient(step)
        wide, _ = quotient(2 * step)
        gap = abs(g[..., i] - d) - rounding - abs(wide - d)
        known = numpy.isfinite(g[..., i]) & numpy.isfinite(d) & numpy.isfinite(wide)
        error = numpy.where(gap > 0, over(gap, abs(g[..., i]) + abs(d)), 0)
        worst = max(worst, float(numpy.where(known, error, 1).max()))
    return worst


def as_loss_and_grad(f: Callable[[Array], Any]) -> LossAndGrad:
    """f itself if it returns (loss, g); else the gradient of the loss that it returns."""
    differentiated = value_and_grad(f)

    def both(w: Array) -> tuple[Array, Array]:
        result = f(w)
        if isinstance(result, tuple) and not is_pair(result):
            raise TypeError(f"loss must return (loss, g), both in floating point, got {shown(result)}")
        return result if isinstance(result, tuple) else differentiated(w)

    return both


def as_loss(f: Callable[[Array], Any]) -> Callable[[Array], Array]:
    """f without its gradient, if it returns one."""
    known = a_loss("loss", f)
    return lambda w: result[0] if isinstance(result := known(w), tuple) else result


# --- the tape --------------------------------------------------------------------------------------------------------


def _trace(
    function: Callable[..., Sequence[Array]], roots: Sequence[Array]
) -> tuple[list[Array], Callable[[Sequence[Array]], list[Array]]]:
    """The values of `function(*roots)`, and the function that pulls gradients of the first of these values back to the roots."""
    nodes = [VJPNode.new_root() for _ in roots]
    with new_level() as level:
        ends = function(*[new_box(root, level, node) for root, node in zip(roots, nodes, strict=True)])
    on_tape = [isbox(end) and end._trace == level for end in ends]
    values = [end._value if here else end for end, here in zip(ends, on_tape, strict=True)]

    def pull(gradients: Sequence[Array]) -> list[Array]:
        end = VJPNode.new_root()
        pulled = [(e._node, g) for e, g, here in zip(ends, gradients, on_tape, strict=False) if here]
        end.parents = [node for node, _ in pulled]
        end.vjp = lambda _: [g for _, g in pulled]
        arrived: dict[VJPNode, Array] = {end: None}
        for node in toposort(end):
            if node.parents:
                for parent, g in zip(node.parents, node.vjp(arrived.pop(node)), strict=True):
                    g = _dense(g)
                    arrived[parent] = arrived[parent] + g if parent in arrived else g
        return [arrived[node] if node in arrived else 0 * root for root, node in zip(roots, nodes, strict=True)]

    return values, pull


def _dense(g: Any) -> Array:
    """A gradient as an array: that of an indexed array comes from autograd in sparse form."""
    return sparse_add(vspace(g), None, g) if type(g) in sparse_object_types else g


def _gradient(
    function: Callable[..., list[Array]], roots: Sequence[Array], replicas: Shape
) -> tuple[list[Array], list[Array]]:
    """The values of a function, the first of which is a loss (...,), and its gradient with respect to the roots."""
    values, pull = _trace(function, roots)
    if not is_numbers(values[0]):
        raise TypeError(
            f"loss must return an array in floating point, made of autograd.numpy's functions, got {shown(values[0])}"
        )
    if values[0].shape != replicas:
        raise ValueError(f"loss must have one value per replica, shape {replicas}, got {values[0].shape}")
    return values, pull([xp().ones(values[0].shape, dtype=values[0].dtype)])


def _parts(model: Any, loss: Callable[..., Array]) -> tuple[Split, Callable[..., list[Array]]]:
    """The function that splits w into leaves, and the function from leaves and batch to the loss and the batch's statistics."""
    if not isinstance(model, Model):
        return lambda w: [w], lambda leaves, *rest: [model(*leaves, *rest)]

    def apply(leaves: Sequence[Array], x: Array, *rest: Array) -> list[Array]:
        seen = NormStatistics()
        outputs = model.outputs(dict(zip(model.shapes, leaves, strict=True)), x, seen)
        return [loss(outputs, *rest), *(seen.of_batch[name] for name in model.running)]

    return lambda w: list(model.unflatten(w).values()), apply


def _ready(names: str, w: Array, *others: Array) -> tuple[Array, ...]:
    """Check the inputs, and convert floating-point ones to the dtype of w; integers, such as labels, stay as they are."""
    w = check_weights(w)
    others = tuple(BATCH(name, a) for name, a in zip([*names, *["y"] * len(others)], others, strict=False))
    return (w, *[a if a.dtype == w.dtype or a.dtype.kind != "f" else a.astype(w.dtype) for a in others])


def check_weights(w: Any) -> Array:
    """w, in the byte order of this machine; or an error if it is no floating-point array (..., n) of the backend in use."""
    return floats()("w", w)
