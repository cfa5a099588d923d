"""The words in which the tests of derivatives are written."""

import numpy as np
from autograd.core import make_vjp


def norm(a):
    return float(np.sqrt(np.sum(np.square(a))))


def vjp_error(f, x, rng, h=1e-5):
    """How far ⟨x̄, v⟩ = ⟨ȳ, ∂f(x) v⟩ is from true, relative to the sizes of both sides.

    ∂f(x) v is a central difference in a random direction v; what rounding alone can do to it is not counted, nor its own
    error of order h², estimated by a second difference with 2h.
    """
    vjp, y = make_vjp(f, x)
    v, ybar = rng.standard_normal(np.shape(x)), rng.standard_normal(np.shape(y))
    xbar = vjp(ybar)
    assert np.shape(xbar) == np.shape(x)  # or broadcasting hides a sum left out

    def difference(step):
        up, down = f(x + step * v), f(x - step * v)
        rounding = np.finfo(float).eps * norm(ybar) * (norm(up) + norm(down)) / step
        return (up - down) / (2 * step), rounding

    (jv, rounding), (wide, _) = difference(h), difference(2 * h)
    doubt = rounding + abs(np.sum(ybar * (wide - jv)))
    gap = abs(np.sum(xbar * v) - np.sum(ybar * jv))
    size = norm(xbar) * norm(v) + norm(ybar) * norm(jv)
    return max(gap - doubt, 0.0) / size if size else 0.0


def second_vjp_error(f, x, rng):
    """`vjp_error` of the derivative itself: of x ↦ x̄ with a fixed ȳ."""
    _, y = make_vjp(f, x)
    ybar = rng.standard_normal(np.shape(y))
    return vjp_error(lambda x: make_vjp(f, x)[0](ybar), x, rng)
