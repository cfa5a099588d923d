"""Answers to the exercises of lesson 06: (check, answer, what the check says of it; None if it is right)."""

import check_06
import numpy as np
from numpy.linalg import norm


def part(a, g):
    return a - (a @ g) / (g @ g) * g


def by_unit(a, g):
    u = g / norm(g)
    return a - np.dot(a, u) * u


def in_place(a, g):
    g /= np.sqrt(g @ g)
    a -= (a @ g) * g
    return a


def stepped(f, w, v, h):
    step = h * v
    return 0.5 / h * (f(w + step) - f(w - step))


CASES = [
    (check_06.hessian_times, lambda f, w, v, h: (f(w + h * v) - f(w - h * v)) / (2 * h), None),
    (check_06.hessian_times, lambda f, w, v, h: (f(w + h * v) - f(w - h * v)) / h / 2, None),
    (check_06.hessian_times, stepped, None),
    (check_06.hessian_times, lambda f, w, v, h: -(f(w - h * v) - f(w + h * v)) / (2 * h), None),
    (check_06.hessian_times, lambda f, w, v, h: (f(w + h * v) - f(w - h * v)) / h, "are 2h apart"),
    (check_06.hessian_times, lambda f, w, v, h: (f(w + h * v) - f(w)) / h, "one-sided"),
    (check_06.hessian_times, lambda f, w, v, h: f(w + h * v) - f(w - h * v), "divide by the distance"),
    (check_06.hessian_times, lambda f, w, v, h: (f(w - h * v) - f(w + h * v)) / (2 * h), "check the sign"),
    (check_06.hessian_times, lambda f, w, v, h: (f(w + v) - f(w - v)) / (2 * h), "too far apart"),
    (check_06.hessian_times, lambda f, w, v, h: (f(w + h) - f(w - h)) / (2 * h), "h long along v"),
    (check_06.hessian_times, lambda f, w, v, h: (f(w + h * v) - f(w - h * v)) / 2 * h, "mind the brackets"),
    (check_06.hessian_times, lambda f, w, v, h: v * stepped(f, w, v, h), "do not multiply by v"),
    (check_06.hessian_times, lambda f, w, v, h: v @ stepped(f, w, v, h), "should have shape"),
    (check_06.orthogonal, part, None),
    (check_06.orthogonal, by_unit, None),
    (check_06.orthogonal, in_place, None),
    (check_06.orthogonal, lambda a, g: a - g * np.sum(a * g) / np.sum(g**2), None),
    (check_06.orthogonal, lambda a, g: (a @ g) / (g @ g) * g, "the part along g"),
    (check_06.orthogonal, lambda a, g: a + (a @ g) / (g @ g) * g, "take it away"),
    (check_06.orthogonal, lambda a, g: a - (a @ g) / norm(g) * g, "not ‖g‖"),
    (check_06.orthogonal, lambda a, g: a - (a @ g) * g, "divide by ‖g‖²"),
    (check_06.orthogonal, lambda a, g: part(g, a), "orthogonal to a"),
    (check_06.orthogonal, lambda a, g: a - g, "orthogonal to neither"),
    (check_06.orthogonal, lambda a, g: -part(a, g), "turned round"),
    (check_06.orthogonal, lambda a, g: a - a * g / (g @ g) * g, "use a @ g"),
    (check_06.orthogonal, lambda a, g: a - (a @ g) / 25 * g, "off by up to"),
    (check_06.whole_gradient, lambda g, a, H, rho: a + rho / norm(g) * H(part(a, g)), None),
    (check_06.whole_gradient, lambda g, a, H, rho: a + H(rho * by_unit(a, g)) / np.sqrt(g @ g), None),
    (check_06.whole_gradient, lambda g, a, H, rho: rho * H(part(a, g) / norm(g)) + a, None),
    (check_06.whole_gradient, lambda g, a, H, rho: a + rho / norm(g) * (H(a) - (a @ g) / (g @ g) * H(g)), None),
    (check_06.whole_gradient, lambda g, a, H, rho: rho / norm(g) * H(part(a, g)), "add g_adv"),
    (check_06.whole_gradient, lambda g, a, H, rho: a, "what SAM keeps"),
    (check_06.whole_gradient, lambda g, a, H, rho: a + rho / norm(g) * part(H(a), g), "other order"),
    (check_06.whole_gradient, lambda g, a, H, rho: a + rho / norm(g) * H(a), "P is missing"),
    (check_06.whole_gradient, lambda g, a, H, rho: a + rho * H(part(a, g)), "divide by ‖g‖"),
    (check_06.whole_gradient, lambda g, a, H, rho: g + rho / norm(g) * H(part(a, g)), "not ∇L(w)"),
    (check_06.whole_gradient, lambda g, a, H, rho: a - rho / norm(g) * H(part(a, g)), "second part is added"),
    (check_06.whole_gradient, lambda g, a, H, rho: a + rho / (g @ g) * H(part(a, g)), "not by its square"),
    (check_06.whole_gradient, lambda g, a, H, rho: a + rho / norm(g) * part(a, g), "H is missing"),
    (check_06.whole_gradient, lambda g, a, H, rho: a + 0.1 * H(part(a, g)), "off by up to"),
]
