"""The exercises of lesson 06."""

import numpy as np
from check import probe

H = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 5.0]])
K = np.array([[1.0, -0.5, 0.3], [-0.5, 0.8, 0.2], [0.3, 0.2, 2.0]])


def hessian_times(yours):
    points = [
        (lambda w: H @ w + w**3, np.array([1.0, -2.0, 0.5]), np.array([0.3, 1.0, -2.0]), 0.1),
        (lambda w: K @ w + np.exp(w), np.array([-0.4, 0.7, 0.1]), np.array([1.2, -0.5, 0.8]), 0.05),
    ]
    mistakes = {
        "w + hv and w − hv are 2h apart": lambda f, w, v, h: (f(w + h * v) - f(w - h * v)) / h,
        "that is a one-sided difference, whose error is larger: look at w − hv as well": lambda f, w, v, h: (
            (f(w + h * v) - f(w)) / h
        ),
        "divide by the distance 2h": lambda f, w, v, h: f(w + h * v) - f(w - h * v),
        "check the sign: uphill minus downhill": lambda f, w, v, h: (f(w - h * v) - f(w + h * v)) / (2 * h),
        "the step is h long along v: w + h v": lambda f, w, v, h: (f(w + h) - f(w - h)) / (2 * h),
        "h scales v; with v itself the two points are too far apart": lambda f, w, v, h: (
            (f(w + v) - f(w - v)) / (2 * h)
        ),
        "that is the gradient's mean; take the difference": lambda f, w, v, h: (f(w + h * v) + f(w - h * v)) / (2 * h),
        "mind the brackets: / 2 * h multiplies by h": lambda f, w, v, h: (f(w + h * v) - f(w - h * v)) / 2 * h,
        "the difference is along v already: do not multiply by v": lambda f, w, v, h: (
            v * (f(w + h * v) - f(w - h * v)) / (2 * h)
        ),
        "that is how fast it changes along a v of length 1; H v grows with v": lambda f, w, v, h: (
            (f(w + h * v) - f(w - h * v)) / (2 * h) / np.linalg.norm(v)
        ),
    }

    def right(f, w, v, h):
        return (f(w + h * v) - f(w - h * v)) / (2 * h)

    return probe(yours, points, right, mistakes, "product")


def part(a, g):
    return a - (a @ g) / (g @ g) * g


def orthogonal(yours):
    points = [
        (np.array([1.0, 2.0, -1.0]), np.array([3.0, 0.0, -4.0])),
        (np.array([-0.6, 0.3, 1.5]), np.array([0.8, 1.1, -0.2])),
    ]
    mistakes = {
        "that is the part along g; the orthogonal one is what is left": lambda a, g: a - part(a, g),
        "the part along g was added; take it away": lambda a, g: 2 * a - part(a, g),
        "⟨a, g⟩ g has g twice: divide by ‖g‖², not ‖g‖": lambda a, g: a - (a @ g) / np.linalg.norm(g) * g,
        "⟨a, g⟩ g has g twice: divide by ‖g‖²": lambda a, g: a - (a @ g) * g,
        "that is the part of g that is orthogonal to a": lambda a, g: part(g, a),
        "that is their difference, which is orthogonal to neither": lambda a, g: a - g,
        "the sign is turned round": lambda a, g: -part(a, g),
        "an inner product adds up over the entries: use a @ g": lambda a, g: a - (a * g) / (g @ g) * g,
        "divide by ⟨g, g⟩, not by ⟨a, a⟩": lambda a, g: a - (a @ g) / (a @ a) * g,
        "subtract a multiple of g, not of a": lambda a, g: a - (a @ g) / (g @ g) * a,
    }
    return probe(yours, points, part, mistakes, "orthogonal part")


def whole_gradient(yours):
    points = []
    for M, g, rho in ((H, np.array([3.0, 0.0, -4.0]), 0.5), (K, np.array([-0.7, 1.1, 0.4]), 0.3)):
        points.append((g, g + rho * M @ g / np.linalg.norm(g), M.dot, rho))

    def second(g, a, product, rho):
        return rho / np.linalg.norm(g) * product(part(a, g))

    mistakes = {
        "that is the dropped part alone; add g_adv": second,
        "that is what SAM keeps; the second part is missing": lambda g, a, product, rho: a,
        "P and H in the other order: transposing turns P H into H P": lambda g, a, product, rho: (
            a + rho / np.linalg.norm(g) * part(product(a), g)
        ),
        "P is missing: a longer g turns nothing": lambda g, a, product, rho: a + rho / np.linalg.norm(g) * product(a),
        "divide by ‖g‖: a long gradient turns slowly": lambda g, a, product, rho: a + rho * product(part(a, g)),
        "the first part is ∇L(w + ε), not ∇L(w)": lambda g, a, product, rho: g + second(g, a, product, rho),
        "ε has the length ρ": lambda g, a, product, rho: a + second(g, a, product, rho) / rho,
        "the second part is added": lambda g, a, product, rho: a - second(g, a, product, rho),
        "divide by ‖g‖, not by its square": lambda g, a, product, rho: (
            a + second(g, a, product, rho) / np.linalg.norm(g)
        ),
        "H is missing: how ε moves is a matter of how g moves": lambda g, a, product, rho: (
            a + rho / np.linalg.norm(g) * part(a, g)
        ),
        "the part of g_adv that is orthogonal to g, not that of g": lambda g, a, product, rho: (
            a + rho / np.linalg.norm(g) * product(part(g, a))
        ),
    }

    def right(g, a, product, rho):
        return a + second(g, a, product, rho)

    return probe(yours, points, right, mistakes, "gradient")
