"""Answers to the exercises of lesson 06: (check, answer, what the check says of it; None if it is right)."""

import check_06
from numpy.linalg import norm


def part(a, g):
    return a - (a @ g) / (g @ g) * g


CASES = [
    (check_06.hessian_times, lambda f, w, v, h: (f(w + h * v) - f(w - h * v)) / (2 * h), None),
    (check_06.hessian_times, lambda f, w, v, h: (f(w + h * v) - f(w - h * v)) / h, "are 2h apart"),
    (check_06.hessian_times, lambda f, w, v, h: (f(w + h * v) - f(w)) / h, "one-sided"),
    (check_06.hessian_times, lambda f, w, v, h: f(w + h * v) - f(w - h * v), "divide by the distance"),
    (check_06.hessian_times, lambda f, w, v, h: (f(w - h * v) - f(w + h * v)) / (2 * h), "check the sign"),
    (check_06.hessian_times, lambda f, w, v, h: (f(w + v) - f(w - v)) / (2 * h), "too far apart"),
    (check_06.orthogonal, part, None),
    (check_06.orthogonal, lambda a, g: (a @ g) / (g @ g) * g, "the part along g"),
    (check_06.orthogonal, lambda a, g: a + (a @ g) / (g @ g) * g, "take it away"),
    (check_06.orthogonal, lambda a, g: a - (a @ g) / norm(g) * g, "not ‖g‖"),
    (check_06.orthogonal, lambda a, g: part(g, a), "orthogonal to a"),
    (check_06.whole_gradient, lambda g, a, H, rho: a + rho / norm(g) * H(part(a, g)), None),
    (check_06.whole_gradient, lambda g, a, H, rho: rho / norm(g) * H(part(a, g)), "add g_adv"),
    (check_06.whole_gradient, lambda g, a, H, rho: a, "what SAM keeps"),
    (check_06.whole_gradient, lambda g, a, H, rho: a + rho / norm(g) * part(H(a), g), "other order"),
    (check_06.whole_gradient, lambda g, a, H, rho: a + rho / norm(g) * H(a), "P is missing"),
    (check_06.whole_gradient, lambda g, a, H, rho: a + rho * H(part(a, g)), "divide by ‖g‖"),
    (check_06.whole_gradient, lambda g, a, H, rho: g + rho / norm(g) * H(part(a, g)), "not ∇L(w)"),
]
